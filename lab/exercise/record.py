"""The history of one step: a person may take minutes, so what was normal before is soon forgotten.

Until the effect is seen only the last seconds are held; then they are written, and from then on
every event as it comes.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

from lab.drill.events import AnyEvent, Header, Note, ProbeState
from lab.drill.history import HistoryWriter

KEEP_S = 15.0
"""Longer than the longest timeout of a client: its last answers come so late."""


class Recorder:
    """Holds events, then writes them. Their order is that of their arrival."""

    def __init__(self, *, keep_s: float = KEEP_S) -> None:
        self._keep_s = keep_s
        self._held: deque[AnyEvent] = deque()
        self._lasting: list[AnyEvent] = []
        """What must not be forgotten: which probes there are, and what they had to say."""
        self._newest = float("-inf")
        self._keeps_all = False
        self._writer: HistoryWriter | None = None

    def take(self, event: AnyEvent) -> None:
        """One event of a probe."""
        if self._writer is not None:
            self._writer.append(event)
        elif isinstance(event, ProbeState | Note):
            self._lasting.append(event)
        else:
            self._held.append(event)
            self._newest = max(self._newest, event.t)
            while not self._keeps_all and self._held[0].t < self._newest - self._keep_s:
                self._held.popleft()

    def keep_all(self) -> None:
        """Forget nothing from now on."""
        self._keeps_all = True

    @property
    def begin(self) -> float:
        """When the first event was that is held; infinite where there is none."""
        return min((event.t for event in self._held), default=float("inf"))

    @property
    def is_writing(self) -> bool:
        return self._writer is not None

    @property
    def events(self) -> list[AnyEvent]:
        """What was written, its header first; empty before."""
        return list(self._writer.events) if self._writer else []

    def write(self, path: Path, header: Header) -> None:
        """Write what is held into a new file, and everything that comes after it."""
        self._writer = HistoryWriter(path)
        for event in (header, *self._lasting, *self._held):
            self._writer.append(event)
        self._held.clear()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
