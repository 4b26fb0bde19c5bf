#!/usr/bin/env python3
"""Does `profile` say of an operation what `matmul` and `ops` say of it alone? Runs all three in turns and compares.

    profile_agreement.py [--bench PATH] [--variants packed,kv-cache] [--rounds N] [-t N] [--json FILE]

GPT-2 124M's shapes: a prompt of 64 tokens, and decoding behind 512. A round is one run of each; a figure is the median
of the rounds' figures, and a difference the median of the rounds' ratios, because machines drift. Parts of an
operation (softmax) are compared with `-t 1` only: on several threads a pass has the driving thread's share of them. A GELU
is compared where no product has it fused. Prints a table and ends with 1 where a difference is above 10 %.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTS = {"qkv": (768, 2304), "projection": (768, 768), "mlp-up": (768, 3072), "mlp-down": (3072, 768)}
DEPTH = 512
STEPS = 9
LIMIT = 0.10
FUSED = {"packed"}


def run(bench, *arguments):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [bench, *arguments, "--quiet", "--no-progress", "--format", "json", "--out", out.name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 5):
            sys.exit(f"profile_agreement.py: {' '.join(command)}: ended with {done.returncode}: {done.stderr}")
        return json.loads(Path(out.name).read_text())


def profiled(record, stage):
    """Microseconds of one call of each phase, with what it waits for."""
    profile = next(p for p in record["profiles"] if p["stage"] == stage)
    times = {}
    for entry in profile["entries"]:
        time, calls = times.get(entry["phase"], (0.0, 0))
        times[entry["phase"]] = (time + entry["nanoseconds"] + entry["waitNanoseconds"], calls + entry["calls"])
    found = {phase: time / calls / 1e3 for phase, (time, calls) in times.items() if calls}
    parts = [phase for phase in found if phase.startswith("attention")]
    found["attention"] = sum(found[phase] for phase in parts)
    return found


def alone(record):
    """Microseconds of one call, by the test's name and shape."""
    found = {}
    for cell in record["cells"]:
        samples = [s["elapsedNanoseconds"] for s in cell["samples"]]
        if samples:
            (kind, shape), = cell["test"].items()
            shape = shape.get("shape", shape)
            found[json.dumps({kind: shape}, sort_keys=True)] = statistics.median(samples) / 1e3
    return found


def product(found, m, phase):
    k, n = PRODUCTS[phase]
    return found.get(json.dumps({"gemm": {"k": k, "m": m, "n": n}}, sort_keys=True))


def operation(found, name):
    for key, time in found.items():
        shape = json.loads(key).get("operation", {})
        if name in shape:
            return time
    return None


def one_round(bench, variant, threads):
    """(stage, phase) → microseconds in a pass and alone."""
    common = ["-t", str(threads)]
    prefill = profiled(run(bench, "profile", "--variant", variant, "-p", "64", "-n", "1", "--budget", "2", *common), "prefill")
    decode = profiled(
        run(bench, "profile", "--variant", variant, "-p", str(DEPTH), "-n", str(STEPS), "--budget", "2", *common), "decode")
    sizes = ",".join(f"{k}x{n}" for k, n in PRODUCTS.values())
    products = alone(run(bench, "matmul", "--size", sizes, "--variants", variant, "-r", "7", *common))
    names = "embedding,layernorm,attention,softmax,gelu"
    options = ["ops", "--ops", names, "--variants", variant, "-r", "7", "--budget", "1", *common]
    many = alone(run(bench, *options, "--rows", "64", "-d", "0"))
    one = alone(run(bench, *options, "--rows", "1", "-d", str(DEPTH + STEPS // 2)))
    pairs = {}
    for stage, found, rows, ops in (("prefill", prefill, 64, many), ("decode", decode, 1, one)):
        for phase in PRODUCTS:
            pairs[stage, phase] = (found[phase], product(products, rows, phase))
        phases = {"embedding": "embedding", "layernorm": "layerNorm", "attention": "attention"}
        if threads == 1:
            phases["attention-softmax"] = "softmax"
            if variant not in FUSED:
                phases["gelu"] = "gelu"
        for phase, name in phases.items():
            pairs[stage, phase] = (found[phase], operation(ops, name))
    return {key: pair for key, pair in pairs.items() if pair[1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=str(ROOT / ".build/release/gpt2-bench"))
    parser.add_argument("--variants", default="packed,kv-cache")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--json", help="write every round's figures there")
    options = parser.parse_args()
    rounds = {}
    for _ in range(options.rounds):
        for variant in options.variants.split(","):
            for key, pair in one_round(options.bench, variant, options.threads).items():
                rounds.setdefault((variant, *key), []).append(pair)
    if options.json:
        Path(options.json).write_text(json.dumps([[*key, pairs] for key, pairs in rounds.items()]))
    print("| variant | stage | operation | in a pass, µs | alone, µs | difference |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    outside = 0
    for (variant, stage, phase), pairs in rounds.items():
        inside, apart = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        difference = statistics.median(p[0] / p[1] for p in pairs) - 1
        outside += abs(difference) > LIMIT
        print(f"| {variant} | {stage} | {phase} | {inside:.2f} | {apart:.2f} | {100 * difference:+.1f} % |")
    print(f"\n{len(rounds) - outside} of {len(rounds)} within {100 * LIMIT:.0f} %")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
