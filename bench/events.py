"""When each resource of a Pulumi run began and ended, from the engine's own event log.

The log's time stamps are whole seconds, so that its lines are given the time at which they arrive.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

POLL_S = 0.02
WORKING = ("create", "update", "replace", "create-replacement", "delete", "delete-replaced")


@dataclass(frozen=True, slots=True)
class Line:
    """One event and when it came, on the monotonic clock."""

    at_s: float
    event: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One operation on one resource."""

    name: str
    type: str
    op: str
    begin_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.begin_s


@dataclass
class EventLog:
    """Follow an event log that a Pulumi run writes, while the `with` block runs it."""

    path: Path
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What makes Pulumi write the log."""
        return {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_OPTION_EVENT_LOG": str(self.path)}

    def __enter__(self) -> EventLog:
        self.path.unlink(missing_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        position, rest = 0, b""
        while True:
            last = self._ended.is_set()
            if self.path.exists():
                with self.path.open("rb") as file:
                    file.seek(position)
                    data = file.read()
                position += len(data)
                *whole, rest = (rest + data).split(b"\n")
                now = time.monotonic()
                self.lines.extend(Line(now, json.loads(text)) for text in whole if text)
            if last:
                return
            time.sleep(POLL_S)


def spans(lines: Iterable[Line]) -> list[Span]:
    """The operations that did something, in the order of their beginnings. Pure."""
    begun: dict[tuple[str, str], float] = {}
    found = []
    for line in lines:
        for key in ("resourcePreEvent", "resOutputsEvent"):
            event = line.event.get(key)
            metadata = event.get("metadata") if isinstance(event, dict) else None
            if not metadata or metadata["op"] not in WORKING:
                continue
            urn, kind, op = str(metadata["urn"]), str(metadata["type"]), str(metadata["op"])
            if key == "resourcePreEvent":
                begun.setdefault((urn, op), line.at_s)
            elif (urn, op) in begun:
                begin = begun.pop((urn, op))
                name = urn.rpartition("::")[2]
                found.append(Span(name=name, type=kind, op=op, begin_s=begin, end_s=line.at_s))
    return sorted(found, key=lambda span: span.begin_s)


def commands(found: Iterable[Span]) -> dict[str, float]:
    """Seconds of each remote command, by its name."""
    return {s.name: s.seconds for s in found if s.type == "command:remote:Command"}
