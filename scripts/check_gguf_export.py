#!/usr/bin/env python3
"""Holds GGUF files that gpt2-bench writes against gguf-py, and against llama.cpp.

    pip install gguf==0.19.0
    python scripts/check_gguf_export.py .build/release/gpt2-bench
    python scripts/check_gguf_export.py .build/release/gpt2-bench --llama Benchmarks/peers/installed/llama.cpp

Exports the tiny model with each kind of weights, reads each file with gguf-py, and asks:

- the metadata, the tensors' names, shapes and types are those of a file that gguf-py writes of the model;
- float32, float16 and bfloat16 are gguf-py's own bits, and no block of Q8_0 and Q4_0 has a larger error than gguf-py's;
- what gguf-py widens the file to is what gpt2-bench reads from it, bit for bit.

With `--llama`, the folder of a llama.cpp that install_peers.sh has built, llama.cpp also encodes a text with each file,
and continues a prompt greedily: with float32, by the ids that `generate` gives; with others it says how many are equal.

Exit code: 0 where all holds, 1 where something does not, 2 for wrong use.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
from check_gguf import TEXT, TINY, Bench, Llama, Type, dequantized, read_safetensors, same_bits, write_gguf

KINDS = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0]
PROMPT = "ROMEO:"
CONTINUED = 48
# What only one of the two says: the converter's class names no vocabulary's size, and this script's writer no kind of file.
OPTIONAL = {
    "general.type", "general.file_type", "general.quantization_version", "gpt2.vocab_size",
    "tokenizer.ggml.bos_token_id",
}  # fmt: skip


LAYER = [f"{part}.{kind}" for part in
         ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj") for kind in ("weight", "bias")]  # fmt: skip


def in_our_order(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("h."))
    names = [f"h.{layer}.{name}" for layer in range(layers) for name in LAYER]
    return {name: tensors[name] for name in ["wte.weight", "wpe.weight", *names, "ln_f.weight", "ln_f.bias"]}


def metadata(reader: gguf.GGUFReader) -> dict[str, object]:
    return {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def block_errors(values: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return ((values.astype(np.float64) - expected) ** 2).reshape(-1, 32).sum(axis=1)


def check_kind(bench: Bench, tensors: dict[str, np.ndarray], kind: Type) -> list[str]:
    path, theirs = bench.work / f"{kind.name}.gguf", bench.work / f"theirs-{kind.name}.gguf"
    bench.expect(
        "export", "--model", str(TINY), "--format", "gguf", "--weights", kind.name.lower(), "--out", str(path)
    )
    write_gguf(theirs, tensors, kind)
    ours, other = gguf.GGUFReader(path), gguf.GGUFReader(theirs)
    wrong = []

    found, expected = metadata(ours), metadata(other)
    for key in sorted((found.keys() | expected.keys()) - OPTIONAL):
        if found.get(key) != expected.get(key):
            wrong.append(f"{kind.name}: {key} is {str(found.get(key))[:80]}, expected {str(expected.get(key))[:80]}")
    if found["general.file_type"] != gguf.LlamaFileType[("ALL_" if kind == Type.F32 else "MOSTLY_") + kind.name]:
        wrong.append(f"{kind.name}: general.file_type is {found['general.file_type']}")

    plain = gguf.GGUFReader(bench.work / "F32.gguf")
    better = []
    for mine, their, whole in zip(ours.tensors, other.tensors, plain.tensors, strict=True):
        if (mine.name, list(mine.shape), mine.tensor_type) != (their.name, list(their.shape), their.tensor_type):
            wrong.append(f"{kind.name}: {mine.name} {list(mine.shape)} {mine.tensor_type.name}, expected {their.name}")
        elif mine.tensor_type in (Type.Q8_0, Type.Q4_0):
            exact = whole.data.astype(np.float64)
            errors = [block_errors(gguf.dequantize(t.data, t.tensor_type), exact) for t in (mine, their)]
            worse = int((errors[0] > errors[1] * (1 + 1e-6)).sum())
            if worse:
                wrong.append(f"{kind.name}: {worse} blocks of {mine.name} are worse than gguf-py's")
            better.append((errors[0].sum(), errors[1].sum()))
        elif mine.data.tobytes() != their.data.tobytes():
            wrong.append(f"{kind.name}: {mine.name} has other bits than gguf-py's")
    if better:
        share = sum(a for a, _ in better) / sum(b for _, b in better)
        print(f"{kind.name}: squared error {share:.3f} of gguf-py's")

    read = bench.weights(path)
    values = dequantized(path, tensors)
    wrong += [f"{kind.name}: {name} is not what gguf-py reads" for name in tensors if not same_bits(values[name], read[name])]
    return wrong


def check_llama(bench: Bench, folder: Path) -> list[str]:
    llama, wrong = Llama(folder, bench.work), []
    ids = [int(word) for word in bench.expect("tokenize", "--model", str(TINY), PROMPT).split()]
    arguments = ["--model", str(TINY), "-n", str(CONTINUED), "--print-ids", "--ignore-eos", "--quiet"]
    expected = [int(word) for word in bench.expect("generate", PROMPT, *arguments).split()]
    text = [int(word) for word in bench.expect("tokenize", "--model", str(TINY), TEXT).split()]
    for kind in KINDS:
        path = bench.work / f"{kind.name}.gguf"
        llama.open(path, vocabulary_only=False)
        if llama.encode(TEXT) != text:
            wrong.append(f"{kind.name}: llama.cpp gives a text other ids")
        found = llama.continued(ids, CONTINUED)
        llama.close()
        same = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), CONTINUED)
        print(f"{kind.name}: llama.cpp continues by the same {same} of {CONTINUED} ids as float32 here")
        if kind == Type.F32 and found != expected:
            wrong.append(f"F32: llama.cpp continues by {found}, expected {expected}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="gpt2-bench, built")
    parser.add_argument("--llama", type=Path, help="a llama.cpp that install_peers.sh has built")
    arguments = parser.parse_args()
    tensors = in_our_order(read_safetensors(TINY / "model.safetensors"))
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(arguments.program, Path(work))
        wrong = [line for kind in KINDS for line in check_kind(bench, tensors, kind)]
        if arguments.llama:
            wrong += check_llama(bench, arguments.llama)
    for line in wrong:
        print(line)
    print(f"{len(KINDS)} kinds of weights written: {'all right' if not wrong else 'NOT right'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
