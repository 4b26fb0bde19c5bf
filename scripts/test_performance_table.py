#!/usr/bin/env python3
"""Tests scripts/performance_table.py on records of round figures; measures and installs nothing.

    python3 scripts/test_performance_table.py
"""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "performance_table.py"
TRAINING = SCRIPT.with_name("performance_training.py")
MS = 1_000_000
SHAPES = [(m, k, n) for m in (64, 512) for k, n in ((768, 2304), (768, 768), (768, 3072), (3072, 768))]


def samples(times: list[int], decode: bool) -> list[dict]:
    """`times` in ns: of the prompt, or of each of four steps after the first token."""
    return [
        {
            "round": index, "sequence": index, "elapsedNanoseconds": 9 * time, "iterations": 1,
            "prefillNanoseconds": time,
            "tokenNanoseconds": [5 + step * time for step in range(5)] if decode else [time + 1],
        }
        for index, time in enumerate(times)
    ]


def cell(variant: str, threads: int, kind: str, size: int, times: list[int]) -> dict:
    test = {"batch": 1, "tokens": size} if kind == "prefill" else {"batch": 1, "tokens": 5, "depth": size}
    return {
        "variant": variant, "weights": "f32", "threads": threads, "test": {kind: test}, "status": "measured",
        "samples": samples(times, kind == "decode"),
        # 100 ms are 80 GFLOP/s and 10 GB/s.
        "flops": 8e9, "bytes": 1e9,
        "peakMemoryBytes": 1_060_000_000 if variant == "packed" else 1_050_000_000,
        "load": {"samples": [
            {"round": index, "loadNanoseconds": 1, "firstTokenNanoseconds": time * MS}
            for index, time in enumerate((200, 210, 190) if variant == "packed" else (400, 410, 390))]},
    }


def ceiling(threads: int) -> dict:
    # The 90th percentiles (type 7) are 100 and 12, the medians 80 and 10; the best ones are no roof.
    return {
        "threads": threads, "fmaGFLOPS": 140.0, "dramGBPerSecond": 16.0,
        "fmaTrials": [60.0, 80, 80, 80, 80, 80, 80, 80, 80, 100, 140],
        "memory": [{"level": "DRAM", "trials": [8.0, 10, 10, 10, 10, 10, 10, 10, 10, 12, 16]}],
    }


def document(kind: str, cells: list[dict], peers: list[str]) -> dict:
    return {
        "schema": 1, "kind": kind, "machine": {"cpu": "A CPU"}, "build": {"commit": "abc"}, "started": "now",
        "isComplete": True, "model": {"name": "synthetic:gpt2", "weightBytes": 1_000_000_000},
        "ceilings": [ceiling(1), ceiling(2)], "correctness": [], "cells": cells,
        "peers": [{"name": name, "command": name, "version": f"{name} 1"} for name in peers],
    }


def run_record() -> dict:
    cells = []
    for threads in (1, 2):
        for kind, size in (("prefill", 512), ("prefill", 64), ("decode", 16), ("decode", 512)):
            cells.append(cell("packed", threads, kind, size, [100 * MS, 110 * MS, 90 * MS]))
            cells.append(cell("slow", threads, kind, size, [300 * MS] * 3))
            cells.append(cell("llama.cpp", threads, kind, size, [130 * MS, 120 * MS, 140 * MS]))
    return document("end-to-end", cells, ["slow", "llama.cpp"])


def matmul_record() -> dict:
    cells = []
    for threads in (1, 2):
        for m, k, n in SHAPES:
            for variant, gflops in (("packed", 88.0), ("blas", 80.0 if m == 64 else 66.0)):
                time = 2 * m * k * n / gflops
                cells.append({
                    "variant": variant, "weights": "f32", "threads": threads, "status": "measured",
                    "test": {"gemm": {"m": m, "k": k, "n": n}},
                    "samples": [{"round": index, "sequence": index, "elapsedNanoseconds": time,
                                 "iterations": 9, "tokenNanoseconds": []} for index in range(3)],
                })
    return document("gemm", cells, []) | {"model": None}


class PerformanceTable(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def table(self, run: dict | str, matmul: dict | None = None) -> subprocess.CompletedProcess:
        paths = []
        for name, content in (("run.json", run), ("matmul.json", matmul or matmul_record())):
            paths.append(self.folder / name)
            paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
        return subprocess.run([sys.executable, str(SCRIPT), *paths], capture_output=True, text=True, timeout=60)

    def lines(self, run: dict, matmul: dict | None = None) -> list[str]:
        done = self.table(run, matmul)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_speed_is_against_the_fastest_peer_and_the_roof(self) -> None:
        lines = self.lines(run_record())
        # Medians 100 and 130 ms; the rounds' extremes bound the interval: 120 / 110 to 140 / 90.
        self.assertIn(
            "| prefill 512 | 1 | 100.0 ms | `llama.cpp` | 130.0 ms | 1.30 (1.09 to 1.56) | ≥ 1.2: met "
            "| 80.0 | 100.0 | ≥ 85: missed by 5.0 |", lines)
        self.assertIn(
            "| prefill 512 | 2 | 100.0 ms | `llama.cpp` | 130.0 ms | 1.30 (1.09 to 1.56) | ≥ 1.35: missed by 0.05 "
            "| 80.0 | 100.0 | ≥ 85: missed by 5.0 |", lines)
        self.assertIn(
            "| decode after 16 | 1 | 10.00 tok/s | `llama.cpp` | 7.692 tok/s | 1.30 (1.09 to 1.56) | ≥ 1: met "
            "| 83.3 | 100.0 | ≥ 95: missed by 11.7 |", lines)
        self.assertEqual(sum(line.startswith(("| prefill", "| decode")) for line in lines), 8)

    def test_memory_and_load(self) -> None:
        lines = self.lines(run_record())
        self.assertIn(
            "| whole run | 1 | 1060.0 | 1050.0 | ≤ 1050.0: missed by 10.0 | 1.060 | ≤ 1.08: met |", lines)
        self.assertIn("| file in cache | 2 | 200.0 | 3 | 400.0 | 3 | 2.00 (1.95 to 2.05) | ≥ 1: met |", lines)

    def test_matmul_and_geometric_mean(self) -> None:
        matmul = matmul_record()
        lines = self.lines(run_record(), matmul)
        self.assertIn(
            "| 512 × 3072 × 768 | 2 | 88.00 | 66.00 | 1.33 (1.33 to 1.33) | ≥ 1.1: met "
            "| 88.0 | 110.0 | ≥ 90: missed by 2.0 |", lines)
        for of in matmul["cells"]:
            if of["variant"] == "blas" and of["test"]["gemm"] == {"m": 64, "k": 768, "n": 768}:
                for sample in of["samples"]:
                    sample["elapsedNanoseconds"] *= 16
        # The fourth root of 1.1⁴ · 16
        line = "| M = 64, geometric mean | 1 |  |  | 2.20 (2.20 to 2.20) | ≥ 1.1: met |  |  |  |"
        self.assertIn(line, self.lines(run_record(), matmul))

    def test_a_peer_that_is_missing_is_empty_with_its_reason(self) -> None:
        run = run_record()
        for of in run["cells"]:
            if of["variant"] == "llama.cpp":
                message = f"llama.cpp t{of['threads']}: load: no libggml"
                of.update(status="skipped", message=message, samples=[], load=None)
                del of["peakMemoryBytes"]
        lines = self.lines(run)
        self.assertTrue(any(
            line.startswith("| prefill 64 | 1 | 100.0 ms | `slow` | 300.0 ms | 3.00 (") for line in lines))
        self.assertIn("| whole run | 1 | 1060.0 |  |  | 1.060 | ≤ 1.08: met |", lines)
        self.assertIn("| file in cache | 1 | 200.0 | 3 |  |  |  | ≥ 1 |", lines)
        self.assertIn("- peak memory t1, peak memory t2: `llama.cpp` skipped: load: no libggml", lines)

    def test_without_peers_only_the_machine_is_left(self) -> None:
        run = run_record()
        run["cells"] = [of for of in run["cells"] if of["variant"] == "packed"]
        del run["peers"]
        lines = self.lines(run)
        self.assertIn(
            "| prefill 64 | 1 | 100.0 ms |  |  |  | ≥ 1.2 | 80.0 | 100.0 | ≥ 70: met |", lines)
        self.assertTrue(any(line.endswith(": no other program took part") for line in lines))

    def test_a_failed_check_takes_the_figures(self) -> None:
        run = run_record()
        run["correctness"] = [
            {"variant": "llama.cpp", "threads": 1, "reference": "gpt2-124m", "passed": True},
            {"variant": "llama.cpp", "threads": 2, "reference": "gpt2-124m", "passed": False, "failure": "NaN"}]
        lines = self.lines(run)
        for threads, best in ((1, "llama.cpp"), (2, "slow")):
            self.assertTrue(any(
                line.startswith(f"| prefill 64 | {threads} | 100.0 ms | `{best}`") for line in lines), best)
        self.assertTrue(any(line.endswith("`llama.cpp` failed its check: gpt2-124m: NaN") for line in lines))

    def test_too_few_rounds_have_no_interval(self) -> None:
        run = run_record()
        for of in run["cells"]:
            of["samples"] = of["samples"][:2]
        lines = self.lines(run)
        self.assertTrue(any(
            line.startswith("| prefill 64 | 1 | 105.0 ms | `llama.cpp` | 125.0 ms | 1.19 | ≥ 1.2: missed by 0.01")
            for line in lines))

    def test_ceilings_and_threads_that_are_missing(self) -> None:
        run = run_record()
        run["ceilings"] = run["ceilings"][:1]
        run["cells"] = [of for of in run["cells"] if of["threads"] == 1 or "prefill" in of["test"]]
        lines = self.lines(run)
        self.assertIn("| decode after 16 | 2 |  |  |  |  | ≥ 1 |  |  | ≥ 95 |", lines)
        self.assertTrue(any(line.endswith("no ceiling was measured") for line in lines))
        self.assertTrue(any(line.endswith("`packed` was not measured") for line in lines))

    def test_records_that_cannot_be_read(self) -> None:
        broken = copy.deepcopy(run_record())
        del broken["cells"][0]["samples"]
        for content, words in (
            ("", "no JSON"), ("[]", "found no object"), (matmul_record(), "kind: found 'gemm'"),
            (run_record() | {"schema": 2}, "schema: found 2, expected 1"), (broken, "KeyError: 'samples'"),
        ):
            done = self.table(content)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertIn("run.json", done.stderr)
            self.assertIn(words, done.stderr)
        usage = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, timeout=60)
        self.assertEqual(usage.returncode, 2)


class TrainingTable(unittest.TestCase):
    def test_a_step_is_against_each_peer_and_the_peak(self) -> None:
        cells = []
        times_of = {"packed": [100, 110, 90], "pytorch": [180, 170, 190], "pytorch-compiled": [120, 120, 120]}
        for variant, times in times_of.items():
            for of in (cell(variant, 2, "prefill", 64, [MS]), cell(variant, 2, "prefill", 64, times)):
                cells.append(of)
            cells[-1]["test"] = {"training": {"batch": 4, "context": 64}}
            cells[-1]["samples"] = [
                {"round": index, "sequence": index, "elapsedNanoseconds": float(time * MS), "iterations": 1,
                 "tokenNanoseconds": []} for index, time in enumerate(times)]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document("end-to-end", cells, ["pytorch", "pytorch-compiled"]), file)
            file.flush()
            done = subprocess.run(
                [sys.executable, str(TRAINING), file.name], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(
            "| train4x64 | 2 | 100.0 ms | `pytorch` | 180.0 ms | 1.80 (1.55 to 2.11) | ≥ 1.5: met "
            "| 80.0 | 100.0 | ≥ 65: met |", done.stdout.splitlines())
        self.assertTrue(any(
            line.startswith("| train4x64 | 2 | 100.0 ms | `pytorch-compiled` | 120.0 ms | 1.20 ")
            and line.endswith(" |  | 80.0 | 100.0 | ≥ 65: met |") for line in done.stdout.splitlines()))
        self.assertIn("- train4x64 t1: `packed` was not measured", done.stdout)
        done = subprocess.run([sys.executable, str(TRAINING)], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
