#!/bin/sh
# What the manifests name and azd does not make: the API's certificate, and the images. Run by azd before deploying.
# Needs kubectl, az and azd, signed in, the .NET SDK and openssl.
set -eu
cd "$(dirname "$0")/.."
: "${TINYLLM_HOST_NAME:?run it by azd, or set what the deployment put out}" "${TINYLLM_GPU_POOL:?}" "${AZURE_CONTAINER_REGISTRY_ENDPOINT:?}"
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A role that was assigned a moment ago counts after some minutes, and add-ons bring their kinds of objects a while after the cluster is there. Both are waited for.
patience=60
wait_for() {
  until "$@" >"$work/said" 2>&1; do
    if [ "$patience" -eq 0 ]; then
      { echo "$* did not succeed within ten minutes:"; cat "$work/said"; } >&2
      exit 1
    fi
    patience=$((patience - 1))
    sleep 10
  done
}
wait_for kubectl auth can-i create deployments --namespace tinyllm
for kind in gateways.gateway.networking.k8s.io httproutes.gateway.networking.k8s.io scaledobjects.keda.sh triggerauthentications.keda.sh podmonitors.azmonitoring.coreos.com; do
  wait_for kubectl get crd "$kind"
done

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

# The images. Without Docker there is nobody who keeps a sign-in: the SDK takes the registry's token from the environment, with the user name that stands for one.
DOTNET_CONTAINER_REGISTRY_UNAME=00000000-0000-0000-0000-000000000000
DOTNET_CONTAINER_REGISTRY_PWORD=$(az acr login --name "${AZURE_CONTAINER_REGISTRY_ENDPOINT%%.*}" --expose-token --query accessToken --output tsv)
export DOTNET_CONTAINER_REGISTRY_UNAME DOTNET_CONTAINER_REGISTRY_PWORD

# publish VARIABLE TAG DEVICE: builds an image, pushes it, and has azd put its name into the manifests. On whatever system: the image's libtorch is that of its nodes.
publish() {
  dotnet publish src/TinyLlm.Host -c Release -r linux-x64 --self-contained false -t:PublishContainer -p:TorchDevice="$3" -p:ContainerImageTag="$2" -p:ContainerRegistry="$AZURE_CONTAINER_REGISTRY_ENDPOINT"
  azd env set "$1" "$AZURE_CONTAINER_REGISTRY_ENDPOINT/tinyllm:$2"
}

tag=$(date -u +%Y%m%d%H%M%S)
publish TINYLLM_IMAGE "$tag" cpu
# The one with CUDA is several gigabytes: built only where there is something to run it on.
if [ "$TINYLLM_GPU_POOL" = gpu ]; then
  publish TINYLLM_GPU_IMAGE "$tag-cuda" cuda
else
  azd env set TINYLLM_GPU_IMAGE "$AZURE_CONTAINER_REGISTRY_ENDPOINT/tinyllm:$tag"
fi
