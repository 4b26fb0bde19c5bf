#!/usr/bin/env python3
"""Makes the tiny model's known continuations and perplexities in Benchmarks/reference/tiny-trained, by NumPy in float64.

    pip install -r scripts/requirements.txt
    python scripts/reference_text.py

Writes continuations.json and perplexity.json; Benchmarks/reference/README.md defines them. Tokens are those of Hugging
Face's `tokenizers`. The NumPy model is first held against the logits that reference_logits.py made with transformers.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from numpy_gpt2 import Model, Score, score
from tokenizers import ByteLevelBPETokenizer

ROOT = Path(__file__).resolve().parent.parent
MODEL = "weights/tiny"
FOLDER = ROOT / "Benchmarks" / "reference" / "tiny-trained"
EXCERPT = "Benchmarks/reference/excerpt.txt"
AGREEMENT = 1e-5  # of two float64 forward passes, one of them stored as float32, at logits up to 19
MARGIN = 1e-2  # the least lead of a continuation's tokens: float32 cannot lose it
NEW_TOKENS = 24
TEXTS = ("ROMEO:\n", "The king", "What is thy name?\n\n", "Café, naïve: 日本")
WINDOWS = ((256, 128, False), (256, 256, False), (256, 256, True), (255, 128, False), (100, 33, True), (37, 10, False))
KNOWN = ((0, 0), (0, 127), (1, 64), (128, 5), (255, 127))  # entries of the position embedding


def check_model(model: Model) -> None:
    """Raises where the NumPy model's logits are not those of transformers."""
    reference = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))
    for prompt in reference["prompts"]:
        expected = np.load(FOLDER / prompt["logits"])
        error = np.abs(model.logits(prompt["ids"])[prompt["positions"]] - expected).max()
        if not error <= AGREEMENT:
            raise ValueError(f"{prompt['name']}: logits are off by {error}, expected at most {AGREEMENT}")


def continuation(model: Model, tokenizer: ByteLevelBPETokenizer, text: str) -> dict[str, object]:
    """The greedy tokens after a text."""
    ids = tokenizer.encode(text).ids
    greedy: list[int] = []
    for _ in range(NEW_TOKENS):
        row = model.logits(ids + greedy)[-1]
        best, second = np.argsort(-row)[:2]
        if row[best] - row[second] < MARGIN:
            break
        greedy.append(int(best))
    return {"text": text, "ids": ids, "greedy": greedy, "continuation": tokenizer.decode(greedy)}


def write(path: Path, head: dict[str, object], name: str, rows: list[dict[str, object]]) -> None:
    """One key of the head a line, one row a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines.append(f"  {json.dumps(name)}: [\n" + ",\n".join(f"    {json.dumps(row)}" for row in rows) + "\n  ]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def perplexity_row(found: Score, context: int, stride: int, whole: bool, byte_counts: list[int]) -> dict[str, object]:
    scored_bytes = sum(byte_counts[token] for token in found.targets)
    return {
        "context": context,
        "stride": stride,
        "whole_windows": whole,
        "tokens": found.tokens,
        "bytes": scored_bytes,
        "nats_per_token": round(found.nats / found.tokens, 9),
        "bits_per_byte": round(found.nats / math.log(2) / scored_bytes, 9),
    }


def main() -> int:
    tokenizer = ByteLevelBPETokenizer(str(ROOT / MODEL / "vocab.json"), str(ROOT / MODEL / "merges.txt"))
    model = Model(ROOT / MODEL)
    try:
        check_model(model)
    except ValueError as error:
        print(f"reference_text: {error}", file=sys.stderr)
        return 1
    head = {
        "format": 1,
        "case": "tiny-trained greedy",
        "model": MODEL,
        "how_to_get": "it comes with the project",
        "shape": {
            "layers": model.layers,
            "heads": model.heads,
            "channels": model.channels,
            "vocabulary": model.vocabulary,
            "context": model.context,
        },
        "position_embedding": [[*at, float(f"{model.weights['wpe.weight'][at]:.6g}")] for at in KNOWN],
    }
    write(FOLDER / "continuations.json", head, "prompts", [continuation(model, tokenizer, text) for text in TEXTS])
    ids = tokenizer.encode((ROOT / EXCERPT).read_text(encoding="utf-8")).ids
    # A byte-level token has one character for each of its bytes.
    byte_counts = [len(tokenizer.id_to_token(token)) for token in range(tokenizer.get_vocab_size())]
    rows = [perplexity_row(score(model, ids, *windows), *windows, byte_counts) for windows in WINDOWS]
    write(FOLDER / "perplexity.json", {"format": 1, "model": MODEL, "text": EXCERPT, "ids": len(ids)}, "windows", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
