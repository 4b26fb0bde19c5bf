#!/usr/bin/env python3
"""Synthetic GPT-2 weights from an integer generator: the same bits on every machine and in every language.

    python scripts/synthetic.py            writes Benchmarks/reference/synthetic_checksums.json

Element i (row-major) of tensor number t is made from h = splitmix64((t << 40) + i): the sum of h's four
16-bit parts less 131070 is a whole number, near normal, of mean 0 and deviation 37837; it is rounded to
float32 and multiplied by a float32 scale. A layer norm's weight is one plus that. Benchmarks/reference/README.md
holds the specification in full; Sources/GPT2Model implements it too, and the checksums hold the two together.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CHECKSUM_MODELS = ("synthetic:tiny", "synthetic:3,5,35,131,33")
CHUNK = 1 << 20  # elements made at a time: bounds the memory that the 64-bit intermediates take


@dataclass(frozen=True)
class Shape:
    """A GPT-2's shape; `heads` divides `channels`."""

    layers: int
    heads: int
    channels: int
    vocabulary: int
    context: int


NAMED_SHAPES = {
    "tiny": Shape(2, 4, 64, 512, 128),
    "gpt2": Shape(12, 12, 768, 50257, 1024),
    "gpt2-medium": Shape(24, 16, 1024, 50257, 1024),
    "gpt2-large": Shape(36, 20, 1280, 50257, 1024),
    "gpt2-xl": Shape(48, 25, 1600, 50257, 1024),
}


@dataclass(frozen=True)
class TensorSpec:
    """One tensor: its number in the generator, its name in Hugging Face's file, its shape and its deviation."""

    number: int
    name: str
    shape: tuple[int, ...]
    deviation: float
    offset: float  # 1 for a layer norm's weight, else 0


def parse_shape(model: str) -> Shape:
    """The shape that `synthetic:NAME` or `synthetic:L,H,C,V,T` names; ValueError says what was expected."""
    prefix, _, name = model.partition(":")
    if prefix == "synthetic" and name in NAMED_SHAPES:
        return NAMED_SHAPES[name]
    if prefix != "synthetic" or not re.fullmatch(r"[1-9]\d*(,[1-9]\d*){4}", name):
        raise ValueError(
            f"model {model}: expected synthetic:L,H,C,V,T or synthetic: and one of {', '.join(NAMED_SHAPES)}"
        )
    shape = Shape(*map(int, name.split(",")))
    if shape.channels % shape.heads != 0:
        raise ValueError(f"model {model}: {shape.heads} heads do not divide {shape.channels} channels")
    return shape


def tensor_specs(shape: Shape) -> Iterator[TensorSpec]:
    """Every tensor of that shape, in the order of its number. Conv1D weights are (in, out)."""
    c, layers = shape.channels, shape.layers

    def norm(number: int, name: str) -> Iterator[TensorSpec]:
        yield TensorSpec(number, f"{name}.weight", (c,), 0.1, 1.0)
        yield TensorSpec(number + 1, f"{name}.bias", (c,), 0.02, 0.0)

    def linear(number: int, name: str, inputs: int, outputs: int) -> Iterator[TensorSpec]:
        yield TensorSpec(number, f"{name}.weight", (inputs, outputs), 1 / math.sqrt(inputs), 0.0)
        yield TensorSpec(number + 1, f"{name}.bias", (outputs,), 0.02, 0.0)

    yield TensorSpec(0, "wte.weight", (shape.vocabulary, c), 0.02, 0.0)
    yield TensorSpec(1, "wpe.weight", (shape.context, c), 0.02, 0.0)
    for layer in range(layers):
        first, prefix = 2 + 12 * layer, f"h.{layer}."
        yield from norm(first, prefix + "ln_1")
        yield from linear(first + 2, prefix + "attn.c_attn", c, 3 * c)
        yield from linear(first + 4, prefix + "attn.c_proj", c, c)
        yield from norm(first + 6, prefix + "ln_2")
        yield from linear(first + 8, prefix + "mlp.c_fc", c, 4 * c)
        yield from linear(first + 10, prefix + "mlp.c_proj", 4 * c, c)
    yield from norm(2 + 12 * layers, "ln_f")


def splitmix64(x: np.ndarray) -> np.ndarray:
    """The splitmix64 step of each element of a uint64 array, modulo 2^64."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def make_tensor(spec: TensorSpec) -> np.ndarray:
    """The tensor's values, float32, of `spec.shape`. Every operation rounds to float32; none is fused."""
    values = np.empty(math.prod(spec.shape), dtype=np.float32)
    scale = np.float32(spec.deviation / 37837.0)
    low = np.uint64(0xFFFF)
    for start in range(0, values.size, CHUNK):
        stop = min(start + CHUNK, values.size)
        h = splitmix64(np.arange(start, stop, dtype=np.uint64) + np.uint64(spec.number << 40))
        parts = (h & low) + ((h >> np.uint64(16)) & low) + ((h >> np.uint64(32)) & low) + (h >> np.uint64(48))
        whole = parts.astype(np.int64) - 131070
        values[start:stop] = whole.astype(np.float32) * scale
    if spec.offset != 0:
        values = np.float32(spec.offset) + values
    return values.reshape(spec.shape)


def make_weights(shape: Shape) -> dict[str, np.ndarray]:
    """All tensors of that shape by name, float32."""
    return {spec.name: make_tensor(spec) for spec in tensor_specs(shape)}


def fnv1a64(data: bytes) -> int:
    """FNV-1a of 64 bits over the bytes."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def checksums(model: str) -> dict[str, dict[str, object]]:
    """Per tensor: its shape, the bit patterns of its first four values, and FNV-1a over its little-endian bytes."""
    return {
        name: {
            "shape": list(tensor.shape),
            "first_bits": tensor.ravel()[:4].view(np.uint32).tolist(),
            "fnv1a64": f"{fnv1a64(tensor.astype('<f4').tobytes()):016x}",
        }
        for name, tensor in make_weights(parse_shape(model)).items()
    }


def checksum_file() -> str:
    """The checksum file's text: one line a tensor."""
    models = []
    for model in CHECKSUM_MODELS:
        rows = [f"      {json.dumps(name)}: {json.dumps(entry)}" for name, entry in checksums(model).items()]
        models.append(f"    {json.dumps(model)}: {{\n" + ",\n".join(rows) + "\n    }")
    return '{\n  "format": 1,\n  "models": {\n' + ",\n".join(models) + "\n  }\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ROOT / "Benchmarks" / "reference" / "synthetic_checksums.json"
    parser.add_argument("--out", type=Path, default=default, help="the file to write (default %(default)s)")
    options = parser.parse_args()
    try:
        options.out.write_text(checksum_file(), encoding="utf-8")
    except OSError as error:
        print(f"synthetic: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
