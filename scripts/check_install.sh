#!/usr/bin/env bash
# Installs a build into a temporary prefix and uses it from an empty folder, as one does who has no checkout; then
# removes it.
#
# usage: scripts/check_install.sh BENCH
set -euo pipefail

fail() { echo "check_install.sh: $*" >&2; exit 1; }

[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: scripts/check_install.sh BENCH" >&2; exit 2; }
bench=$(realpath "$1")
install=$(cd "$(dirname "$0")" && pwd)/install.sh
work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
mkdir "$work/here" "$work/home" "$work/prefix"
echo "someone else's" >"$work/prefix/other"
unset GPT2_BENCH_HOME GPT2_BENCH_CACHE XDG_CACHE_HOME
export HOME=$work/home GPT2_BENCH_BUILD=$bench GPT2_BENCH_CEILINGS=brief

files() { (cd "$work/prefix" && find . -type f | sort); }
installed() { "$work/prefix/bin/gpt2-bench" "$@"; }

"$install" "$work/prefix" >"$work/said"
grep -q 'export PATH=' "$work/said" || fail "what is to be added to PATH is not said"
files >"$work/files"
"$install" "$work/prefix" >/dev/null
files | cmp - "$work/files" || fail "installing twice gives other files"

cd "$work/here"
[ "$(installed --version)" = "$("$bench" --version)" ] || fail "the installed program names another build"
[ -n "$(installed list suites)" ] || fail "no suites"
[ -n "$(installed list baselines)" ] || fail "no baselines"
installed list models | grep -q '^weights/tiny ' || fail "no tiny model"
installed generate "ROMEO:" -n 8 --quiet | grep -q '^ROMEO:' || fail "no text of the tiny model"
installed tokenize "ROMEO:" --model weights/tiny --quiet >/dev/null || fail "weights/tiny is not found"
installed check --model weights/tiny --variants packed -t 1 --quiet >"$work/check" || fail "the check failed"
grep -q 'tiny-trained.*pass' "$work/check" || fail "the references are not found"
installed run -p 8 --model synthetic:tiny --variants packed -r 2 --budget 0.1 --quiet >/dev/null || fail "no run"
ls reports/*/record.json >/dev/null || fail "the run's reports are not in the working folder"
ls "$HOME"/.cache/gpt2-bench/weights/synthetic-* >/dev/null || fail "generated weights are not in the user's cache"
files | cmp - "$work/files" || fail "the program wrote into its prefix"
for shell in bash zsh fish; do
  ! command -v "$shell" >/dev/null || installed completions "$shell" | "$shell" -n || fail "$shell cannot read its completions"
done

"$install" --uninstall "$work/prefix" >/dev/null
[ "$(files)" = ./other ] || fail "after --uninstall: found $(files), expected the file that was there before"
[ ! -d "$work/prefix/share" ] || fail "empty folders are left"
code=0
"$install" --uninstall "$work/prefix" 2>/dev/null || code=$?
[ "$code" -eq 1 ] || fail "what is not installed can be removed"
echo "installed, used from an empty folder, and removed"
