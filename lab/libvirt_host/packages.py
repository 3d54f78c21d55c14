"""The programs that the libvirt host needs; installed where that is possible, after saying so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

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
RED_HAT = {
    "qemu-kvm": "qemu-kvm",
    "qemu-img": "qemu-img",
    "virsh": "libvirt-client libvirt-daemon-kvm",
    "mkisofs": "xorriso",
    "xsltproc": "libxslt",
    "ip": "iproute",
}
"""Program -> packages of Fedora, RHEL and Rocky."""
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec"
"""Where daemons are, which are not on every user's PATH."""


def missing_programs(programs: dict[str, str]) -> list[str]:
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    return [name for name in programs if shutil.which(name, path=path) is None]


def ensure_packages(say: Callable[[str], None]) -> None:
    """Install what is missing, as root on Debian and Ubuntu; elsewhere say what to run.

    Raises LabError with the exact command.
    """
    debian = shutil.which("apt-get") is not None
    programs = DEBIAN if debian else RED_HAT
    missing = missing_programs(programs)
    if not missing:
        return
    packages = sorted({programs[name] for name in missing})
    tool = "apt-get" if debian else "dnf"
    command = f"{tool} install --yes {' '.join(packages)}"
    if not debian or os.geteuid() != 0:
        msg = f"{', '.join(missing)} not found; run `sudo {command}`, then try again"
        raise LabError(msg)
    say(f"installing missing packages: {command}")
    _install(packages)
    left = missing_programs(programs)
    if left:
        msg = f"`{command}` did not bring {', '.join(left)}; see what it says"
        raise LabError(msg)


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300"]
    if subprocess.run([*apt, "update"], env=environment, check=False).returncode != 0:
        return
    wanted = ["install", "--yes", "--no-install-recommends", *packages]
    subprocess.run([*apt, *wanted], env=environment, check=False)
