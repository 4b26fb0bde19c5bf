#!/usr/bin/env bash
# Installs the engines that people would use instead, each with the same weights, as contestants of gpt2-bench.
#
#   scripts/install_peers.sh [--model NAME] [ENGINE…]
#
# ENGINE: llama.cpp, ctranslate2, openvino, onnxruntime, pytorch, openblas; all of them where none is named. openblas
# is no contestant but the library that the variant blas is to call; openblas.txt names its file. NAME is what
# --model of gpt2-bench takes (default synthetic:gpt2). Everything goes to Benchmarks/peers/installed, from
# Python's package index, in the versions of scripts/peers-requirements.txt. What is there is kept, so that a run
# that was broken off goes on; an engine that fails is named with its log at the end, and the others go on.
# Needs Python 3.11 or later with venv, and for llama.cpp a C++ compiler. GPT2_BENCH names a built gpt2-bench;
# otherwise it is built. Where pip would take a PyTorch for GPUs, gigabytes of it, this takes the one for CPUs:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
peers="$root/Benchmarks/peers"
installed="$peers/installed"
python="$installed/venv/bin/python"
engines=(llama.cpp ctranslate2 openvino onnxruntime pytorch openblas)

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

# prepare_weights: the model as Hugging Face lays it out, and model.json
prepare_weights() {
  if [[ "$model" == synthetic:* && -f "$folder/model.json" ]]; then return; fi
  local bench="${GPT2_BENCH:-}"
  if [[ -z "$bench" ]]; then
    swift build --configuration release --package-path "$root"
    bench="$(swift build --configuration release --package-path "$root" --show-bin-path)/gpt2-bench"
  fi
  GPT2_BENCH_HOME="$root" "$bench" export --model "$model" --format safetensors --out "$folder/weights"
  "$python" "$peers/convert/source.py" "$folder/weights" "$model"
}

# convert ENGINE COMMAND…: runs it in an empty folder, unless the engine has these weights already. The stamp is
# the model.json that the contestant reads.
convert() {
  local out="$folder/$1"
  shift
  if cmp --silent "$folder/model.json" "$out/model.json"; then return; fi
  rm -rf "$out" && mkdir "$out"
  "$@" "$folder/weights" "$out"
  cp "$folder/model.json" "$out/model.json"
}

install_llama.cpp() {
  local here="$installed/llama.cpp" version
  version="llama-cpp-python $(pinned llama-cpp-python)"
  if [[ "$(cat "$here/VERSION" 2>/dev/null)" != "$version"* ]]; then
    fetch cmake ninja scikit-build-core
    mkdir -p "$here"
    if [[ ! -f "$here/source/llama.cpp/CMakeLists.txt" ]]; then
      rm -rf "$here/source" && mkdir -p "$here/source"
      # pip runs the build's back end for the name, so that must be there.
      "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
        --no-binary llama-cpp-python --dest "$here/source" "llama-cpp-python==$(pinned llama-cpp-python)"
      tar -xzf "$here"/source/llama_cpp_python-*.tar.gz -C "$here/source"
      mv "$here"/source/llama_cpp_python-*/vendor/llama.cpp "$here/source/llama.cpp"
      rm -rf "$here"/source/llama_cpp_python-*
    fi
    PATH="$installed/venv/bin:$PATH" cmake -G Ninja -S "$here/source/llama.cpp" -B "$here/build" \
      -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF \
      -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
    PATH="$installed/venv/bin:$PATH" cmake --build "$here/build" --target llama
  fi
  "${CC:-cc}" -O2 -Wall -shared -fPIC "$peers/llamacpp.c" -o "$here/libpeer.so" \
    -I "$here/source/llama.cpp/include" -I "$here/source/llama.cpp/ggml/include" \
    -L "$here/build/bin" -lllama -lggml -lggml-base -Wl,-rpath,"$here/build/bin"
  echo "$version" >"$here/VERSION"
  fetch gguf safetensors numpy
  convert llama.cpp "$python" "$peers/convert/to_gguf.py"
}

install_ctranslate2() {
  fetch ctranslate2 transformers torch
  convert ctranslate2 "$python" "$peers/convert/to_ctranslate2.py"
}

install_openvino() {
  fetch openvino optimum-intel torch
  convert openvino "$python" "$peers/convert/to_openvino.py"
}

install_onnxruntime() {
  fetch onnxruntime onnx optimum-onnx torch
  convert onnxruntime "$python" "$peers/convert/to_onnx.py"
}

install_pytorch() {
  fetch transformers torch safetensors
  convert pytorch true # it reads the folder of the weights
}

install_openblas() {
  fetch scipy-openblas32
  "$python" -c 'import os, scipy_openblas32 as blas
print(os.path.join(os.path.realpath(blas.get_lib_dir()), blas.get_library(fullname=True)))' >"$installed/openblas.new"
  [[ -f "$(<"$installed/openblas.new")" ]]
  mv "$installed/openblas.new" "$installed/openblas.txt"
}

# attempt WHAT FUNCTION: in a shell of its own, whose end is not ours. Never call it where set -e does not hold
# (after if, && or ||): it would not hold in the function either.
attempt() {
  local log="$installed/logs/$1.log" code
  echo "$1: at work, log in ${log#"$root/"}"
  set +e
  (set -e; "$2") >"$log" 2>&1
  code=$?
  set -e
  if ((code == 0)); then echo "$1: ready"; else echo "$1: failed" && failed+=("$1"); fi
}

contestants() { # one --contestant argument a line, of what is installed
  local script
  for script in "$peers"/peer_*.py; do
    local name="${script##*/peer_}"
    name="${name%.py}"
    local engine="${name/llamacpp/llama.cpp}"
    if compgen -G "$installed/models/*/$engine/model.json" >/dev/null; then
      echo "--contestant '$engine=$python $script'"
      [[ "$engine" != llama.cpp ]] || echo "--contestant 'llama.cpp-flash=$python $script --cache f16'"
    fi
  done
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
  for engine in "${wanted[@]}"; do attempt "$engine" "install_$engine"; done
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
