"""What the host must have, and the installing of it on Debian."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from onenode.places import fail, output, say

# By package, what shows that it is there: a command, or a file.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "ipset": "ipset",
    "iproute2": "ip",
    "procps": "sysctl",
    "debootstrap": "debootstrap",
    "openssl": "openssl",
}
POLICY = Path("/usr/sbin/policy-rc.d")


def prepare() -> None:
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        fail("needs Linux on x86_64: the locked Python packages are for that alone")
    if os.geteuid() != 0:
        fail("needs root, for namespaces, mounts and cgroups: run it with sudo --preserve-env")
    # Debian keeps some of these where a user's PATH doesn't lead.
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin"
    _check_go()
    missing = [name for name, sign in PACKAGES.items() if not _is_there(sign)]
    if missing:
        _install(missing)
    # Services need it; a kernel without module loading has it built in, or not at all.
    if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
        subprocess.run(["modprobe", "br_netfilter"], stderr=subprocess.DEVNULL, check=False)
        if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
            fail("the kernel has no br_netfilter, which Services need: load that module")


def _is_there(sign: str) -> bool:
    return Path(sign).exists() if sign.startswith("/") else shutil.which(sign) is not None


def _check_go() -> None:
    found = "none"
    if shutil.which("go"):
        asked = subprocess.run(
            ["go", "env", "GOVERSION"],
            env={**os.environ, "GOTOOLCHAIN": "local"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        found = asked.stdout.strip()
    version = re.match(r"go1\.(\d+)", found)
    if not version or int(version[1]) < 21:
        fail(f"needs Go 1.21 or newer on PATH (found: {found}): install it (https://go.dev/dl)")


def _install(missing: list[str]) -> None:
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        fail(f"install what these packages of Debian hold: {names}")
    say(f"installing {names}")
    # Installing must not start a containerd on the host: maintainer scripts ask this file first.
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        quietly = {"DEBIAN_FRONTEND": "noninteractive"}
        output("apt-get", "update", "-qq", environment=quietly)
        output(
            *("apt-get", "install", "-qq", "--yes", "--no-install-recommends", *missing),
            environment=quietly,
        )
    finally:
        if ours:
            POLICY.unlink()
