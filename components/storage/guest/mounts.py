"""Mounts on the clients: kept, looked at."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Sequence
from pathlib import Path

from .system import ToolError, must, run, say

LOOK_EVERY_S = 3.0
MOUNTS, PROCESSES = Path("/proc/self/mounts"), Path("/proc")
CLIENT = "glusterfs"


def is_mounted(directory: str) -> bool:
    """Whether anything is mounted there. The mount itself is not asked: it may hang."""
    # The newest mount on a directory is the one that is seen there.
    lines = (line.split() for line in MOUNTS.read_text(encoding="utf-8").splitlines())
    return any(words[1] == directory for words in lines)


def has_client(directory: str) -> bool:
    """Whether a Gluster client serves this mount.

    That the directory says ENOTCONN is no sign of a dead one: so does a live client of a volume
    that has lost its majority, and it goes on by itself as soon as that is back.
    """
    for process in PROCESSES.glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if words[0].endswith(f"/{CLIENT}") and directory in words[1:]:
            return True
    return False


def must_be_mounted(directory: str) -> None:
    """Raises ToolError unless a Gluster volume is mounted there."""
    kind = must(["stat", "--file-system", "--format=%T", directory], timeout_s=10)
    if kind not in ("fuseblk", "fuse"):
        raise ToolError(f"{directory} is no mounted volume but {kind}")


def keep(directories: Sequence[str]) -> None:
    """Mount again whatever is not mounted any more, for ever: a mount unit has no restart."""
    while True:
        for directory in directories:
            mend(directory)
        time.sleep(LOOK_EVERY_S)


def mend(directory: str) -> None:
    """Mount one volume again, where that is needed."""
    mounted = is_mounted(directory)
    if mounted and has_client(directory):
        return
    unit = must(["systemd-escape", "--path", "--suffix=mount", directory])
    say(f"{directory}: {'its client has ended' if mounted else 'not mounted'}, mounting it again")
    if mounted:
        run(["umount", "--lazy", directory])
        run(["systemctl", "stop", unit], timeout_s=90)
    run(["systemctl", "reset-failed", unit])
    status, output = run(["systemctl", "start", unit], timeout_s=90)
    if status != 0:
        say(output)


def make_folder(directory: str, name: str, owner: str) -> None:
    """A folder in a volume, and never in the directory below a mount that is missing."""
    if not is_mounted(directory):
        raise ToolError(f"{directory} is not mounted, so it gets no {name}")
    user, path = pwd.getpwnam(owner), Path(directory, name)
    path.mkdir(mode=0o755, exist_ok=True)
    os.chown(path, user.pw_uid, user.pw_gid)


def look(directory: str) -> str:
    """`mounted`; `missing`; `dead`: its client has ended; `silent`: the volume gives no answer."""
    if not is_mounted(directory):
        return "missing"
    if not has_client(directory):
        return "dead"
    status, _ = run(["stat", "--file-system", directory], timeout_s=5)
    return "mounted" if status == 0 else "silent"
