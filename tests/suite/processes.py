"""Processes of this machine: who descends from whom, and their end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.model import RigError
from rig.processes import send, start_time, wait_until

Say = Callable[[str], None]
END_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int = 1
    session: int = 0
    argv: tuple[str, ...] = ()


def running() -> list[Process]:
    """Every process that has a command line: neither threads of the kernel nor the dead."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    found = (_read(pid) for pid in numbers)
    return [process for process in found if process is not None]


def _read(pid: int) -> Process | None:
    folder = Path("/proc", str(pid))
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return None
    if words == [""]:
        return None
    return Process(pid=pid, parent=int(fields[1]), session=int(fields[3]), argv=tuple(words[:-1]))


def lineage(processes: Iterable[Process], pid: int) -> frozenset[int]:
    """A process and all that it descends from."""
    parents = {process.pid: process.parent for process in processes}
    found: set[int] = set()
    while pid in parents and pid not in found:
        found.add(pid)
        pid = parents[pid]
    return frozenset(found)


def with_descendants(chosen: Iterable[Process], processes: Iterable[Process]) -> list[Process]:
    """The chosen processes and what descends from them in the same session.

    A daemon that one of them started is in a session of its own: it may serve others too.
    """
    everyone = list(processes)
    found = {process.pid: process for process in chosen}
    waiting = list(found.values())
    while waiting:
        above = waiting.pop()
        for process in everyone:
            is_child = process.parent == above.pid and process.session == above.session
            if is_child and process.pid not in found:
                found[process.pid] = process
                waiting.append(process)
    return list(found.values())


def may_be_ended(pids: Iterable[int], processes: Iterable[Process], *, own: int) -> frozenset[int]:
    """These processes without the one that is `own` and those that it descends from."""
    return frozenset(pids) - lineage(processes, own) - {own}


def end(pids: Iterable[int], say: Say) -> None:
    """Kill these processes, but never this one nor those that it descends from; says who stays."""
    doomed = set(may_be_ended(pids, running(), own=os.getpid()))
    for pid in sorted(doomed):
        try:
            send(pid, signal.SIGKILL)
        except PermissionError:
            say(f"process {pid} is another user's: it stays")
            doomed.remove(pid)
    try:
        wait_until(
            lambda: not any(start_time(pid) for pid in doomed),
            deadline=END_WITHIN_S,
            what=f"the end of processes {sorted(doomed)}",
        )
    except RigError as problem:
        say(str(problem))
