"""Waiting until machines answer SSH, from inside the rig's network namespace."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rig.model import Machine, Rig, RigError

_CLONE_NEWNET = 0x40000000


def wait_for_ssh(rig: Rig, machines: Sequence[Machine], *, deadline: float) -> None:
    """Return when every machine's SSH server has greeted; RigError says what was last seen."""
    if not machines:
        return
    end = time.monotonic() + deadline
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        waits = {m.name: pool.submit(_greeted, rig, m, end, stop) for m in machines}
        silent = {name: seen for name, wait in waits.items() if (seen := wait.result()) is not None}
    if silent:
        lines = "\n".join(f"  {name}: {seen}" for name, seen in silent.items())
        raise RigError(
            f"after {deadline:g} s these machines do not answer SSH:\n{lines}\n"
            f"their consoles: see console.log in the rig's folder"
        )


def _greeted(rig: Rig, machine: Machine, end: float, stop: threading.Event) -> str | None:
    """None when the server has greeted, else what was seen last. Runs in a thread of its own:
    entering a namespace changes the calling thread alone."""
    _enter(rig.namespace)
    seen = "nothing yet"
    while time.monotonic() < end:
        try:
            with socket.create_connection((machine.address, machine.port), timeout=1) as connection:
                greeting = connection.recv(64)
            if greeting.startswith(b"SSH-2.0"):
                return None
            seen = f"connected, but it said {greeting!r}"
        except OSError as problem:
            seen = str(problem)
        stop.wait(0.03)
    return seen


def _enter(namespace: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with (Path("/run/netns") / namespace).open() as handle:
        if libc.setns(handle.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise RigError(f"cannot enter network namespace {namespace}: {os.strerror(number)}")
