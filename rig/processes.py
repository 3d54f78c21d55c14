"""Finding, stopping and ending a machine's processes, by namespace and never by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from rig.model import RigError

_PROC = Path("/proc")
_NETNS = Path("/run/netns")


def namespace_members(namespace: str) -> list[int]:
    """Process ids inside the named network namespace; empty when it does not exist."""
    try:
        wanted = (_NETNS / namespace).stat().st_ino
    except FileNotFoundError:
        return []
    return [pid for pid in _pids() if _namespace_of(pid, "net") == wanted]


def leader(namespace: str) -> int | None:
    """The machine's process 1, as the host numbers it; None when the machine is off."""
    for pid in namespace_members(namespace):
        numbers = _status_field(pid, "NSpid").split()
        if len(numbers) > 1 and numbers[-1] == "1":
            return pid
    return None


def machine_processes(leader_pid: int) -> list[int]:
    """Every process of the machine whose process 1 is `leader_pid`, that one first."""
    wanted = _namespace_of(leader_pid, "pid")
    if wanted is None:
        return []
    others = [p for p in _pids() if p != leader_pid and _namespace_of(p, "pid") == wanted]
    return [leader_pid, *others]


def is_frozen(leader_pid: int) -> bool:
    """Whether process 1 of a machine is stopped."""
    return _status_field(leader_pid, "State").startswith("T")


def freeze(leader_pid: int, *, deadline: float = 5.0) -> None:
    """Stop all of a machine's processes; repeats, because they fork until process 1 stops."""

    def all_stopped() -> bool:
        running = [
            p
            for p in machine_processes(leader_pid)
            if _status_field(p, "State")[:1] not in ("T", "Z", "")
        ]
        for pid in running:
            send(pid, signal.SIGSTOP)
        return not running

    wait_until(all_stopped, deadline=deadline, what="every process of the machine to stop")


def thaw(leader_pid: int) -> None:
    """Let all of a machine's processes go on, process 1 last."""
    for pid in reversed(machine_processes(leader_pid)):
        send(pid, signal.SIGCONT)


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def start_time(pid: int) -> str:
    """When the process started, in clock ticks after boot; empty when it has ended.

    With the id it names one process for ever, however often ids are used again.
    """
    return "" if _stat_field(pid, 0) == "Z" else _stat_field(pid, 19)


def recorded_process(path: Path) -> int | None:
    """The live process that wrote "pid start-time" into `path`; None when it has ended."""
    try:
        pid, started = path.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == started else None


def recorded_session(path: Path) -> list[int]:
    """Live processes of the session that the process recorded in `path` leads or led."""
    try:
        text, started = path.read_text().split()
    except (OSError, ValueError):
        return []
    # The id of an ended leader is not given away while its session lives; once it belongs to
    # another process, nothing of the old session is left.
    if start_time(int(text)) not in ("", started):
        return []
    members = (pid for pid in _pids() if _stat_field(pid, 3) == text)
    # Where process 1 of the host reaps slowly, the dead stay listed for seconds.
    return [pid for pid in members if _stat_field(pid, 0) != "Z"]


def wait_until(done: Callable[[], bool], *, deadline: float, what: str) -> None:
    """Return when `done`; RigError after `deadline` seconds."""
    end = time.monotonic() + deadline
    pause = 0.002
    while not done():
        if time.monotonic() > end:
            raise RigError(f"waited {deadline:g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _namespace_of(pid: int, kind: str) -> int | None:
    try:
        return (_PROC / str(pid) / "ns" / kind).stat().st_ino
    except OSError:
        return None


def _stat_field(pid: int, position: int) -> str:
    """A field of /proc/PID/stat, counted from the one behind the command's name."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[position]
    except (OSError, IndexError):
        return ""


def _status_field(pid: int, field: str) -> str:
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return ""
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return line.partition(":")[2].strip()
    return ""
