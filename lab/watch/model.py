"""What a tier adds to the live view: a section of rows that keeps itself up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from lab.drill.scene import Scene
from lab.drill.target import Target

Style = Literal["plain", "good", "warn", "bad", "dim"]
STALE_S = 3.0
"""What was seen longer ago is not shown as if it were so."""


class Cell(NamedTuple):
    """One piece of text."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Section:
    """A small table; the first cell of a row says what the row is about."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Rows(Protocol):
    """One tier's part of the view.

    `look` runs until it is cancelled and stores what it sees; the others tell what is known at a
    moment (`now`, seconds on the monotonic clock), at once and without raising.
    """

    @property
    def name(self) -> str:
        """Its key in the JSON form."""

    def is_present(self, target: Target) -> bool: ...

    async def look(self, scene: Scene) -> None:
        """Keep looking. What cannot be seen is unknown, and looked at again later."""

    def is_seen(self) -> bool:
        """Whether everything was looked at once: enough for a single frame."""

    def section(self, now: float) -> Section: ...

    def data(self, now: float) -> Mapping[str, Any]:
        """The same for programs."""

    def summary(self) -> str:
        """What there is to say at the end; empty: nothing."""
