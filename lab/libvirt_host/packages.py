"""The programs that the libvirt host needs; installed where that is possible, after saying so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.errors import LabError

DEBIAN = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "libvirtd": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "dnsmasq": "dnsmasq-base",
    "iptables": "iptables",
    "mkisofs": "genisoimage",
    "xsltproc": "xsltproc",
    "ip": "iproute2",
}
"""Program -> package of Debian and Ubuntu."""
DEBIAN_IMAGE = {
    "mmdebstrap": "mmdebstrap",
    "extlinux": "extlinux",
    "/usr/lib/syslinux/mbr/mbr.bin": "syslinux-common",
    "sfdisk": "fdisk",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
}
"""What building the golden image needs beside that."""
DEBIAN_FENCING = {"fence_virtd": "fence-virtd", "fence_virt": "fence-virt"}
"""What fencing virtual machines needs beside that, and the client that tries it out."""
RED_HAT = {
    "qemu-img": "qemu-img",
    "virsh": "libvirt-client libvirt-daemon-kvm",
    "mkisofs": "xorriso",
    "xsltproc": "libxslt",
    "ip": "iproute",
}
"""Program -> packages of Fedora, RHEL and Rocky, where the golden image cannot be built."""
RED_HAT_FENCING = {
    "fence_virtd": "fence-virtd fence-virtd-libvirt fence-virtd-tcp",
    "fence_virt": "fence-virt",
}
UNWANTED = {"fence-virtd": "fence_virtd.service"}
"""Package -> the unit that it starts with a configuration of its own, which the labs do not use."""
DAEMON_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec"
"""Where daemons are; not on every user's PATH."""


def missing_programs(programs: Mapping[str, str]) -> list[str]:
    """Which programs (or files, by their whole path) are not there."""
    path = f"{os.environ.get('PATH', '')}:{DAEMON_PATH}"
    return [
        name
        for name in programs
        if not (Path(name).exists() if name.startswith("/") else shutil.which(name, path=path))
    ]


def needed_programs(*, debian: bool, golden: bool, fencing: bool) -> dict[str, str]:
    """Program -> package for what this host is to do."""
    if not debian:
        return {**RED_HAT, **(RED_HAT_FENCING if fencing else {})}
    return {
        **DEBIAN,
        **(DEBIAN_IMAGE if golden else {}),
        **(DEBIAN_FENCING if fencing else {}),
    }


def ensure_packages(say: Callable[[str], None], *, golden: bool, fencing: bool = False) -> None:
    """Install what is missing, as root on Debian and Ubuntu; elsewhere say what to run.

    `golden`: the golden image is wanted, which may have to be built; `fencing`: the machines have
    to be fenced. Raises LabError with the exact command.
    """
    debian = shutil.which("apt-get") is not None
    programs = needed_programs(debian=debian, golden=golden, fencing=fencing)
    missing = missing_programs(programs)
    if not missing:
        return
    packages = sorted({programs[name] for name in missing})
    install = f"{'apt-get' if debian else 'dnf'} install --yes {' '.join(packages)}"
    if not debian or os.geteuid() != 0:
        msg = f"{', '.join(missing)} not found; run `sudo {install}`, then try again"
        raise LabError(msg)
    say(f"installing missing packages: {install}")
    _install(packages)
    left = missing_programs(programs)
    if left:
        msg = f"`{install}` did not bring {', '.join(left)}; run it yourself to see what it says"
        raise LabError(msg)


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            msg = f"`apt-get {' '.join(words)}` failed:\n{done.stderr.strip()}"
            raise LabError(msg)
    units = [UNWANTED[package] for package in packages if package in UNWANTED]
    if units and Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "disable", "--now", "--quiet", *units], check=False)
