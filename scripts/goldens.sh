#!/usr/bin/env bash
# Holds what the command writes against the committed files in Tests/CommandTests/Goldens/expected, byte by byte.
#
# usage: scripts/goldens.sh BENCH [--write] [PATTERN]
#   --write  makes the files anew: the change is then reviewed as a diff
#   PATTERN  only the cases whose file's name matches this shell pattern, for example 'compare-*'
#
# The cases are in Tests/CommandTests/Goldens/cases.sh, which is read below. Exits 1 where something differs.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd -P)
goldens=$root/Tests/CommandTests/Goldens
[ $# -gt 0 ] && [ -x "$1" ] || { echo "usage: scripts/goldens.sh BENCH [--write] [PATTERN]" >&2; exit 2; }
bench=$(cd "$(dirname "$1")" && pwd -P)/$(basename "$1")
shift
writes=
if [ "${1:-}" = --write ]; then writes=yes; shift; fi
pattern=${1:-*}

work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
actual=$work/actual
mkdir -p "$actual/sample" "$work/streams" "$work/here/Benchmarks/baselines" "$work/here/weights"
cd "$work/here"
# The folder serves as the project's; all that is written stays in it.
ln -s "$root/Benchmarks/suites" "$root/Benchmarks/reference" Benchmarks
ln -s "$root/weights/tiny" weights/tiny
cp "$goldens"/inputs/* .
cp "$root/reports/sample/record.json" sample.json

# The command in surroundings that are the same everywhere.
command_() {
  env -i PATH="$PATH" HOME="$work" LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" GPT2_BENCH_BLAS= GPT2_BENCH_CEILINGS=brief \
    "$bench" "$@"
}

wanted() { # FILE
  # shellcheck disable=SC2053
  [[ $1 == $pattern ]]
}

# What may differ from run to run or from machine to machine.
as_is() { cat; }
# Of a page the style sheet is left out, and each element starts a line.
page() { sed -e '/<style>/,/<\/style>/{s/<style>.*//;s/.*<\/style>/<style\/>/;t;/<style\/>/!d;}' | sed -e 's/></>\n</g'; }
# exp and log may differ in their last bit.
nine_decimals() { sed -E 's/(\.[0-9]{9})[0-9]+/\1/g'; }
# What products run on in this build.
no_instructions() { sed -E 's/ \(here on [a-z0-9_]+\)//'; }
# Tables of measured numbers.
no_numbers() { sed -E 's/[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/#/g; s/ +/ /g; s/-+/-/g; s/#-#/#/g'; }
# A worker's measurements, and what it says of the machine and the build.
no_measurements() {
  sed -E \
    -e 's/,?"(countersUnavailable|compiler|configuration|cpuFlag|instructions)":"([^"\\]|\\.)*"//g; s/,?"vectorBits":[0-9]+//g' \
    -e 's/,?"counters":\{[^}]*\}//g; s/,?"countersShare":[0-9.]+//g; s/\{,/{/g' \
    -e 's/"wasCold":(true|false)/"wasCold":#/g' \
    -e 's/"(id|threads|positions|layer|tokens|sequences|compared|agreed|total|argmaxAgreed|argmaxCompared)":([0-9])/"\1":@\2/g' \
    -e 's/":-?[0-9][0-9.eE+-]*/":#/g; s/":@/":/g' \
    -e ':a; s/("tokenNanoseconds":\[(#,)*)[0-9]+/\1#/; ta' \
    -e 's/("(pass|with|without)Nanoseconds":\[)[^]]*\]/\1#]/g'
}

# golden FILE CODE ARGUMENT...: what the command writes and how it ends. $filter and $errors name functions above, for
# standard output and standard error; $input is the file for standard input. Cases run beside each other.
golden() {
  wanted "$1" || return 0
  [ "$(jobs -pr | wc -l)" -lt "$(getconf _NPROCESSORS_ONLN)" ] || wait -n || true
  run_golden "$@" &
}

run_golden() {
  local file=$1 expected=$2 code=0
  local streams=$work/streams/${file//\//-}
  shift 2
  command_ "$@" <"${input:-/dev/null}" >"$streams.out" 2>"$streams.err" || code=$?
  "${filter:-as_is}" <"$streams.out" >"$actual/$file"
  [ ! -s "$streams.err" ] || "${errors:-as_is}" <"$streams.err" | sed "s#$work/here#HERE#g" >"$actual/$file.err"
  [ "$code" -eq "$expected" ] || echo "exit code: found $code, expected $expected" >>"$actual/$file.err"
}

# transcript FILE ARGUMENT...: adds a call to the file, with what it writes on both streams and how it ends.
transcript() {
  local file=$1 code=0 word
  shift
  wanted "$file" || return 0
  command_ "$@" <"${input:-/dev/null}" >"$work/out" 2>"$work/err" || code=$?
  {
    printf '$ gpt2-bench'
    for word in "$@"; do
      case $word in '' | *[!a-zA-Z0-9_./:,=%-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    cat "$work/out"
    sed "s#$work/here#HERE#g; s/^/2> /" "$work/err"
    printf '[%d]\n\n' "$code"
  } >>"$actual/$file"
}

# kept FILE PATH: a file that a case before wrote.
kept() {
  wanted "$1" || return 0
  wait
  if [ -f "$2" ]; then "${filter:-as_is}" <"$2" >"$actual/$1"; else echo "no $2" >"$actual/$1"; fi
}

# shellcheck source=Tests/CommandTests/Goldens/cases.sh
. "$goldens/cases.sh"
wait

compared() { # EXPECTED ACTUAL
  diff -u --label "${1#"$root"/}" --label "${1#"$root"/} (now)" "$1" "$2" | cut -c 1-300
}

failures=0
cd "$actual"
for file in *; do
  [ -f "$file" ] || continue
  if [ -n "$writes" ]; then cp "$file" "$goldens/expected/$file"; continue; fi
  if [ ! -f "$goldens/expected/$file" ]; then
    echo "expected/$file: there is none; now:"; head -n 20 "$file"
  else
    compared "$goldens/expected/$file" "$file" && continue
  fi
  failures=$((failures + 1))
done
for file in sample/*; do
  [ -f "$file" ] || continue
  if [ -n "$writes" ]; then cp "$file" "$root/reports/$file"; continue; fi
  compared "$root/reports/$file" "$file" || failures=$((failures + 1))
done
cd "$goldens/expected"
for file in *; do
  if wanted "${file%.err}" && [ ! -f "$actual/$file" ]; then
    if [ -n "$writes" ]; then rm "$file"; else echo "expected/$file: is not written any more"; failures=$((failures + 1)); fi
  fi
done
[ "$failures" -eq 0 ] || { echo "$failures files differ; scripts/goldens.sh BENCH --write makes them anew"; exit 1; }
