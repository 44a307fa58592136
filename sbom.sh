#!/usr/bin/env bash
# Writes artifacts/tinyllm.cdx.json: what the host and the command line are made of, packages of packages included, as CycloneDX.
# Tests and benchmarks are not part of it. The tool is pinned in .config/dotnet-tools.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
dotnet tool restore
dotnet restore TinyLlm.sln
dotnet tool run dotnet-CycloneDX -- TinyLlm.sln --output artifacts --filename tinyllm.cdx.json --output-format Json \
  --exclude-test-projects --disable-package-restore
