#!/usr/bin/env python3
"""Holds the GGUF reader against gguf-py, the package that llama.cpp's converter writes with.

    pip install gguf==0.19.0
    python scripts/check_gguf.py .build/release/gpt2-bench
    python scripts/check_gguf.py .build/release/gpt2-bench --llama Benchmarks/peers/installed/llama.cpp --megabytes 10

Writes the tiny model as GGUF in each type that is read, as convert_hf_to_gguf.py lays a GPT-2 out (linear weights
transposed, vectors in float32, the tokenizer within), reads each file back with gguf-py, and asks gpt2-bench:

- the weights, exported as safetensors, are gguf-py's own dequantization, bit for bit;
- the logits are those of the same weights as safetensors, bit for bit; for F32 they are the tiny model's;
- the ids of a text, and the text of the ids, are those of vocab.json and merges.txt;
- each type that is not read is refused by name, in one line, with exit code 1.

With `--llama`, the folder of a llama.cpp that install_peers.sh has built, it also writes vocabularies with tokens of every
type and random names, and asks llama.cpp for the ids of texts, of mixed text of many megabytes too, and for the text of
each id. Needs a C compiler, tiktoken and tokenizers.

Exit code: 0 where all holds, 1 where something does not, 2 for wrong use.
"""

import argparse
import ctypes
import json
import random
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


SHIM = """
#include "llama.h"
static void silent(enum ggml_log_level level, const char *text, void *data) { (void)level; (void)text; (void)data; }
void *open_model(const char *path, int vocabulary_only) {
  llama_log_set(silent, 0);
  struct llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = vocabulary_only;
  // The weights as they lie: other layouts need instructions that a virtual machine may not have (AMX).
  parameters.use_extra_bufts = false;
  return llama_model_load_from_file(path, parameters);
}
int continue_greedily(void *model, int *ids, int length, int count) {
  struct llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = length + count;
  parameters.n_threads = parameters.n_threads_batch = 1;
  parameters.type_k = parameters.type_v = GGML_TYPE_F32;
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  struct llama_context *context = llama_init_from_model(model, parameters);
  if (!context) return 1;
  int size = llama_vocab_n_tokens(llama_model_get_vocab(model));
  for (int last = length; last < length + count; last++) {
    int first = last == length ? 0 : last - 1;
    if (llama_decode(context, llama_batch_get_one(ids + first, last - first))) return 2;
    const float *logits = llama_get_logits_ith(context, -1);
    ids[last] = 0;
    for (int id = 1; id < size; id++)
      if (logits[id] > logits[ids[last]]) ids[last] = id;
  }
  llama_free(context);
  return 0;
}
int encode(void *model, const char *text, int length, int *ids, int count) {
  return llama_tokenize(llama_model_get_vocab(model), text, length, ids, count, true, true);
}
int spell(void *model, int id, char *text, int length) {
  return llama_token_to_piece(llama_model_get_vocab(model), id, text, length, 0, true);
}
void close_model(void *model) { llama_model_free(model); }
"""
ADDED = [
    "<|pad|>", "<|user|>", "<|im_end|>", "<|a", "<|a|>", "|><|a|>", " x", "the ", "é", "\n\n", "<EOT>", "[PAD]", "</s>", "日本",
]  # fmt: skip


class Llama:
    """llama.cpp's library, by a few functions in C: its structures are not for Python to know."""

    def __init__(self, folder: Path, work: Path) -> None:
        source, library = work / "shim.c", work / "shim.so"
        source.write_text(SHIM)
        headers = [f"-I{folder}/source/llama.cpp/{part}" for part in ("include", "ggml/include")]
        built = folder.resolve() / "build/bin"
        command = ["cc", "-shared", "-fPIC", *headers, str(source), "-o", str(library), f"-L{built}", "-lllama"]
        subprocess.run([*command, "-lggml", "-lggml-base", f"-Wl,-rpath,{built}"], check=True)
        self.library = ctypes.CDLL(str(library))
        self.library.open_model.restype = ctypes.c_void_p

    def open(self, path: Path, vocabulary_only: bool = True) -> None:
        model = self.library.open_model(str(path).encode(), int(vocabulary_only))
        if not model:
            sys.exit(f"llama.cpp cannot read {path}")
        self.model = ctypes.c_void_p(model)

    def encode(self, text: str) -> list[int]:
        encoded = text.encode()
        ids = (ctypes.c_int * (len(encoded) + 8))()
        count = self.library.encode(self.model, encoded, len(encoded), ids, len(ids))
        return list(ids[:count])

    def spell(self, number: int) -> bytes:
        text = ctypes.create_string_buffer(1024)
        length = self.library.spell(self.model, number, text, len(text))
        return text.raw[:length]

    def continued(self, ids: list[int], count: int) -> list[int]:
        room = (ctypes.c_int * (len(ids) + count))(*ids)
        if self.library.continue_greedily(self.model, room, len(ids), count) != 0:
            sys.exit("llama.cpp cannot continue a text")
        return list(room[len(ids) :])

    def close(self) -> None:
        self.library.close_model(self.model)


def write_vocabulary(path: Path, rng: random.Random) -> list[str]:
    """A file of tokens and no weights but one, with tokens of random types after the tiny model's."""
    vocabulary = json.loads((TINY / "vocab.json").read_text(encoding="utf-8"))
    tokens = sorted(vocabulary, key=vocabulary.get)
    added = [content for content in rng.sample(ADDED, rng.randint(0, 8)) if content not in vocabulary]
    kinds = [
        gguf.TokenType.CONTROL, gguf.TokenType.USER_DEFINED, gguf.TokenType.UNKNOWN, gguf.TokenType.UNUSED,
        gguf.TokenType.NORMAL,
    ]  # fmt: skip
    # A normal token is spelled in the alphabet of bytes: llama.cpp shows others as errors.
    alphabet = set("".join(tokens))
    types = [gguf.TokenType.NORMAL] * len(tokens)
    types += [rng.choice(kinds if alphabet.issuperset(content) else kinds[:-1]) for content in added]
    if rng.random() < 0.7:
        types[vocabulary["<|endoftext|>"]] = gguf.TokenType.CONTROL
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_block_count(1)
    writer.add_context_length(8)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(128)
    writer.add_head_count(1)
    writer.add_layer_norm_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*tokens, *added])
    writer.add_token_types(types)
    merges = (TINY / "merges.txt").read_text(encoding="utf-8").split("\n")
    writer.add_token_merges([line for line in merges if line and not line.startswith("#version")])
    last = len(tokens) + len(added) - 1
    writer.add_eos_token_id(rng.choice([vocabulary["<|endoftext|>"], 300, last]))
    writer.add_bos_token_id(rng.choice([vocabulary["<|endoftext|>"], last]))
    if rng.random() < 0.3:
        writer.add_eot_token_id(rng.randrange(last))
    if rng.random() < 0.5:
        writer.add_add_bos_token(rng.random() < 0.5)
    writer.add_tensor("token_embd.weight", np.zeros((last + 1, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return added


def check_vocabularies(bench: Bench, llama: Llama, megabytes: float, count: int = 60) -> list[str]:
    from check_tokenizer import MEGABYTE, Ours, mixed_text

    rng = random.Random(3)
    wrong, texts = [], 0
    path = bench.work / "vocabulary.gguf"
    long_text = mixed_text(int(megabytes * MEGABYTE), seed=2)
    words = ["the", " x", "hi", "\n\n", "  ", "日本語", "é", "don't", "<|", "12", "<|endoftext|>", "|>"]
    for number in range(count):
        added = write_vocabulary(path, rng)
        llama.open(path)
        ours = Ours(bench.program, path)
        samples = ["".join(rng.choices([*added, *words], k=rng.randint(1, 15))) for _ in range(6)]
        if number == count - 1:
            cuts = range(0, len(long_text), 200)
            samples.append("".join(long_text[i : i + 200] + rng.choice([*added, "<|endoftext|>", " "]) for i in cuts))
        for text in samples:
            texts += 1
            found, expected = ours.encode(text), llama.encode(text)
            if found != expected:
                place = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
                differing = sum(a != b for a, b in zip(found, expected)) + abs(len(found) - len(expected))
                wrong.append(
                    f"vocabulary {number}: {differing} ids of a text of {len(text)} differ, the first after "
                    f"{ours.decode(found[max(place - 5, 0) : place])!r}: {found[place : place + 8]}, "
                    f"expected {expected[place : place + 8]}; added {added}"
                )
        everything = range(1024 + len(added))
        if ours.decode(list(everything)) != b"".join(map(llama.spell, everything)).decode(errors="replace").encode() + b"\n":
            wrong.append(f"vocabulary {number}: the text of all ids differs; added {added}")
        llama.close()
    print(f"{count} vocabularies, {texts} texts by llama.cpp, one of {megabytes:g} MB: {len(wrong)} differences")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="gpt2-bench, built")
    parser.add_argument("--llama", type=Path, help="a llama.cpp that install_peers.sh has built")
    parser.add_argument("--megabytes", type=float, default=1, help="of mixed text for llama.cpp")
    arguments = parser.parse_args()
    tensors = read_safetensors(TINY / "model.safetensors")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(arguments.program, Path(work))
        wrong = [line for kind in TYPES for line in check_type(bench, tensors, kind)]
        wrong += [line for kind in REFUSED for line in check_refusal(bench, tensors, kind)]
        if arguments.llama:
            wrong += check_vocabularies(bench, Llama(arguments.llama, Path(work)), arguments.megabytes)
    for line in wrong:
        print(line)
    print(f"{len(TYPES)} types read, {len(REFUSED)} refused by name: {'all right' if not wrong else 'NOT right'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
