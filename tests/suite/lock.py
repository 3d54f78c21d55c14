"""One run of the suite at a time on a machine, also of another clone or another user.

Two runs at once would have rigs and labs of the same names, and each would sweep the other's.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.suite.processes import Say

NAME = "ha-lab-tests.lock"
FOLDERS = (Path("/run/lock"), Path("/tmp"))
"""The first in which there is the file, or in which it can be made, whoever runs the tests."""
LONGEST = 4096
"""Bytes that are read of what the holder wrote."""


@contextmanager
def only_run(say: Say, file: Path | None = None) -> Iterator[None]:
    """Hold the lock for the length of the block; says once for whom it waits.

    No child inherits the descriptor: the lock is free as soon as this process has ended, however
    that was, even while programs that it started go on.
    """
    descriptor = _opened(file or _place())
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {_holder(descriptor)}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _write(descriptor, json.dumps(_this_run()))
        yield
    finally:
        # The file stays: who waits has it open, and the next one must find the same.
        os.close(descriptor)


def _place() -> Path:
    for folder in FOLDERS:
        if (folder / NAME).exists() or os.access(folder, os.W_OK | os.X_OK):
            return folder / NAME
    return FOLDERS[-1] / NAME


def _opened(file: Path) -> int:
    """A descriptor of the file, made for everybody's use where it is not there yet.

    Without O_CREAT where it is there: the kernel refuses that for another user's file in /tmp
    (fs.protected_regular). A file that only its owner may write can be locked all the same.
    """
    options = os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        with suppress(FileNotFoundError):
            try:
                return os.open(file, os.O_RDWR | options)
            except PermissionError:
                return os.open(file, os.O_RDONLY | options)
        with suppress(FileExistsError):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | options, 0o666)
            os.fchmod(descriptor, 0o666)  # whatever the umask is
            return descriptor


def _this_run() -> dict[str, object]:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"pid": os.getpid(), "directory": str(Path.cwd()), "since": since}


def _holder(descriptor: int) -> str:
    """Who has the lock, as far as it has been written."""
    try:
        run = json.loads(os.pread(descriptor, LONGEST, 0))
        where = f"process {run['pid']} in {run['directory']}, since {run['since']}"
    except (ValueError, KeyError, TypeError):
        return "another run of the tests"
    return f"another run of the tests: {where}"


def _write(descriptor: int, text: str) -> None:
    with suppress(OSError):  # another user's file: then nobody is told who waits for whom
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
