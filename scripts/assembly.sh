#!/usr/bin/env bash
# Shows the machine code of kernels, and fails where a fused multiply-add became a call.
#
#   scripts/assembly.sh                     every function of GPT2Kernels with its vector and FMA counts
#   scripts/assembly.sh SIMD8Tile3x4.linear the instructions of the functions whose name contains this
#   scripts/assembly.sh --check             only the verdict: no call of fmaf or fma in any module
#
# Needs objdump (Debian: binutils) beside the Swift toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v objdump >/dev/null || { echo "assembly.sh: objdump not found, expected binutils" >&2; exit 1; }
swift build -c release --product gpt2-bench >&2
objects=$(swift build -c release --show-bin-path)

disassemble() { objdump -d --no-show-raw-insn "$@" | swift demangle --simplified; }

calls=$(for object in "$objects"/GPT2Kernels.build/*.o "$objects"/GPT2Engine.build/*.o "$objects"/Measurement.build/*.o; do
  objdump -dr --no-show-raw-insn "$object"
done | grep -cE 'R_[A-Z0-9_]+\s+(fmaf?|fmal)([-+@]|$)' || true)

case "${1-}" in
  --check) ;;
  "")
    disassemble "$objects"/GPT2Kernels.build/*.o | awk '
      function flush() { if (name != "" && vector > 0) printf "%6d %6d %6d  %s\n", count, vector, fma, name }
      /^[0-9a-f]+ <.*>:$/ { flush(); name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name); count = vector = fma = 0; next }
      /^ +[0-9a-f]+:/ { count++; if (/[xyz]mm/) vector++; if (/vfn?m(add|sub)/) fma++ }
      BEGIN { print " total vector    fma  function" }
      END { flush() }'
    ;;
  *)
    disassemble "$objects"/GPT2Kernels.build/*.o "$objects"/Measurement.build/*.o | awk -v wanted="$1" '
      /^[0-9a-f]+ <.*>:$/ { shown = index($0, wanted) > 0 }
      shown { print }'
    ;;
esac

if [ "$calls" -gt 0 ]; then
  echo "assembly.sh: found $calls calls of fmaf or fma, expected none: a target is built without the CPU's flags" >&2
  exit 1
fi
echo "assembly.sh: no calls of fmaf or fma" >&2
