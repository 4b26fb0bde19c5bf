#!/usr/bin/env bash
# Runs the tests under a sanitizer, or for long, to find what one short run does not show.
#
#   scripts/sanitize.sh address [--short]   memory errors and leaks: all tests, then 60 s of scripts/fuzz.py in process
#   scripts/sanitize.sh thread [--short]    races: all tests but those of the command and of the library's service
#   scripts/sanitize.sh soak [--short]      1,000 loads with flat memory, 10 million forks and joins of changing sizes
#
# --short takes the tests that such faults would show in, and fewer loads and forks. Each has a build folder of its own,
# .build/sanitize-KIND: the first build takes minutes. Needs a Swift toolchain with its sanitizers; fuzzing needs Python 3.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
[ $# -ge 1 ] && [ $# -le 2 ] || usage
kind=$1
case "${2:-}" in '') short= ;; --short) short=yes ;; *) usage ;; esac

# A report of the sanitizer's ends the tests; leaks are looked for at their end. Quarantined memory would look like a leak
# to tests that watch memory.
export ASAN_OPTIONS="suppressions=$PWD/scripts/sanitize-memory.txt:handle_sigbus=0:detect_leaks=1:halt_on_error=1:quarantine_size_mb=32:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="suppressions=$PWD/scripts/sanitize-leaks.txt:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export TSAN_OPTIONS="handle_sigbus=0:halt_on_error=1:suppressions=$PWD/scripts/sanitize-races.txt${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

tests() { # SANITIZER FILTER...
  local sanitizer=$1 filters=()
  shift
  for filter in "$@"; do filters+=(--filter "$filter"); done
  # The thread sanitizer opens files and takes memory of its own, where a test leaves a process none; it lowers ceilings more
  # than what commands hold against them; and on Linux it does not see how a continuation hands values from thread to thread.
  local skipped=()
  [ "$sanitizer" != thread ] || skipped=(--skip "CommandTests|LanguageModelTests|ceilingsAreOfThisWorld")
  # There are no tests of XCTest's, whose run of none leaks.
  swift test --sanitize="$sanitizer" --scratch-path ".build/sanitize-$sanitizer" --disable-xctest "${skipped[@]}" \
    "${filters[@]}"
}

case $kind in
address)
  if [ "$short" ]; then
    tests address MalformedFileTests GGUFTests SafetensorsReadingTests SequentialFileTests TokenizerFileTests LinearTests \
      AttentionTests RecordFileTests LineEditorTests WrongKernelTests
  else
    tests address
  fi
  folder=.build/sanitize-address
  swift build --sanitize=address --scratch-path "$folder" --product fuzz-readers
  swift build --sanitize=address --scratch-path "$folder" --product gpt2-bench
  bin=$(swift build --sanitize=address --scratch-path "$folder" --show-bin-path)
  # The address sanitizer takes terabytes of address space.
  seconds=60
  [ -z "$short" ] || seconds=20
  python3 scripts/fuzz.py "$bin/gpt2-bench" "$bin/fuzz-readers" --memory 0 --limit 60 --seconds "$seconds"
  ;;
thread)
  if [ "$short" ]; then
    tests thread ThreadPoolTests PoolSoakTests AttentionTests ElementwiseTests SoftmaxTests TrainingThreadTests
  else
    tests thread
  fi
  ;;
soak)
  export GPT2_BENCH_SOAK_LOADS=1000 GPT2_BENCH_SOAK_FORKS=10000000
  [ -z "$short" ] || export GPT2_BENCH_SOAK_LOADS=100 GPT2_BENCH_SOAK_FORKS=200000
  swift test --filter SoakTests
  ;;
*) usage ;;
esac
