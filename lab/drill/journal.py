"""Faults that are in place: on disk before the machine is touched, gone when it is whole again.

A drill that is killed, or ended with `--keep`, leaves its fault here; the next one finds it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from components.whole_file import write_whole
from lab.errors import LabError
from lab.pulumi_cli import STATE


class OpenFault(BaseModel):
    """A fault that was begun and not undone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: str
    victims: tuple[str, ...]


class Journal:
    """The faults in place of one stack."""

    def __init__(self, stack: str, *, folder: Path | None = None) -> None:
        self._folder = folder or drills_of(stack)
        self._file = self._folder / "in-place.json"
        self._stack = stack

    def begin(self, fault: OpenFault) -> None:
        """Before anything is broken."""
        write_whole(self._file, fault.model_dump_json())

    def done(self) -> None:
        """After it was undone."""
        self._file.unlink(missing_ok=True)

    def in_place(self) -> OpenFault | None:
        """What is broken now, as far as this host knows."""
        try:
            return OpenFault.model_validate_json(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValidationError, OSError, UnicodeDecodeError):
            msg = (
                f"{self._file} cannot be read, so which fault is in place is not known; look with "
                f"`lab check {self._stack}`, put right what it names, then remove the file"
            )
            raise LabError(msg) from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the length of the block no other drill breaks this stack. Raises LabError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                who = lock.read().strip() or "another process"
                msg = f"a drill of stack {self._stack} is running already ({who}); wait for its end"
                raise LabError(msg) from None
            lock.truncate(0)
            lock.write(f"process {os.getpid()}")
            lock.flush()
            yield


def drills_of(stack: str) -> Path:
    """Where the histories and reports of a stack are kept."""
    return STATE / "drills" / stack
