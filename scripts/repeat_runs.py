#!/usr/bin/env python3
"""Do runs of one build in different minutes agree within their intervals, and does a comparison of them stay silent?

    scripts/repeat_runs.py BENCH [--runs 21] [--pause 60] [--apart 1] [--out DIR] [-- ARGUMENT…]

Runs `BENCH run ARGUMENT…` again and again, a pause between two, and takes each run with the one before it as a pair,
or with the one `--apart` places before it: so pairs are minutes apart without a pause.
A row of a pair agrees where the intervals of its figure overlap (decode tok/s, prefill tok/s). A pair is silent where
`BENCH compare` of both records does not end with 3. Prints one line a pair and the counts; ends with 1 where more than
one pair in ten disagrees in a row, or more than one in fifty is not silent (one is always allowed).

The default ARGUMENTs: --model synthetic:gpt2 --variants kv-cache,packed -p 64 -n 32 -d 16 --budget 4
"""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
import time

FIGURES = ["decode_tok_per_s", "prefill_tok_per_s"]
DEFAULTS = "--model synthetic:gpt2 --variants kv-cache,packed -p 64 -n 32 -d 16 --budget 4".split()


def rows(folder):
    """(variant, threads, test, figure) → (low, value, high) of every figure that has an interval."""
    found = {}
    with open(folder / "results.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for figure in FIGURES:
                low, high = row[figure + "_ci_low"], row[figure + "_ci_high"]
                if low and high:
                    key = (row["variant"], row["threads"], row["test"], figure)
                    found[key] = (float(low), float(row[figure]), float(high))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--pause", type=float, default=60, help="seconds between two runs")
    parser.add_argument("--apart", type=int, default=1, help="places between the two runs of a pair")
    parser.add_argument("--out", type=pathlib.Path)
    own, rest = sys.argv[1:], DEFAULTS
    if "--" in own:
        place = own.index("--")
        own, rest = own[:place], own[place + 1 :]
    options = parser.parse_args(own)
    if options.apart < 1:
        parser.error(f"--apart is {options.apart}, expected at least 1")
    if options.runs <= options.apart:
        parser.error(f"--runs is {options.runs}, expected more than --apart, which is {options.apart}")
    out = options.out or pathlib.Path(tempfile.mkdtemp(prefix="repeat-"))
    disagreeing = loud = 0
    for index in range(options.runs):
        if index > 0:
            time.sleep(options.pause)
        folder = out / f"run-{index}"
        subprocess.run([options.bench, "run", *rest, "--quiet", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        first = index - options.apart
        if first < 0:
            continue
        before, after = rows(out / f"run-{first}"), rows(folder)
        apart = [k for k in before if k in after and (before[k][0] > after[k][2] or after[k][0] > before[k][2])]
        records = [out / f"run-{i}" / "record.json" for i in (first, index)]
        code = subprocess.run([options.bench, "compare", *records], stdout=subprocess.DEVNULL).returncode
        disagreeing += bool(apart)
        loud += code == 3
        words = "; ".join(f"{' '.join(k)}: {before[k]} and {after[k]}" for k in apart)
        print(f"pair {first + 1}: {len(before)} rows, {words or 'all agree'}; compare ended with {code}", flush=True)
    pairs = options.runs - options.apart
    print(f"{pairs - disagreeing} of {pairs} pairs agree in every row; {loud} false verdicts; records in {out}")
    return int(disagreeing > max(pairs // 10, 1) or loud > max(pairs // 50, 1))


if __name__ == "__main__":
    sys.exit(main())
