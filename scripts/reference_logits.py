#!/usr/bin/env python3
"""Makes the reference logits in Benchmarks/reference with Hugging Face transformers, in float64.

    pip install -r scripts/requirements.txt
    python scripts/reference_logits.py --case all

Each case is one model with several prompts; Benchmarks/reference/README.md defines the files. Prompts are
drawn from successive seeds until, at every position and every greedy step, the best logit leads the second
by the case's margin: an engine in float32 must then agree on every argmax, so that a disagreement is a defect.
A greedy continuation must also vary, where random weights like to fall into a constant.
Running it twice gives identical files (one thread, fixed seeds). `gpt2-124m` takes minutes and 3 GB of memory.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

import synthetic

ROOT = synthetic.ROOT
END_OF_TEXT = "<|endoftext|>"
SEEDS = 200  # tries for a prompt before giving up
REPEATS = 6  # a greedy continuation of n ids holds at least n / 6 distinct ones: a constant one proves little

PromptMaker = Callable[[int, int, int], list[int]]  # (index, length, seed) -> ids


@dataclass(frozen=True)
class Case:
    """One folder of references."""

    name: str
    model: str
    lengths: tuple[int, ...]
    margin: float  # least lead of the best logit over the second
    dense_up_to: int  # prompts of at most this length keep the logits of all positions
    sparse: tuple[float, ...]  # in longer prompts: these fractions of the last position
    greedy: dict[int, int] = field(default_factory=dict)  # prompt length -> ids to generate


@dataclass(frozen=True)
class Prompt:
    """A prompt that keeps the margin, with everything that the reference says of it."""

    ids: list[int]
    seed: int
    logits: np.ndarray  # (len(ids), vocabulary), float64
    greedy: list[int]
    min_margin: float


SMALL = (1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65)
SPARSE = (0, 0.25, 0.5, 0.75, 1)
CASES = (
    Case("tiny-trained", "weights/tiny", (*SMALL, 256), 1e-3, 17, SPARSE, {7: 110, 8: 110}),
    Case("tiny-synthetic", "synthetic:tiny", (*SMALL, 128), 1e-4, 17, SPARSE, {8: 120}),
    Case("ragged", "synthetic:3,5,35,131,33", SMALL[:10], 1e-4, 33, SPARSE, {9: 24}),
    Case("gpt2-124m", "synthetic:gpt2", (1, 17, 64, 1024), 5e-5, 1, (0.5, 1), {17: 24}),
)


def load_model(name: str) -> GPT2LMHeadModel:
    """The model in float64 with eager attention: a folder below the repository's root, or synthetic weights."""
    if not name.startswith("synthetic:"):
        folder = ROOT / name
        if not (folder / "config.json").is_file():
            raise ValueError(f"{name}: no config.json, expected a Hugging Face folder")
        return GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    shape = synthetic.parse_shape(name)
    config = GPT2Config(
        n_layer=shape.layers,
        n_head=shape.heads,
        n_embd=shape.channels,
        vocab_size=shape.vocabulary,
        n_positions=shape.context,
        attn_implementation="eager",
    )
    model = GPT2LMHeadModel(config)
    weights = {tensor: torch.from_numpy(values) for tensor, values in synthetic.make_weights(shape).items()}
    model.transformer.load_state_dict(weights)
    return model.double().eval()


def text_prompts(folder: Path, excerpt: Path) -> PromptMaker:
    """Prompts cut from the excerpt, each beginning at another speech; every third is opened by <|endoftext|>."""
    tokenizer = GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    ids = tokenizer.encode(excerpt.read_text(encoding="utf-8"))
    newline = tokenizer.encode("\n")[0]
    starts = [0] + [i + 2 for i in range(len(ids) - 2) if ids[i] == ids[i + 1] == newline]
    end_of_text = tokenizer.convert_tokens_to_ids(END_OF_TEXT)

    def make(index: int, length: int, seed: int) -> list[int]:
        usable = [start for start in starts if start + length <= len(ids)]
        if not usable:
            raise ValueError(f"{excerpt}: {len(ids)} tokens, expected at least {length} after the start of a speech")
        start = usable[(index + seed) % len(usable)]
        opening = [end_of_text] if index % 3 == 0 else []
        return (opening + ids[start : start + length])[:length]

    return make


def random_prompts(vocabulary: int) -> PromptMaker:
    """Prompts of splitmix64 numbers; those of seven ids or more hold the vocabulary's first and last id too."""

    def make(index: int, length: int, seed: int) -> list[int]:
        stream = np.arange(length, dtype=np.uint64) + np.uint64(((index << 16) + seed) << 32)
        ids = (synthetic.splitmix64(stream) % np.uint64(vocabulary)).tolist()
        if length >= 7:
            ids[length // 2 - 1 : length // 2 + 1] = [0, vocabulary - 1]
        return ids

    return make


@torch.no_grad()
def forward(model: GPT2LMHeadModel, ids: list[int]) -> np.ndarray:
    """Logits of every position, (len(ids), vocabulary), float64; the whole sequence at once, no cache."""
    logits = model(torch.tensor([ids]), use_cache=False).logits[0].numpy()
    if logits.dtype != np.float64:
        raise ValueError(f"logits of {len(ids)} ids are {logits.dtype}, expected float64")
    if not np.isfinite(logits).all():
        raise ValueError(f"logits of {len(ids)} ids hold infinities or NaN, expected finite numbers")
    return logits


def least_margin(logits: np.ndarray) -> float:
    """The least lead of a row's best logit over its second, over all rows."""
    best_two = np.partition(logits, -2, axis=-1)[..., -2:]
    return float((best_two[..., 1] - best_two[..., 0]).min())


def try_prompt(model: GPT2LMHeadModel, case: Case, ids: list[int], seed: int) -> Prompt | None:
    """The prompt with its logits and greedy continuation; None where a margin is below the case's or the ids repeat."""
    logits = forward(model, ids)
    margin = least_margin(logits)
    greedy: list[int] = []
    for _ in range(case.greedy.get(len(ids), 0)):
        row = forward(model, ids + greedy)[-1] if greedy else logits[-1]
        margin = min(margin, least_margin(row))
        if margin < case.margin:
            break
        greedy.append(int(row.argmax()))
    usable = margin >= case.margin and len(set(greedy)) * REPEATS >= len(greedy)
    return Prompt(ids, seed, logits, greedy, margin) if usable else None


def find_prompts(model: GPT2LMHeadModel, case: Case, make: PromptMaker) -> Iterator[Prompt]:
    """One prompt for each of the case's lengths, from the first seed that serves."""
    for index, length in enumerate(case.lengths):
        for seed in range(SEEDS):
            prompt = try_prompt(model, case, make(index, length, seed), seed)
            if prompt is not None:
                print(f"{case.name}: {length} ids, seed {seed}, margin {prompt.min_margin:.3g}", flush=True)
                yield prompt
                break
        else:
            raise ValueError(
                f"{case.name}: no prompt of {length} ids keeps the margin {case.margin} and varies in {SEEDS} seeds"
            )


def full_positions(case: Case, length: int) -> list[int]:
    """The positions whose logits are kept in full, ascending."""
    if length <= case.dense_up_to:
        return list(range(length))
    return sorted({int(fraction * (length - 1)) for fraction in case.sparse})


def describe(case: Case, name: str, prompt: Prompt, positions: list[int]) -> str:
    """The prompt's JSON object, one key a line."""
    top = np.argsort(-prompt.logits, axis=-1, kind="stable")[:, :5]
    values = np.take_along_axis(prompt.logits, top, axis=-1)
    fields: dict[str, object] = {
        "name": name,
        "ids": prompt.ids,
        "positions": positions,
        "logits": f"{name}.npy",
        "argmax": top[:, 0].tolist(),
        "top5": top.tolist(),
        "top5_logits": [[significant(value) for value in row] for row in values],
        "max_abs_logit": significant(np.abs(prompt.logits).max()),
        "min_margin": significant(prompt.min_margin),
        "seed": prompt.seed,
    }
    if prompt.greedy:
        fields["greedy"] = prompt.greedy
    lines = (f"      {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in fields.items())
    return "    {\n" + ",\n".join(lines) + "\n    }"


def significant(value: float) -> float:
    """The value rounded to nine significant digits, which tell any two float32 numbers apart."""
    return float(f"{value:.9g}")


def write_case(case: Case, prompts: list[Prompt], out: Path) -> None:
    """Writes reference.json and one .npy a prompt, and removes the .npy files of an earlier run."""
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob("*.npy"):
        stale.unlink()
    described = []
    for index, prompt in enumerate(prompts):
        positions = full_positions(case, len(prompt.ids))
        np.save(out / f"p{index}.npy", np.ascontiguousarray(prompt.logits[positions], dtype="<f4"))
        described.append(describe(case, f"p{index}", prompt, positions))
    made_with = {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "dtype": "float64",
    }
    head = {"format": 1, "case": case.name, "model": case.model, "made_with": made_with}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines.append('  "prompts": [\n' + ",\n".join(described) + "\n  ]")
    (out / "reference.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def make_case(case: Case, out: Path) -> None:
    """Computes the case, then writes its folder: an error leaves the old files as they are."""
    model = load_model(case.model)
    if case.model.startswith("synthetic:"):
        make = random_prompts(model.config.vocab_size)
    else:
        make = text_prompts(ROOT / case.model, ROOT / "Benchmarks" / "reference" / "excerpt.txt")
    write_case(case, list(find_prompts(model, case, make)), out / case.name)


def make_cases(program: str, description: str | None, cases: tuple, make: Callable, default: Path) -> int:
    """The command line of a script that makes reference cases with `make(case, out)`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [case.name for case in cases]
    parser.add_argument("--case", choices=["all", *names], default="all", help="(default %(default)s)")
    parser.add_argument("--out", type=Path, default=default, help="folder of the cases (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        for case in cases:
            if options.case in ("all", case.name):
                make(case, options.out)
    except (OSError, ValueError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(make_cases("reference_logits", __doc__, CASES, make_case, ROOT / "Benchmarks" / "reference"))
