#!/usr/bin/env python3
"""PyTorch with Hugging Face transformers as a contestant of gpt2-bench."""

import argparse
import time
import traceback
from pathlib import Path

import worker


class PyTorch(worker.Engine):
    """Eager mode with fused attention (sdpa) and the dynamic cache: what `generate` does, without its overhead.

    With `--weights bf16` arithmetic and cache are bf16 too. It trains a copy of the model, in float32: eager, or with
    `--compile` as `torch.compile` makes it, for each shape of the windows anew; without dropout; AdamW is the fused one.
    """

    folders = {"f32": "pytorch", "bf16": "pytorch-bf16"}

    def options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--compile", action="store_true", help="train with torch.compile, in place of eager mode")

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import os

        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="")
        import torch
        import transformers

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.set_grad_enabled(False)
        self.torch, self.model, self.trained = torch, None, None
        self.compiles, self.compile_failure = options.compile, None
        self.architecture = transformers.GPT2LMHeadModel  # imported when it is first named
        self.type = {"f32": torch.float32, "bf16": torch.bfloat16}[options.weights]
        training = ", training compiled" if self.compiles else ""
        return f"PyTorch {torch.__version__}, {options.weights}, transformers {transformers.__version__}{training}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.model = self.cache = self.trained = None
        self.folder = model if self.type == self.torch.bfloat16 else model.parent / "weights"
        self.model = self._read()

    def _read(self):
        # In evaluation nothing is dropped; gradients are the same.
        model = self.architecture.from_pretrained(self.folder, dtype=self.type, attn_implementation="sdpa")
        return model.eval()

    def train(self, windows: list[list[int]], how: worker.AdamW) -> tuple[int, float]:
        if self.type != self.torch.float32:
            raise worker.Refusal("training: this contestant trains in float32 alone")
        torch = self.torch
        with torch.enable_grad():
            if self.trained is None or self.trained[0] != how:
                self.trained = (how, *self._trainer(how), set())
            _, model, optimizer, shapes = self.trained
            ids = torch.tensor(windows)
            inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].flatten()
            if self.compiles and inputs.shape not in shapes:
                self._compile(model, inputs, targets)
                shapes.add(inputs.shape)
            start = time.monotonic_ns()
            optimizer.zero_grad(set_to_none=True)
            loss = self._loss(model, inputs, targets)
            loss.backward()
            if how.clip > 0:
                torch.nn.utils.clip_grad_norm_(model.parameters(), how.clip)
            optimizer.step()
            value = loss.item()
            return time.monotonic_ns() - start, value

    def _loss(self, model, inputs, targets):
        logits = model(input_ids=inputs, use_cache=False).logits
        return self.torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets)

    def _compile(self, model, inputs, targets) -> None:
        """Compiles forward and backward for such windows, which takes a minute: outside the measured time. The
        parameters stay."""
        if self.compile_failure is None:
            try:
                self._loss(model, inputs, targets).backward()
                return
            except Exception as error:  # of the compiler, of the one that it calls, or of the step itself
                traceback.print_exc()
                words = str(error).strip().splitlines()[:1]
                self.compile_failure = ": ".join([type(error).__name__, *words])
        raise worker.Refusal(f"training: the first step with torch.compile failed: {self.compile_failure}")

    def _trainer(self, how: worker.AdamW):
        """A copy of the model, and its optimizer."""
        model = self._read()
        matrices = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
        vectors = [parameter for parameter in model.parameters() if parameter.dim() < 2]
        groups = [{"params": matrices, "weight_decay": how.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        optimizer = self.torch.optim.AdamW(
            groups, lr=how.learning_rate, betas=(how.beta1, how.beta2), eps=how.epsilon, fused=True
        )
        return self.torch.compile(model, dynamic=False) if self.compiles else model, optimizer

    def prefill(self, ids: list[int]):
        self.cache = None
        return self._forward(ids)

    def step(self, token: int):
        return self._forward([token])

    def _forward(self, ids: list[int]):
        output = self.model(
            input_ids=self.torch.tensor([ids]), past_key_values=self.cache, use_cache=True, logits_to_keep=1
        )
        self.cache = output.past_key_values
        return output.logits[0, -1].float().numpy()


if __name__ == "__main__":
    worker.main(PyTorch())
