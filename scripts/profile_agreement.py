#!/usr/bin/env python3
"""Does `profile` say of an operation what `matmul` and `ops` say of it alone?

    profile_agreement.py [--bench PATH] [--variants packed,kv-cache] [--rounds N] [-t N] [--json FILE]

GPT-2 124M's shapes: a prompt of 64 tokens, and decoding after 512. A worker (`gpt2-bench worker`) answers what the
three commands ask, a fresh one every three rounds: where its memory lies is its luck. A round of a stage times its
operations alone, in turns, then profiles passes of prompts drawn at random, then times the operations alone again, all
within three seconds: machines drift, and virtual ones move their cores. A difference is the median of the rounds' ratios
of the profile's figure to the mean of those beside it; the figures shown are medians too. Parts of an operation
(softmax) are compared with `-t 1` only: on several threads a pass has the driving thread's share of them. A GELU is
compared where no product has it fused. Prints a table and ends with 1 where a difference is above 10 %. The embedding of
one token is shown and not judged: two rows of memory, and a pass has them where its own token's luck has put them.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANNELS, HEADS, HEAD_SIZE, HIDDEN, VOCABULARY = 768, 12, 64, 3072, 50257
PRODUCTS = {"qkv": (CHANNELS, 3 * CHANNELS), "projection": (CHANNELS, CHANNELS),
            "mlp-up": (CHANNELS, HIDDEN), "mlp-down": (HIDDEN, CHANNELS)}
PROMPT, DEPTH, STEPS = 64, 512, 9
STAGES = ("prefill", "decode")
PASSES = {"prefill": 5, "decode": 1}
ROUNDS_OF_A_WORKER = 3
LIMIT = 0.10
FUSED = {"packed"}
UNJUDGED = {("decode", "embedding")}


class Worker:
    """One variant's process, asked in lines of JSON; see Benchmarks/peers/README.md."""

    def __init__(self, bench, variant, threads):
        environment = dict(os.environ, GPT2_BENCH_HOME=str(ROOT))
        self.process = subprocess.Popen(
            [bench, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.count = 0
        self.ask("load", {"model": "synthetic:gpt2", "variant": variant, "threads": threads, "cold": False})

    def ask(self, operation, payload):
        self.count += 1
        request = {"id": self.count, "operation": operation, "payload": payload}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"ok": False, "error": "the worker has ended"}
        if not answer["ok"]:
            sys.exit(f"profile_agreement.py: {operation}: {answer['error']}")
        return answer["result"]

    def quit(self):
        self.ask("quit", {})
        self.process.wait()


def shapes(variant, threads):
    """(stage, phase) → what `run` is asked for to time the same alone."""
    found = {}
    for stage, rows, depth in zip(STAGES, (PROMPT, 1), (0, DEPTH + STEPS // 2)):
        for phase, (k, n) in PRODUCTS.items():
            found[stage, phase] = {"gemm": {"m": rows, "k": k, "n": n}}
        operations = {
            "embedding": {"embedding": {"rows": rows, "channels": CHANNELS, "vocabulary": VOCABULARY}},
            "layernorm": {"layerNorm": {"rows": rows, "channels": CHANNELS}},
            "attention": {"attention": {"rows": rows, "heads": HEADS, "headSize": HEAD_SIZE, "depth": depth}},
        }
        operations["sampling"] = {"sampling": {"vocabulary": VOCABULARY, "choice": "greedy"}}
        if threads == 1:
            operations["attention-softmax"] = {"softmax": {"rows": rows, "heads": HEADS, "depth": depth}}
            if variant not in FUSED:
                operations["gelu"] = {"gelu": {"rows": rows, "channels": HIDDEN}}
        for phase, shape in operations.items():
            found[stage, phase] = {"operation": shape}
    return found


def profiled(worker, stage):
    """Microseconds of one call of each phase, with what it waits for."""
    prompt, new = (PROMPT, 1) if stage == "prefill" else (DEPTH, STEPS)
    answer = worker.ask("profile", {
        "promptTokens": [random.randrange(VOCABULARY) for _ in range(prompt)], "newTokens": new,
        "measuresOverhead": False, "coversAllPositions": True})
    profile = next(p for p in answer["profiles"] if p["stage"] == stage)
    times = {}
    for entry in profile["entries"]:
        # The first layer's stands after the embedding, where the caches hold none of it, and the last one is of the
        # logits' rows alone.
        if entry["phase"] == "layernorm" and entry.get("layer", 0) == 0:
            continue
        time, calls = times.get(entry["phase"], (0.0, 0))
        times[entry["phase"]] = (time + entry["nanoseconds"] + entry["waitNanoseconds"], calls + entry["calls"])
    found = {phase: time / calls / 1e3 for phase, (time, calls) in times.items() if calls}
    found["attention"] = sum(time for phase, time in found.items() if phase.startswith("attention"))
    return found


def one_round(worker, stage, requests):
    """(stage, phase) → microseconds in a pass and alone."""
    order = [key for key in requests if key[0] == stage]
    random.shuffle(order)

    def alone(keys):
        return {key: worker.ask("run", requests[key])["elapsedNanoseconds"] / 1e3 for key in keys}

    before = alone(order)
    passes = [profiled(worker, stage) for _ in range(PASSES[stage])]
    after = alone(reversed(order))
    return {key: (statistics.mean(found[key[1]] for found in passes), (before[key] + after[key]) / 2)
            for key in order}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=str(ROOT / ".build/release/gpt2-bench"))
    parser.add_argument("--variants", default="packed,kv-cache")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--json", help="write every round's figures there")
    options = parser.parse_args()
    random.seed(1)
    pairs = {}
    for first in range(0, options.rounds, ROUNDS_OF_A_WORKER):
        for variant in options.variants.split(","):
            worker = Worker(options.bench, variant, options.threads)
            requests = shapes(variant, options.threads)
            for stage in STAGES:
                one_round(worker, stage, requests)  # warms up, and finds how many calls a sample takes
            for _ in range(min(ROUNDS_OF_A_WORKER, options.rounds - first)):
                for stage in STAGES:
                    for key, pair in one_round(worker, stage, requests).items():
                        pairs.setdefault((variant, *key), []).append(pair)
            worker.quit()
    if options.json:
        Path(options.json).write_text(json.dumps([[*key, found] for key, found in pairs.items()]))
    print("| variant | stage | operation | in a pass, µs | alone, µs | difference |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    outside = judged = 0
    for (variant, stage, phase), found in pairs.items():
        inside, apart = (statistics.median(pair[i] for pair in found) for i in (0, 1))
        difference = statistics.median(pair[0] / pair[1] for pair in found) - 1
        if (stage, phase) not in UNJUDGED:
            judged += 1
            outside += abs(difference) > LIMIT
        print(f"| {variant} | {stage} | {phase} | {inside:.2f} | {apart:.2f} | {100 * difference:+.1f} % |")
    print(f"\n{judged - outside} of {judged} within {100 * LIMIT:.0f} %")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
