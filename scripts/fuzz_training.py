"""Valid inputs of what a training reads, for scripts/fuzz.py: checkpoints with their digests, data, references."""

import random
import struct
from collections.abc import Callable

from fuzz_inputs import CHANNELS, HEADS, MODEL, VOCABULARY, dumped, npy, npy_file, shapes, values, whole
from fuzz_mutations import changed_bytes, changed_json

CONTEXT, BATCH, STEPS, DONE = 2, 2, 10, 2
VALIDATION = 0.25
IDS = [i * i % VOCABULARY for i in range(40)]
FIGURES = 64  # of a tensor, in a reference
WORD = 2**64 - 1
MULTIPLIER = 0x9E3779B97F4A7C15


def fold(value: int) -> int:
    product = (value & WORD) * MULTIPLIER
    return product >> 64 ^ product & WORD


def byte_hash(data: bytes) -> int:
    """`byteHash` of GPT2Model."""
    result = len(data) * MULTIPLIER & WORD
    end = len(data) // 8 * 8
    for (word,) in struct.iter_unpack("<Q", data[:end]):
        result = fold(result ^ word)
    rest, tail = data[end:], 0
    if len(rest) >= 4:
        tail, rest = struct.unpack("<I", rest[:4])[0], rest[4:]
    for byte in rest:
        tail = (tail << 8 | byte) & WORD
    return fold(result ^ tail)


def mixed(value: int) -> int:
    """The first number of SplitMix64."""
    z = value + MULTIPLIER & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def digest(ids: list[int]) -> int:
    result = len(ids)
    for value in ids:
        result = fold((result ^ value) + 1)
    return result


# --- data


def ids() -> bytes:
    return npy_file("<i4", (len(IDS),), struct.pack(f"<{len(IDS)}i", *IDS))


TEXT = "the ab the ab é 日本 the\r\n\nthere, and then the 😀 other one.\t".encode() * 8

# --- a checkpoint


def options() -> dict:
    return {
        "learningRate": 1e-3, "minimumLearningRate": 1e-4, "warmup": 1, "steps": STEPS, "schedule": "cosine",
        "weightDecay": 0.1, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "clip": 1, "dropout": 0.1,
        "batch": BATCH, "accumulate": 1, "context": CONTEXT, "seed": 1,
    }  # fmt: skip


def progress() -> bytes:
    split = int(len(IDS) * (1 - VALIDATION))
    training, kept = IDS[:split], IDS[split:]
    data = {
        "trainingTokens": len(training), "validationTokens": len(kept),
        "digest": f"{mixed(mixed(digest(training)) ^ digest(kept)):x}",
    }  # fmt: skip
    return dumped(
        {"version": 1, "progress": {"options": options(), "order": "sequential", "data": data, "step": DONE}}
    )


def journal() -> bytes:
    rows = [
        {
            "step": step, "loss": 1.9, "validation": 2.0, "learningRate": 1e-3, "gradientNorm": 0.5,
            "tokensPerSecond": 100, "seconds": 0.25 * step,
        }
        for step in range(1, DONE + 1)
    ]  # fmt: skip
    return dumped(
        {
            "command": ["train", "--data", "ids.npy"],
            "data": "/ids.npy",
            "validation": VALIDATION,
            "model": MODEL,
            "variant": "packed",
            "evaluateEvery": 5,
            "checkpointEvery": 0,
            "prompt": [1, 2],
            "history": {"rows": rows},
            "samples": [{"step": 2, "text": "ab"}],
            "lacksEvaluation": True,
        }  # fmt: skip
    )


def sealed(
    documents: dict[str, bytes],
    change: Callable[[bytes], bytes] = lambda header: header,
    spoil: Callable[[bytes], bytes] = lambda data: data,
) -> bytes:
    """Parameters, moments, documents, and their digest, which is right whatever becomes of header and data."""
    header: dict = {"__metadata__": {"format": "pt", "n_head": str(HEADS)}}
    data = b""

    def add(name: str, kind: str, shape: list[int], own: bytes) -> None:
        nonlocal data
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(own)]}
        data += own

    for prefix in ("", "first_moment.", "second_moment."):
        for name, shape in shapes().items():
            # No mean of squares is below zero.
            own = values(shape) if prefix != "second_moment." else bytes(len(values(shape)))
            add(prefix + name, "F32", list(shape), own)
    data = spoil(data)
    for name, document in documents.items():
        add(name, "U8", [len(document)], document)
    add("digest", "U8", [8], b"")
    header["digest"]["data_offsets"][1] += 8
    begin = whole(change(dumped(header)), data)
    return begin + struct.pack("<Q", byte_hash(begin))


def checkpoint(rng: random.Random | None = None) -> bytes:
    documents = {"training.json": progress(), "journal.json": journal()}
    if rng is None:
        return sealed(documents)
    kind = rng.random()
    if kind < 0.7:
        name = rng.choice(list(documents))
        documents[name] = changed_json(documents[name], rng)
        return sealed(documents)
    if kind < 0.85:
        return sealed(documents, change=lambda header: changed_json(header, rng))
    if kind < 0.95:
        # Of the same length: numbers of all kinds in place of a tensor's.
        return sealed(documents, spoil=lambda data: changed_bytes(data, rng)[: len(data)].ljust(len(data), b"\0"))
    return changed_bytes(sealed(documents), rng)


# --- a reference of gradients


def gradients() -> dict[str, bytes]:
    names = list(shapes())
    steps = {
        "losses": [1.9, 1.8], "gradient_norms": [1, 1], "parameters": "p.npy", "learning_rate": 1e-3,
        "minimum_learning_rate": 1e-4, "warmup": 1, "weight_decay": 0.1, "beta1": 0.9, "beta2": 0.95,
        "epsilon": 1e-8, "clip": 1,
    }  # fmt: skip
    document = {
        "format": 1, "case": "small", "model": MODEL, "made_with": {"torch": "2"}, "context": CONTEXT,
        "windows": [[0, 1, 2], [3, 4, 5]], "tensors": names, "loss": 1.9, "gradients": "g.npy", "steps": steps,
    }  # fmt: skip
    tensors = npy(len(names), FIGURES)
    return {"gradients.json": dumped(document), "g.npy": tensors, "p.npy": tensors}


# --- a worker's requests


def worker_requests() -> list[bytes]:
    step = {
        "windows": [[0, 1, 2], [3, 4, 5]], "learningRate": 1e-4, "weightDecay": 0.1, "beta1": 0.9, "beta2": 0.95,
        "epsilon": 1e-8, "clip": 1,
    }  # fmt: skip
    check = {
        "references": [], "scope": {"longestPrompt": 4, "greedySteps": 2}, "oraclePrompts": [],
        "gradients": [{"file": "gradients.json", "model": MODEL}],
    }  # fmt: skip
    return [
        dumped({"id": 3, "operation": "run", "payload": {"training": step}}),
        dumped({"id": 2, "operation": "check", "payload": check}),
    ]
