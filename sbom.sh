#!/usr/bin/env bash
# sbom.sh [FOLDER]: writes TinyLlm.Host.cdx.json and TinyLlm.Cli.cdx.json to FOLDER (artifacts by default): what each of the two programs is made of,
# packages of packages included, as CycloneDX. Tests and benchmarks are not part of it. The tool is pinned in .config/dotnet-tools.json.
set -euo pipefail
folder=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/artifacts}")
cd "$(dirname "${BASH_SOURCE[0]}")"
dotnet tool restore
for program in TinyLlm.Host TinyLlm.Cli; do
  dotnet restore "src/$program"
  version=$(dotnet msbuild "src/$program" -getProperty:Version)
  dotnet tool run dotnet-CycloneDX -- "src/$program/$program.csproj" --recursive --disable-package-restore \
    --output "$folder" --filename "$program.cdx.json" --output-format Json --set-version "$version"
done
