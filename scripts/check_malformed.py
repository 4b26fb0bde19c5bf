#!/usr/bin/env python3
"""Gives the built command malformed files, and expects of each exit code 1, one line on standard error that names the
file, and nothing on standard output.

    python3 scripts/check_malformed.py .build/release/gpt2-bench

The corpus of mutated headers is in the tests (Tests/GPT2ModelTests/MalformedFileTests.swift); here a sample of every
format goes the whole way, with little memory (4 GiB of address space) and time (20 s) for each. Needs only Python.

Exit code: 0 where all are refused so, 1 otherwise, 2 for wrong use.
"""

import json
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TINY = Path(__file__).resolve().parent.parent / "weights/tiny"
ADDRESS_SPACE = 4 << 30
SECONDS = 20
HUGE = (1 << 64) - 1


def integers(data: bytes, places: list[int], size: int) -> Iterator[tuple[str, bytes]]:
    """Each integer as 0, −1, the largest, and one with too many zeros."""
    for place in places:
        for value in (0, (1 << 8 * size) - 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 4):
            changed = data[:place] + value.to_bytes(size, "little") + data[place + size :]
            if changed != data:
                yield f"{value} at {place}", changed


def truncated(data: bytes, header: int) -> Iterator[tuple[str, bytes]]:
    for length in (0, 3, 8, header // 2, header - 1, header + 1, len(data) // 2, len(data) - 1):
        yield f"cut to {length} bytes", data[:length]


def safetensors(valid: bytes) -> Iterator[tuple[str, bytes]]:
    length = struct.unpack("<Q", valid[:8])[0]
    header, data = valid[8 : 8 + length].decode(), valid[8 + length :]

    def built(text: str) -> bytes:
        return struct.pack("<Q", len(text.encode())) + text.encode() + data

    yield from truncated(valid, 8 + length)
    yield from integers(valid, [0], 8)
    for found, put in [
        (r'"F32"', '"I32"'), (r'"F32"', "7"), (r"\[\d+,\s*\d+\]", "[0,99999999999]"), (r"\[\d+,\s*\d+\]", "[-4,0]"),
        (r'"shape":', '"form":'), (r'"shape":\[', '"shape":[-'), (r'"wte.weight"', '"other"'), ("{", "["), ("}", ""),
    ]:  # fmt: skip
        yield f"{put} for {found}", built(re.sub(found, lambda _: put, header, count=1))
    yield "nested", built('{"a":' * 20_000)
    yield "nested arrays", built('{"a":' + "[" * 20_000)


def configuration(valid: bytes) -> Iterator[tuple[str, bytes]]:
    valid = valid.rstrip()
    fields = json.loads(valid)
    # It stands in for n_positions.
    fields.pop("n_ctx", None)
    for key in ("n_layer", "n_head", "n_embd", "vocab_size", "n_positions"):
        for value in (0, -1, 1 << 40, 1.5, "12", None, [], True):
            yield f"{key} {value!r}", json.dumps(fields | {key: value}).encode()
    yield from truncated(valid, 20)
    yield "another model", json.dumps(fields | {"model_type": "llama"}).encode()


def llmc(valid: bytes) -> Iterator[tuple[str, bytes]]:
    yield from truncated(valid, 1024)
    yield from integers(valid, [4, 8, 12, 16, 20, 24, 28], 4)
    yield "longer", valid + b"\0"


def seed(valid: bytes) -> Iterator[tuple[str, bytes]]:
    yield from truncated(valid, 20)
    yield from integers(valid, [0, 4, 8, 12, 16], 4)
    yield "longer", valid + b"\0"


def gguf() -> Iterator[tuple[str, bytes]]:
    def text(string: str) -> bytes:
        return struct.pack("<Q", len(string)) + string.encode()

    def file(version: int = 3, tensors: int = 0, entries: int = 1, body: bytes = b"") -> bytes:
        return b"GGUF" + struct.pack("<IQQ", version, tensors, entries) + body

    name = text("general.architecture") + struct.pack("<I", 8) + text("gpt2")
    yield "the magic number alone", b"GGUF"
    yield "version 9", file(version=9, body=name)
    yield "big-endian", file(version=3 << 24, body=name)
    yield "another model", file(body=name.replace(b"gpt2", b"gpt7"))
    yield "no shape", file(body=name)
    yield "many tensors", file(tensors=HUGE, body=name)
    yield "many entries", file(entries=1 << 62, body=name)
    yield "a long key", file(body=struct.pack("<Q", HUGE) + b"a")
    yield "a long string", file(body=text("a") + struct.pack("<IQ", 8, HUGE))
    yield "a long array", file(body=text("a") + struct.pack("<IIQ", 9, 4, 1 << 61))
    yield "nested arrays", file(body=text("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 100_000)
    yield "an unknown type", file(body=text("a") + struct.pack("<I", 99))
    yield "a key twice", file(entries=2, body=name + name)
    for length in range(5, len(file(body=name)), 9):
        yield f"cut to {length} bytes", file(body=name)[:length]


def vocabulary(valid: bytes) -> Iterator[tuple[str, bytes]]:
    valid = valid.rstrip()
    yield from truncated(valid, 200)
    yield "an id twice", valid.replace(b": 7,", b": 8,", 1)
    yield "a huge id", valid.replace(b": 7,", b": 99999999999999999999,", 1)
    yield "not UTF-8", valid.replace(b'"a"', b'"\xff"', 1)
    yield "nested", b'{"a":' * 20_000


def merges(valid: bytes) -> Iterator[tuple[str, bytes]]:
    first = valid.split(b"\n")[1]
    yield "a line twice", valid + first + b"\n"
    yield "three tokens", valid + b"a b c\n"
    yield "one token", valid + b"a\n"
    yield "unknown tokens", valid + "\u2603 \u2603\n".encode()
    yield "not UTF-8", valid + b"\xff \xfe\n"
    yield "a long line", valid + b"x" * 1_000_000


def others() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "text", b"This is no model.\n"
    yield "a PyTorch archive", b"PK\x03\x04" + bytes(100)
    yield "zeros", bytes(4096)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def complaint(program: str, command: list[str], folder: Path) -> str | None:
    """What was wrong with how a file was refused."""
    try:
        done = subprocess.run([program, *command], capture_output=True, timeout=SECONDS, preexec_fn=limited)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    lines = done.stderr.decode("utf-8", errors="replace").splitlines()
    if done.returncode != 1 or len(lines) != 1 or done.stdout or str(folder) not in lines[0] or len(lines[0]) > 1000:
        return f"exit {done.returncode}, {len(lines)} lines: {lines[:3]!r:.400}, output {done.stdout[:80]!r}"
    return None


def main() -> None:
    if len(sys.argv) != 2:
        print("usage: check_malformed.py GPT2-BENCH", file=sys.stderr)
        sys.exit(2)
    program = sys.argv[1]
    tried, wrong = 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for form in ("llmc", "seed"):
            command = [program, "export", "--model", str(TINY), "--format", form, "--out", str(folder / f"{form}.bin")]
            subprocess.run(command, check=True, capture_output=True)
        tiny = {path.name: path.read_bytes() for path in TINY.iterdir() if path.is_file()}
        corpus = [
            ("model.safetensors", safetensors(tiny["model.safetensors"]), "folder"),
            ("config.json", configuration(tiny["config.json"]), "folder"),
            ("vocab.json", vocabulary(tiny["vocab.json"]), "text"),
            ("merges.txt", merges(tiny["merges.txt"]), "text"),
            ("gpt2_tiny.bin", llmc((folder / "llmc.bin").read_bytes()), "file"),
            ("model.bin", seed((folder / "seed.bin").read_bytes()), "file"),
            ("model.gguf", gguf(), "file"),
            ("any", others(), "file"),
        ]
        for file, mutations, use in corpus:
            count = 0
            for what, data in mutations:
                place = folder / "model"
                place.mkdir()
                if use != "file":
                    for name in ("config.json", "model.safetensors", "vocab.json", "merges.txt"):
                        (place / name).write_bytes(tiny[name])
                (place / file).write_bytes(data)
                model = str(place / file if use == "file" else place)
                command = (
                    ["generate", "--model", model, "-n", "1", "the house"]
                    if use == "text"
                    else ["logits", "--model", model, "--ids", "1 2", "--out", str(folder / "out.npy")]
                )
                found = complaint(program, command, folder)
                if found:
                    wrong.append(f"{file}, {what}: {found}")
                count += 1
                shutil.rmtree(place)
            print(f"{file}: {count} malformed files")
            tried += count
    for line in wrong:
        print(line)
    print(f"{tried - len(wrong)} of {tried} refused with exit code 1 and one line")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
