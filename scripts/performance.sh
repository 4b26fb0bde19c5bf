#!/usr/bin/env bash
# Measures every row of the performance tables in Benchmarks/README.md and prints them.
#
#   scripts/performance.sh [--out DIR] [--precision f32,bf16,int8,int4] [--train 4x64,8x256] [-t 1,2] [-r N]
#
# A run for each precision of the weights (default: all four) measures GPT-2 124M's shape in our variant and in the
# engines that scripts/install_peers.sh installed with such weights, in the same rounds; f32 brings a second run, of
# the model's products against OpenBLAS. Where install_peers.sh was run for weights/tiny too, a short run on that model
# tells how the engines with fewer bits predict text. DIR (default: a new folder in reports/) gets a folder for each
# run, named by its precision, matmul.json, and performance.md, the tables. -r is samples wanted of each cell.
# With --train a run of such steps, against PyTorch alone, eager and compiled, goes before the others; --precision none
# leaves it at that.
# GPT2_BENCH names a built gpt2-bench, otherwise it is built; GPT2_BENCH_BLAS names another OpenBLAS than the installed
# one. Ends with 0 where the tables could be printed: it is a benchmark, no test.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
installed="$root/Benchmarks/peers/installed"

usage() {
  echo "usage: scripts/performance.sh [--out DIR] [--precision f32,bf16,int8,int4] [--train 4x64,8x256] [-t 1,2] [-r N]" >&2
  exit 2
}
fail() {
  echo "performance.sh: $*" >&2
  exit 1
}

out="$root/reports/$(date -u +%Y-%m-%dT%H-%M-%SZ)-performance"
threads=1,2
repetitions=()
training=
precisions=(f32 bf16 int8 int4)
# What an engine may say of its weights to stand beside a precision.
declare -A engine_weights=([f32]=f32 [bf16]="bf16|f16" [int8]="int8|q8_0" [int4]="int4|q4_0")
while (($#)); do
  (($# > 1)) || usage
  case "$1" in
  --out) out="$2" ;;
  -t) threads="$2" ;;
  -r) repetitions=(-r "$2") ;;
  --train) training="$2" ;;
  --precision) IFS=, read -ra precisions <<<"$2" ;;
  *) usage ;;
  esac
  shift 2
done

((${#precisions[@]})) || usage
if [[ "${precisions[*]}" == none && -n "$training" ]]; then precisions=(); fi
for precision in ${precisions[@]+"${precisions[@]}"}; do
  [[ -n "$precision" && -n "${engine_weights[$precision]:-}" ]] || usage
done

# choose_contestants PRECISION: the arguments for its engines, but for those that differ from another in training alone.
# The lines are quoted as for a shell; xargs takes the quotes off and runs nothing.
choose_contestants() {
  contestants=()
  local lines
  lines="$(grep -E -- "--weights (${engine_weights[$1]})( |'|\$)" "$installed/contestants.txt" |
    grep -v -- --compile)" || return 0
  mapfile -t contestants < <(xargs -n 1 printf '%s\n' <<<"$lines")
}
[[ -s "$installed/contestants.txt" ]] || fail "no other engine is installed: run scripts/install_peers.sh first"
blas="${GPT2_BENCH_BLAS:-}"
if [[ -z "$blas" && -s "$installed/openblas.txt" ]]; then blas="$(<"$installed/openblas.txt")"; fi
if [[ " ${precisions[*]} " == *" f32 "* && ! -f "$blas" ]]; then
  fail "no OpenBLAS at '$blas': run scripts/install_peers.sh openblas, or set GPT2_BENCH_BLAS"
fi
has_text() { compgen -G "$installed/models/*weights-tiny/model.json" >/dev/null; }

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

tell() { # TABLE_SCRIPT ARGUMENT…: prints the tables, and adds them to performance.md
  python3 "$root/scripts/$1" "${@:2}" | tee -a "$out/performance.md"
  echo | tee -a "$out/performance.md"
}

measure_f32() {
  measure "$out/f32/record.json" run --model synthetic:gpt2 --variants packed \
    -p 64,512 -n 32 -d 16,512 -t "$threads" ${repetitions[@]+"${repetitions[@]}"} \
    --contestant-tolerance 10 "${contestants[@]}" --out "$out/f32"
  local shapes=768x2304,768x768,768x3072,3072x768
  GPT2_BENCH_BLAS="$blas" OPENBLAS_CORETYPE=SKYLAKEX measure "$out/matmul.json" matmul \
    --size "64x${shapes//,/,64x},512x${shapes//,/,512x}" --variants packed,blas -t "$threads" \
    --format json --out "$out/matmul.json"
  tell performance_table.py "$out/f32/record.json" "$out/matmul.json"
}

measure_precision() { # PRECISION: beside packed, so that one run has both
  local records=("$out/$1/record.json")
  measure "${records[0]}" run --model synthetic:gpt2 --variants "packed,$1" \
    -p 64,512 -n 32 -d 16,512 -t "$threads" ${repetitions[@]+"${repetitions[@]}"} "${contestants[@]}" --out "$out/$1"
  if has_text; then
    records+=("$out/$1-text/record.json")
    measure "${records[1]}" run --model "$root/weights/tiny" --variants "packed,$1" -p 16 -r 3 -t "$threads" \
      "${contestants[@]}" --out "$out/$1-text"
  else
    echo "performance.sh: no quality on text: run scripts/install_peers.sh --model weights/tiny for it" >&2
  fi
  tell performance_precision.py "$1" "${records[@]}"
}

: >"$out/performance.md"
if [[ -n "$training" ]]; then
  lines="$(grep -E -- "'pytorch(-compiled)?=" "$installed/contestants.txt")" || true
  trainers=()
  if [[ -n "$lines" ]]; then mapfile -t trainers < <(xargs -n 1 printf '%s\n' <<<"$lines"); fi
  ((${#trainers[@]})) || fail "no engine that trains is installed: run scripts/install_peers.sh pytorch"
  measure "$out/training/record.json" run --model synthetic:gpt2 --variants packed --train "$training" -t "$threads" \
    ${repetitions[@]+"${repetitions[@]}"} "${trainers[@]}" --out "$out/training"
  tell performance_training.py "$out/training/record.json"
fi
for precision in ${precisions[@]+"${precisions[@]}"}; do
  choose_contestants "$precision"
  if ((${#contestants[@]} == 0)); then
    echo "performance.sh: $precision skipped: no engine with such weights is installed (scripts/install_peers.sh)" >&2
  elif [[ "$precision" == f32 ]]; then
    measure_f32
  else
    measure_precision "$precision"
  fi
done
