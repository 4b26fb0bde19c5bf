#!/usr/bin/env bash
# Builds and tests for CPUs that lack what this one has, each in a build folder of its own (.build/cpu-NAME), and compiles
# for 64-bit ARM where a Swift SDK for it is installed.
#
#   scripts/other_cpus.sh [x86-64-v3] [x86-64-v2] [arm64]     those that are named; all where none is
#
# An x86-64-v3 CPU has AVX2 and no AVX-512, an x86-64-v2 CPU has SSE4.2 and neither AVX nor FMA. Needs a Swift toolchain.
# Exit code: 0 where all that could be tried passed; what could not is said.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- x86-64-v3 x86-64-v2 arm64
machine=$(uname -m)

try_x86() { # CPU
  if [ "$machine" != x86_64 ]; then
    echo "other_cpus: $1: left out, this machine is $machine"
    return
  fi
  echo "== $1"
  GPT2_BENCH_MARCH=$1 swift test --scratch-path ".build/cpu-$1"
  GPT2_BENCH_MARCH=$1 swift build --scratch-path ".build/cpu-$1" -c release --product gpt2-bench
  bench=$(GPT2_BENCH_MARCH=$1 swift build --scratch-path ".build/cpu-$1" -c release --show-bin-path)/gpt2-bench
  "$bench" check --model weights/tiny
}

compile_arm64() {
  if [ "$machine" = aarch64 ] || [ "$machine" = arm64 ]; then
    echo "other_cpus: arm64: this machine is one, its own tests are the trial"
    return
  fi
  local sdk
  sdk=$(swift sdk list 2>/dev/null | grep -iE 'aarch64|arm64|static-linux' | head -1 || true)
  if [ -z "$sdk" ]; then
    echo "other_cpus: arm64: left out, 'swift sdk list' names no SDK for it (https://www.swift.org/install/linux/)"
    return
  fi
  echo "== arm64, with $sdk"
  GPT2_BENCH_MARCH=generic swift build --scratch-path .build/cpu-arm64 --swift-sdk "$sdk" --triple aarch64-swift-linux-musl \
    --product gpt2-bench
}

for cpu in "$@"; do
  case $cpu in
  x86-64-v3 | x86-64-v2) try_x86 "$cpu" ;;
  arm64) compile_arm64 ;;
  *) sed -n '5s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done
