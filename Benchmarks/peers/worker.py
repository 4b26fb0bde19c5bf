"""The worker protocol of README.md, once for all engines: a script hands `main` its `Engine`.

Needs nothing but Python's standard library. Engines import theirs in `start`, after the thread count is known.
"""

import argparse
import hashlib
import json
import math
import os
import resource
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

INSTALLED = Path(__file__).resolve().parent / "installed" / "models"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOGITS_BYTES = 12 << 20  # that `logits` answers at most: every position of the tiny model, the last 62 of GPT-2's
Operations = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]  # name -> payload -> result


class Refusal(Exception):
    """What a contestant cannot do, in one line."""


@dataclass(frozen=True)
class Generation:
    """Greedy ids, and when each was there: nanoseconds from the request's start."""

    ids: list[int]
    prefill: int  # when the logits of the last prompt position were there
    times: list[int]
    elapsed: int


@dataclass(frozen=True)
class AdamW:
    """How a step of training changes the parameters; matrices, embeddings among them, decay."""

    learning_rate: float
    weight_decay: float
    beta1: float
    beta2: float
    epsilon: float
    clip: float  # the largest norm of all gradients together; 0 does not clip


class Engine:
    """One engine with one model. `prefill` and `step` answer float32 rows of the whole vocabulary, which may be
    overwritten by the next call.
    """

    # Precision of the weights -> the folder of the model in it, below the folder of a model. The first is the default.
    folders: dict[str, str]

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Adds flags of its own."""

    def start(self, threads: int, options: argparse.Namespace) -> str:
        """Imports the libraries and sets their threads; the version. Called once. `options.weights` is the precision
        that was asked for."""
        raise NotImplementedError

    def open(self, model: Path, configuration: dict[str, int]) -> None:
        """Opens the model in that folder, so that it can be asked; replaces one that is open."""
        raise NotImplementedError

    def prefill(self, ids: list[int]) -> Sequence[float]:
        """Logits of the last position, from an empty cache."""
        raise NotImplementedError

    def step(self, token: int) -> Sequence[float]:
        """Logits after one more id, with the cache of what came before."""
        raise NotImplementedError

    def argmax(self, row: Sequence[float]) -> int:
        return int(row.argmax())  # a NumPy array

    def logits(self, ids: list[int], count: int) -> list[bytes]:
        """Little-endian float32 rows of the last `count` positions, in order: the last one by a prefill of the whole prompt,
        those before it by a prefill and steps with the cache."""
        rows = []
        first = len(ids) - count
        for position in range(first, len(ids) - 1):
            row = self.prefill(ids[: first + 1]) if position == first else self.step(ids[position])
            rows.append(bytes(memoryview(row)))
        return [*rows, bytes(memoryview(self.prefill(ids)))]

    def generate(self, prompt: list[int], tokens: int) -> Generation:
        """Greedy: every id is the first of the highest logits; nothing ends it early."""
        clock = time.monotonic_ns
        start = clock()
        row = self.prefill(prompt)
        prefill = clock() - start
        ids = [self.argmax(row)]
        times = [clock() - start]
        while len(ids) < tokens:
            ids.append(self.argmax(self.step(ids[-1])))
            times.append(clock() - start)
        return Generation(ids, prefill, times, clock() - start)


    def train(self, windows: list[list[int]], how: AdamW) -> tuple[int, float]:
        """One step on these windows, all of one length, from the parameters that the step before has left, at first the
        model's: nanoseconds, and the mean loss in nats before the update. Each id but the first is predicted from those
        before it. `generate` and `logits` go on with the model's own parameters."""
        raise Refusal("training: this contestant does not train")


class ProcessMemory:
    """Resident memory of this process in bytes; None where the system does not tell."""

    def __init__(self) -> None:
        self._before_reset = 0

    @staticmethod
    def _status(field: str) -> int | None:
        try:
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":")), None)

    def resident(self) -> int | None:
        return self._status("VmRSS")

    def peak(self) -> int | None:
        here = self._status("VmHWM")
        if here is None:
            here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            here = here if sys.platform == "darwin" else here * 1024
        return max(here, self._before_reset) or None

    def without_counting(self, work: Callable[[], Any]) -> Any:
        """Does work whose own memory must not count in the peak, as far as the system can forget it."""
        self._before_reset = self.peak() or 0
        try:
            return work()
        finally:
            try:
                Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            except OSError:
                pass


def settle(limit: float = 1.0, slice: float = 0.01) -> None:
    """Waits until this process's threads have stopped spinning: the cores belong to the next contestant."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = time.process_time()
        time.sleep(slice)
        if time.process_time() - before < slice / 10:
            return


def write_npy(path: str, rows: list[bytes]) -> None:
    """NumPy's format 1.0: float32, shape (rows, columns)."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0]) // 4}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii"))
        file.writelines(rows)


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def find_model(name: str, models: Path, engine: str) -> tuple[Path, dict[str, int]]:
    """The engine's folder of the model that `--model` names, and the configuration. A name is held against the
    name that was converted; a path is held against the content, by the SHA-256 of its safetensors file."""
    found = {path.parent: json.loads(path.read_text()) for path in sorted(models.glob(f"*/{engine}/model.json"))}
    digest = None
    if not name.startswith("synthetic:"):
        path = Path(name)
        file = path / "model.safetensors" if path.is_dir() else path
        if not file.is_file():
            raise Refusal(f"model {name}: {file} is no file, expected the safetensors that was converted")
        digest = sha256(file)
    for folder, model in found.items():
        if model["safetensors"]["sha256"] == digest or (digest is None and model["model"] == name):
            return folder, model["configuration"]
    have = ", ".join(model["model"] for model in found.values()) or "none"
    raise Refusal(f"model {name} is not converted for {engine}, only: {have}; scripts/install_peers.sh --model {name}")


class Worker:
    """Answers the protocol's operations with one engine."""

    def __init__(self, engine: Engine, options: argparse.Namespace) -> None:
        self.engine = engine
        self.options_of_engine = options
        self.folder = engine.folders[options.weights]
        self.memory_of_process = ProcessMemory()
        self.started: dict[str, Any] | None = None  # what `load` answers of a process that has its libraries
        self.configuration: dict[str, int] | None = None
        self.operations = {"load": self.load, "logits": self.logits, "run": self.run, "memory": self.memory}

    def load(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload.get("model") is None:
            raise Refusal("load without a model: this contestant only generates")
        threads = integer(payload, "threads", least=1)
        folder, configuration = find_model(payload["model"], self.options_of_engine.models, self.folder)
        context = self.options_of_engine.context or configuration["n_positions"]
        configuration["n_positions"] = min(context, configuration["n_positions"])
        if self.started is None:
            for variable in THREAD_VARIABLES:
                os.environ[variable] = str(threads)
            version = self.engine.start(threads, self.options_of_engine)
            self.started = {"threads": threads, "weights": self.options_of_engine.weights, "version": version}
            self.started["baselineBytes"] = self.memory_of_process.resident()
        elif self.started["threads"] != threads:
            raise Refusal(f"load for {threads} threads: this process keeps the {self.started['threads']} it began with")
        self.configuration = None
        start = time.monotonic_ns()
        self.engine.open(folder, configuration)
        elapsed = time.monotonic_ns() - start
        self.configuration = configuration
        settle()
        return {"loadNanoseconds": elapsed, "wasCold": None, **self.started}

    def logits(self, payload: dict[str, Any]) -> dict[str, Any]:
        ids = self.checked(payload.get("ids"), 1)
        out = payload.get("out")
        if not isinstance(out, str):
            raise Refusal(f"out: found {out!r}, expected the path of a .npy file")
        count = min(len(ids), max(LOGITS_BYTES // (4 * self.configuration["vocab_size"]), 1))
        rows = self.memory_of_process.without_counting(lambda: self.engine.logits(ids, count))
        write_npy(out, rows)
        settle()
        return {"positions": len(rows)}

    def run(self, payload: dict[str, Any]) -> dict[str, Any]:
        if isinstance(training := payload.get("training"), dict):
            return self.train(training)
        generation = payload.get("generation")
        if not isinstance(generation, dict):
            raise Refusal("run: found no generation and no training, and this contestant does nothing else")
        if generation.get("text") is not None:
            raise Refusal("text: this contestant takes token ids and does not tokenize")
        prompts = generation.get("prompts")
        if not isinstance(prompts, list) or len(prompts) != 1:
            count = len(prompts) if isinstance(prompts, list) else "no"
            raise Refusal(f"prompts: found {count}, expected 1: this contestant runs no batches")
        tokens = integer(generation, "tokens", least=1)
        done = self.engine.generate(self.checked(prompts[0], tokens), tokens)
        settle()
        return {
            "elapsedNanoseconds": done.elapsed,
            "iterations": 1,
            "prefillNanoseconds": done.prefill,
            "tokenNanoseconds": done.times,
            "ids": [done.ids],
        }

    def train(self, training: dict[str, Any]) -> dict[str, Any]:
        windows = training.get("windows")
        if not isinstance(windows, list) or not windows:
            raise Refusal("windows: found none, expected at least one")
        for index, ids in enumerate(windows):
            if not isinstance(ids, list) or len(ids) != len(windows[0]):
                raise Refusal(f"windows[{index}]: expected a list of ids, as many as in the first")
            self.checked(ids[:-1], 1)  # the last one is a target alone
            self.checked(ids[-1:], 1)
        names = ("learningRate", "weightDecay", "beta1", "beta2", "epsilon", "clip")
        elapsed, loss = self.engine.train(windows, AdamW(*(number(training, name) for name in names)))
        settle()
        if not math.isfinite(loss):
            raise Refusal(f"training: the loss is {loss}")
        return {
            "elapsedNanoseconds": elapsed,
            "iterations": 1,
            "prefillNanoseconds": None,
            "tokenNanoseconds": [],
            "ids": [],
            "loss": loss,
        }

    def memory(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"peakBytes": self.memory_of_process.peak()}

    def checked(self, ids: Any, tokens: int) -> list[int]:
        """The prompt, where it and what follows fit the model."""
        if self.configuration is None:
            raise Refusal("no model is loaded")
        vocabulary, context = self.configuration["vocab_size"], self.configuration["n_positions"]
        if not isinstance(ids, list) or not ids:
            raise Refusal("ids: found none, expected a list with at least one")
        for position, token in enumerate(ids):
            if type(token) is not int or not 0 <= token < vocabulary:
                raise Refusal(f"id {token!r} at position {position}: expected an integer from 0 to {vocabulary - 1}")
        if len(ids) + tokens - 1 > context:
            raise Refusal(f"{len(ids)} ids and {tokens} new ones do not fit the context of {context}")
        return ids


def integer(payload: dict[str, Any], field: str, least: int) -> int:
    value = payload.get(field)
    if type(value) is not int or value < least:
        raise Refusal(f"{field}: found {value!r}, expected an integer of {least} or more")
    return value


def number(payload: dict[str, Any], field: str) -> float:
    value = payload.get(field)
    if type(value) not in (int, float) or value < 0:
        raise Refusal(f"{field}: found {value!r}, expected a number of at least 0")
    return float(value)


def answer(line: bytes, operations: Operations) -> tuple[dict[str, Any], bool]:
    """The answer to one line, and whether it was the last."""

    def no_number(word: str) -> None:
        raise ValueError(f"{word} is no number in JSON")

    try:
        request = json.loads(line, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        return {"id": None, "ok": False, "error": f"malformed request: {error}"}, False
    number = request.get("id") if isinstance(request, dict) else None
    name = request.get("operation") if isinstance(request, dict) else None
    payload = request.get("payload", {}) if isinstance(request, dict) else None
    if type(number) is not int or not isinstance(name, str) or not isinstance(payload, dict):
        text = "malformed request: expected an object with id, operation and, where there is one, payload"
        return {"id": number if type(number) is int else None, "ok": False, "error": text}, False
    if name == "quit":
        return {"id": number, "ok": True, "result": {}}, True
    if name not in operations:
        known = ", ".join(sorted([*operations, "quit"]))
        return {"id": number, "ok": False, "error": f"unknown operation {name}, expected one of: {known}"}, False
    try:
        return {"id": number, "ok": True, "result": operations[name](payload)}, False
    except Refusal as refusal:
        text = str(refusal)
    except Exception as error:  # of an engine: whatever it is, the process lives on
        traceback.print_exc()
        text = f"{type(error).__name__}: {error}"
    return {"id": number, "ok": False, "error": " ".join(text.split())[:1000]}, False


def serve(operations: Operations, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers line by line until `quit` or the end of the requests."""
    for line in requests:
        if not line.strip():
            continue
        reply, is_last = answer(line, operations)
        answers.write(json.dumps(reply, allow_nan=False).encode("utf-8") + b"\n")
        answers.flush()
        if is_last:
            return


def serve_standard_streams(operations: Operations) -> None:
    """From here on whatever else the process prints, from C++ too, goes to standard error."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(operations, sys.stdin.buffer, answers)


def main(engine: Engine) -> None:
    precisions = list(engine.folders)
    name = engine.folders[precisions[0]]
    parser = argparse.ArgumentParser(description=f"{name} as a contestant of gpt2-bench; see README.md.")
    parser.add_argument("--models", type=Path, default=INSTALLED, help="folder of the converted models")
    parser.add_argument("--context", type=int, help="positions to make room for (default: the model's)")
    parser.add_argument(
        "--weights", choices=precisions, default=precisions[0], help="their precision (default %(default)s)")
    engine.options(parser)
    serve_standard_streams(Worker(engine, parser.parse_args()).operations)
