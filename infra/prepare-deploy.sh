#!/bin/sh
# What the manifests name and azd does not make: the API's certificate, and the image with CUDA where there is a GPU pool. Run by azd before deploying.
# Needs kubectl, az and azd, signed in, the .NET SDK and openssl.
set -eu
cd "$(dirname "$0")/.."
: "${TINYLLM_HOST_NAME:?run it by azd, or set what the deployment put out}" "${TINYLLM_GPU_POOL:?}" "${AZURE_CONTAINER_REGISTRY_ENDPOINT:?}"
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kubectl create namespace tinyllm --dry-run=client --output yaml | kubectl apply --filename -

# A certificate of one's own: TINYLLM_TLS_CERT and TINYLLM_TLS_KEY name its files. Without one, and without one in the cluster, a self-signed one for a first try.
if [ -n "${TINYLLM_TLS_CERT:-}" ]; then
  kubectl create secret tls tinyllm-tls --namespace tinyllm --cert "$TINYLLM_TLS_CERT" --key "$TINYLLM_TLS_KEY" --dry-run=client --output yaml | kubectl apply --filename -
elif ! kubectl get secret tinyllm-tls --namespace tinyllm >/dev/null 2>&1; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=$TINYLLM_HOST_NAME" \
    -addext "subjectAltName=DNS:$TINYLLM_HOST_NAME" -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
  kubectl create secret tls tinyllm-tls --namespace tinyllm --cert "$work/tls.crt" --key "$work/tls.key"
  echo "the API's certificate is self-signed: set TINYLLM_TLS_CERT and TINYLLM_TLS_KEY, and deploy again"
fi

# azd builds the image for CPUs. The one with CUDA is several gigabytes: built only where there is something to run it on.
tag=$(git rev-parse --short HEAD 2>/dev/null || date -u +%Y%m%d%H%M%S)
if [ "$TINYLLM_GPU_POOL" = gpu ]; then
  az acr login --name "${AZURE_CONTAINER_REGISTRY_ENDPOINT%%.*}"
  dotnet publish src/TinyLlm.Host -c Release -t:PublishContainer -p:TorchDevice=cuda -p:ContainerImageTag="$tag-cuda" \
    -p:ContainerRegistry="$AZURE_CONTAINER_REGISTRY_ENDPOINT"
  azd env set TINYLLM_GPU_IMAGE "$AZURE_CONTAINER_REGISTRY_ENDPOINT/tinyllm:$tag-cuda"
else
  azd env set TINYLLM_GPU_IMAGE ""
fi
