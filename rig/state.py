"""Where a rig is kept on disk: `<cache>/rig/<name>/`."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from images.cache import cache_root
from rig.model import Rig, RigError, checked_name, from_json, is_name, to_json
from rig.processes import wait_until


def rigs_root() -> Path:
    return cache_root() / "rig"


def home(name: str) -> Path:
    """Everything that belongs to the rig called `name`; RigError where no rig can be called so."""
    return rigs_root() / checked_name(name)


def machine_home(rig: Rig, machine: str) -> Path:
    """A machine's disk, host key, logs and start script."""
    return home(rig.name) / "machines" / machine


def load(name: str) -> Rig:
    """The rig called `name`; RigError with the existing names when there is none."""
    rig = find(name)
    if rig is None:
        known = ", ".join(names()) or "none"
        raise RigError(f"there is no rig {name!r} (existing: {known}); make one: python -m rig up")
    return rig


def find(name: str) -> Rig | None:
    """The rig called `name`, or None."""
    try:
        return from_json((home(name) / "rig.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def names() -> list[str]:
    """Names of all rigs that have something on disk."""
    root = rigs_root()
    folders = root.iterdir() if root.is_dir() else ()
    return sorted(p.name for p in folders if p.is_dir() and is_name(p.name))


def save(rig: Rig) -> None:
    """Write the rig's state, atomically."""
    folder = home(rig.name)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    draft = folder / "rig.json.new"
    draft.write_text(to_json(rig), encoding="utf-8")
    draft.replace(folder / "rig.json")


def lock_file(name: str) -> Path:
    """Held by whoever changes the rig called `name`; RigError where no rig can be called so."""
    return rigs_root() / f".{checked_name(name)}.lock"


@contextmanager
def locked(name: str, *, patience: float | None = None) -> Iterator[None]:
    """Only one command at a time changes a rig; the second one waits, at most `patience` seconds.

    RigError when it has lost its patience; None waits for ever.
    """
    root = rigs_root()
    root.mkdir(parents=True, exist_ok=True)
    path = lock_file(name)
    with path.open("w") as handle:
        path.chmod(0o600)
        if patience is None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        else:
            what = f"another command that changes rig {name!r}"
            wait_until(lambda: _is_free(handle), deadline=patience, what=what)
        yield


def _is_free(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
