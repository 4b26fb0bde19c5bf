#!/usr/bin/env python3
"""OpenVINO as a contestant of gpt2-bench."""

import argparse
from pathlib import Path

import worker


class OpenVINO(worker.Engine):
    """One stream with all threads, as its latency hint asks; float32 arithmetic and cache, where bf16 would be its
    choice on CPUs that have it; the keys and values in the model's own state.
    """

    folder = "openvino"

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import numpy
        import openvino

        self.numpy, self.core, self.threads = numpy, openvino.Core(), threads
        self.core.get_versions("CPU")  # loads the plugin
        return f"OpenVINO {openvino.__version__}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.request = None
        settings = {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "KV_CACHE_PRECISION": "f32",
        }
        compiled = self.core.compile_model(model / "model.xml", "CPU", settings)
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
