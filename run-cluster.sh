#!/usr/bin/env bash
# A whole cluster on this machine: Redis for its list of members, Azurite for storage, and processes of every role. Ctrl-C stops all of it.
# Needs what the tests need: the .NET 10 SDK, node, npm and redis-server.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
usage: ./run-cluster.sh [--api N] [--core N] [--gpu N] [--port PORT] [--data DIR] [--no-build]
  --api N      processes that serve the HTTP API, on PORT, PORT+1, ... (default 1)
  --core N     processes that keep the users (default 1)
  --gpu N      processes that generate (default 2)
  --port PORT  the first API port (default 5080)
  --data DIR   where everything is kept (default ./data-cluster)
  --no-build   start what was built before, in Release
USAGE
}

declare -A count=([api]=1 [core]=1 [gpu]=2)
port=5080
data=data-cluster
build=true
while [ $# -gt 0 ]; do
  case $1 in
    --api|--core|--gpu) [[ ${2-} =~ ^[1-9][0-9]?$ ]] || { echo "$1 needs a number from 1 to 99" >&2; exit 2; }; count[${1#--}]=$2; shift 2 ;;
    --port) [[ ${2-} =~ ^[0-9]+$ && ${2-} -le 65000 ]] || { echo "--port needs a number up to 65000" >&2; exit 2; }; port=$2; shift 2 ;;
    --data) [ -n "${2-}" ] || { echo "--data needs a folder" >&2; exit 2; }; data=$2; shift 2 ;;
    --no-build) build=; shift ;;
    -h|--help) usage; exit 0 ;;
    *) echo "unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
done

for tool in dotnet node npm redis-server redis-cli; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed: a cluster on this machine needs it" >&2; exit 1; }
done

mkdir -p "$data"/{redis,azurite,logs}
data=$(cd "$data" && pwd)
exec 9>"$data/.lock"
flock -n 9 || { echo "'$data' is in use by another cluster: stop that one, or give this one its own with --data DIR" >&2; exit 1; }

[ -e "$root/tests/npm/node_modules/azurite" ] || npm ci --prefix "$root/tests/npm" --no-audit --no-fund --no-progress >/dev/null
[ -z "$build" ] || dotnet build "$root/src/TinyLlm.Host" -c Release -v q --nologo >"$data/logs/build.log" 2>&1 || { cat "$data/logs/build.log"; exit 1; }
host="$root/src/TinyLlm.Host/bin/Release/net10.0/TinyLlm.Host.dll"
[ -e "$host" ] || { echo "'$host' is not there: start it once without --no-build" >&2; exit 1; }

# Processes in the order of their start, and stopped in the other: API first, then what it needs, storage last.
pids=()
stop() {
  trap - EXIT INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || continue
    wait "${pids[i]}" 2>/dev/null || true
  done
  echo "stopped"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port that nobody listens on, below those that the system gives to whoever asks for any: nobody else is given it until ours listens.
free_port() {
  node -e '
    (function look() {
      const port = 20000 + Math.floor(Math.random() * 12000);
      const server = require("net").createServer().once("error", look);
      server.listen(port, "127.0.0.1", () => server.close(() => console.log(port)));
    })()'
}

# Waits until a command succeeds; gives up when the process ends or two minutes have passed.
wait_for() {
  local pid=$1 log=$2
  shift 2
  for ((i = 0; i < 600; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  echo "it did not start: see $log" >&2
  tail -5 "$log" >&2
  exit 1
}

# setsid: Ctrl-C reaches this script alone, which then stops everything in order.
start() {
  local log="$data/logs/$1.log"
  shift
  setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
  pids+=("$!")
}

redis_port=$(free_port)
start redis redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$data/redis" --appendonly yes --save ""
wait_for "${pids[-1]}" "$data/logs/redis.log" redis-cli -p "$redis_port" ping

blob_port=$(free_port)
start azurite node "$root/tests/npm/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort "$blob_port" \
  --location "$data/azurite" --silent --disableTelemetry --skipApiVersionCheck
wait_for "${pids[-1]}" "$data/logs/azurite.log" bash -c "exec 3<>/dev/tcp/127.0.0.1/$blob_port"

# The account that every Azurite has; its key is in Azurite's documentation and opens nothing else.
account="DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:$blob_port/devstoreaccount1;"

start_silo() {
  local role=$1 number=$2 url=$3
  TinyLlm__Storage__ConnectionString=$account TinyLlm__Cluster__Redis="127.0.0.1:$redis_port" \
    start "$role-$number" dotnet "$host" --roles "$role" --urls "$url" --data "$data/$role-$number" --keys "$data/keys"
  wait_for "${pids[-1]}" "$data/logs/$role-$number.log" grep -q 'is ready' "$data/logs/$role-$number.log"
}

for role in core gpu; do
  for ((n = 1; n <= count[$role]; n++)); do start_silo "$role" "$n" http://127.0.0.1:0; done
done
for ((n = 1; n <= count[api]; n++)); do
  start_silo api "$n" "http://127.0.0.1:$((port + n - 1))"
  echo "API          http://127.0.0.1:$((port + n - 1))"
done
echo "admin token  $data/keys/admin-token"
echo "logs         $data/logs"
echo "${count[core]} core, ${count[gpu]} gpu, ${count[api]} api: Ctrl-C stops them"
while :; do wait -n "${pids[@]}" && code=0 || code=$?; echo "a process ended with code $code: see $data/logs" >&2; exit 1; done
