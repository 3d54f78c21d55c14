"""What this host offers for starting machines."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from rig.boot import Host, missing_tools
from rig.model import RigError

_log = logging.getLogger("rig")
_CGROUP = Path("/sys/fs/cgroup")
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
#: A machine's systemd and daemons use 7 to 12; the usual limit of 128 ends with the tenth machine,
#: whose boot then fails in odd ways.
_INOTIFY_NEEDED = 1024
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


def raise_limits() -> None:
    """Lift the one kernel limit that a rig runs into; says so, and leaves it lifted."""
    now = int(_INOTIFY.read_text())
    if now < _INOTIFY_NEEDED:
        _log.warning("fs.inotify.max_user_instances: %d -> %d", now, _INOTIFY_NEEDED)
        _INOTIFY.write_text(f"{_INOTIFY_NEEDED}\n")


def _divided(unified: bool) -> tuple[Path, ...]:
    if unified:
        return (_CGROUP,)
    mounted = [p for p in sorted(_CGROUP.iterdir()) if (p / "cgroup.procs").exists()]
    return tuple(p for p in mounted if not p.is_symlink() and p.name not in _UNDIVIDED)
