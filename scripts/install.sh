#!/usr/bin/env bash
# Installs the release build for daily use, or removes it: the program, what it reads, and the shells' completions.
#
# usage: scripts/install.sh [PREFIX]               after `swift build -c release`; PREFIX is ~/.local unless named
#        scripts/install.sh --uninstall [PREFIX]
#
# Writes PREFIX/bin/gpt2-bench, PREFIX/share/gpt2-bench, and the completions of bash, zsh and fish in PREFIX/share. The
# list of all files is PREFIX/share/gpt2-bench/installed; what is not on it stays when the rest is removed.
# GPT2_BENCH_BUILD names another built gpt2-bench to install. The program needs the Swift runtime that built it.
set -euo pipefail

fail() { echo "install.sh: $*" >&2; exit 1; }

errand=install
if [ "${1:-}" = --uninstall ]; then errand=uninstall; shift; fi
case ${1:-} in -*) echo "usage: scripts/install.sh [--uninstall] [PREFIX]" >&2; exit 2 ;; esac
[ $# -le 1 ] || { echo "usage: scripts/install.sh [--uninstall] [PREFIX]" >&2; exit 2; }
prefix=${1:-$HOME/.local}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
data=share/gpt2-bench
list=$prefix/$data/installed

# Removes what the list names, and the folders that are empty then.
remove() {
  local file folder
  while IFS= read -r file; do
    rm -f "$prefix/$file"
    folder=$(dirname "$file")
    while [ "$folder" != . ] && rmdir "$prefix/$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
  done < <(cat "$list"; echo "$data/installed")
}

if [ "$errand" = uninstall ]; then
  [ -f "$list" ] || fail "$list: no such file, expected an installation there; name its PREFIX"
  remove
  echo "removed from $prefix"
  exit
fi

root=$(cd "$(dirname "$0")/.." && pwd)
bench=$(realpath "${GPT2_BENCH_BUILD:-$root/.build/release/gpt2-bench}")
cd "$root"
[ -x "$bench" ] || fail "$bench: no such program, expected 'swift build -c release' to have made it"
mkdir -p "$prefix/$data" || fail "$prefix: cannot be written; name another PREFIX"
# What an earlier version had and this one has not.
[ ! -f "$list" ] || remove

files=()
put() { # PATH: standard input becomes PREFIX/PATH, whole or not at all
  mkdir -p "$prefix/$(dirname "$1")"
  cat >"$prefix/$1.new"
  mv "$prefix/$1.new" "$prefix/$1"
  files+=("$1")
}

while IFS= read -r file; do put "$data/$file" <"$file"; done < <(
  find Benchmarks/suites Benchmarks/reference Benchmarks/baselines weights/tiny -type f | sort)
commit=$("$bench" --version | sed -n 's/^commit  *\([0-9a-f]*\(-dirty\)\{0,1\}\)$/\1/p')
put "$data/commit" <<<"$commit"
for shell in "bash bash-completion/completions/gpt2-bench" "zsh zsh/site-functions/_gpt2-bench" \
  "fish fish/vendor_completions.d/gpt2-bench.fish"; do
  completions=$("$bench" completions "${shell%% *}")
  put "share/${shell#* }" <<<"$completions"
done
put bin/gpt2-bench <"$bench"
chmod 755 "$prefix/bin/gpt2-bench"
printf '%s\n' "${files[@]}" >"$list"

echo "installed: $prefix/bin/gpt2-bench; scripts/install.sh --uninstall${1:+ $1} removes it"
case :$PATH: in
*:"$prefix/bin":*) ;;
*) echo "to have it in this shell, and in new ones: export PATH=\"$prefix/bin:\$PATH\" in ~/.profile" ;;
esac
