"""A libvirt daemon that answers: the system's own, or one that the project starts.

Where no service manager runs libvirt (a container, a minimal system), the project starts virtlogd
and libvirtd in a network namespace of its own, so that bridges and traffic stay there. Their
configuration is mounted over /etc/libvirt for them alone; the host's /etc is not touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.libvirt_host.virsh import Virsh

SYSTEM_URI = "qemu:///system"
NAMESPACE = "ha-lab"
RUNTIME = Path("/run/ha-lab")
"""Process ids, lock and log of the daemons that the project started."""
CONFIGURATION = Path("/var/lib/ha-lab/libvirt")
"""Their /etc/libvirt: machines and networks are defined in it, so it outlives a reboot."""
SERVICE_MANAGER = Path("/run/systemd/system")
"""There where systemd runs the machine (sd_booted(3))."""
DAEMONS = ("libvirtd", "virtlogd")
START_DEADLINE_S = 90
"""The first start probes every emulator that is installed."""
STOP_DEADLINE_S = 20

QEMU_CONF = 'security_driver = "none"\nuser = "root"\ngroup = "root"\n'
LIBVIRTD_CONF = (
    f'auth_unix_rw = "none"\nauth_unix_ro = "none"\nlog_outputs = "3:file:{RUNTIME}/libvirtd.log"\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtHost:
    """Where libvirt answers, and from where its networks are reached."""

    uri: str
    prefix: tuple[str, ...] = ()
    """Words before a command that must reach the machines: `ip netns exec ha-lab`, or nothing."""
    started_by_us: bool = False

    @property
    def virsh(self) -> Virsh:
        return Virsh(uri=self.uri, prefix=self.prefix)


def ensure_libvirtd(uri: str = SYSTEM_URI) -> LibvirtHost:
    """A daemon that answers at the URI, started where that is needed and possible.

    One that the project started and that is out of reach is started again: somebody removed its
    network namespace, or it hangs. Machines go on meanwhile. Raises LabError with the command that
    helps.
    """
    own = LibvirtHost(uri=uri, prefix=("ip", "netns", "exec", NAMESPACE), started_by_us=True)
    if uri == SYSTEM_URI and is_ours():
        if own.virsh.answers():
            return own
        _end_unreachable()
    foreign = LibvirtHost(uri=uri)
    if foreign.virsh.answers():
        return foreign
    if uri != SYSTEM_URI:
        msg = f"libvirt does not answer at {uri}: {foreign.virsh.complaint()}; check libvirt.uri"
        raise LabError(msg)
    if SERVICE_MANAGER.exists():
        return _start_with_systemd(foreign)
    with _lock():
        if not is_ours():
            _start()
    _wait_for(own)
    return own


def is_ours() -> bool:
    """Whether the daemons that the project started are running."""
    return all(_running(daemon) for daemon in DAEMONS)


def stop_libvirtd() -> None:
    """End the daemons that the project started, and remove their namespace.

    Raises LabError while labs are still there: their machines would be out of reach.
    """
    if not is_ours():
        return
    virsh = LibvirtHost(uri=SYSTEM_URI).virsh
    left = [*virsh.names("list", "--name"), *virsh.names("net-list", "--name")]
    if left:
        msg = f"libvirt still runs {', '.join(sorted(left))}; `make down STACK=...` first"
        raise LabError(msg)
    with _lock():
        for daemon in DAEMONS:
            _stop(daemon)
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=False, capture_output=True)


def _end_unreachable() -> None:
    """By force where they do not end by themselves."""
    with _lock():
        for daemon in DAEMONS:
            try:
                _stop(daemon)
            except LabError:
                _stop(daemon, signal.SIGKILL)


def _start_with_systemd(host: LibvirtHost) -> LibvirtHost:
    """Ask the service manager; monolithic libvirtd or, in the Red Hat family, modular daemons."""
    for unit in ("libvirtd.service", "virtqemud.socket"):
        subprocess.run(["systemctl", "start", unit], check=False, capture_output=True)
        if host.virsh.answers():
            return host
    msg = (
        f"libvirt does not answer at {host.uri}: {host.virsh.complaint()}."
        " Start it with `sudo systemctl enable --now libvirtd`, and let your user use it with"
        " `sudo usermod -aG libvirt $USER` (then log in again)"
    )
    raise LabError(msg)


def _start() -> None:
    if os.geteuid() != 0:
        msg = "libvirtd does not run here, and starting it takes root: `sudo make up`"
        raise LabError(msg)
    missing = [name for name in (*DAEMONS, "ip") if shutil.which(name) is None]
    if missing:
        msg = f"{', '.join(missing)} not found; `apt-get install libvirt-daemon-system iproute2`"
        raise LabError(msg)
    CONFIGURATION.mkdir(parents=True, exist_ok=True)
    (CONFIGURATION / "qemu.conf").write_text(QEMU_CONF)
    (CONFIGURATION / "libvirtd.conf").write_text(LIBVIRTD_CONF)
    (CONFIGURATION / "virtlogd.conf").write_text("")
    if not Path("/run/netns", NAMESPACE).exists():
        _ip("netns", "add", NAMESPACE)
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    # `ip netns exec` runs in a mount namespace of its own: the mount is seen by the daemons only.
    steps = [f"mount --bind {CONFIGURATION} /etc/libvirt"]
    steps += [f"{d} -d -p {RUNTIME}/{d}.pid" for d in reversed(DAEMONS) if not _running(d)]
    script = " && ".join(steps)
    command = ["ip", "netns", "exec", NAMESPACE, "sh", "-ec", script]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        msg = f"libvirtd did not start: {done.stderr.strip()}; see {RUNTIME}/libvirtd.log"
        raise LabError(msg)


def _wait_for(host: LibvirtHost) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while not host.virsh.answers():
        if time.monotonic() > deadline:
            msg = (
                f"libvirtd was started but does not answer after {START_DEADLINE_S} s:"
                f" {host.virsh.complaint()}; see {RUNTIME}/libvirtd.log"
            )
            raise LabError(msg)
        time.sleep(0.2)


def _running(daemon: str) -> bool:
    """The process of the pid file, when it still is that daemon and no zombie."""
    pid = _pid(daemon)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text() if pid is not None else ""
    except OSError:
        return False
    return f"({daemon})" in stat and not stat.rpartition(")")[2].lstrip().startswith("Z")


def _pid(daemon: str) -> int | None:
    try:
        return int((RUNTIME / f"{daemon}.pid").read_text())
    except (OSError, ValueError):
        return None


def _stop(daemon: str, number: signal.Signals = signal.SIGTERM) -> None:
    pid = _pid(daemon)
    if pid is None or not _running(daemon):
        return
    os.kill(pid, number)
    deadline = time.monotonic() + STOP_DEADLINE_S
    while _running(daemon):
        if time.monotonic() > deadline:
            msg = f"{daemon} (process {pid}) did not end within {STOP_DEADLINE_S} s"
            raise LabError(msg)
        time.sleep(0.1)


@contextmanager
def _lock() -> Iterator[None]:
    """Two commands at once must not start two daemons."""
    try:
        RUNTIME.mkdir(parents=True, exist_ok=True)
        file = (RUNTIME / "lock").open("w")
    except PermissionError:
        msg = "libvirtd does not run here, and starting it takes root: `sudo make up`"
        raise LabError(msg) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = (
            f"`ip {' '.join(words)}` failed: {done.stderr.strip()};"
            " the project needs root and network namespaces where it has to start libvirtd"
        )
        raise LabError(msg)
