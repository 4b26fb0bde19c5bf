#!/usr/bin/env python3
"""Holds the GGUF reader against gguf-py, the package that llama.cpp's converter writes with.

    pip install gguf==0.19.0
    python scripts/check_gguf.py .build/release/gpt2-bench

Writes the tiny model as GGUF in each type that is read, as convert_hf_to_gguf.py lays a GPT-2 out (linear weights
transposed, vectors in float32, the tokenizer within), reads each file back with gguf-py, and asks gpt2-bench:

- the weights, exported as safetensors, are gguf-py's own dequantization, bit for bit;
- the logits are those of the same weights as safetensors, bit for bit; for F32 they are the tiny model's;
- the ids of a text, and the text of the ids, are those of vocab.json and merges.txt;
- each type that is not read is refused by name, in one line, with exit code 1.

Exit code: 0 where all holds, 1 where something does not, 2 for wrong use.
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "weights/tiny"
IDS = "464 290 12 7 99 300 5 1000 64 64"
TEXT = "The quick brown fox doesn't jump over 13 lazy dogs — naïve, 漢字, 👩‍💻!\n\n  end<|endoftext|>more"
TYPES = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q6_K]
REFUSED = [Type.Q4_1, Type.Q5_0, Type.Q5_1]
LINEAR = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[8 + length + entry["data_offsets"][0] : 8 + length + entry["data_offsets"][1]], "<f4")
        .reshape(entry["shape"])
        for name, entry in header.items()
    }  # fmt: skip


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header, offset = {}, 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(t.astype("<f4").tobytes() for t in tensors.values()))


def quantized(values: np.ndarray, kind: Type, rng: np.random.Generator) -> np.ndarray:
    """Rows of values in a type's blocks. gguf-py writes no Q6_K: these blocks are random, with a small scale."""
    if kind != Type.Q6_K:
        return gguf.quantize(values, kind)
    rows, blocks = values.shape[0], values.shape[1] // 256
    parts = rng.integers(0, 256, size=(rows, blocks, 208), dtype=np.uint8)
    scales = rng.uniform(1e-6, 1e-5, size=(rows, blocks, 1)).astype(np.float16).view(np.uint8)
    return np.concatenate([parts, scales], axis=-1).reshape(rows, blocks * 210)


def kind_of(name: str, tensor: np.ndarray, kind: Type) -> Type:
    """The type of one tensor of a file of a type: rows that no block divides, and vectors, stay float32."""
    row = tensor.shape[0] if name.endswith(LINEAR) else tensor.shape[-1]
    divides = row % gguf.GGML_QUANT_SIZES[kind][0] == 0
    return kind if tensor.ndim == 2 and divides and name != "wpe.weight" else Type.F32


def write_gguf(path: Path, tensors: dict[str, np.ndarray], kind: Type) -> None:
    config = json.loads((TINY / "config.json").read_text())
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_name("tiny")
    writer.add_block_count(config["n_layer"])
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    vocabulary = json.loads((TINY / "vocab.json").read_text(encoding="utf-8"))
    tokens = sorted(vocabulary, key=vocabulary.get)
    special = "<|endoftext|>"
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t == special else gguf.TokenType.NORMAL for t in tokens])
    merges = (TINY / "merges.txt").read_text(encoding="utf-8").split("\n")
    writer.add_token_merges([line for line in merges if line and not line.startswith("#version")])
    writer.add_eos_token_id(vocabulary[special])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, config["n_layer"])
    rng = np.random.default_rng(6)
    for name, tensor in tensors.items():
        stem, suffix = name.rsplit(".", 1)
        # The converter's names are those of the whole model's state.
        target = names.get_name(stem) or names.get_name("transformer." + stem)
        if target is None:
            sys.exit(f"gguf-py has no name for {name}")
        rows = np.ascontiguousarray(tensor.T) if name.endswith(LINEAR) else tensor
        own = kind_of(name, tensor, kind)
        data = quantized(rows, own, rng)
        writer.add_tensor(f"{target}.{suffix}", data, raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def dequantized(path: Path, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What gguf-py reads from the file, under Hugging Face's names and in their order of dimensions."""
    values = [gguf.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(path).tensors]
    return {
        name: np.ascontiguousarray(value.T if name.endswith(LINEAR) else value).astype(np.float32).reshape(tensor.shape)
        for (name, tensor), value in zip(tensors.items(), values, strict=True)
    }


class Bench:
    def __init__(self, program: str, work: Path) -> None:
        self.program = program
        self.work = work

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, encoding="utf-8")

    def expect(self, *arguments: str) -> str:
        done = self.run(*arguments)
        if done.returncode != 0:
            sys.exit(f"gpt2-bench {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def logits(self, model: Path) -> np.ndarray:
        out = self.work / "logits.npy"
        self.expect("logits", "--model", str(model), "--ids", IDS, "--out", str(out))
        return np.load(out)

    def weights(self, model: Path) -> dict[str, np.ndarray]:
        out = self.work / "exported.safetensors"
        self.expect("export", "--model", str(model), "--format", "safetensors", "--out", str(out))
        return read_safetensors(out)


def same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and first.astype("<f4").tobytes() == second.astype("<f4").tobytes()


def check_type(bench: Bench, tensors: dict[str, np.ndarray], kind: Type) -> list[str]:
    path = bench.work / f"tiny-{kind.name}.gguf"
    write_gguf(path, tensors, kind)
    expected = dequantized(path, tensors)
    found = bench.weights(path)
    wrong = [f"{kind.name}: {name} differs" for name in tensors if not same_bits(expected[name], found[name])]

    plain = bench.work / "plain"
    plain.mkdir(exist_ok=True)
    write_safetensors(plain / "model.safetensors", expected)
    (plain / "config.json").write_text((TINY / "config.json").read_text())
    logits = bench.logits(path)
    if not same_bits(logits, bench.logits(plain)):
        wrong.append(f"{kind.name}: the logits are not those of the same weights as safetensors")
    original = bench.logits(TINY)
    error = float(np.abs(logits - original).max())
    if kind == Type.F32 and not same_bits(logits, original):
        wrong.append("F32: the logits are not the tiny model's")
    kinds = {kind_of(name, tensor, kind) for name, tensor in tensors.items()}
    share = sum(kind_of(n, t, kind) == kind for n, t in tensors.items())
    assert kind in kinds, f"no tensor is {kind.name}"
    print(f"{kind.name}: {share} of {len(tensors)} tensors, largest difference of a logit from the tiny model {error:.3g}")

    ids = bench.expect("tokenize", "--model", str(path), TEXT).strip()
    if ids != bench.expect("tokenize", "--model", str(TINY), TEXT).strip():
        wrong.append(f"{kind.name}: the ids of a text are others")
    if bench.expect("tokenize", "--model", str(path), "--decode", ids) != TEXT + "\n":
        wrong.append(f"{kind.name}: the ids do not give the text back")
    return wrong


def check_refusal(bench: Bench, tensors: dict[str, np.ndarray], kind: Type) -> list[str]:
    path = bench.work / f"tiny-{kind.name}.gguf"
    write_gguf(path, tensors, kind)
    done = bench.run("logits", "--model", str(path), "--ids", "1", "--out", str(bench.work / "none.npy"))
    lines = done.stderr.splitlines()
    if done.returncode == 1 and len(lines) == 1 and f"type is {kind.name}" in lines[0] and str(path) in lines[0]:
        return []
    return [f"{kind.name}: exit {done.returncode}, {done.stderr!r}, expected 1 and a line that names the type"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="gpt2-bench, built")
    tensors = read_safetensors(TINY / "model.safetensors")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(parser.parse_args().program, Path(work))
        wrong = [line for kind in TYPES for line in check_type(bench, tensors, kind)]
        wrong += [line for kind in REFUSED for line in check_refusal(bench, tensors, kind)]
    for line in wrong:
        print(line)
    print(f"{len(TYPES)} types read, {len(REFUSED)} refused by name: {'all right' if not wrong else 'NOT right'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
