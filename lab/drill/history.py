"""A history on disk: JSON lines, written as things happen, read back for a verdict.

A line is on disk before the next one is written, so a drill that is killed leaves all that it saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from lab.drill.events import EVENTS, HISTORY_VERSION, AnyEvent, Header
from lab.errors import LabError

History = Sequence[AnyEvent]
"""All events of one drill; the first is its Header."""


class HistoryWriter:
    """Appends events to a new file, one line each. Raises LabError where it cannot be made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[AnyEvent] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("x", encoding="utf-8", buffering=1)
        except FileExistsError:
            msg = f"there is a history {path} already, and it is kept; choose another folder"
            raise LabError(msg) from None
        except OSError as error:
            msg = f"cannot write the history {path}: {error.strerror}; choose another folder"
            raise LabError(msg) from None

    def append(self, event: AnyEvent) -> None:
        """Write one event; after `close` it is dropped (a probe's last word may come late)."""
        if self._file.closed:
            return
        self.events.append(event)
        self._file.write(event.model_dump_json() + "\n")

    def close(self) -> None:
        self._file.close()


def read_history(path: Path) -> list[AnyEvent]:
    """The events of a file. Raises LabError that names the line that is wrong.

    A last line that was cut off in the middle is left out: the drill was killed while writing it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot read the history {path}: {error}"
        raise LabError(msg) from None
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    return _checked(path, [_event(path, number, line) for number, line in enumerate(lines, 1)])


def _event(path: Path, number: int, line: str) -> AnyEvent:
    try:
        return EVENTS.validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        msg = f"{path}, line {number}: {where}: {problem['msg']}; expected an event of a drill"
        raise LabError(msg) from None


def _checked(path: Path, events: list[AnyEvent]) -> list[AnyEvent]:
    headers = [event for event in events if isinstance(event, Header)]
    if len(headers) != 1 or events[0] is not headers[0]:
        msg = f"{path} is no history of one drill: expected its header in the first line alone"
        raise LabError(msg)
    if headers[0].version != HISTORY_VERSION:
        msg = (
            f"{path} was written as version {headers[0].version}; this `lab` reads version "
            f"{HISTORY_VERSION}: replay it with the release that wrote it"
        )
        raise LabError(msg)
    return events


def write_history(path: Path, events: Iterable[AnyEvent]) -> None:
    """A whole history at once."""
    writer = HistoryWriter(path)
    for event in events:
        writer.append(event)
    writer.close()
