#!/usr/bin/env python3
"""PyTorch with Hugging Face transformers as a contestant of gpt2-bench."""

import argparse
from pathlib import Path

import worker


class PyTorch(worker.Engine):
    """Eager mode with fused attention (sdpa) and the dynamic cache: what `generate` does, without its overhead.

    With `--weights bf16` arithmetic and cache are bf16 too.
    """

    folders = {"f32": "pytorch", "bf16": "pytorch-bf16"}

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import os

        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="")
        import torch
        import transformers

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.set_grad_enabled(False)
        self.torch, self.model = torch, None
        self.architecture = transformers.GPT2LMHeadModel  # imported when it is first named
        self.type = {"f32": torch.float32, "bf16": torch.bfloat16}[options.weights]
        return f"PyTorch {torch.__version__}, {options.weights}, transformers {transformers.__version__}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.model = self.cache = None
        folder = model if self.type == self.torch.bfloat16 else model.parent / "weights"
        self.model = self.architecture.from_pretrained(
            folder, dtype=self.type, attn_implementation="sdpa"
        ).eval()

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
