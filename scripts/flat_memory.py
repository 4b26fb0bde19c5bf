#!/usr/bin/env python3
"""Does one process keep its memory flat while it loads, checks and generates for long?

    scripts/flat_memory.py PROGRAM [--seconds 3600] [--growth-mib 2] [--model weights/tiny]

Drives one `PROGRAM worker`: it loads the model for one variant after the other (but the slow `naive`), holds the tiny
one against its references, and generates a batch. Resident memory is read after each round over all variants. The first
tenth of the time warms up. After it, the median of the last quarter of the readings may lie above that of the first
quarter by --growth-mib. Prints the medians; exits 1 where it grew, or where a request failed. Needs only Python on Linux.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ["unrolled8", "tiled", "simd8", "threaded", "kv-cache", "packed", "bf16", "int8", "int4"]


class Worker:
    def __init__(self, program: Path) -> None:
        command = [program.resolve(), "worker", "flat-memory"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.asked = 0

    def ask(self, operation: str, payload: dict) -> dict:
        self.asked += 1
        self.process.stdin.write(json.dumps({"id": self.asked, "operation": operation, "payload": payload}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"ok": false, "error": "the worker has ended"}')
        if not answer["ok"]:
            sys.exit(f"flat_memory.py: request {self.asked}, {operation}: {answer['error']}")
        return answer.get("result", {})

    def resident_mib(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--growth-mib", type=float, default=2)
    parser.add_argument("--model", default="weights/tiny")
    options = parser.parse_args()
    worker = Worker(options.program)
    check = {
        "references": ["Benchmarks/reference/tiny-trained"],
        "scope": {"longestPrompt": 33, "greedySteps": 4},
        "oraclePrompts": [],
    }
    generation = {"prompts": [[1, 2, 3], [4, 5, 6, 7, 8]], "tokens": 24}
    begin = time.monotonic()
    readings: list[tuple[float, float]] = []
    while (now := time.monotonic() - begin) < options.seconds or len(readings) < 10:
        for variant in VARIANTS:
            worker.ask("load", {"model": options.model, "variant": variant, "threads": 2, "cold": False})
            if options.model == "weights/tiny":
                worker.ask("check", check)
            worker.ask("run", {"generation": generation})
        readings.append((now, worker.resident_mib()))
    worker.ask("quit", {})
    kept = [memory for at, memory in readings if at >= options.seconds / 10]
    quarter = max(len(kept) // 4, 1)
    first, last = statistics.median(kept[:quarter]), statistics.median(kept[-quarter:])
    print(
        f"{worker.asked} requests in {time.monotonic() - begin:.0f} s, {len(kept)} readings: "
        f"{first:.1f} MiB in the first quarter, {last:.1f} MiB in the last, at most {max(kept):.1f}"
    )
    if last - first <= options.growth_mib:
        return 0
    print(f"flat_memory.py: it grew by {last - first:.1f} MiB, expected at most {options.growth_mib:g}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
