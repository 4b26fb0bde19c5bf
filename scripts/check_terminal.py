#!/usr/bin/env python3
"""Runs the commands in a pseudo terminal of COLUMNS, else 80, and measures each line that they print.

usage: check_terminal.py PATH-TO-gpt2-bench [COLUMNS]

No line may be wider than the terminal, and none may be cut within a word where a break between words would do. The
models are the tiny ones, and the records those of the golden files. Exits 0 where all hold, else 1.
"""

import os
import re
import sys
import tempfile
import unicodedata
from pathlib import Path

import pseudo_terminal

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "Tests/CommandTests/Goldens/inputs"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def width(text):
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def commands(folder):
    record = lambda name: str(RECORDS / f"{name}.json")
    tiny = ["--model", "weights/tiny", "-t", "1"]
    short = ["--budget", "0.05", "-r", "3", "--variants", "naive,kv-cache,packed"]
    for name in ["whole", "batch", "peer", "troubled", "counters", "matmul", "ops", "profile", "interleaved"]:
        yield 0, ["report", record(name)]
        yield 0, ["report", record(name), "--verbose"]
    yield 0, ["report", "reports/sample"]
    yield 0, ["report", "reports/sample", "--verbose"]
    yield 3, ["compare", record("base"), record("head")]
    yield 3, ["compare", record("base"), record("head"), "--verbose"]
    yield 5, ["compare", record("base"), record("matmul")]
    yield 4, ["compare", record("batch"), record("troubled")]
    yield 0, ["explain", record("whole") + ":naive", record("whole") + ":packed"]
    yield 0, ["all", *tiny, *short, "--out", f"{folder}/a"]
    yield 0, ["all", *tiny, *short, "--out", f"{folder}/b", "--verbose"]
    yield 0, ["run", "-p", "8", "-n", "4", *tiny, *short, "--out", f"{folder}/c"]
    two = ["--model", "synthetic:tiny,synthetic:1,2,8,20,8", "-t", "1"]
    yield 0, ["run", "-p", "4", *two, *short, "--out", f"{folder}/d"]
    yield 0, ["report", "--history", folder]
    yield 0, ["matmul", "--size", "96x64", "-t", "1", "--budget", "0.05", "-r", "3"]
    yield 0, ["check", *tiny, "--variants", "naive,packed", "--reference", "Benchmarks/reference/tiny-trained"]
    yield 0, ["profile", *tiny, "--budget", "0.1"]
    yield 0, ["profile", *tiny, "--budget", "0.1", "--verbose"]
    yield 0, ["perplexity", "Benchmarks/reference/excerpt.txt", *tiny, "--context", "32", "--variants", "kv-cache,packed"]
    shape = ["--layers", "1", "--heads", "2", "--channels", "32", "--context", "32", "--vocabulary-size", "300"]
    yield 0, [
        "train", "--data", "weights/dialogue.txt", *shape, "--steps", "60", "--evaluate-every", "20", "--out", f"{folder}/t"]
    yield 0, ["info", "-t", "1"]
    for what in ["variants", "models", "suites", "baselines"]:
        yield 0, ["list", what]
    yield 2, ["compare", record("base")]
    yield 1, ["report", "weights"]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n")[2])
    bench = str(Path(sys.argv[1]).resolve())
    columns = int(sys.argv[2]) if len(sys.argv) > 2 else 80
    environment = dict(os.environ, GPT2_BENCH_CEILINGS="brief", TERM="xterm", GPT2_BENCH_HOME=str(ROOT))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for expected, words in commands(folder):
            code, text = pseudo_terminal.run(
                [bench, *words], columns=columns, environment=environment, folder=ROOT)
            shown = " ".join(words).replace(str(RECORDS) + "/", "").replace(folder, "OUT")
            # A line of progress is drawn over; what a redrawing leaves is a line of its own here.
            lines = [line for row in text.split("\n") for line in ESCAPES.sub("", row).split("\r")]
            wide = [line for line in lines if width(line) > columns]
            bad = ([f"ended with {code}, expected {expected}:\n{text[-1500:]}"] if code != expected else []) + [
                f"{width(line)} columns: {line}" for line in wide]
            wrong += len(bad)
            print(f"{'WRONG' if bad else 'ok':5}  {len(lines):4} lines  {shown}")
            for line in bad:
                print(f"       {line}")
    sys.exit(1 if wrong else 0)


main()
