#!/usr/bin/env bash
# Puts a comment on a pull request, in place of the one that it put there before. For .github/workflows.
#
#   GITHUB_REPOSITORY=OWNER/NAME PULL_REQUEST=NUMBER GH_TOKEN=… scripts/sticky_comment.sh FILE
#
# FILE's first line is an HTML comment, as `--format github` writes it; an own comment that starts with the same line
# is replaced. Needs gh.
set -euo pipefail

fail() { echo "sticky_comment.sh: $*" >&2; exit 1; }

file=${1:-}
[ -n "$file" ] || { echo "usage: scripts/sticky_comment.sh FILE" >&2; exit 2; }
[ -s "$file" ] || fail "$file: found nothing, expected a comment"
marker=$(head -n 1 "$file")
[[ $marker == '<!-- '*' -->' ]] || fail "$file: line 1: found '$marker', expected <!-- … -->"
comments="repos/${GITHUB_REPOSITORY:?}/issues/${PULL_REQUEST:?}/comments"

# A person may quote the marker: only what a bot wrote is replaced.
export MARKER="$marker"
# shellcheck disable=SC2016
mine='.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id'
id=$(gh api --paginate "$comments" --jq "$mine" | tail -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$file" --silent
  echo "comment $id: replaced"
else
  gh api --method POST "$comments" -F "body=@$file" --silent
  echo "comment: made"
fi
