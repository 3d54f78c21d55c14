"""fence_virtd on the libvirt host: one for each lab, by which its members cut each other's power.

It listens on the gateway's address of the lab's bridge, where libvirt's networks are, and speaks to
libvirt. Two of its habits would be holes, so both are looked for after each start: without a key
file that it can read it asks nobody for the key, and without a group it lets everybody fence
everything. The directory of its files is removed with the lab; nothing of it survives a reboot.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.fencing.choice import PORT
from components.fencing.devices import XVM_AGENT
from components.fencing.virtd import virtd_conf
from components.machines.names import domain_name
from components.topology import Role, Topology
from lab.errors import LabError
from lab.libvirt_host.daemon import RUNTIME, LibvirtHost

DAEMON = "fence_virtd"
START_DEADLINE_S = 20
"""The daemon tries every five seconds to listen on a bridge that comes up."""
STOP_DEADLINE_S = 10
NOT_PERMITTED = 3
"""fence_virt's exit status for a caller that has the key but stands in no group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceDaemon:
    """The daemon of one lab."""

    host: LibvirtHost
    topology: Topology

    @property
    def folder(self) -> Path:
        """Its configuration, key and process id; on a disk that is empty after a reboot."""
        root = RUNTIME
        if os.geteuid() != 0:
            root = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"), "ha-lab")  # noqa: S108
        return root / "fencing" / self.topology.prefix

    @property
    def key_file(self) -> Path:
        return self.folder / "key"

    def ensure(self, key: Callable[[], str] | None = None) -> None:
        """It runs with this lab's members, and with the key; nothing changes where it does.

        `key` is asked for the lab's fence key; None keeps the one that is there. Raises LabError.
        """
        with self._locked():
            conf = virtd_conf(self.topology, uri=self.host.uri, key_file=str(self.key_file))
            changed = _written(self.folder / "fence_virt.conf", conf)
            if key is not None:
                changed |= _written(self.key_file, f"{key()}\n")
            if changed or self._pid() is None:
                self._stop()
                self._start()
            self._await_strictness()

    def stop(self) -> None:
        """It is ended and its files are gone; nothing to do where there are none."""
        if self.folder.exists():
            with self._locked():
                self._stop()
                shutil.rmtree(self.folder)

    @property
    def has_key(self) -> bool:
        """Whether it was given a key since the host has started."""
        return self.key_file.exists()

    def why_not_strict(self) -> str | None:
        """Why the daemon must not go on running; None where it asks for key and group.

        Asked from the gateway's own address, which is in no group: with the key it has to be
        refused for that, without the key it has to get no answer at all.
        """
        if self._asked() in (0, 2):
            return "it lets callers fence that are in no group"
        if self._asked("-C", "none", "-c", "none") in (0, 2, NOT_PERMITTED):
            return "it does not ask for the key"
        return None

    def answers(self) -> bool:
        """Whether the daemon is there, has the key, and knows whom it serves."""
        return self._asked() == NOT_PERMITTED

    def _asked(self, *options: str) -> int:
        """fence_virt's exit status when it asks from here about a member."""
        member = self.topology.with_role(Role.CLUSTER)[0]
        domain = domain_name(self.topology, member)
        where = ["-T", str(self.topology.gateway), "-p", str(PORT), "-k", str(self.key_file)]
        ask = [XVM_AGENT, *where, "-t", "5", "-o", "status", "-H", domain, *options]
        try:
            done = subprocess.run(
                [*self.host.prefix, *ask], capture_output=True, check=False, timeout=30
            )
        except (subprocess.TimeoutExpired, FileNotFoundError):
            return 1
        return done.returncode

    def _await_strictness(self) -> None:
        """On a bridge that exists it answers soon, and as it must; otherwise it is ended."""
        deadline = time.monotonic() + START_DEADLINE_S
        while not self.answers():
            problem = self.why_not_strict()
            if problem is None and not self._bridge_is_up():
                return  # the first `up` makes the bridge, and asks through the members itself
            if problem is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            self._stop()
            what = problem or f"it did not answer within {START_DEADLINE_S} s"
            msg = f"{DAEMON} of {self.topology.prefix} was ended again: {what}"
            raise LabError(msg)
        if problem := self.why_not_strict():
            self._stop()
            msg = f"{DAEMON} of {self.topology.prefix} was ended again: {problem}"
            raise LabError(msg)

    def _bridge_is_up(self) -> bool:
        show = [*self.host.prefix, "ip", "-brief", "address", "show", "dev", self.topology.bridge]
        done = subprocess.run(show, capture_output=True, text=True, check=False)
        return f"{self.topology.gateway}/" in done.stdout

    def _start(self) -> None:
        conf, pid_file = self.folder / "fence_virt.conf", self.folder / "pid"
        command = [*self.host.prefix, DAEMON, "-w", "-f", str(conf), "-p", str(pid_file)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            msg = f"{DAEMON} did not start: {(done.stdout + done.stderr).strip()}"
            raise LabError(msg)
        deadline = time.monotonic() + START_DEADLINE_S
        while self._pid() is None:
            if time.monotonic() > deadline:
                msg = f"{DAEMON} has ended as soon as it was started; see the host's syslog"
                raise LabError(msg)
            time.sleep(0.02)

    def _stop(self) -> None:
        begun = time.monotonic()
        while (pid := self._pid()) is not None:
            waited = time.monotonic() - begun
            if waited > 2 * STOP_DEADLINE_S:
                msg = f"{DAEMON} (process {pid}) did not end within {waited:.0f} s"
                raise LabError(msg)
            os.kill(pid, signal.SIGTERM if waited < STOP_DEADLINE_S else signal.SIGKILL)
            time.sleep(0.05)
        # Left by a daemon that was killed: another process may have got its number meanwhile.
        (self.folder / "pid").unlink(missing_ok=True)

    def _pid(self) -> int | None:
        """The process of the pid file, where it still is this lab's daemon."""
        try:
            pid = int((self.folder / "pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.folder / "fence_virt.conf").encode() in words else None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two commands at once must not start two daemons."""
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder.parent / f".{self.topology.prefix}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.folder.mkdir(exist_ok=True, mode=0o700)
            yield


def _written(path: Path, text: str) -> bool:
    """Write a file for its owner alone; whether its text has changed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True
