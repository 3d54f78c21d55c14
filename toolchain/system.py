"""The components `system-*`: packages of the operating system."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from toolchain import paths
from toolchain.errors import SetupError
from toolchain.progress import Progress, run_logged

PACKAGES: dict[str, tuple[str, ...]] = {
    # A libvirt host: VMs, their networks and cloud-init disks; UEFI firmware.
    "system-libvirt": (
        "qemu-system-x86",
        "qemu-utils",
        "libvirt-daemon-system",
        "libvirt-clients",
        "dnsmasq-base",
        "iptables",
        "iproute2",
        "genisoimage",
        "xsltproc",
        "ovmf",
        "fence-virtd",
        "fence-virt",
    ),
    # Machines without VMs: nspawn over one root tree, in network namespaces.
    "system-rig": (
        "systemd-container",
        "mmdebstrap",
        "iproute2",
        "nftables",
        "openssh-client",
        "slirp4netns",
    ),
    # The golden guest image: a bootable qcow2 of the same root tree.
    "system-image": (
        "mmdebstrap",
        "extlinux",
        "syslinux-common",
        "e2fsprogs",
        "fdisk",
        "qemu-utils",
    ),
    # What the tests drive: SSH on loopback, and validators of rendered configuration.
    "system-test": (
        "openssh-server",
        "openssh-client",
        "curl",
        "nftables",
        "haproxy",
        "keepalived",
        "nginx",
        "psmisc",
        "shellcheck",
        "libnss3-tools",
        "iproute2",
    ),
}

SERVICES = {
    "haproxy": "haproxy",
    "keepalived": "keepalived",
    "nginx": "nginx",
    "fence-virtd": "fence_virtd",
}
"""Package -> unit that is not to run on this machine: three are here for their configuration
checkers, and the labs' own fence_virtd have a configuration each."""

_STALE = 24 * 3600.0
"""Seconds after which the lists of packages are fetched again before installing."""


def ensure_packages(component: str, progress: Progress) -> None:
    """Install what is missing, after saying so; without root, say the command instead."""
    wanted = PACKAGES[component]
    if not shutil.which("dpkg-query"):
        _refuse_foreign(component, wanted)
        return
    missing = missing_packages(wanted)
    if not missing:
        progress.note(f"{component}: all {len(wanted)} packages are installed")
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        raise SetupError(
            f"{component} needs packages that only root can install. Run this, then try again:\n"
            f"  sudo {shlex.join(install)}",
            exit_code=2,
        )
    progress.tell(f"{component}: installing with apt-get: {' '.join(missing)}")
    _install(component, install, missing, progress)


def missing_packages(wanted: tuple[str, ...]) -> list[str]:
    """Which of the wanted packages are not installed."""
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *wanted],
        capture_output=True,
        text=True,
    )
    return missing_from(result.stdout, wanted)


def missing_from(listing: str, wanted: tuple[str, ...]) -> list[str]:
    """`missing_packages` for a listing of lines "installed NAME"."""
    installed = {line.split()[1] for line in listing.splitlines() if line.startswith("installed ")}
    return [package for package in wanted if package not in installed]


def _install(component: str, install: list[str], missing: list[str], progress: Progress) -> None:
    log = paths.cache() / "logs" / f"{component}-{time.strftime('%Y%m%d-%H%M%S')}.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    unwanted = [SERVICES[package] for package in missing if package in SERVICES]
    with progress.step(f"{component}: apt-get install"):
        if _lists_are_stale():
            run_logged(["apt-get", "update"], log=log, env=env)
        run_logged(install, log=log, env=env, hint="Is another apt or dpkg running?")
        if unwanted and Path("/run/systemd/system").is_dir():
            run_logged(["systemctl", "disable", "--now", *unwanted], log=log, env=env)
    log.unlink()


def _lists_are_stale() -> bool:
    lists = Path("/var/lib/apt/lists")
    newest = max((file.stat().st_mtime for file in lists.glob("*_Packages*")), default=0.0)
    return time.time() - newest > _STALE


def _refuse_foreign(component: str, wanted: tuple[str, ...]) -> None:
    programs = {"libvirtd", "virsh", "qemu-img"} if component == "system-libvirt" else set()
    if programs and all(shutil.which(program) for program in programs):
        return
    raise SetupError(
        f"{component}: this is not a Debian or Ubuntu machine, so its packages cannot be installed "
        "from here. Install what corresponds to these Debian packages, then try again:\n"
        f"  {' '.join(wanted)}",
        exit_code=2,
    )
