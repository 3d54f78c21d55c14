"""Starting, finding and ending a rig's fence service on the host.

A small shell loop runs the service, and runs it again when it was killed; both are in a session of
their own, so they outlive the shell and the command that started them. `rig down` ends both.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rig import network, processes, state
from rig.fencing.guest.agent import PORT, FenceError, ask, read_key
from rig.model import Rig, RigError

ROOT = Path(__file__).resolve().parents[2]
"""From where `python -m rig` runs."""
KEY_BYTES = 32
START_DEADLINE_S = 15.0

_SCRIPT = """\
#!/bin/sh
# Fence service of rig {name}: run again when it is killed, ended by `rig down`.
# Written and started by the rig tool.
cd {root}
echo "$$ $(cut -d' ' -f22 /proc/$$/stat)" >{record}
while :; do
  status=0
  {service} || status=$?
  [ "$status" -ge 128 ] || exit "$status"
  echo "the fence service was killed (status $status); it starts again"
  sleep 0.5
done
"""


def ensure(rig: Rig, key: str | None = None) -> None:
    """Make the service run and answer; nothing to do when it does. The rig has to be locked.

    `key`: what callers have to hold, at least 32 characters; None keeps the rig's own, which is
    made when there is none. The rig's network must be there. Raises RigError.
    """
    home = state.home(rig.name) / "fencing"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_key(key_file(rig.name), key)
    if processes.recorded_process(_record(rig.name)) is None:
        stop(rig.name)
        _start(rig, home)
    processes.wait_until(
        lambda: why_no_answer(rig) is None or not _lives(rig.name),
        deadline=START_DEADLINE_S,
        what=f"an answer of the fence service of rig {rig.name}; see {home / 'log'}",
    )
    if problem := why_no_answer(rig):
        raise RigError(f"the fence service has ended ({problem}); see {home / 'log'}")


def wanted(name: str) -> bool:
    """Whether the rig called `name` was given a fence service before."""
    return key_file(name).exists()


def stop(name: str) -> None:
    """End the service, if there is one; the key stays."""
    record = _record(name)
    if supervisor := processes.recorded_process(record):
        # First, or it would start the service again.
        processes.send(supervisor, signal.SIGKILL)

    def gone() -> bool:
        left = processes.recorded_session(record)
        for pid in left:
            processes.send(pid, signal.SIGKILL)
        return not left

    processes.wait_until(gone, deadline=10, what="the fence service to end")
    record.unlink(missing_ok=True)


def why_no_answer(rig: Rig) -> str | None:
    """Ask the service for its machines, as a machine of the rig would; None when it answers."""
    try:
        key = read_key(str(key_file(rig.name)))
        # A thread of its own, because entering a namespace changes the calling thread for good.
        with ThreadPoolExecutor(max_workers=1) as apart:
            apart.submit(_asked, rig, key).result()
    except FenceError as problem:
        return str(problem)
    return None


def key_file(name: str) -> Path:
    """The file (0600) with the key that callers of this rig's service hold."""
    return state.home(name) / "fencing" / "key"


def _record(name: str) -> Path:
    return state.home(name) / "fencing" / "service.pid"


def _lives(name: str) -> bool:
    return processes.recorded_process(_record(name)) is not None


def _asked(rig: Rig, key: bytes) -> None:
    network.enter(rig.namespace)
    ask((rig.gateway, PORT), key, "list", "", timeout_s=5)


def _write_key(path: Path, key: str | None) -> None:
    if key is None and path.exists():
        return
    text = f"{key or secrets.token_hex(KEY_BYTES)}\n"
    draft = path.with_name("key.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
    draft.replace(path)


def _start(rig: Rig, home: Path) -> None:
    command = [sys.executable, "-m", "rig", "fence-service", "--name", rig.name]
    script = home / "run.sh"
    text = _SCRIPT.format(
        name=rig.name,
        root=shlex.quote(str(ROOT)),
        record=shlex.quote(str(_record(rig.name))),
        service=shlex.join(command),
    )
    script.write_text(text, encoding="utf-8")
    with (home / "log").open("ab") as log:
        started = subprocess.Popen(
            ["sh", str(script)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    processes.wait_until(
        lambda: _lives(rig.name) or started.poll() is not None,
        deadline=5,
        what=f"the fence service's supervisor; see {home / 'log'}",
    )
