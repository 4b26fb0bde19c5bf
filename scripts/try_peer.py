#!/usr/bin/env python3
"""Drives one contestant by hand: load, logits, run, memory, quit, each answer printed.

    scripts/try_peer.py [--model M] [-t N] [--ids "1 2 3" | -p N] [-n N] [--bench gpt2-bench] COMMAND [ARGUMENT…]

With `--bench` (a built gpt2-bench) the contestant's logits and ids are held against those of `--variant` there, and
the quality is told: the mean KL divergence in nats, and how often the best id is the same. No quality limit of
gpt2-bench is applied: only what cannot be rounding ends the program.
Exit code 1 where the contestant refuses or answers what it should not. Needs only Python's standard library.
"""

import argparse
import array
import itertools
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path


TOLERANCE = 1e-2  # of the largest logit with weights of float32: what tables in half precision cost
MAX_KL = 0.05  # nats, with weights of fewer bits: a tenth of what a model of other random weights has


class Contestant:
    """A process that speaks the lines of Benchmarks/peers/README.md."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._count = 0

    def ask(self, operation: str, **payload) -> dict:
        self._count += 1
        request = {"id": self._count, "operation": operation, "payload": payload}
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer below tells more
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{operation}: no answer; the process ended with {self._process.wait()}")
        try:
            answer = json.loads(line)
        except ValueError:
            sys.exit(f"{operation}: {line[:200]!r} on standard output is no answer")
        if answer.get("id") != self._count:
            sys.exit(f"{operation}: the answer's id is {answer.get('id')}, expected {self._count}")
        if answer.get("ok") is not True:
            sys.exit(f"{operation}: refused: {answer.get('error')}")
        return answer.get("result", {})

    def finish(self) -> None:
        self.ask("quit")
        code = self._process.wait(timeout=30)
        if code != 0:
            sys.exit(f"quit: the process ended with {code}, expected 0")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def read_npy(path: str) -> list[array.array]:
    """The rows of a float32 matrix in NumPy's format."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + length].decode("latin-1")
    shape = re.search(r"'shape': \((\d+), (\d+)\)", header)
    if data[:6] != b"\x93NUMPY" or "'<f4'" not in header or shape is None:
        sys.exit(f"{path}: expected a float32 matrix in NumPy's format 1.0, found {header or 'no header'}")
    rows, columns = map(int, shape.groups())
    values = array.array("f", data[10 + length :])
    if len(values) != rows * columns:
        sys.exit(f"{path}: {len(values)} values, expected {rows} × {columns}")
    return [values[row * columns : (row + 1) * columns] for row in range(rows)]


def log_probabilities(row: array.array) -> list[float]:
    largest = max(row)
    total = largest + math.log(math.fsum(math.exp(value - largest) for value in row))
    return [value - total for value in row]


def divergence(expected: array.array, found: array.array) -> float:
    """KL(expected ‖ found) of the distributions of the next id, in nats."""
    pairs = zip(log_probabilities(expected), log_probabilities(found))
    return math.fsum(math.exp(p) * (p - q) for p, q in pairs)


def compare_logits(found: list[array.array], expected: list[array.array], weights: str) -> None:
    """Prints the difference of each position; ends the program where one is not finite or no rounding of `weights`."""
    if len(found[0]) != len(expected[0]):
        sys.exit(f"logits: {len(found[0])} columns, expected the vocabulary's {len(expected[0])}")
    divergences, same = [], 0
    for position, (ours, theirs) in enumerate(zip(found, expected[-len(found) :])):
        place = len(expected) - len(found) + position
        if not all(map(math.isfinite, ours)):
            sys.exit(f"logits: position {place} holds a value that is not finite")
        largest = max(map(abs, theirs))
        worst = max(abs(a - b) for a, b in zip(ours, theirs))
        is_same = ours.index(max(ours)) == theirs.index(max(theirs))
        divergences.append(divergence(theirs, ours))
        same += is_same
        print(
            f"  position {place}: largest difference {worst:.3g} of {largest:.3g}, KL {divergences[-1]:.3g}, "
            f"{'same' if is_same else 'another'} argmax")
        if weights == "f32" and worst > TOLERANCE * largest:
            sys.exit(f"logits: position {place} differs by {worst:.3g}, expected at most {TOLERANCE * largest:.3g}")
    mean = math.fsum(divergences) / len(divergences)
    print(f"  weights {weights}: KL {mean:.3g}, top-1 {same} of {len(found)}")
    if mean > MAX_KL:
        sys.exit(f"logits: KL {mean:.3g}, expected at most {MAX_KL}")


def bench(options: argparse.Namespace, command: str, ids: list[int], *arguments: str) -> str:
    line = [options.bench, command, "--model", options.model, "--variant", options.variant, "--ids"]
    line += [" ".join(map(str, ids)), *arguments]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout


def tell_times(result: dict, prompt: int) -> None:
    times = result["tokenNanoseconds"]
    text = f"  prefill {result['prefillNanoseconds'] / 1e6:.1f} ms for {prompt} ids"
    if len(times) > 1:
        text += f", decode {(len(times) - 1) / (times[-1] - times[0]) * 1e9:.1f} tok/s"
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synthetic:gpt2", help="as --model of gpt2-bench (default %(default)s)")
    parser.add_argument("-t", "--threads", type=int, default=len(os.sched_getaffinity(0)), help="(default: all)")
    parser.add_argument("--ids", help="the prompt (default: -p ids from a fixed row of numbers)")
    parser.add_argument("-p", type=int, default=16, help="ids of a prompt for GPT-2 (default %(default)s)")
    parser.add_argument("-n", type=int, default=16, help="new ids (default %(default)s)")
    parser.add_argument("-r", type=int, default=1, help="runs after one to warm up (default %(default)s)")
    parser.add_argument("--bench", help="a built gpt2-bench to hold logits and ids against")
    parser.add_argument("--variant", default="kv-cache", help="of it (default %(default)s)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the contestant")
    options = parser.parse_args()
    if not options.command:
        parser.error("COMMAND: found nothing, expected the contestant's command")

    contestant = Contestant(options.command)
    try:
        start = time.monotonic()
        loaded = contestant.ask("load", model=options.model, variant="peer", threads=options.threads, cold=False)
        print(f"load ({time.monotonic() - start:.1f} s with the libraries):", json.dumps(loaded))
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/logits.npy"
            ids = [int(word) for word in options.ids.split()] if options.ids else None
            ids = ids or [(place * 7919 + 13) % 50257 for place in range(options.p)]
            told = contestant.ask("logits", ids=ids, out=path)
            print("logits:", json.dumps(told))
            found = read_npy(path)
            if not len(found) == told["positions"] <= len(ids):
                sys.exit(f"logits: {path} has {len(found)} rows, told were {told['positions']} for {len(ids)} ids")
            if options.bench:
                bench(options, "logits", ids, "--out", folder + "/expected.npy")
                compare_logits(found, read_npy(folder + "/expected.npy"), loaded.get("weights", "f32"))
        generation = {"prompts": [ids], "text": None, "tokens": options.n}
        runs = [contestant.ask("run", generation=generation) for _ in range(options.r + 1)][1:]
        print("run:", json.dumps(runs[-1]))
        for run in runs:
            tell_times(run, len(ids))
        if options.bench:
            expected = bench(options, "generate", ids, "-n", str(options.n), "--print-ids", "--temperature", "0")
            pairs = zip((int(word) for word in expected.split()), runs[-1]["ids"][0], strict=True)
            same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            print(f"  the first {same} of {options.n} ids are those of {options.variant}")
        memory = contestant.ask("memory")
        print("memory:", json.dumps(memory))
        contestant.finish()
        print("quit: ended with 0")
    finally:
        contestant.stop()


if __name__ == "__main__":
    main()
