"""How far one step is, from what is seen: time is given here and never asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from lab.drill.events import AnyEvent, Owner
from lab.drill.observe import Observer
from lab.exercise.model import Effect


class Ending(StrEnum):
    """Why waiting for something is over."""

    DONE = "done"
    SKIP = "skip"
    QUIT = "quit"
    LATE = "late"
    """The deadline passed."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What was seen of one step since `begun_at`."""

    effect: Effect
    victim: str
    vip_machines: tuple[str, ...]
    observer: Observer
    """Whether clients are served."""
    begun_at: float = float("inf")
    """Since when the person may act; what was seen before is no effect."""
    seen_at: float | None = None
    """When the effect was seen first."""
    last_look: float | None = None
    """The last look at the machines that did not show it yet."""

    def see(self, event: AnyEvent) -> None:
        """Take note of an event of a probe; they arrive in any order."""
        self.observer.see(event)
        if self.effect is Effect.VIP_MOVED and isinstance(event, Owner):
            has_moved = any(o in self.vip_machines and o != self.victim for o in event.owners)
            if has_moved and event.t >= self.begun_at:
                self._show(event.t)

    def look(self, begun: float, ended: float, *, shows_it: bool) -> None:
        """Take note of a look at the machines.

        What was found is true of some moment between the two, and a busy machine takes seconds to
        answer: an effect is certain at the end only, its absence at the begin only.
        """
        if self.seen_at is not None or begun < self.begun_at:
            return
        if shows_it:
            self._show(ended)
        else:
            self.last_look = begun

    def _show(self, t: float) -> None:
        self.seen_at = t if self.seen_at is None else min(t, self.seen_at)

    def is_served(self, good_in_row: int) -> bool:
        """Whether every client is served again since the effect was seen."""
        return self.seen_at is not None and self.observer.good_since(self.seen_at) >= good_in_row


@dataclass(slots=True)
class Problems:
    """What is still wrong with the lab, told once as long as it stays the same."""

    told: tuple[str, ...] = field(default=())

    def new(self, found: Iterable[str]) -> tuple[str, ...]:
        """Those of these that were not there the last time."""
        now = tuple(found)
        fresh = tuple(problem for problem in now if problem not in self.told)
        self.told = now
        return fresh


def ending(*, is_seen: bool, key: str, now: float, deadline: float) -> Ending | None:
    """Whether a wait is over: what was waited for counts first, then what the person typed."""
    if is_seen:
        return Ending.DONE
    if key in (Ending.SKIP, Ending.QUIT):
        return Ending(key)
    return Ending.LATE if now >= deadline else None
