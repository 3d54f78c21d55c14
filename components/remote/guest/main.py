"""The applier's command line.

Without an argument: carry out the specification on standard input. `--ready SECONDS`: wait until
the machine can be configured. `--verify [SERVICE...]`: print what is not as it was applied.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path

from .checks import await_check
from .effect import await_effect
from .files import Files
from .packages import ensure_packages
from .ready import await_ready
from .record import begin, forget_mark, pending, record
from .system import ApplyError, Json, must, say
from .units import UNIT_FILES, enabled_on_disk, give_way, revive, settle_unit, unit_name
from .verify import verify

LOCK = Path("/run/ha-lab-apply.lock")


def carry_out(spec: Json) -> list[str]:
    """Everything of a specification, in order; returns what was changed."""
    if spec["version"] != 1:
        raise ApplyError(f"this applier knows specification version 1, got {spec['version']}")
    is_first_try = begin(spec["service"])
    done = [f"installed {name}" for name in ensure_packages(spec["packages"])]
    unfinished = pending(spec)
    files = Files(unfinished)
    were_active: dict[str, bool] = {}
    begun = time.time()
    try:
        for file in spec["files"]:
            files.put(file)
        for path in spec["absent"]:
            files.remove(path)
        fresh = files.changed + unfinished
        if any(path.startswith(UNIT_FILES) for path in fresh):
            must(["systemctl", "daemon-reload"], "reading the unit files")
        done += [f"wrote {path}" for path in files.changed]
        enabled = enabled_on_disk([unit_name(unit) for unit in spec["units"]])
        for unit in spec["units"]:
            happened = settle_unit(unit, fresh, were_active, enabled)
            if happened and unit["running"]:
                await_effect(unit, spec["check_within_s"], begun)
            done += [happened] if happened else []
    except (ApplyError, OSError):
        give_way(spec["units"], were_active)
        files.put_back()
        revive(spec["units"], files.changed, were_active, spec["check_within_s"])
        if is_first_try:  # the machine is again as its record says
            forget_mark(spec["service"])
        raise
    for command in spec["checks"]:
        await_check(command, spec["check_within_s"])
    return done


def ready(timeout_s: float) -> int:
    """Exit status of the readiness gate."""
    try:
        await_ready(timeout_s)
    except ApplyError as failure:
        say(str(failure))
        return 1
    print("ready")
    return 0


def show_drift(services: list[str]) -> int:
    """Print what is not as it was applied, as JSON. Exit status 1: it cannot be said now."""
    try:
        if is_busy():
            raise ApplyError("something is being applied at this moment")
        print(json.dumps(verify(services)))
    except (ApplyError, OSError) as failure:
        say(f"cannot look: {failure}")
        return 1
    return 0


def is_busy() -> bool:
    """Whether a run holds the lock."""
    if not LOCK.exists():
        return False
    with LOCK.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_specification(text: str) -> Json:
    """The specification, its files as a list in the order in which they are written."""
    spec: Json = json.loads(text)
    spec["files"] = [{"path": path, **file} for path, file in spec["files"].items()]
    return spec


def main() -> int:
    """Read the specification, carry it out, print what changed."""
    os.umask(0o022)
    if sys.argv[1:2] == ["--ready"]:
        return ready(float(sys.argv[2]))
    if sys.argv[1:2] == ["--verify"]:
        return show_drift(sys.argv[2:])
    spec = read_specification(sys.stdin.read())
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time: packages and units are not to be shared
        try:
            done = carry_out(spec)
            record(spec)
        except (ApplyError, OSError) as failure:
            say(f"{spec['service']}: {failure}")
            return 1
    print("; ".join(done) or "nothing to do")
    return 0
