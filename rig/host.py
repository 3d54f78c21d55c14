"""What this host offers for starting machines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rig.boot import Host, missing_tools
from rig.model import RigError

_CGROUP = Path("/sys/fs/cgroup")
#: Hierarchies that cannot be divided without further settings: a new `cpu` group may use no
#: real-time scheduling (corosync and keepalived ask for it), a new `cpuset` has no processor.
_UNDIVIDED = ("cpu", "cpuacct", "cpu,cpuacct", "cpuset")


def inspect_host() -> Host:
    """How machines can be started here; RigError with the remedy when they cannot be."""
    commands = ("systemd-nspawn", "ip", "unshare", "nsenter")
    if packages := missing_tools([c for c in commands if shutil.which(c)]):
        raise RigError(f"missing programs; install them: apt-get install -y {' '.join(packages)}")
    if os.geteuid() != 0:
        raise RigError("the rig makes namespaces and mounts: run it as root (sudo -E)")
    unified = (_CGROUP / "cgroup.controllers").exists()
    systemd = Path("/run/systemd/system").is_dir()
    return Host(cgroups=() if systemd else _divided(unified), unified=unified, systemd=systemd)


def _divided(unified: bool) -> tuple[Path, ...]:
    if unified:
        return (_CGROUP,)
    mounted = [p for p in sorted(_CGROUP.iterdir()) if (p / "cgroup.procs").exists()]
    return tuple(p for p in mounted if not p.is_symlink() and p.name not in _UNDIVIDED)
