#!/usr/bin/env python3
"""CTranslate2 as a contestant of gpt2-bench."""

import argparse
import json
import os
import time
from pathlib import Path

import worker


class CTranslate2(worker.Engine):
    """Products by oneDNN, which is its default on AMD and on Intel faster and half as large as its default MKL
    (which packs a second copy of the weights); one worker with all threads.

    With `--weights int8` the products are in int8 too, the rest in float32. It generates in one call, which tells each
    id as it is chosen: the prefill's time is that of the first id.
    """

    folders = {"f32": "ctranslate2", "int8": "ctranslate2-int8"}

    def start(self, threads: int, options: argparse.Namespace) -> str:
        os.environ.setdefault("CT2_USE_MKL", "0")
        import ctranslate2

        self.module, self.threads = ctranslate2, threads
        self.arithmetic = {"f32": "float32", "int8": "int8_float32"}[options.weights]
        products = "oneDNN" if os.environ["CT2_USE_MKL"] == "0" else "MKL"
        return f"CTranslate2 {ctranslate2.__version__}, {self.arithmetic}, {products}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.generator = None
        self.generator = self.module.Generator(
            str(model), device="cpu", inter_threads=1, intra_threads=self.threads, compute_type=self.arithmetic
        )
        if self.generator.compute_type != self.arithmetic:
            raise worker.Refusal(f"found arithmetic in {self.generator.compute_type}, expected {self.arithmetic}")
        self.vocabulary = json.loads((model / "vocabulary.json").read_text(encoding="utf-8"))

    def generate(self, prompt: list[int], tokens: int) -> worker.Generation:
        ids, times = [], []
        start = time.monotonic_ns()

        def chosen(result) -> bool:
            ids.append(result.token_id)
            times.append(time.monotonic_ns() - start)
            return False

        self._ask(prompt, tokens, callback=chosen)
        return worker.Generation(ids, times[0], times, time.monotonic_ns() - start)

    def logits(self, ids: list[int], count: int) -> list[bytes]:
        import numpy

        prompts = [ids[: len(ids) - left] for left in reversed(range(count))]
        return [
            numpy.asarray(self._ask(prompt, 1, return_logits_vocab=True).logits[0][0], dtype="<f4").tobytes()
            for prompt in prompts
        ]

    def _ask(self, prompt: list[int], tokens: int, **options):
        """Greedy; no id ends it."""
        words = [self.vocabulary[token] for token in prompt]
        [result] = self.generator.generate_batch(
            [words], max_length=tokens, end_token=[], beam_size=1, include_prompt_in_result=False, **options
        )
        return result


if __name__ == "__main__":
    worker.main(CTranslate2())
