#!/bin/bash
# rootfs.sh DESTINATION UV UV-CACHE MIRROR   makes the file system of the Ray image: what Dockerfile
# makes with Docker, made with debootstrap, chroot and uv.
# To be run in a mount namespace of its own (onenode/ray_image.py does): when this ends, in whatever
# way, its mounts are gone, and removing a half-made DESTINATION can't reach the user's uv cache.
set -euo pipefail
root=$1 uv=$2 uv_cache=$3 mirror=$4
repository=$(cd "$(dirname "$0")/../../.." && pwd)
say() { echo "rootfs: $*" >&2; }

say "Debian"
packages=python3,python3-venv,ca-certificates,wget,curl,procps,libnuma1,libgomp1,redis-server
# It says hundreds of lines: shown if they end in a fault.
debootstrap --variant=minbase --include=$packages bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
  tail -n 30 "$root.log" >&2
  say "debootstrap failed; all that it said is in $root.log"
  exit 1
}
rm "$root.log"

# What the build needs lies under /build, and leaves with it.
mkdir "$root/build" "$root/build/uv-cache"
cp "$uv" "$root/build/uv"
cp "$repository/requirements/cpu.txt" "$root/build/requirements.txt"
cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/build/ca.crt"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$uv_cache" "$root/build/uv-cache"
mount -t proc proc "$root/proc"

# Where packages come from is the user's setting: their variables pass, nothing else does. Paths in
# them mean nothing inside, so those are set anew; the cache is another mount, which hard links
# can't cross.
inside=(env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r name; do
  inside+=("$name=${!name}")
done < <(compgen -e | grep -Ei '^(UV_|PIP_)|^(https?|no|all)_proxy$')
inside+=(SSL_CERT_FILE=/build/ca.crt UV_CACHE_DIR=/build/uv-cache UV_LINK_MODE=copy
  UV_HTTP_TIMEOUT=300 UV_NO_CONFIG=1)
within() { chroot "$root" "${inside[@]}" "$@"; }

say "Python packages of requirements/cpu.txt"
within /build/uv venv --quiet --python /usr/bin/python3 /opt/ray
within /build/uv pip install --quiet --python /opt/ray/bin/python --no-deps --require-hashes \
  -r /build/requirements.txt
# Compiled once here, since a pod's root file system is read-only: each worker would compile anew.
# A few files are templates and no Python, and compileall's status counts them.
say "bytecode"
within /opt/ray/bin/python -m compileall -q -j 0 /opt/ray/lib/python3.11/site-packages >/dev/null || true

# Who and where, as in rayproject/ray's images.
within useradd --uid 1000 --gid 100 --create-home --home-dir /home/ray --shell /bin/bash ray
# A login shell sets PATH itself, and Debian's has no `python`.
# shellcheck disable=SC2016
echo 'export PATH=/opt/ray/bin:$PATH' >"$root/etc/profile.d/ray.sh"
for command in python ray serve; do ln -s /opt/ray/bin/$command "$root/usr/local/bin/$command"; done

mkdir -p "$root/models/nano"
(cd "$repository/models/nano" && cp config.json generation_config.json model.safetensors \
  tokenizer.json tokenizer_config.json chat_template.jinja "$root/models/nano/")
chmod -R a+rX "$root/models" "$root/opt"

umount "$root/build/uv-cache" "$root/proc"
rm -rf "$root/build" "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
  "$root"/usr/share/{doc,man,locale}/* "$root"/tmp/* "$root"/var/log/*
# The kubelet gives each container its own.
: >"$root/etc/resolv.conf"
echo 'deb http://deb.debian.org/debian bookworm main' >"$root/etc/apt/sources.list"
say "done: $(du -sh "$root" | cut -f1)"
