#!/usr/bin/env bash
# Installs the engines that people would use instead, each with the same weights, as contestants of gpt2-bench.
#
#   scripts/install_peers.sh [--model NAME] [ENGINE…]
#
# ENGINE: llama.cpp, ctranslate2, openvino, onnxruntime, pytorch, openblas; all of them where none is named. openblas
# is no contestant but the library that the variant blas is to call; openblas.txt names its file. Each engine comes
# with every precision of the weights that it has: what it is given stands in Benchmarks/peers/README.md. NAME is what
# --model of gpt2-bench takes (default synthetic:gpt2). Everything goes to Benchmarks/peers/installed, from
# Python's package index, in the versions of scripts/peers-requirements.txt. What is there is kept, so that a run
# that was broken off goes on; an engine or a precision that fails is named with its log, and the others go on.
# Needs Python 3.11 or later with venv, and for llama.cpp a C++ compiler. GPT2_BENCH names a built gpt2-bench;
# otherwise it is built. Where pip would take a PyTorch for GPUs, gigabytes of it, this takes the one for CPUs:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
peers="$root/Benchmarks/peers"
installed="$peers/installed"
python="$installed/venv/bin/python"
engines=(llama.cpp ctranslate2 openvino onnxruntime pytorch openblas)
# Precisions of the weights that an engine needs a model of its own for, beside float32.
declare -A reduced=(
  [llama.cpp]="bf16 f16 q8_0 q4_0" [ctranslate2]=int8 [openvino]=int8 [onnxruntime]=int8 [pytorch]=bf16)

usage() {
  echo "usage: scripts/install_peers.sh [--model NAME] [ENGINE…], ENGINE one of: ${engines[*]}" >&2
  exit 2
}

model=synthetic:gpt2
wanted=()
while (($#)); do
  case "$1" in
  --model) (($# > 1)) || usage; model="$2"; shift ;;
  -*) usage ;;
  *) [[ " ${engines[*]} " == *" $1 "* ]] || usage; wanted+=("$1") ;;
  esac
  shift
done
((${#wanted[@]})) || wanted=("${engines[@]}")
[[ ! -e "$model" ]] || model="$(cd "$(dirname "$model")" && pwd)/$(basename "$model")"
folder="$installed/models/$(printf %s "$model" | tr -c 'A-Za-z0-9.\n' -)"

# The converters must not ask a model hub, which they would wait for.
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 DO_NOT_TRACK=1 CUDA_VISIBLE_DEVICES=

fetch() { # PACKAGE…: the pinned versions
  "$python" -m pip install --quiet --disable-pip-version-check --constraint "$root/scripts/peers-requirements.txt" "$@"
}

pinned() { # PACKAGE: its version
  sed -n "s/^$1==//p" "$root/scripts/peers-requirements.txt"
}

# export_model ARGUMENT…: gpt2-bench export of the model
export_model() {
  local bench="${GPT2_BENCH:-}"
  if [[ -z "$bench" ]]; then
    swift build --configuration release --package-path "$root"
    bench="$(swift build --configuration release --package-path "$root" --show-bin-path)/gpt2-bench"
  fi
  GPT2_BENCH_HOME="$root" "$bench" export --model "$model" "$@"
}

# prepare_weights: the model as Hugging Face lays it out, and model.json
prepare_weights() {
  if [[ "$model" == synthetic:* && -f "$folder/model.json" ]]; then return; fi
  export_model --format safetensors --out "$folder/weights"
  "$python" "$peers/convert/source.py" "$folder/weights" "$model"
}

# convert FOLDER COMMAND…: runs it with an empty folder as its last argument, unless these weights are there already.
# The stamp is the model.json that the contestant reads.
convert() {
  local out="$folder/$1"
  shift
  if cmp --silent "$folder/model.json" "$out/model.json"; then return; fi
  rm -rf "$out" && mkdir "$out"
  "$@" "$out"
  cp "$folder/model.json" "$out/model.json"
}

export_gguf() { # WEIGHTS OUT
  export_model --format gguf --weights "$1" --out "$2/model.gguf"
}

cpu_name() {
  if [[ -r /proc/cpuinfo ]]; then
    sed -n '/^model name/ { s/.*: //p; q; }' /proc/cpuinfo
  else
    sysctl -n machdep.cpu.brand_string
  fi
}

install_llama.cpp() {
  local here="$installed/llama.cpp" version
  # Built for this CPU, it may not run on another.
  version="llama-cpp-python $(pinned llama-cpp-python), AMX mended, built on $(cpu_name)"
  if [[ "$(cat "$here/VERSION" 2>/dev/null)" != "$version" ]]; then
    fetch cmake ninja scikit-build-core
    rm -rf "$here/build" && mkdir -p "$here"
    if [[ ! -f "$here/source/llama.cpp/CMakeLists.txt" ]]; then
      rm -rf "$here/source" && mkdir -p "$here/source"
      # pip runs the build's back end for the name, so that must be there.
      "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
        --no-binary llama-cpp-python --dest "$here/source" "llama-cpp-python==$(pinned llama-cpp-python)"
      tar -xzf "$here"/source/llama_cpp_python-*.tar.gz -C "$here/source"
      mv "$here"/source/llama_cpp_python-*/vendor/llama.cpp "$here/source/llama.cpp"
      rm -rf "$here"/source/llama_cpp_python-*
    fi
    # GCC drops the configuration of the tiles, and the next tile instruction is illegal
    # (https://github.com/ggml-org/llama.cpp/pull/26954): tell it that all of it is read.
    sed -i 's/_tile_loadconfig(&tc);/__asm__ volatile("ldtilecfg %0" : : "m"(tc));/' \
      "$here/source/llama.cpp/ggml/src/ggml-cpu/amx/mmq.cpp"
    PATH="$installed/venv/bin:$PATH" cmake -G Ninja -S "$here/source/llama.cpp" -B "$here/build" \
      -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF \
      -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
    PATH="$installed/venv/bin:$PATH" cmake --build "$here/build" --target llama
  fi
  "${CC:-cc}" -O2 -Wall -shared -fPIC "$peers/llamacpp.c" -o "$here/libpeer.so" \
    -I "$here/source/llama.cpp/include" -I "$here/source/llama.cpp/ggml/include" \
    -L "$here/build/bin" -lllama -lggml -lggml-base -Wl,-rpath,"$here/build/bin"
  echo "$version" >"$here/VERSION"
  fetch numpy
  convert llama.cpp export_gguf f32
}

reduce_llama.cpp() {
  convert "llama.cpp-$1" export_gguf "$1"
}

install_ctranslate2() {
  fetch ctranslate2 transformers torch
  convert ctranslate2 "$python" "$peers/convert/to_ctranslate2.py" float32 "$folder/weights"
}

reduce_ctranslate2() {
  convert "ctranslate2-$1" "$python" "$peers/convert/to_ctranslate2.py" "$1" "$folder/weights"
}

install_openvino() {
  fetch openvino optimum-intel torch
  convert openvino "$python" "$peers/convert/to_openvino.py" "$folder/weights"
}

reduce_openvino() {
  fetch nncf
  convert "openvino-$1" "$python" "$peers/convert/quantize.py" openvino "$folder/openvino"
}

install_onnxruntime() {
  fetch onnxruntime onnx optimum-onnx torch
  convert onnxruntime "$python" "$peers/convert/to_onnx.py" "$folder/weights"
}

reduce_onnxruntime() {
  convert "onnxruntime-$1" "$python" "$peers/convert/quantize.py" onnxruntime "$folder/onnxruntime"
}

install_pytorch() {
  fetch transformers torch safetensors
  convert pytorch true # it reads the folder of the weights
}

reduce_pytorch() {
  convert "pytorch-$1" "$python" "$peers/convert/quantize.py" pytorch "$folder/weights"
}

install_openblas() {
  fetch scipy-openblas32
  "$python" -c 'import os, scipy_openblas32 as blas
print(os.path.join(os.path.realpath(blas.get_lib_dir()), blas.get_library(fullname=True)))' >"$installed/openblas.new"
  [[ -f "$(<"$installed/openblas.new")" ]]
  mv "$installed/openblas.new" "$installed/openblas.txt"
}

# attempt WHAT FUNCTION…: in a shell of its own, whose end is not ours. Never call it where set -e does not hold
# (after if, && or ||): it would not hold in the function either.
attempt() {
  local what="$1" log="$installed/logs/$1.log" code
  shift
  echo "$what: at work, log in ${log#"$root/"}"
  set +e
  (set -e; "$@") >"$log" 2>&1
  code=$?
  set -e
  if ((code == 0)); then echo "$what: ready"; else echo "$what: failed" && failed+=("$what"); fi
}

# attempt_engine ENGINE: it and then each of its precisions, which need it
attempt_engine() {
  local before=${#failed[@]} weights
  attempt "$1" "install_$1"
  for weights in ${reduced[$1]:-}; do
    if ((${#failed[@]} > before)) && [[ "${failed[before]}" == "$1" ]]; then
      echo "$1-$weights: skipped, since $1 failed"
    else
      attempt "$1-$weights" "reduce_$1" "$weights"
    fi
  done
}

contestants() { # one --contestant argument a line, of what is installed
  local name models script options
  while read -r name models script options; do
    if compgen -G "$installed/models/*/$models/model.json" >/dev/null; then
      echo "--contestant '$name=$python $peers/peer_$script.py $options'"
    fi
  done <<'END'
ctranslate2 ctranslate2 ctranslate2 --weights f32
llama.cpp llama.cpp llamacpp --weights f32
llama.cpp-flash llama.cpp llamacpp --weights f32 --cache f16
onnxruntime onnxruntime onnxruntime --weights f32
openvino openvino openvino --weights f32
pytorch pytorch pytorch --weights f32
pytorch-compiled pytorch pytorch --weights f32 --compile
llama.cpp-bf16 llama.cpp-bf16 llamacpp --weights bf16 --cache f16
llama.cpp-f16 llama.cpp-f16 llamacpp --weights f16 --cache f16
openvino-bf16 openvino openvino --weights bf16
pytorch-bf16 pytorch-bf16 pytorch --weights bf16
ctranslate2-int8 ctranslate2-int8 ctranslate2 --weights int8
llama.cpp-q8_0 llama.cpp-q8_0 llamacpp --weights q8_0 --cache f16
onnxruntime-int8 onnxruntime-int8 onnxruntime --weights int8
openvino-int8 openvino-int8 openvino --weights int8
openvino-int8-bf16 openvino-int8 openvino --weights int8 --arithmetic bf16
llama.cpp-q4_0 llama.cpp-q4_0 llamacpp --weights q4_0 --cache f16
END
}

prepare_python() {
  [[ -x "$python" ]] || "${PYTHON:-python3}" -m venv "$installed/venv"
  "$python" -c 'import sys; sys.exit(f"Python {sys.version}: expected 3.11 or later" if sys.version_info < (3, 11) else 0)'
}

failed=()
mkdir -p "$installed/logs" "$folder"
attempt python prepare_python
if ((${#failed[@]} == 0)) && [[ "${wanted[*]}" != openblas ]]; then attempt weights prepare_weights; fi
if ((${#failed[@]} == 0)); then
  for engine in "${wanted[@]}"; do attempt_engine "$engine"; done
fi

contestants >"$installed/contestants.txt"
if [[ -s "$installed/contestants.txt" ]]; then
  echo
  echo "Measure them beside the variants (the same lines are in ${installed#"$root/"}/contestants.txt):"
  echo "gpt2-bench run --model $model -p 64 -n 32 -d 16 \\"
  sed '$!s/$/ \\/; s/^/  /' "$installed/contestants.txt"
fi
if [[ -s "$installed/openblas.txt" ]]; then
  echo
  echo "Hold kernels against OpenBLAS (the file's name is in ${installed#"$root/"}/openblas.txt):"
  echo "GPT2_BENCH_BLAS='$(<"$installed/openblas.txt")' gpt2-bench matmul --size 768x3072 --variants packed,blas"
fi
if ((${#failed[@]})); then
  echo
  for name in "${failed[@]}"; do
    echo "$name failed: $installed/logs/$name.log ends with" >&2
    tail -n 3 "$installed/logs/$name.log" >&2
  done
  exit 1
fi
