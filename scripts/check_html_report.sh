#!/usr/bin/env bash
# Opens HTML reports in a real headless browser: nothing on the console, no request, nothing wider than a phone's or a
# desktop's window, no texts of a chart on each other, in light and in dark; with OUTDIR, pictures of all four, and the
# pages on paper, in a folder there for each report.
#
#   scripts/check_html_report.sh [--pictures OUTDIR] REPORT.html…
#
# The browser is $CHROMIUM, or chromium, chromium-browser, google-chrome or chrome of the PATH; where there is none, Debian's
# package chromium is tried (as root), then Playwright's own download. Playwright goes to a virtual environment outside the
# repository: $GPT2_BENCH_CACHE, otherwise ~/.cache/gpt2-bench. Needs Python 3.9 or later with venv. Exit code: what
# scripts/check_html_report.py says, 0 or 1; 1 too where no browser can be had, and standard error says so; 2 for wrong use.
set -euo pipefail

playwright=1.65.2
(($# > 0)) || { echo "usage: scripts/check_html_report.sh [--pictures OUTDIR] REPORT.html…" >&2; exit 2; }

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${GPT2_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpt2-bench}"
python="$cache/browser-venv/bin/python"

missing() { echo "check_html_report: no browser can be had here: $*" >&2; exit 1; }

find_browser() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable chrome; do
    [[ -n "$name" ]] && command -v "$name" && return
  done
  return 1
}

install_debian() {
  [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null || return 1
  echo "installing Debian's package chromium" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fonts-dejavu-core; } >/dev/null 2>&1
}

download_browser() {
  echo "downloading Playwright's Chromium" >&2
  "$python" -m playwright install chromium >/dev/null 2>&1 || return 1
  "$python" -c 'from playwright.sync_api import sync_playwright
with sync_playwright() as playwright: print(playwright.chromium.executable_path)'
}

if [[ "$("$python" -m pip show playwright 2>/dev/null | sed -n 's/^Version: //p')" != "$playwright" ]]; then
  mkdir -p "$cache"
  [[ -x "$python" ]] || "${PYTHON:-python3}" -m venv "$cache/browser-venv" || missing "Python has no venv"
  "$python" -m pip install --quiet --disable-pip-version-check "playwright==$playwright" ||
    missing "pip cannot install playwright $playwright"
fi

browser="$(find_browser)" || { install_debian && browser="$(find_browser)"; } || browser="$(download_browser)" ||
  missing "none is installed, and neither Debian's package nor Playwright's download was to be had"

exec "$python" "$root/scripts/check_html_report.py" --browser "$browser" "$@"
