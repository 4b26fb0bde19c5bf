#!/usr/bin/env python3
"""llama.cpp as a contestant of gpt2-bench."""

import argparse
import ctypes
from pathlib import Path

import worker


class LlamaCpp(worker.Engine):
    """Weights mapped and read as they lie, batches of llama.cpp's default sizes.

    The file holds float32 or what `--weights` says: the very bits of `gpt2-bench export --format gguf`. The cache is
    float32 and attention the plain one. `--cache f16` is llama.cpp's own default and brings flash attention.
    """

    folders = {"f32": "llama.cpp"} | {weights: f"llama.cpp-{weights}" for weights in ("bf16", "f16", "q8_0", "q4_0")}

    class Handle(ctypes.Structure):
        _fields_ = [("model", ctypes.c_void_p), ("context", ctypes.c_void_p)]

    def options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--cache", choices=["f32", "f16"], default="f32", help="keys and values (default f32)")
        library = worker.INSTALLED.parent / "llama.cpp"
        parser.add_argument("--library", type=Path, default=library, help="folder of libpeer.so and VERSION")

    def start(self, threads: int, options: argparse.Namespace) -> str:
        import numpy

        self.numpy, self.threads, self.half = numpy, threads, options.cache == "f16"
        self.library = ctypes.CDLL(str(options.library / "libpeer.so"))
        self.library.peer_open.restype = ctypes.c_bool
        self.library.peer_decode.restype = ctypes.POINTER(ctypes.c_float)
        self.library.peer_start()
        self.handle = self.Handle()
        version = (options.library / "VERSION").read_text(encoding="utf-8").strip()
        attention = "flash" if self.half else "plain"
        return f"llama.cpp of {version}, weights {options.weights}, cache {options.cache}, {attention} attention"

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        self.vocabulary = configuration["vocab_size"]
        path = str(model / "model.gguf").encode()
        opened = self.library.peer_open(
            ctypes.byref(self.handle), path, self.threads, configuration["n_positions"], ctypes.c_bool(self.half)
        )
        if not opened:
            raise worker.Refusal(f"{model / 'model.gguf'}: llama.cpp cannot open it; standard error says why")

    def prefill(self, ids: list[int]):
        return self._decode(True, ids)

    def step(self, token: int):
        return self._decode(False, [token])

    def _decode(self, from_empty: bool, ids: list[int]):
        row = self.library.peer_decode(
            ctypes.byref(self.handle), ctypes.c_bool(from_empty), (ctypes.c_int32 * len(ids))(*ids), len(ids)
        )
        if not row:
            raise RuntimeError(f"llama_decode failed on {len(ids)} ids")
        return self.numpy.ctypeslib.as_array(row, (self.vocabulary,))


if __name__ == "__main__":
    worker.main(LlamaCpp())
