# Files of the model hub, checked and put into place; to be sourced. Needs curl, and bash 3.2 or later.
#
#   hub_file NAME FILE FOLDER    FOLDER/FILE, from openai-community/NAME
#
# HF_ENDPOINT names another hub, HF_TOKEN is sent to it where it is set. A file is loaded as FILE.part beside its
# place and moved there when its length and its digests are right: the one in gpt2_sha256.txt, where there is one, and
# the one that the hub names in X-Linked-ETag or ETag, which is the SHA-256 of a large file and git's blob SHA-1 of a
# small one. What is there and right is kept; a .part that was broken off is gone on with.

hub_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
hub_attempts=5

# hub_sum BITS <BYTES
hub_sum() {
  if command -v "sha${1}sum" >/dev/null; then "sha${1}sum"; else shasum -a "$1"; fi | cut -d ' ' -f 1
}

hub_size() { wc -c <"$1" | tr -d ' '; }

# hub_digest KIND FILE: KIND is SHA-256 or git's SHA-1
hub_digest() {
  case $1 in
    SHA-256) hub_sum 256 <"$2" ;;
    *) { printf 'blob %d\0' "$(hub_size "$2")" && cat "$2"; } | hub_sum 1 ;;
  esac
}

# hub_pinned NAME FILE: the digest that gpt2_sha256.txt has for it; nothing where it has none.
hub_pinned() {
  awk -v one="$1/$2" -v all="*/$2" '$2 == one || $2 == all { print $1; exit }' "$hub_folder/gpt2_sha256.txt"
}

# hub_reason CODE STATUS FOLDER: why curl ended with CODE and the server with STATUS, in words.
hub_reason() {
  case $1 in
    6) echo "the host's name cannot be resolved: no network?" ;;
    7) echo "no connection: no network, or no server there" ;;
    18 | 52 | 56) echo "the connection broke" ;;
    22 | 0) hub_status_reason "$2" ;;
    23) echo "cannot be written: $(hub_free "$3") free in $3, is the disk full?" ;;
    28) echo "the server does not answer, or no longer" ;;
    35 | 60) echo "no secure connection (curl's error $1)" ;;
    *) echo "curl's error $1" ;;
  esac
}

hub_status_reason() {
  case $1 in
    401 | 403) echo "HTTP status $1: not permitted; HF_TOKEN may be missing or wrong" ;;
    404) echo "HTTP status 404: there is no such file" ;;
    429) echo "HTTP status 429: too many requests, try again later" ;;
    *) echo "HTTP status $1" ;;
  esac
}

hub_free_kib() { df -Pk "$1" | awk 'NR == 2 { print $4 }'; }

hub_free() { echo "$(($(hub_free_kib "$1") / 1024)) MiB"; }

# hub_curl ARGUMENT...: curl with what all requests have in common. The token goes in by standard input: a command
# line can be seen by everybody.
hub_curl() {
  if [[ -n "${HF_TOKEN:-}" ]]; then
    curl --config - --connect-timeout 15 "$@" <<<"header = \"Authorization: Bearer $HF_TOKEN\""
  else
    curl --connect-timeout 15 "$@"
  fi
}

# hub_header NAME HEADERS: a header's last value, without quotes and a weak tag's W/. NAME is in small letters.
hub_header() {
  tr -d '\r' <<<"$2" | awk -v name="$1:" 'tolower($1) == name { value = $2 } END { print value }' |
    sed -e 's|^W/||' -e 's/"//g'
}

hub_origin() { sed -E 's|^([a-z]+://[^/]*).*|\1|' <<<"$1"; }

# Asks the hub about URL: sets hub_kind and hub_expected, the digest that it names (empty where it names none), and
# hub_bytes, the length (empty where it is not said). Redirections are followed within the hub only: what a
# large file's store says of itself is not the hub's word.
hub_ask() {
  local url=$1 headers status next tag hops=0 code
  hub_kind="" hub_expected="" hub_bytes=""
  while :; do
    code=0
    headers="$(hub_curl --silent --head --max-time 60 --header 'Accept-Encoding: identity' \
      --write-out '%{http_code} %{redirect_url}' "$url")" || code=$?
    read -r status next <<<"${headers##*$'\n'}"
    if ((code != 0)) || ((status >= 400 || status < 200)); then
      hub_problem="$(hub_reason "$code" "$status" "")"
      return 1
    fi
    tag="$(hub_header x-linked-etag "$headers")"
    hub_bytes="$(hub_header x-linked-size "$headers")"
    if ((status < 300)); then
      tag="${tag:-$(hub_header etag "$headers")}"
      hub_bytes="${hub_bytes:-$(hub_header content-length "$headers")}"
    fi
    if [[ -n "$tag" || "$status" == 2* || -z "$next" ]] || ((++hops > 5)); then break; fi
    [[ "$(hub_origin "$next")" == "$(hub_origin "$url")" ]] || break
    url=$next
  done
  hub_expected="$(tr 'A-F' 'a-f' <<<"$tag")"
  if [[ "$hub_expected" =~ ^[0-9a-f]{64}$ ]]; then
    hub_kind=SHA-256
  elif [[ "$hub_expected" =~ ^[0-9a-f]{40}$ ]]; then
    hub_kind="git's SHA-1"
  else
    hub_expected=""
  fi
  [[ "$hub_bytes" =~ ^[0-9]+$ ]] || hub_bytes=""
}

# hub_check FILE: whether a file has its digests; says in hub_problem what is wrong.
hub_check() {
  local found
  if [[ -n "$hub_bytes" && "$(hub_size "$1")" != "$hub_bytes" ]]; then
    hub_problem="found $(hub_size "$1") bytes, expected $hub_bytes"
    return 1
  fi
  if [[ -n "$hub_pin" ]]; then
    found="$(hub_digest SHA-256 "$1")"
    if [[ "$found" != "$hub_pin" ]]; then
      hub_problem="SHA-256 is $found, expected $hub_pin"
      return 1
    fi
  fi
  if [[ -n "$hub_expected" && "$hub_expected" != "$hub_pin" ]]; then
    found="$(hub_digest "$hub_kind" "$1")"
    if [[ "$found" != "$hub_expected" ]]; then
      hub_problem="$hub_kind is $found, expected $hub_expected"
      return 1
    fi
  fi
}

# hub_load URL PART: brings PART to its full length, in as many pieces as it takes. A piece that brings something
# is no failure. Says in hub_problem what is wrong.
hub_load() {
  local url=$1 part=$2 code status before after failures=0 meter=--silent
  [[ -t 2 ]] && meter=--progress-bar
  while :; do
    before=0
    [[ -f "$part" ]] && before="$(hub_size "$part")"
    if [[ -n "$hub_bytes" ]] && ((before >= hub_bytes)); then
      ((before == hub_bytes)) && return 0
      rm -f "$part"
      before=0
    fi
    code=0
    status="$(hub_curl "$meter" --fail --location --speed-limit 1 --speed-time 60 \
      --header 'Accept-Encoding: identity' --continue-at "$before" --output "$part" \
      --write-out '%{http_code}' "$url")" || code=$?
    ((code == 0)) && return 0
    after=0
    [[ -f "$part" ]] && after="$(hub_size "$part")"
    hub_problem="$(hub_reason "$code" "$status" "$(dirname "$part")")"
    case "$code $status" in
      "33 "* | "22 416")
        # The server knows no ranges, or has less than is here.
        ((before > 0)) || return 1
        rm -f "$part"
        continue
        ;;
      "18 "* | "28 "* | "52 "* | "55 "* | "56 "* | "92 "* | "22 429" | "22 5"*) ;;
      # A network that was there a moment ago may come back.
      "6 "* | "7 "* | "35 "*) ((before > 0)) || return 1 ;;
      *) return 1 ;;
    esac
    if ((after > before)); then failures=0; else failures=$((failures + 1)); fi
    ((failures < hub_attempts)) || return 1
    ((failures == 0)) || sleep "$failures"
  done
}

# hub_has_room PART: whether what is missing of it fits the disk.
hub_has_room() {
  local folder missing
  folder="$(dirname "$1")"
  [[ -n "$hub_bytes" ]] || return 0
  missing=$hub_bytes
  [[ -f "$1" ]] && missing=$((missing - $(hub_size "$1")))
  ((missing / 1024 < $(hub_free_kib "$folder"))) && return 0
  hub_problem="$((missing >> 20)) MiB are still to come, $(hub_free "$folder") are free in $folder"
  return 1
}

hub_fail() {
  echo "$1: $2" >&2
  return 1
}

hub_file() {
  local name=$1 file=$2 folder=$3 place="$3/$2" part="$3/$2.part" resumed=false
  local url="${HF_ENDPOINT:-https://huggingface.co}"
  url="${url%/}/openai-community/$name/resolve/main/$file"
  if [[ ! "${HF_TOKEN:-}" =~ ^[A-Za-z0-9_.-]*$ ]]; then
    hub_fail HF_TOKEN "holds characters that no token has"
    return 1
  fi
  hub_kind="" hub_expected="" hub_bytes="" hub_problem=""
  hub_pin="$(hub_pinned "$name" "$file")"
  if [[ -f "$place" && -n "$hub_pin" ]]; then
    if hub_check "$place"; then
      echo "$file: is there, its SHA-256 is right"
      return 0
    fi
    echo "$file: is there, $hub_problem: loading it anew"
  fi
  if ! hub_ask "$url"; then
    if [[ -f "$place" && -z "$hub_pin" ]]; then
      echo "$file: is there; kept without a look at $url: $hub_problem"
      return 0
    fi
    hub_fail "$file" "$hub_problem ($url)"
    return 1
  fi
  if [[ -f "$place" && -z "$hub_pin" ]]; then
    if hub_check "$place"; then
      echo "$file: is there, as the hub has it"
      return 0
    fi
    echo "$file: is there, $hub_problem: loading it anew"
  fi
  if [[ "$hub_kind" == SHA-256 && -n "$hub_pin" && "$hub_expected" != "$hub_pin" ]]; then
    hub_fail "$file" "the hub has another file: SHA-256 is $hub_expected, expected $hub_pin ($url)"
    return 1
  fi
  mkdir -p "$folder" || return 1
  [[ -f "$part" ]] && resumed=true
  if ! hub_has_room "$part"; then
    hub_fail "$file" "$hub_problem"
    return 1
  fi
  while :; do
    if ! hub_load "$url" "$part"; then
      [[ -f "$part" ]] && hub_problem="$hub_problem; $(hub_size "$part") bytes are kept, run it again to go on"
      hub_fail "$file" "$hub_problem ($url)"
      return 1
    fi
    hub_check "$part" && break
    rm -f "$part"
    if ! $resumed; then
      hub_fail "$file" "$hub_problem; removed ($url)"
      return 1
    fi
    echo "$file: what was gone on with is wrong, $hub_problem: loading it from the start"
    resumed=false
  done
  mv "$part" "$place" || return 1
  [[ -n "$hub_pin" ]] && hub_kind=SHA-256
  if [[ -n "$hub_kind" ]]; then
    echo "$file: loaded, $(hub_size "$place") bytes, its $hub_kind is right"
  else
    echo "$file: loaded, $(hub_size "$place") bytes; the hub names no digest of it"
  fi
}
