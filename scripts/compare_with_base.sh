#!/usr/bin/env bash
# Compares this tree's build with another commit's, both measured now, in turns.
#
#   scripts/compare_with_base.sh BASE_REF [options of gpt2-bench compare…]
#
#   scripts/compare_with_base.sh main --budget 120 --variants packed
#
# Builds BASE_REF in a temporary worktree and this tree as it stands, both in release and both before anything is
# measured, and ends with the exit code of gpt2-bench compare: 0 nothing regressed, 3 a regression, 4 a failed
# correctness check, 5 inconclusive, 1 and 2 errors; 1 too where a build fails. GPT2_BENCH_BASE_BUILD names a folder
# that keeps the base's build for the next call; without it the build goes with the worktree.
set -euo pipefail

fail() { echo "compare_with_base.sh: $*" >&2; exit 1; }

case "${1:-}" in
  "") echo "usage: scripts/compare_with_base.sh BASE_REF [options of gpt2-bench compare…]" >&2; exit 2 ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
  -*) echo "compare_with_base.sh: found '$1', expected a commit, branch or tag" >&2; exit 2 ;;
esac
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ref=$1
shift
commit=$(git -C "$root" rev-parse --verify --quiet "$ref^{commit}") ||
  fail "found '$ref', expected a commit, branch or tag of $root"

work=$(mktemp -d)
# shellcheck disable=SC2329  # the trap calls it
cleanup() {
  git -C "$root" worktree remove --force "$work/base" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

echo "base: $ref ($commit)" >&2
git -C "$root" worktree add --detach --quiet "$work/base" "$commit" || fail "$commit cannot be checked out"
build=${GPT2_BENCH_BASE_BUILD:-$work/build}
mkdir -p "$build"

# What each build prints stays off standard output, which is the comparison's.
swift build -c release --package-path "$work/base" --scratch-path "$build" >&2 || fail "$ref does not build"
swift build -c release --package-path "$root" >&2 || fail "this tree does not build"
base=$(swift build -c release --package-path "$work/base" --scratch-path "$build" --show-bin-path)/gpt2-bench
head=$(swift build -c release --package-path "$root" --show-bin-path)/gpt2-bench

# The base runs from its build alone, on this tree's models, suites and references.
export GPT2_BENCH_HOME="${GPT2_BENCH_HOME:-$root}"
code=0
"$head" compare --against "$base" "$@" || code=$?
exit "$code"
