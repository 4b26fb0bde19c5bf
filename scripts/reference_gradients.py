#!/usr/bin/env python3
"""Makes the reference gradients in Benchmarks/reference/gradients with PyTorch and Hugging Face transformers, in float64.

    pip install -r scripts/requirements.txt
    python scripts/reference_gradients.py --case all

Each case is a synthetic model and a few windows of splitmix64 numbers. Two files a case hold figures of every tensor:
of its gradient, and of its values after some steps of AdamW on these windows. Benchmarks/reference/README.md defines
the files. `gpt2-124m` is large and slow.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import GPT2LMHeadModel

import synthetic
from reference_logits import load_model, make_cases, random_prompts

SIGNED_SUMS = 4
SAMPLES = 58


@dataclass(frozen=True)
class Case:
    """One model, and the windows of its step."""

    name: str
    model: str
    batch: int
    context: int
    steps: int  # of AdamW; 0 for the gradients alone


@dataclass(frozen=True)
class Optimizer:
    """What the steps are made with; the rate is nanoGPT's warm-up and cosine."""

    learning_rate: float = 1e-3
    minimum_learning_rate: float = 1e-4
    warmup: int = 2
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    clip: float = 1.0

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / (self.warmup + 1)
        progress = (step - self.warmup) / (steps - self.warmup)
        span = self.learning_rate - self.minimum_learning_rate
        return self.minimum_learning_rate + 0.5 * (1 + math.cos(math.pi * progress)) * span


CASES = (
    Case("tiny-synthetic", "synthetic:tiny", 2, 64, 10),
    Case("ragged", "synthetic:3,5,35,131,33", 3, 17, 10),
    Case("gpt2-124m", "synthetic:gpt2", 2, 64, 0),
)


def make_windows(case: Case, vocabulary: int) -> list[list[int]]:
    """As many windows as the batch has, of one id more than the context; each holds the first and the last id."""
    make = random_prompts(vocabulary)
    return [make(index, case.context + 1, 0) for index in range(case.batch)]


def loss_of(model: GPT2LMHeadModel, windows: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over all predicted tokens, in nats."""
    logits = model(windows[:, :-1], use_cache=False).logits
    if logits.dtype != torch.float64:
        raise ValueError(f"logits are {logits.dtype}, expected float64")
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def figures(tensor: np.ndarray) -> np.ndarray:
    """Of a tensor: √Σx², Σx, four sums with signs of their own, and elements spread evenly from the first to the last."""
    values = tensor.astype(np.float64).ravel()
    bits = synthetic.splitmix64(np.arange(values.size, dtype=np.uint64))
    sums = [values.sum()]
    for bit in range(SIGNED_SUMS):
        signs = 2.0 * ((bits >> np.uint64(bit)) & np.uint64(1)).astype(np.float64) - 1
        sums.append((values * signs).sum())
    places = [place * (values.size - 1) // (SAMPLES - 1) for place in range(SAMPLES)]
    return np.concatenate([[np.sqrt((values**2).sum())], sums, values[places]])


def train(model: GPT2LMHeadModel, windows: torch.Tensor, steps: int, how: Optimizer) -> tuple[list[float], list[float]]:
    """The losses and gradient norms of these steps; the model's parameters are what they end with."""
    matrices = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": how.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        betas=(how.beta1, how.beta2),
        eps=how.epsilon,
    )
    losses, norms = [], []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = how.rate(step, steps)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model, windows)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), how.clip).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def save(path: Path, rows: list[np.ndarray]) -> str:
    """Writes one row of figures a tensor, float32."""
    np.save(path, np.ascontiguousarray(np.stack(rows), dtype="<f4"))
    return path.name


def make_case(case: Case, folder: Path) -> None:
    """Computes the case, then writes its files: an error leaves the old ones as they are."""
    model = load_model(case.model)
    ids = make_windows(case, model.config.vocab_size)
    windows = torch.tensor(ids)
    loss = loss_of(model, windows)
    loss.backward()
    names = [spec.name for spec in synthetic.tensor_specs(synthetic.parse_shape(case.model))]
    parameters = dict(model.transformer.named_parameters())
    gradients = [figures(parameters[name].grad.numpy()) for name in names]
    head: dict[str, object] = {
        "format": 1,
        "case": case.name,
        "model": case.model,
        "made_with": {
            "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0],
            "dtype": "float64",
        },
        "context": case.context,
        "windows": ids,
        "tensors": names,
        "loss": loss.item(),
    }
    trained = None
    if case.steps > 0:
        how = Optimizer()
        losses, norms = train(model, windows, case.steps, how)
        trained = [figures(parameters[name].detach().numpy()) for name in names]
        head["steps"] = {"losses": losses, "gradient_norms": norms, "parameters": f"{case.name}-steps.npy", **vars(how)}
    folder.mkdir(parents=True, exist_ok=True)
    head["gradients"] = save(folder / f"{case.name}.npy", gradients)
    if trained is not None:
        save(folder / f"{case.name}-steps.npy", trained)
    lines = (f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in head.items())
    (folder / f"{case.name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{case.name}: loss {loss.item():.6g}")


if __name__ == "__main__":
    default = synthetic.ROOT / "Benchmarks" / "reference" / "gradients"
    sys.exit(make_cases("reference_gradients", __doc__, CASES, make_case, default))
