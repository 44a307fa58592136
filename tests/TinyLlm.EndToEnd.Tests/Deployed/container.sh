#!/usr/bin/env bash
# container.sh ROOT APP KEYS ACCOUNT DOTNET USER VOLUME...: starts the host in the folder APP, in a root that can't be written but for the volumes, as a user without
# rights: as a container would have it. Run it in a mount namespace of its own ("unshare --mount"): what it mounts is gone with it.
set -euo pipefail
root=$1 app=$2 keys=$3 account=$4 dotnet=$5 user=$6
shift 6
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/{usr,etc,app,keys,dotnet,proc,dev,run/secrets/kubernetes.io/serviceaccount,var}
ln -s /run "$root/var/run"
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then cp -P "/$folder" "$root/$folder"
  elif [ -d "/$folder" ]; then mkdir "$root/$folder"; mount --bind "/$folder" "$root/$folder"; mount -o remount,bind,ro "$root/$folder"; fi
done
for pair in /usr:usr /etc:etc "$app:app" "$dotnet:dotnet" "$account:run/secrets/kubernetes.io/serviceaccount"; do
  mount --bind "${pair%%:*}" "$root/${pair##*:}"
  mount -o remount,bind,ro "$root/${pair##*:}"
done
mount --bind "$keys" "$root/keys"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
for volume in "$@"; do
  mkdir -p "$root$volume"
  mount -t tmpfs -o mode=1777 tmpfs "$root$volume"
done
mount -o remount,ro "$root"
exec chroot --userspec="$user:$user" --groups="$user" "$root" /usr/bin/env --chdir=/app HOME=/tmp DOTNET_ROOT=/dotnet \
  bash -c 'if touch /app/probe 2>/dev/null || touch /probe 2>/dev/null || [ "$(id -u)" = 0 ]; then echo "the root can be written, or the user has rights" >&2; exit 1; fi; exec /dotnet/dotnet TinyLlm.Host.dll'
