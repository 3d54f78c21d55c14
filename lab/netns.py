"""Be inside a network namespace for the length of a `with` block, in this thread alone."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}")


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """This thread's new sockets and child processes are in the namespace; None stays outside."""
    if namespace is None:
        yield
        return
    with Path("/proc/thread-self/ns/net").open() as home:
        with Path("/run/netns", namespace).open() as there:
            _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())
