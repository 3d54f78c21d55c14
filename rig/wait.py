"""Waiting until machines answer SSH, from inside the rig's network namespace."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rig import network
from rig.model import Machine, Rig, RigError
from rig.state import machine_home

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def wait_for_ssh(
    rig: Rig, machines: Sequence[Machine], *, deadline: float, ended: Callable[[str], bool]
) -> None:
    """Return when every machine's SSH server has greeted.

    RigError says what was last seen of the others, without waiting for one of which `ended(name)`
    is true.
    """
    if not machines:
        return
    end = time.monotonic() + deadline
    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        waits = {m.name: pool.submit(_greeted, rig, m, end, ended) for m in machines}
        silent = {name: seen for name, wait in waits.items() if (seen := wait.result()) is not None}
    if silent:
        lines = "\n".join(f"  {name}: {seen}" for name, seen in silent.items())
        raise RigError(f"these machines do not answer SSH after {deadline:g} s:\n{lines}")


def _greeted(rig: Rig, machine: Machine, end: float, ended: Callable[[str], bool]) -> str | None:
    """None when the server has greeted, else what was seen last. Runs in a thread of its own:
    entering a namespace changes the calling thread alone."""
    network.enter(rig.namespace)
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
        if ended(machine.name):
            return f"it stopped during boot; {_console_end(rig, machine)}"
        time.sleep(0.03)
    return f"{seen}; {_console_end(rig, machine)}"


def _console_end(rig: Rig, machine: Machine) -> str:
    path = machine_home(rig, machine.name) / "console.log"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "empty")
    return f"the end of {path}: {_ESCAPES.sub('', last)}"
