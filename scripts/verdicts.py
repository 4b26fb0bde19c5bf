#!/usr/bin/env python3
"""Are the verdicts of `compare --against` right on this machine? Repeats whole comparisons and counts.

    verdicts.py [--out DIR] [--budget S] [--only STEP,…] [--runs N] [-- compare options…]

Steps, each a number of whole runs of `gpt2-bench compare --against`, and what must hold:
  same       50  a build against itself: at most 1 run with a changed row
  slower5    20  GEMV of `packed` slowed by 5 %: the decode rows regress, and no other row changes, in 19 at least
  slower2    20  GEMV of `packed` slowed by 2 %: the decode rows regress or are inconclusive, never improved
  loaded     10  a build against itself while another process loads one core in bursts: no changed row
  observer   10  `generate --print-ids` under a reader with a clock, and a worker's memory as the kernel tells it:
                 TTFT and TPOT within 2 % or 1 ms, peak memory within 2 %

The slowed build is this source tree with a few lines more (see `SLOWED`), built in a folder of its own; every linear
layer of a single row then takes that much longer, by its own time. Results are appended to DIR/runs.jsonl, one line a
run, so that it can be broken off and goes on where it was; the table at the end is of all runs of this commit with these
options.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SLOWED = """\
import Foundation

/// Makes work take longer by a share of its own time, named by GPT2_BENCH_SLOWDOWN.
enum Slowdown {
  private static let share = ProcessInfo.processInfo.environment["GPT2_BENCH_SLOWDOWN"].flatMap(Double.init) ?? 0

  static func slowed(_ isSlowed: Bool, _ body: () -> Void) {
    guard isSlowed, share > 0 else { return body() }
    let start = DispatchTime.now().uptimeNanoseconds
    body()
    let end = DispatchTime.now().uptimeNanoseconds
    let until = end + UInt64(Double(end - start) * share)
    while DispatchTime.now().uptimeNanoseconds < until {}
  }
}
"""
KERNEL = "Sources/GPT2Kernels/Packed/Packed.swift"
BEFORE = "  func run(_ operation: Linear) {\n"
AFTER = """\
  func run(_ operation: Linear) {
    Slowdown.slowed(operation.input.rows == 1) { runAtFullSpeed(operation) }
  }

  private func runAtFullSpeed(_ operation: Linear) {
"""


def build(folder: Path) -> Path:
    subprocess.run(["swift", "build", "-c", "release"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"], cwd=folder, check=True, capture_output=True, text=True)
    return Path(path.stdout.strip()) / "gpt2-bench"


def commit() -> str:
    """Of the tree that is measured, `-dirty` after it where files differ."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def build_slowed(out: Path) -> Path:
    """A copy of the tracked files with the slowdown in it; built again only where the sources differ."""
    folder = out / "slowed"
    for name in ("Sources", "Package.swift", "Tests"):
        target = folder / name
        if target.is_dir():
            shutil.rmtree(target)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    kernel = folder / KERNEL
    text = kernel.read_text(encoding="utf-8")
    if text.count(BEFORE) != 1:
        sys.exit(f"verdicts.py: {KERNEL}: found the linear operation {text.count(BEFORE)} times, expected once")
    kernel.write_text(text.replace(BEFORE, AFTER), encoding="utf-8")
    (folder / "Sources/GPT2Kernels/Support/Slowdown.swift").write_text(SLOWED, encoding="utf-8")
    return build(folder)


class Bursts(threading.Thread):
    """Loads one core for half a second to three, rests as long, and so on."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.random = random.Random(1)

    def run(self) -> None:
        while not self.ended.is_set():
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            self.ended.wait(self.random.uniform(0.5, 3))
            busy.kill()
            busy.wait()
            self.ended.wait(self.random.uniform(0.5, 3))

    def stop(self) -> None:
        self.ended.set()
        self.join()


def compare(head: Path, base: Path, options: list, slowdown: float, out: Path) -> dict:
    """One whole run: its exit code, its rows and how long it took."""
    environment = dict(os.environ, GPT2_BENCH_SLOWDOWN=str(slowdown), GPT2_BENCH_HOME=str(ROOT))
    keep = out / "last"
    started = time.monotonic()
    done = subprocess.run(
        [str(head), "compare", "--against", str(base), "--format", "json", "--quiet", "--keep", str(keep), *options],
        cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - started
    if done.returncode not in (0, 3, 5):
        sys.exit(f"verdicts.py: compare ended with {done.returncode}: {done.stderr.strip()}")
    rows = json.loads(done.stdout)["rows"]
    keys = ("variant", "threads", "test", "metric", "verdict", "ratio", "ratioLow", "ratioHigh", "pAdjusted",
            "noiseFloor", "smallestDetectable", "baseSamples", "confirmed", "reason")
    return {
        "exit": done.returncode, "seconds": round(seconds, 1),
        "rows": [{key: row[key] for key in keys if key in row} for row in rows],
    }


def is_changed(row: dict) -> bool:
    return row["verdict"] in ("regressed", "improved", "failed")


def is_slowed(row: dict) -> bool:
    return row["metric"].startswith("decode") and row["variant"] == "packed"


def judge(step: str, run: dict) -> bool:
    """Whether a run came out as it must."""
    rows = run["rows"]
    slowed = [row for row in rows if is_slowed(row)]
    others = [row for row in rows if not is_slowed(row)]
    if step == "slower5":
        return bool(slowed) and all(row["verdict"] == "regressed" for row in slowed) and not any(map(is_changed, others))
    if step == "slower2":
        allowed = ("regressed", "inconclusive")
        return bool(slowed) and all(row["verdict"] in allowed for row in slowed) and not any(map(is_changed, others))
    return bool(rows) and not any(map(is_changed, rows))


# The observer.

def generate(program: Path, prompt: int, count: int) -> dict:
    """What `generate` says of itself, and what a reader of its two streams sees; one core is left to the reader."""
    ids = " ".join(str(37 * index % 50257) for index in range(prompt))
    process = subprocess.Popen(
        [str(program), "generate", "--model", "synthetic:gpt2", "--ids", ids, "-n", str(count), "--print-ids",
         "--no-progress", "-t", str(max(1, (os.cpu_count() or 2) - 1))],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    remarks: list = []

    def read_remarks() -> None:
        for line in iter(process.stderr.readline, b""):
            remarks.append((time.monotonic(), line.decode()))

    reader = threading.Thread(target=read_remarks)
    reader.start()
    times = []
    text = b""
    while piece := os.read(process.stdout.fileno(), 4096):
        now = time.monotonic()
        new = len((text + piece).split()) - len(text.split())
        times += [now] * new
        text += piece
    _, status, usage = os.wait4(process.pid, 0)
    reader.join()
    process.stdout.close()
    process.stderr.close()
    if status != 0 or len(times) != count:
        sys.exit(f"verdicts.py: generate ended with {status} after {len(times)} ids, expected {count}")
    start = next(at for at, line in remarks if line.startswith("loaded in"))
    said = next(line for _, line in remarks if "TTFT" in line)

    def figure(pattern: str) -> float:
        return float(re.search(pattern, said).group(1))

    return {
        "ttft": (figure(r"TTFT ([\d.]+) ms"), 1e3 * (times[0] - start)),
        "tpot": (figure(r"TPOT ([\d.]+) ms"), 1e3 * (times[-1] - times[0]) / (count - 1)),
        "memory": (figure(r"peak memory ([\d.]+) MiB"), usage.ru_maxrss / 1024),
    }


def worker_memory(program: Path) -> tuple:
    """The peak that a run's record gives for a worker, and the highest VmHWM of that process as seen from outside.

    Highest, because a worker sets its VmHWM back after a check, whose memory is not the variant's."""
    peaks: dict = {}
    ended = threading.Event()

    def watch(parent: int) -> None:
        while not ended.wait(0.01):
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    text = status.read_text()
                    # Until it has become the worker, a new process still has its parent's memory.
                    if b"\0worker\0" not in status.with_name("cmdline").read_bytes():
                        continue
                except OSError:
                    continue
                if f"PPid:\t{parent}\n" in text and (found := re.search(r"VmHWM:\s+(\d+) kB", text)):
                    peaks[status] = max(peaks.pop(status, 0), int(found.group(1)) * 1024)

    folder = ROOT / "reports" / "observer"
    process = subprocess.Popen(
        [str(program), "run", "-p", "64", "-n", "16", "-d", "16", "--variants", "packed", "-r", "3", "--quiet",
         "--out", str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL)
    watcher = threading.Thread(target=watch, args=(process.pid,))
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    if code != 0:
        sys.exit(f"verdicts.py: run ended with {code}")
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    shutil.rmtree(folder)
    # The processes that loads were timed in are gone by then; the worker was seen last.
    return max(cell["peakMemoryBytes"] for cell in record["cells"]) / 2**20, list(peaks.values())[-1] / 2**20


def observe(program: Path) -> dict:
    seen = generate(program, prompt=64, count=32)
    seen["worker memory"] = worker_memory(program)
    return {"figures": seen}


def agrees(name: str, said: float, outside: float) -> bool:
    return abs(said - outside) <= max(0.02 * outside, 0 if "memory" in name else 1)


# Steps and the table.

STEPS = {"same": 50, "slower5": 20, "slower2": 20, "loaded": 10, "observer": 10}


def perform(step: str, normal: Path, slowed: Path, options: list, out: Path) -> dict:
    if step == "observer":
        run = observe(normal)
        run["passed"] = all(agrees(name, *pair) for name, pair in run["figures"].items())
        return run
    if step == "loaded":
        bursts = Bursts()
        bursts.start()
        try:
            run = compare(normal, normal, options, 0, out)
        finally:
            bursts.stop()
    else:
        slowdown = {"same": 0, "slower5": 0.05, "slower2": 0.02}[step]
        run = compare(slowed if slowdown else normal, normal, options, slowdown, out)
    run["passed"] = judge(step, run)
    return run


def summary(runs: list) -> str:
    lines = ["| step | runs | as they must be | verdicts of the decode rows | of all other rows | seconds a run (median) |",
             "| --- | ---: | ---: | --- | --- | ---: |"]
    for step in STEPS:
        own = [run for run in runs if run["step"] == step]
        if not own:
            continue
        passed = sum(run["passed"] for run in own)
        if step == "observer":
            worst = {}
            for run in own:
                for name, (said, outside) in run["figures"].items():
                    worst[name] = max(worst.get(name, 0), abs(said / outside - 1))
            text = ", ".join(f"{name} {100 * value:.2f} %" for name, value in worst.items())
            lines.append(f"| {step} | {len(own)} | {passed} | largest difference: {text} | | |")
            continue
        rows = [row for run in own for row in run["rows"]]
        seconds = sorted(run["seconds"] for run in own)[len(own) // 2]
        lines.append(f"| {step} | {len(own)} | {passed} | {counts([r for r in rows if is_slowed(r)])} "
                     f"| {counts([r for r in rows if not is_slowed(r)])} | {seconds:.0f} |")
    return "\n".join(lines)


def counts(rows: list) -> str:
    found = {}
    for row in rows:
        found[row["verdict"]] = found.get(row["verdict"], 0) + 1
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.items()))


def main() -> None:
    words = sys.argv[1:]
    own, options = (words[:words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "verdicts")
    parser.add_argument("--budget", type=float, default=120)
    parser.add_argument("--only", default=",".join(STEPS))
    parser.add_argument("--runs", type=int)
    given = parser.parse_args(own)
    steps = given.only.split(",")
    if unknown := [step for step in steps if step not in STEPS]:
        sys.exit(f"verdicts.py: --only: found {', '.join(unknown)}, expected steps of {', '.join(STEPS)}")
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    normal = build(ROOT)
    slowed = build_slowed(out) if {"slower5", "slower2"} & set(steps) else normal
    log = out / "runs.jsonl"
    budget = ["--budget", f"{given.budget:g}"]
    what = {"commit": commit(), "options": budget + options}
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    runs = [run for run in map(json.loads, lines) if {key: run.get(key) for key in what} == what]
    for step in steps:
        wanted = given.runs or STEPS[step]
        while (count := sum(run["step"] == step for run in runs)) < wanted:
            run = {"step": step, **what, **perform(step, normal, slowed, budget + options, out)}
            runs.append(run)
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
            print(f"{step} {count + 1}/{wanted}: {'as it must' if run['passed'] else 'NOT as it must'}",
                  file=sys.stderr)
    print(summary(runs))
    missed = {"same": 1, "slower5": 1}
    failed = [step for step in STEPS
              if sum(run["step"] == step and not run["passed"] for run in runs) > missed.get(step, 0)]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
