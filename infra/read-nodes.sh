#!/bin/sh
# Tells a deployment how many nodes the pools with an autoscaler have: a template has to name a number, and any other would scale them by hand. Run by azd before provisioning.
# Needs az, signed in, and azd.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Before the first deployment, and after azd down, there is no cluster, and no pool has a node.
: >"$work/pools"
if [ -n "${AZURE_AKS_CLUSTER_NAME:-}" ] && ! az aks nodepool list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
    --cluster-name "$AZURE_AKS_CLUSTER_NAME" --query "[].[name, count]" --output tsv >"$work/pools" 2>"$work/error"; then
  grep -Eq 'ResourceNotFound|ResourceGroupNotFound' "$work/error" || { cat "$work/error" >&2; exit 1; }
fi

# nodes POOL: how many it has, 0 where there is no such pool.
nodes() { awk -v pool="$1" '$1 == pool { count = $2 } END { print count + 0 }' "$work/pools"; }

azd env set TINYLLM_CORE_NODES "$(nodes core)"
azd env set TINYLLM_GPU_NODES "$(nodes gpu)"
