#!/usr/bin/env python3
"""Tests scripts/performance_precision.py on records of round figures, and what scripts/performance.sh asks of a
gpt2-bench that only writes its command line down; measures and installs nothing.

    python3 scripts/test_performance_precision.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from test_performance_table import MS, cell, document, matmul_record, run_record

SCRIPTS = Path(__file__).resolve().parent
TESTS = (("prefill", 64), ("prefill", 512), ("decode", 16), ("decode", 512))
BENCH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$LOG"
while (($#)); do
  if [[ "$1" == --out ]]; then out="$2"; fi
  shift
done
case "$out" in
*.json) cp "$RECORDS/matmul.json" "$out" ;;
*) mkdir -p "$out" && cp "$RECORDS/$(basename "$out").json" "$out/record.json" ;;
esac
"""


def precision_record() -> dict:
    """int8 at 100 ms beside packed at 300, llama.cpp's Q8_0 at 150 and an engine at 200 ms."""
    engines = {"int8": ("int8", 100), "packed": ("f32", 300), "llama.cpp-q8_0": ("q8_0", 150), "slow": ("int8", 200)}
    cells = []
    for threads in (1, 2):
        for name, (weights, ms) in engines.items():
            for kind, size in TESTS:
                of = cell(name, threads, kind, size, [ms * MS] * 3) | {"weights": weights, "cacheBytes": 10_000_000}
                of["peakMemoryBytes"] = 280_000_000 if name == "int8" else 300_000_000
                cells.append(of)
    checks = [
        check(name, threads, kl=kl)
        for name, kl in (("int8", 2e-4), ("llama.cpp-q8_0", 3e-4), ("slow", 1e-3)) for threads in (1, 2)]
    # A reference that no other program was held against does not count.
    checks += [check("int8", threads, kl=0.5) | {"reference": "ragged"} for threads in (1, 2)]
    return document("end-to-end", cells, ["llama.cpp-q8_0", "slow"]) | {"correctness": checks}


def check(name: str, threads: int, passed: bool = True, **quality: float) -> dict:
    return {"variant": name, "threads": threads, "reference": "gpt2-124m", "passed": passed, **quality}


def text_record() -> dict:
    record = precision_record()
    record["correctness"] = [
        check(name, threads, kl=kl, top1=top1)
        for name, kl, top1 in (("int8", 4e-5, 0.995), ("llama.cpp-q8_0", 3e-5, 0.99), ("slow", 1e-3, 0.97))
        for threads in (1, 2)]
    return record


class PrecisionTables(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def table(self, precision: str, *records: dict) -> subprocess.CompletedProcess:
        command = [sys.executable, str(SCRIPTS / "performance_precision.py"), precision]
        for number, record in enumerate(records):
            path = self.folder / f"{number}.json"
            path.write_text(json.dumps(record))
            command.append(str(path))
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def lines(self, *records: dict) -> list[str]:
        done = self.table("int8", *records)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_speed_memory_and_quality_stand_side_by_side(self) -> None:
        lines = self.lines(precision_record(), text_record())
        for row in (
            "`int8` | int8 | 1 | 100.0 | 100.0 | 10.00 | 10.00 | 280.0 | 2.00e-04 | 4.00e-05 | 99.5 %",
            "`llama.cpp-q8_0` | q8_0 | 2 | 150.0 | 150.0 | 6.667 | 6.667 | 300.0 | 3.00e-04 | 3.00e-05 | 99.0 %",
            "`packed` | f32 | 1 | 300.0 | 300.0 | 3.333 | 3.333 | 300.0 |  |  | ",
        ):
            self.assertIn(f"| {row} |", lines)

    def test_bars(self) -> None:
        record = precision_record()
        for ceiling in record["ceilings"]:
            ceiling["products"] = [
                {"numbers": "int8", "instructions": "avx512_vnni", "trials": [200.0] * 10},
                {"numbers": "int8", "instructions": "amx_int8", "trials": [800.0] * 10},
                {"numbers": "bf16", "instructions": "avx512_bf16", "trials": [900.0] * 10}]
        for of in record["cells"]:
            of["instructions"] = "avx512_vnni" if of["variant"] == "int8" else None
        lines = self.lines(record)
        # 8 Gop in 100 ms are 80 of a roof of 200 Gop/s, 1 GB are 10 of 12 GB/s.
        self.assertIn(
            "| prefill 512 | 1 | 100.0 ms | `llama.cpp-q8_0` | 150.0 ms | 1.50 (1.50 to 1.50) | ≥ 1.5: met "
            "| 3.00 (3.00 to 3.00) |  | 40.0 | ≥ 45: missed by 5.0 |", lines)
        self.assertIn(
            "| decode after 16 | 2 | 10.00 tok/s | `llama.cpp-q8_0` | 6.667 tok/s | 1.50 (1.50 to 1.50) | ≥ 1.15: met "
            "| 3.00 (3.00 to 3.00) | ≥ 3: met | 83.3 | ≥ 90: missed by 6.7 |", lines)

        self.assertTrue(any("int8 peak of avx512_vnni 200.0 GOP/s (median trial 200.0)" in line for line in lines))
        for of in record["cells"]:
            of["instructions"] = None
        self.assertTrue(any(
            line.startswith("| prefill 512 | 1 |") and line.endswith("| 10.0 | ≥ 45: missed by 35.0 |")
            for line in self.lines(record)))

    def test_a_peak_that_was_not_measured_is_named(self) -> None:
        lines = self.lines(precision_record())
        self.assertTrue(any(line.endswith("no peak of products in int8 was measured") for line in lines))

    def test_memory_and_quality_against_llama_cpp(self) -> None:
        lines = self.lines(precision_record(), text_record())
        # A GB of float32 is 265.6 MB of Q8_0: (280 - 10) / 265.6
        self.assertIn("| peak MB | 1 | 280.0 | 300.0 | ≤ 300.0: met | 1.016 | ≤ 1.10: met |", lines)
        self.assertIn("| KL |  | 2.00e-04 | 3.00e-04 | ≤ 3.00e-04: met |  |  |", lines)
        self.assertIn("| KL on text |  | 4.00e-05 | 3.00e-05 | ≤ 3.00e-05: missed |  |  |", lines)

    def test_an_engine_over_its_limit_has_no_figure(self) -> None:
        text = text_record()
        failed = check("llama.cpp-q8_0", 1, passed=False, kl=0.3) | {"failure": "KL is 0.3"}
        text["correctness"] = [failed if (of["variant"], of["threads"]) == ("llama.cpp-q8_0", 1) else of
                               for of in text["correctness"]]
        lines = self.lines(precision_record(), text)
        self.assertIn("| `llama.cpp-q8_0` | q8_0 | 1 |  |  |  |  |  | 3.00e-04 | 3.00e-01 | 99.0 % |", lines)
        self.assertTrue(any(line.startswith("| prefill 512 | 1 | 100.0 ms | `slow` |") for line in lines))
        self.assertTrue(any(line.startswith("| prefill 512 | 2 | 100.0 ms | `llama.cpp-q8_0` |") for line in lines))
        reason = "`llama.cpp-q8_0` on text: failed its check: gpt2-124m: KL is 0.3"
        self.assertTrue(any(line.endswith(reason) for line in lines))

    def test_an_engine_without_the_trained_model_keeps_its_figures(self) -> None:
        text = text_record()
        for of in text["cells"]:
            if of["variant"] == "slow":
                of.update(status="skipped", message="load: model weights/tiny is not converted", samples=[])
        text["correctness"] = [of for of in text["correctness"] if of["variant"] != "slow"]
        self.assertIn(
            "| `slow` | int8 | 1 | 200.0 | 200.0 | 5.000 | 5.000 | 300.0 | 1.00e-03 |  |  |",
            self.lines(precision_record(), text))

    def test_usage_and_records_that_cannot_be_read(self) -> None:
        self.assertEqual(self.table("f32", precision_record()).returncode, 2)
        self.assertEqual(self.table("int8").returncode, 2)
        done = self.table("int8", matmul_record())
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("kind: found 'gemm'", done.stderr)


class PerformanceScript(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "a checkout"
        (self.root / "scripts").mkdir(parents=True)
        for path in SCRIPTS.glob("performance*"):
            shutil.copy(path, self.root / "scripts")
        self.installed = self.root / "Benchmarks" / "peers" / "installed"
        self.installed.mkdir(parents=True)
        lines = [
            ("old", "--weights f32"), ("compiled", "--weights f32 --compile"), ("half", "--weights f16 --cache f16"),
            ("q", "--weights q8_0")]
        text = "".join(f"--contestant '{name}=python peer.py {options}'\n" for name, options in lines)
        (self.installed / "contestants.txt").write_text(text)
        records = self.root / "records"
        records.mkdir()
        found = {"matmul": matmul_record(), "f32": run_record(), "int8": precision_record(), "int8-text": text_record()}
        for name, record in found.items():
            (records / f"{name}.json").write_text(json.dumps(record))
        bench = self.root / "bench"
        bench.write_text(BENCH)
        bench.chmod(0o755)
        self.log = self.root / "log"
        self.environment = os.environ | {
            "GPT2_BENCH": str(bench), "GPT2_BENCH_BLAS": str(bench), "LOG": str(self.log), "RECORDS": str(records)}

    def run_script(self, *arguments: str) -> tuple[subprocess.CompletedProcess, list[str]]:
        command = [str(self.root / "scripts" / "performance.sh"), "--out", str(self.root / "out"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.environment)
        return done, self.log.read_text().splitlines() if self.log.exists() else []

    def test_each_precision_meets_its_own_engines(self) -> None:
        done, asked = self.run_script("--precision", "f32,int8", "-t", "2", "-r", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(asked), 3)
        for line, variants, engine in ((asked[0], "packed", "old"), (asked[2], "packed,int8", "q")):
            self.assertIn(f"run --model synthetic:gpt2 --variants {variants} -p 64,512", line)
            self.assertIn("-t 2 -r 3", line)
            self.assertIn(f"--contestant {engine}=python peer.py --weights", line)
            self.assertEqual(line.count("--contestant "), 1)
        self.assertIn("--contestant-tolerance 10", asked[0])
        self.assertNotIn("--contestant-tolerance", asked[2])
        self.assertTrue(asked[1].startswith("matmul --size 64x768x2304,"))
        self.assertIn("no quality on text", done.stderr)
        written = (self.root / "out" / "performance.md").read_text()
        self.assertEqual(written.count("| prefill 512 | 2 |"), 2)
        self.assertIn("### Weights of int8", written)

    def test_the_trained_model_tells_the_quality_on_text(self) -> None:
        model = self.installed / "models" / "-somewhere-weights-tiny"
        model.mkdir(parents=True)
        (model / "model.json").write_text("{}")
        done, asked = self.run_script("--precision", "int8")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"run --model {self.root}/weights/tiny --variants packed,int8", asked[1])
        self.assertIn("99.5 %", done.stdout)

    def test_a_precision_that_no_engine_has_is_skipped_by_name(self) -> None:
        done, asked = self.run_script("--precision", "int4")
        self.assertEqual((done.returncode, asked), (0, []))
        self.assertIn("int4 skipped", done.stderr)

    def test_usage(self) -> None:
        for arguments in (
            ("--precision", "int3"), ("--precision", ""), ("--precision", "f32,,int8"), ("--precision",), ("--speed", "1")
        ):
            self.assertEqual(self.run_script(*arguments)[0].returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
