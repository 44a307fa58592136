#!/usr/bin/env bash
# Runs every test in Release and closes with "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$0")"

dotnet build TinyLlm.sln -c Release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Exit code 8 is a project without a test: the sum below still says how many ran.
dotnet test --solution TinyLlm.sln -c Release --no-build --ignore-exit-code 8 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

count() { awk -v key="$1:" '$1 == key { n = $2 } END { print n + 0 }' "$log"; }
passed=$(count succeeded) failed=$(count failed) skipped=$(count skipped)
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ "$passed" -eq 0 ] && status=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
