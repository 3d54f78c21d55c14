"""How a report speaks: one language, names of faults and machines, numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lab.drill.events import Judgement
from lab.drill.judge.language import NO_BREAK, decimal, figures, seconds
from lab.drill.report.words import WORDS

MARKS: Mapping[Judgement, str] = {"pass": "✔", "fail": "✘", "unknown": "?"}
"""Besides the colour, for those who do not see it."""
ARROW = " → "
DASH = "\u2013"
"""Stands where there is nothing to say, and between two ends."""


class Bilingual(Protocol):
    """A text that exists in both languages, such as a fault's title."""

    def in_language(self, language: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """Says the words of a report."""

    language: str
    titles: Mapping[str, Bilingual] = field(default_factory=dict)
    """By name of a fault, an audit or a probe, what people call it."""

    def say(self, key: str, **values: object) -> str:
        """A phrase of the catalogue."""
        return WORDS[key].say(self.language, **values)

    def title(self, name: str) -> str:
        """What people call it; its own name where nobody said."""
        if name in self.titles:
            return self.titles[name].in_language(self.language)
        return self.say("none") if name == "none" else name

    def outcome(self, judgement: Judgement) -> str:
        """`✔ pass`."""
        return f"{MARKS[judgement]}{NO_BREAK}{self.say(judgement)}"

    def machines(self, names: Iterable[str]) -> str:
        return ", ".join(names) or self.say("no-victims")

    # Numbers.

    def seconds(self, value: float | None) -> str:
        return self.say("no-data") if value is None else seconds(value, self.language)

    def figures(self, value: float) -> str:
        """Seconds without their unit."""
        return figures(value, self.language)

    def plain(self, value: float) -> str:
        """Of an axis: as few figures as it needs."""
        # What floating point makes of a 0 in the middle of an axis.
        text = f"{round(value, 9):g}"
        return text.replace(".", ",") if self.language == "fr" else text

    def milliseconds(self, value: float) -> str:
        """Of a latency: `2.1`."""
        return decimal(value * 1000, self.language, 1)

    def ratio(self, value: float | None) -> str:
        return DASH if value is None else decimal(value, self.language, 2)

    def count(self, value: int | None) -> str:
        """`1,234`, in French with a narrow space."""
        if value is None:
            return self.say("any-number")
        return f"{value:,}".replace(",", "\u202f") if self.language == "fr" else f"{value:,}"

    def span(self, value: float) -> str:
        """A long time in its fitting unit: `52.56 minutes`."""
        units = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
        key, size = next(unit for unit in units if value >= unit[1] or unit[1] == 1)
        number = f"{value / size:.2f}".rstrip("0").rstrip(".")
        return self.say(key, n=number.replace(".", ",") if self.language == "fr" else number)

    def percent(self, number: str) -> str:
        """`99.9%`, in French `99,9 %`."""
        if self.language == "fr":
            return f"{number.replace('.', ',')}{NO_BREAK}%"
        return f"{number}%"

    def share(self, value: float) -> str:
        """An availability, with two figures of what is missing: `99.9992%`."""
        missing = (1 - value) * 100
        digits = 2 if missing <= 0 else max(2, 1 - math.floor(math.log10(missing)))
        return self.percent(f"{value * 100:.{digits}f}")
