"""Commands on this machine, and errors for people."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 120.0
TAIL = 12


class DatabaseError(Exception):
    """It cannot be done; the text says what was found and what to do."""


def say(text: str) -> None:
    """One line of progress, to the journal or to whoever called."""
    print(text, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str], *, user: str = "", stdin: str = "", timeout_s: float = TIMEOUT_S
) -> tuple[int, str]:
    """Exit status and output (both streams) of a command, as another user where one is named."""
    process = subprocess.Popen(
        [*as_user(user), *argv],
        cwd="/",
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        output, _ = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, f"no end within {timeout_s:g} s"
    # Not tabs: a client's last row may end with a column that is empty.
    return process.returncode, output.strip(" \r\n")


def as_user(user: str) -> list[str]:
    """The words before a command that make it another user's; none for one's own."""
    is_other = bool(user) and pwd.getpwuid(os.geteuid()).pw_name != user
    return ["runuser", "-u", user, "--"] if is_other else []


def must(
    argv: Sequence[str],
    what: str,
    *,
    user: str = "",
    stdin: str = "",
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Run a command that has to succeed; its output. What went in is never repeated."""
    status, output = run(argv, user=user, stdin=stdin, timeout_s=timeout_s)
    if status != 0:
        said = "\n".join(output.splitlines()[-TAIL:])
        msg = f"{what} failed: `{shlex.join(argv)}` ended with {status}: {said}"
        raise DatabaseError(msg)
    return output


def write(path: Path, text: str, *, mode: int = 0o644, owner: str = "") -> None:
    """A whole file at once, on disk before it has its name."""
    new = path.with_name(f".{path.name}.new")
    with open(new, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if owner:
        user = pwd.getpwnam(owner)
        os.chown(new, user.pw_uid, user.pw_gid)
    new.chmod(mode)
    new.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """What was made or removed in a directory survives a power loss."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
