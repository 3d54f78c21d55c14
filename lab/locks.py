"""Locks of a file backend: whose they are, and those that a killed Pulumi left.

Pulumi locks a stack with a file that names its process. A run that was killed (or whose machine
lost power) leaves it, and every later run stops with "the stack is currently locked". A lock is
removed unasked only when its process surely is gone: same host, and no process of that number.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.stack_file import PROJECT

LOCKS = ".pulumi/locks/organization"
Holder = Literal["lives", "gone", "elsewhere", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock of a stack."""

    path: Path
    holder: Holder
    """Its process: on another host nobody here can know, and a damaged file names none."""
    pid: int = 0
    owner: str = ""
    """user@host."""
    since: str = ""
    """When it was taken, as Pulumi wrote it."""

    def __str__(self) -> str:
        if self.holder == "unknown":
            return f"{self.path} is empty or damaged (a power cut?): it names nobody"
        state = {"lives": "is running", "gone": "is gone", "elsewhere": "is on another host"}
        process = f"process {self.pid} of {self.owner} {state[self.holder]}"
        return f"{process}, locked since {self.since or 'an unknown time'} ({self.path})"


def locks_of(backend_url: str, stack: str) -> list[Lock]:
    """The locks of a stack; none where its backend keeps no files."""
    if not backend_url.startswith("file://"):
        return []
    folder = Path(backend_url.removeprefix("file://")).expanduser() / LOCKS / PROJECT / stack
    return [read(path, path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def read(path: Path, text: str) -> Lock:
    """What a lock file says."""
    try:
        content = json.loads(text)
        pid, host = int(content["pid"]), str(content["hostname"])
    except (ValueError, KeyError, TypeError):
        return Lock(path=path, holder="unknown")
    if host != socket.gethostname():
        holder: Holder = "elsewhere"
    else:
        holder = "lives" if is_running(pid) else "gone"
    owner = f"{content.get('username', '?')}@{host}"
    since = str(content.get("timestamp", ""))[:19].replace("T", " ")
    return Lock(path=path, holder=holder, pid=pid, owner=owner, since=since)


def remove_stale_locks(backend_url: str, stack: str) -> list[Path]:
    """Remove this stack's locks of dead processes; returns their paths."""
    stale = [lock.path for lock in locks_of(backend_url, stack) if lock.holder == "gone"]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def is_running(pid: int) -> bool:
    """Whether a Pulumi runs under this number: not gone, not a zombie, not somebody else's."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    name, _, rest = status.partition("(")[2].rpartition(")")
    return name.startswith("pulumi") and rest.split()[0] not in "ZX"


def advice(stack: str, locks: list[Lock]) -> str:
    """What holds a stack, and what to do about it; empty where nothing does."""
    if not locks:
        return ""
    lines = [f"stack {stack} is locked: {lock}" for lock in locks]
    if any(lock.holder == "lives" for lock in locks):
        lines.append("wait for it to end, or end it; its lock goes with the next command")
    else:
        lines.append(f"where nothing works on it any more: `lab unlock {stack}`")
    return "\n".join(lines)


def current_backend(environment: dict[str, str]) -> str:
    """The backend that Pulumi uses with this environment."""
    return environment.get("PULUMI_BACKEND_URL", "")
