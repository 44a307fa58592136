#!/usr/bin/env bash
# Installs what the tests need, builds once, runs every test in Release and closes with "N passed, N failed, N skipped".
# Needs the .NET 10 SDK, node and npm; no terminal, no input, and any working directory will do.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
exec </dev/null
# No build node outlives this script and holds its caller's pipe open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# Ends without having run a test: why, and the closing line.
give_up() {
  printf '\n%s\n0 passed, 1 failed, 0 skipped\n' "$1"
  exit 1
}

for tool in dotnet node npm; do
  command -v "$tool" >/dev/null || give_up "$tool is not installed: the tests need the .NET 10 SDK, node and npm"
done

# 1. Packages of npm, when the lock file is newer than what is installed.
installed=tests/npm/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ tests/npm/package-lock.json -nt "$installed" ]; then
  echo "installing tests/npm"
  npm_log=$(npm ci --prefix tests/npm --no-audit --no-fund --no-progress 2>&1) || { echo "$npm_log"; give_up "npm ci failed in tests/npm"; }
  touch "$installed"
fi

# 2. Redis, which the tests of clusters start; where it can't be installed they are skipped with that reason.
if ! command -v redis-server >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing redis-server"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server; } >/dev/null 2>&1 || echo "redis-server could not be installed"
fi

# 3. The packages of the lock files and no others, and one build for all.
dotnet restore TinyLlm.sln --locked-mode || give_up "the packages can't be restored: see the errors above; after a change that was meant, dotnet restore -p:RestoreForceEvaluate=true"
dotnet build TinyLlm.sln -c Release --no-restore || give_up "the build failed: see the errors above"

# 4. Every project by itself, so that none disturbs another's time limits. Exit code 8 is a project without a test.
reports=$(mktemp -d) || give_up "no temporary folder can be made"
trap 'rm -rf "$reports"' EXIT
crashed=()
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  dotnet test --project "$project" -c Release --no-build --no-progress --ignore-exit-code 8 \
    --results-directory "$reports" --report-xunit-ctrf --report-xunit-ctrf-filename "$name.json"
  status=$?
  [ "$status" -eq 0 ] || crashed+=("$name=$status")
done

# 5. The sum of the reports. A project that ended badly without reporting a failure counts as one.
node - "$reports" "${crashed[@]}" <<'SUM'
const fs = require('fs');
const path = require('path');
const [folder, ...crashed] = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };
const failedIn = new Set();
const skips = new Map();
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.json')).sort()) {
  const { tests, summary } = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')).results;
  for (const key of Object.keys(sum)) sum[key] += summary[key];
  sum.failed += summary.other;
  if (summary.failed + summary.other > 0) failedIn.add(path.basename(file, '.json'));
  for (const test of tests.filter((test) => test.status === 'failed')) console.log(`failed: ${test.name}`);
  for (const test of tests.filter((test) => test.status === 'skipped')) {
    const reason = test.message || 'no reason given';
    skips.set(reason, [...(skips.get(reason) ?? []), test.name]);
  }
}
for (const [reason, names] of skips) console.log(`skipped: ${reason}\n${names.map((name) => `  ${name}`).join('\n')}`);
for (const entry of crashed) {
  const [name, status] = entry.split('=');
  if (failedIn.has(name)) continue;
  console.log(`failed: ${name} ended with exit code ${status} and reported no failure`);
  sum.failed++;
}
if (sum.passed === 0 && sum.failed === 0) {
  console.log('failed: no test ran');
  sum.failed++;
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
SUM
