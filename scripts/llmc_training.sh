#!/usr/bin/env bash
# Trains by llm.c's train_gpt2 and by packed, from the same weights on the same ids, and prints milliseconds a step.
#
#   scripts/llmc_training.sh CHECKOUT [--batch B] [--length T] [--steps N] [-t N] [--model M]
#
# CHECKOUT is a clone of https://github.com/karpathy/llm.c; nothing in it is changed. Of its sources a copy in a temporary
# folder gets B, T and N in place of the numbers that are compiled in (4, 64 and 41), takes the ids in their order, and
# leaves out the evaluations and samples between steps. Its own Makefile builds that copy with gcc: -Ofast, for this CPU,
# with OpenMP. M is what --model of gpt2-bench takes (default synthetic:gpt2, GPT-2 124M's shape); llm.c gets it from
# `gpt2-bench export`. Steps are llm.c's: AdamW with rate 1e-4, β 0.9 and 0.999, without decay and clipping. packed is
# asked for the same steps as `gpt2-bench run --train` asks a worker for its own.
#
# Defaults: --batch 4 --length 64 --steps 10 -t 2. Needs make, gcc with OpenMP and Python 3, for the default model 3 GB of
# memory and 500 MB of disk. GPT2_BENCH names a built gpt2-bench, otherwise it is built. Ends with 0 where the losses of
# all steps agree, with 1 where they do not or anything fails, with 2 for wrong use.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

usage() {
  echo "usage: scripts/llmc_training.sh CHECKOUT [--batch B] [--length T] [--steps N] [-t N] [--model M]" >&2
  exit 2
}
fail() {
  echo "llmc_training.sh: $*" >&2
  exit 1
}

(($#)) && [[ "$1" != -* ]] || usage
checkout="$1" batch=4 length=64 steps=10 threads=2 model=synthetic:gpt2
shift
while (($#)); do
  (($# > 1)) || usage
  case "$1" in
  --batch) batch="$2" ;;
  --length) length="$2" ;;
  --steps) steps="$2" ;;
  -t) threads="$2" ;;
  --model) model="$2" ;;
  *) usage ;;
  esac
  shift 2
done
for number in "$batch" "$length" "$steps" "$threads"; do
  [[ "$number" =~ ^[1-9][0-9]{0,5}$ ]] || usage
done
for file in train_gpt2.c Makefile llmc/dataloader.h; do
  [[ -f "$checkout/$file" ]] || fail "$checkout: no $file in it, expected a clone of llm.c"
done
for program in make gcc python3; do
  command -v "$program" >/dev/null || fail "$program is missing"
done

bench="${GPT2_BENCH:-}"
if [[ -z "$bench" ]]; then
  swift build --configuration release --package-path "$root"
  bench="$(swift build --configuration release --package-path "$root" --show-bin-path)/gpt2-bench"
fi
bench="$(realpath "$bench")"
export GPT2_BENCH_HOME="$root"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r "$checkout/llmc" "$checkout/Makefile" "$checkout/train_gpt2.c" "$work"

# replace LINE OTHER: in the copy, where the line must be there once
replace() {
  local found
  found="$(grep -cF -- "$1" "$work/train_gpt2.c")" || true
  [[ "$found" == 1 ]] || fail "train_gpt2.c has '$1' $found times, expected once: it is another version"
  python3 - "$work/train_gpt2.c" "$1" "$2" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
open(path, "w").write(text.replace(old, new))
PYTHON
}
replace "int B = 4;" "int B = $batch;"
replace "int T = 64;" "int T = $length;"
replace "step <= 40;" "step < $steps;"
replace "dataloader_init(&train_loader, train_tokens, B, T, 0, 1, 1);" \
  "dataloader_init(&train_loader, train_tokens, B, T, 0, 1, 0);"
replace "if (step % 10 == 0)" "if (0)"
replace "if (step > 0 && step % 20 == 0)" "if (0)"
make --directory "$work" CC=gcc CI=true train_gpt2 >"$work/build.log" 2>&1 || fail "make: $(tail -n 3 "$work/build.log")"
grep -q -- "-Ofast.*-fopenmp" "$work/build.log" || fail "llm.c was built without OpenMP: $(tail -n 3 "$work/build.log")"

"$bench" export --model "$model" --format llmc --out "$work/gpt2_124M.bin" --quiet
mkdir -p "$work/dev/data/tinyshakespeare"

python3 - "$root/scripts" "$bench" "$work" "$model" "$batch" "$length" "$steps" "$threads" <<'PYTHON'
import array
import os
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path

scripts, bench, work, model = sys.argv[1:5]
batch, length, steps, threads = map(int, sys.argv[5:])
sys.path.insert(0, scripts)
sys.dont_write_bytecode = True
from try_peer import Contestant

TOLERANCE = 1e-3  # of the first loss, as gpt2-bench allows other engines

# llm.c's file of ids: 256 int32 (magic, version, how many there are), then uint16. Step s, row b begins at (s·B + b)·T.
vocabulary = array.array("i", (Path(work) / "gpt2_124M.bin").read_bytes()[:32])[3]
draw = random.Random(2)
ids = [draw.randrange(vocabulary) for _ in range(steps * batch * length + 1)]
header = array.array("i", [20240520, 1, len(ids)] + [0] * 253)
data = header.tobytes() + array.array("H", ids).tobytes()
for name in ("train", "val"):
    (Path(work) / f"dev/data/tinyshakespeare/tiny_shakespeare_{name}.bin").write_bytes(data)

environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
done = subprocess.run(["./train_gpt2"], cwd=work, env=environment, capture_output=True, text=True)
found = re.findall(r"^step \d+: train loss (\S+) \(took (\S+) ms\)$", done.stdout, re.MULTILINE)
if done.returncode != 0 or len(found) != steps:
    sys.exit(f"llmc_training.sh: train_gpt2 ended with {done.returncode} after {len(found)} of {steps} steps: "
             f"{(done.stderr or done.stdout).strip()[-300:]}")
theirs = [(float(loss), float(time)) for loss, time in found]

worker = Contestant([bench, "worker", "packed"])
try:
    worker.ask("load", model=model, variant="packed", threads=threads, cold=False)
    ours = []
    for step in range(steps):
        starts = [(step * batch + row) * length for row in range(batch)]
        answer = worker.ask("run", training={
            "windows": [ids[start : start + length + 1] for start in starts], "learningRate": 1e-4,
            "weightDecay": 0, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "clip": 0})
        ours.append((answer["loss"], answer["elapsedNanoseconds"] / 1e6))
    worker.finish()
finally:
    worker.stop()

# The first step of each takes its memory.
medians = [statistics.median(time for _, time in rows[1:] or rows) for rows in (theirs, ours)]
print(f"{model}, {batch} windows of {length} tokens, {threads} threads, median of {max(steps - 1, 1)} steps")
for name, rows, median in (("llm.c", theirs, medians[0]), ("packed", ours, medians[1])):
    print(f"{name:8} {median:10.1f} ms a step    loss {rows[0][0]:.4f} → {rows[-1][0]:.4f}")
print(f"packed takes 1/{medians[0] / medians[1]:.1f} of llm.c's time")
error = max(abs(a[0] - b[0]) for a, b in zip(theirs, ours)) / ours[0][0]
print(f"losses differ by at most {error:.1e} of the first one, allowed {TOLERANCE}")
sys.exit(0 if error <= TOLERANCE else "llmc_training.sh: the losses are not the same")
PYTHON
