"""A GPT-2 in NumPy, float64, straight from the formulas, and what a text's perplexity is by it: shares nothing with the
Swift sources. reference_text.py makes references with it and holds it against those of Hugging Face transformers.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class Model:
    """A folder with config.json and a float32 model.safetensors without `transformer.` before its names."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.layers, self.heads, self.channels = config["n_layer"], config["n_head"], config["n_embd"]
        self.vocabulary, self.context = config["vocab_size"], config["n_positions"]
        self.epsilon = config["layer_norm_epsilon"]
        self.weights = read_safetensors(folder / "model.safetensors")

    def logits(self, ids: list[int]) -> np.ndarray:
        """(len(ids), vocabulary), the whole sequence at once."""
        w, count = self.weights, len(ids)
        x = w["wte.weight"][ids] + w["wpe.weight"][:count]
        mask = np.triu(np.full((count, count), -np.inf), 1)
        for layer in range(self.layers):
            p = f"h.{layer}."
            qkv = self.norm(x, p + "ln_1") @ w[p + "attn.c_attn.weight"] + w[p + "attn.c_attn.bias"]
            q, k, v = (part.reshape(count, self.heads, -1).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1))
            scores = q @ k.transpose(0, 2, 1) / math.sqrt(self.channels // self.heads) + mask
            powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
            attended = (powers / powers.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(count, -1)
            x = x + attended @ w[p + "attn.c_proj.weight"] + w[p + "attn.c_proj.bias"]
            up = self.norm(x, p + "ln_2") @ w[p + "mlp.c_fc.weight"] + w[p + "mlp.c_fc.bias"]
            hidden = 0.5 * up * (1 + np.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)))
            x = x + hidden @ w[p + "mlp.c_proj.weight"] + w[p + "mlp.c_proj.bias"]
        return self.norm(x, "ln_f") @ w["wte.weight"].T

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return centred / deviation * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The file's tensors, float32, as float64."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, expected F32")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"]).astype(np.float64)
    return tensors


@dataclass(frozen=True)
class Score:
    """Σ −log p of the scored tokens, natural logarithm."""

    nats: float
    tokens: int
    targets: list[int]


def score(model: Model, ids: list[int], context: int, stride: int, whole_windows: bool = False) -> Score:
    """Every token but the first once: window k takes in `context` tokens from k · stride on and predicts the one after
    each; those that no window before it predicted are scored."""
    nats, targets, scored_end = 0.0, [], 1
    for begin in range(0, len(ids), stride):
        inputs = ids[begin : begin + context]
        expected = ids[begin + 1 : begin + context + 1]
        if whole_windows and len(expected) < context:
            break
        fresh = begin + 1 + len(expected) - scored_end
        if fresh <= 0:
            break
        logits = model.logits(inputs[: len(expected)])[-fresh:]
        largest = logits.max(axis=-1)
        normalizer = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=-1))
        nats += float((normalizer - logits[np.arange(fresh), expected[-fresh:]]).sum())
        targets += expected[-fresh:]
        scored_end += fresh
    return Score(nats, len(targets), targets)
