#!/bin/sh
# Writes the secrets that a new deployment needs to the key vaults of its roles: those that are there stay as they are. Run by azd after provisioning.
# Needs az, signed in, and openssl. No secret is printed, and none is an argument of a process.
set -eu
: "${TINYLLM_API_VAULT_URI:?run it by azd, or set what the deployment put out}" "${TINYLLM_CORE_VAULT_URI:?}" "${TINYLLM_GPU_VAULT_URI:?}"
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name of a vault is the first part of its address.
vault_of() { printf %s "$1" | sed -e 's#^https\{0,1\}://##' -e 's#[.:/].*##'; }

# has VAULT NAME: whether the vault has the secret. Anything but "it is not there" ends the script: a second host key is not a remedy for a bad connection.
# Only a refusal is waited for, as a role that was assigned a moment ago counts after some minutes.
patience=60
has() {
  while ! az keyvault secret show --vault-name "$1" --name "$2" --query id --output tsv >/dev/null 2>"$work/error"; do
    grep -q SecretNotFound "$work/error" && return 1
    if ! grep -q Forbidden "$work/error" || [ "$patience" -eq 0 ]; then
      cat "$work/error" >&2
      exit 1
    fi
    patience=$((patience - 1))
    sleep 10
  done
}

put() { az keyvault secret set --vault-name "$1" --name "$2" --file "$work/$2" --encoding utf-8 --output none; }

key() { openssl rand -hex 32 >"$work/$1"; }
signing_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1" 2>/dev/null; }

api=$(vault_of "$TINYLLM_API_VAULT_URI")
core=$(vault_of "$TINYLLM_CORE_VAULT_URI")
gpu=$(vault_of "$TINYLLM_GPU_VAULT_URI")

for name in host tokens; do has "$core" $name || { key $name; put "$core" $name; }; done
for name in audit signing; do has "$core" $name || { signing_key $name; put "$core" $name; }; done

# Core signs leases, sessions verify them: both vaults get the same key. Where core's is there, the other is copied from it.
if ! has "$core" leases; then key leases; put "$core" leases; fi
if ! has "$gpu" leases; then
  rm -f "$work/leases"
  az keyvault secret download --vault-name "$core" --name leases --file "$work/leases" --encoding utf-8 --output none
  put "$gpu" leases
fi

if ! has "$api" admin-token; then
  printf 'tlmadmin_%s' "$(openssl rand -hex 32 | cut -c 1-43)" >"$work/admin-token" # as long as the host's own, so that secret scanners know it
  put "$api" admin-token
fi
echo "the secrets of $api, $core and $gpu are there"
