#!/usr/bin/env bash
# Writes artifacts/TinyLlm.Host.cdx.json and artifacts/TinyLlm.Cli.cdx.json: what each of the two programs is made of, packages of packages included,
# as CycloneDX. Tests and benchmarks are not part of it. The tool is pinned in .config/dotnet-tools.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
dotnet tool restore
for program in TinyLlm.Host TinyLlm.Cli; do
  dotnet restore "src/$program"
  dotnet tool run dotnet-CycloneDX -- "src/$program/$program.csproj" --recursive --disable-package-restore \
    --output artifacts --filename "$program.cdx.json" --output-format Json
done
