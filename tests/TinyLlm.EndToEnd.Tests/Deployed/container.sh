#!/usr/bin/env bash
# container.sh ROOT APP KEYS ACCOUNT DOTNET: the folder APP in a root that can't be written, as a user without rights, as a container would have it. Run it in a mount
# namespace of its own ("unshare --mount"): what it mounts is gone with it.
set -euo pipefail
root=$1 app=$2 keys=$3 account=$4 dotnet=$5
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/{usr,etc,app,keys,dotnet,data,tmp,proc,dev,run/secrets/kubernetes.io/serviceaccount} "$root/var"
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
# The manifest's two volumes.
mount -t tmpfs -o mode=1777 tmpfs "$root/data"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -o remount,ro "$root"
exec chroot --userspec=1654:1654 --groups=1654 "$root" /usr/bin/env --chdir=/app HOME=/tmp DOTNET_ROOT=/dotnet \
  bash -c 'if touch /app/probe 2>/dev/null || touch /probe 2>/dev/null || [ "$(id -u)" = 0 ]; then echo "the root can be written, or the user has rights" >&2; exit 1; fi; exec /dotnet/dotnet TinyLlm.Host.dll'
