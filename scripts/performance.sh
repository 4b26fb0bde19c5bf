#!/usr/bin/env bash
# Measures every row of the performance table in Benchmarks/README.md in two runs and prints it.
#
#   scripts/performance.sh [--out DIR] [-t 1,2] [-r N]
#
# DIR (default: a new folder in reports/) gets run/, the report of GPT-2 124M against the engines that
# scripts/install_peers.sh installed, matmul.json, the record of its products against OpenBLAS, and
# performance.md, the table. -r is samples wanted of each cell of the first. GPT2_BENCH names a built gpt2-bench,
# otherwise it is built; GPT2_BENCH_BLAS names another OpenBLAS than the installed one. Ends with 0 where the table
# could be printed: it is a benchmark, no test.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
installed="$root/Benchmarks/peers/installed"

usage() {
  echo "usage: scripts/performance.sh [--out DIR] [-t 1,2] [-r N]" >&2
  exit 2
}
fail() {
  echo "performance.sh: $*" >&2
  exit 1
}

out="$root/reports/$(date -u +%Y-%m-%dT%H-%M-%SZ)-performance"
threads=1,2
repetitions=()
while (($#)); do
  (($# > 1)) || usage
  case "$1" in
  --out) out="$2" ;;
  -t) threads="$2" ;;
  -r) repetitions=(-r "$2") ;;
  *) usage ;;
  esac
  shift 2
done

# The lines are quoted as for a shell; xargs takes the quotes off and runs nothing.
contestants=()
if [[ -s "$installed/contestants.txt" ]]; then
  mapfile -t contestants < <(xargs -n 1 printf '%s\n' <"$installed/contestants.txt")
fi
((${#contestants[@]})) || fail "no other engine is installed: run scripts/install_peers.sh first"
blas="${GPT2_BENCH_BLAS:-}"
if [[ -z "$blas" && -s "$installed/openblas.txt" ]]; then blas="$(<"$installed/openblas.txt")"; fi
[[ -f "$blas" ]] || fail "no OpenBLAS at '$blas': run scripts/install_peers.sh openblas, or set GPT2_BENCH_BLAS"

mkdir -p "$out"
out="$(cd "$out" && pwd)"
bench="${GPT2_BENCH:-}"
if [[ -z "$bench" ]]; then
  swift build --configuration release --package-path "$root"
  bench="$(swift build --configuration release --package-path "$root" --show-bin-path)/gpt2-bench"
fi
export GPT2_BENCH_HOME="$root"

# measure RECORD ARGUMENT…: what gpt2-bench makes of the arguments. An engine that fails its check or dies is a
# row without figures, not the end.
measure() {
  local record="$1" code=0
  shift
  rm -f "$record"
  "$bench" "$@" || code=$?
  case "$code" in
  0) ;;
  2 | 130) exit "$code" ;;
  *) [[ -f "$record" ]] || fail "gpt2-bench $1 ended with $code and without a record"
    echo "performance.sh: gpt2-bench $1 ended with $code; the table says what is missing" >&2 ;;
  esac
}

measure "$out/run/record.json" run --model synthetic:gpt2 --variants packed \
  -p 64,512 -n 32 -d 16,512 -t "$threads" ${repetitions[@]+"${repetitions[@]}"} \
  --contestant-tolerance 10 "${contestants[@]}" --out "$out/run"

export GPT2_BENCH_BLAS="$blas" OPENBLAS_CORETYPE=SKYLAKEX
shapes=768x2304,768x768,768x3072,3072x768
measure "$out/matmul.json" matmul \
  --size "64x${shapes//,/,64x},512x${shapes//,/,512x}" --variants packed,blas -t "$threads" \
  --format json --out "$out/matmul.json"

python3 "$root/scripts/performance_table.py" "$out/run/record.json" "$out/matmul.json" | tee "$out/performance.md"
