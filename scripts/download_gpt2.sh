#!/usr/bin/env bash
# Puts the released GPT-2 into weights/gpt2/ (weights/gpt2-medium/ …), or into the folder given.
#
#   scripts/download_gpt2.sh [gpt2|gpt2-medium|gpt2-large|gpt2-xl|124M|355M|774M|1.5B] [FOLDER]
#
# From the model hub, 0.5, 1.5, 3.2 and 6.4 GB; HF_ENDPOINT names another hub, HF_TOKEN is sent to it where it is
# set. Each file is checked against the SHA-256 of the release and what the hub says of it, then moved into place, the
# weights last. What is there and right is kept; a download that was broken off is gone on with. Needs bash and curl.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/scripts/hub.sh"

fail() { echo "download_gpt2: $*" >&2; exit 1; }
usage() {
  sed -n '2,4p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'
  exit "$1"
}

case ${1:-gpt2} in
  gpt2 | 124M) name=gpt2 ;;
  gpt2-medium | 355M) name=gpt2-medium ;;
  gpt2-large | 774M) name=gpt2-large ;;
  gpt2-xl | 1.5B) name=gpt2-xl ;;
  -h | --help) usage 0 ;;
  *)
    echo "download_gpt2: found '$1', expected one of gpt2, gpt2-medium, gpt2-large, gpt2-xl," \
      "124M, 355M, 774M, 1.5B" >&2
    exit 2
    ;;
esac
(($# <= 2)) || usage 2 >&2
folder="${2:-$root/weights/$name}"

command -v curl >/dev/null || fail "curl is missing"
trap 'echo "download_gpt2: stopped; run it again to go on" >&2; exit 130' INT

for file in config.json vocab.json merges.txt model.safetensors; do
  hub_file "$name" "$file" "$folder" || fail "$name is not whole in $folder"
done
echo "$folder: $name is there, whole and checked"
