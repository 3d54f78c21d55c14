"""Locks that a killed Pulumi left in a file backend.

Pulumi locks a stack with a file that names its process. A run that was killed (or whose machine
lost power) leaves it, and every later run stops with "the stack is currently locked". A lock is
removed only when its process surely is gone: same host, and no process of that number.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

from lab.stack_file import PROJECT

LOCKS = ".pulumi/locks/organization"


def remove_stale_locks(backend_url: str, stack: str) -> list[Path]:
    """Remove this stack's locks of dead processes; returns their paths."""
    if not backend_url.startswith("file://"):
        return []
    folder = Path(backend_url.removeprefix("file://")).expanduser() / LOCKS / PROJECT / stack
    stale = [path for path in sorted(folder.glob("*.json")) if is_stale(path.read_text("utf-8"))]
    for path in stale:
        path.unlink()
    return stale


def is_stale(lock: str) -> bool:
    """Whether the process that this lock names is gone from this host."""
    try:
        content = json.loads(lock)
        pid, host = int(content["pid"]), content["hostname"]
    except (ValueError, KeyError, TypeError):
        return False
    return host == socket.gethostname() and not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a Pulumi runs under this number: not gone, not a zombie, not somebody else's."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    name, _, rest = status.partition("(")[2].rpartition(")")
    return name.startswith("pulumi") and rest.split()[0] not in "ZX"


def current_backend(environment: dict[str, str]) -> str:
    """The backend that Pulumi uses with this environment."""
    return environment.get("PULUMI_BACKEND_URL", "")
