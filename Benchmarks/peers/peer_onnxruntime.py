#!/usr/bin/env python3
"""ONNX Runtime as a contestant of gpt2-bench."""

import argparse
from pathlib import Path

import worker


class ONNXRuntime(worker.Engine):
    """All threads inside an operator, none across; keys and values stay in its own tensors from step to step.

    Weights of int8 are its dynamic quantization: products in int8, the rest in float32.
    """

    folders = {"f32": "onnxruntime", "int8": "onnxruntime-int8"}

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import numpy
        import onnxruntime

        self.numpy, self.module, self.threads = numpy, onnxruntime, threads
        return f"ONNX Runtime {onnxruntime.__version__}, weights {options.weights}"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.session = self.cache = None
        options = self.module.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self.session = self.module.InferenceSession(
            str(model / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = [tensor.name for tensor in self.session.get_inputs()]
        self.outputs = [tensor.name for tensor in self.session.get_outputs()]
        self.past = [name for name in self.inputs if name.startswith("past_key_values")]
        heads = configuration["n_head"]
        shape = (1, heads, 0, configuration["n_embd"] // heads)
        nothing = self.module.OrtValue.ortvalue_from_numpy(self.numpy.zeros(shape, self.numpy.float32))
        self.empty = {name: nothing for name in self.past}

    def prefill(self, ids: list[int]):
        self.position, self.cache = 0, self.empty
        return self._infer(ids)

    def step(self, token: int):
        return self._infer([token])

    def _infer(self, ids: list[int]):
        numpy, end = self.numpy, self.position + len(ids)
        binding = self.session.io_binding()
        binding.bind_cpu_input("input_ids", numpy.array([ids], numpy.int64))
        binding.bind_cpu_input("attention_mask", numpy.ones((1, end), numpy.int64))
        if "position_ids" in self.inputs:
            binding.bind_cpu_input("position_ids", numpy.arange(self.position, end, dtype=numpy.int64)[None])
        for name in self.past:
            binding.bind_ortvalue_input(name, self.cache[name])
        for name in self.outputs:
            binding.bind_output(name, "cpu")
        self.session.run_with_iobinding(binding)
        values = dict(zip(self.outputs, binding.get_outputs()))
        self.cache = {name: values[name.replace("past_key_values", "present")] for name in self.past}
        self.position = end
        return values["logits"].numpy()[0, -1]


if __name__ == "__main__":
    worker.main(ONNXRuntime())
