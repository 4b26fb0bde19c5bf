#!/usr/bin/env python3
"""OpenVINO as a contestant of gpt2-bench."""

import argparse
from pathlib import Path

import worker


class OpenVINO(worker.Engine):
    """One stream with all threads, as its latency hint asks; the keys and values in the model's own state.

    Weights of bf16 are those of float32, which it rounds when it compiles for arithmetic in bf16. Weights of int8 stay
    so in memory. Arithmetic and cache of the others are float32, where bf16 would be its choice on CPUs that have it:
    `--arithmetic bf16`.
    """

    folders = {"f32": "openvino", "bf16": "openvino", "int8": "openvino-int8"}

    def options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--arithmetic", choices=["f32", "bf16"],
            help="its precision, and the cache's (default f32; with --weights bf16 bf16)")

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import numpy
        import openvino

        self.numpy, self.core, self.threads = numpy, openvino.Core(), threads
        self.core.get_versions("CPU")  # loads the plugin
        self.arithmetic = options.arithmetic or ("bf16" if options.weights == "bf16" else "f32")
        return f"OpenVINO {openvino.__version__}, weights {options.weights}, arithmetic and cache {self.arithmetic}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.request = None
        settings = {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.arithmetic,
            "KV_CACHE_PRECISION": self.arithmetic,
        }
        compiled = self.core.compile_model(model / "model.xml", "CPU", settings)
        taken = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if taken != self.arithmetic:
            raise worker.Refusal(f"found arithmetic in {taken}, expected {self.arithmetic}: this CPU has no other")
        self.inputs = {name for tensor in compiled.inputs for name in tensor.names}
        self.request = compiled.create_infer_request()

    def prefill(self, ids: list[int]):
        self.request.reset_state()
        self.position = 0
        return self._infer(ids)

    def step(self, token: int):
        return self._infer([token])

    def _infer(self, ids: list[int]):
        numpy, end = self.numpy, self.position + len(ids)
        feeds = {
            "input_ids": numpy.array([ids], numpy.int64),
            "attention_mask": numpy.ones((1, end), numpy.int64),
            "position_ids": numpy.arange(self.position, end, dtype=numpy.int64)[None],
            "beam_idx": numpy.zeros(1, numpy.int32),
        }
        self.position = end
        feeds = {name: values for name, values in feeds.items() if name in self.inputs}
        self.request.start_async(feeds, share_inputs=True)
        self.request.wait()
        return self.request.get_output_tensor(0).data[0, -1]


if __name__ == "__main__":
    worker.main(OpenVINO())
