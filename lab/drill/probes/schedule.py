"""When the next look is due: an absolute schedule on the monotonic clock. Pure.

Open loop: the n-th look is due at `begin + n * interval`, whatever became of those before. One that
woke up late is told all that became due meanwhile, and does not shift what comes after.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_AT_ONCE = 100
"""Who stood still for longer than so many intervals has no data of that time; a flood of requests
would not bring it back."""


@dataclass(slots=True)
class Schedule:
    """Numbered moments, `interval_s` apart; the first at `begin`."""

    begin: float
    """Seconds on the monotonic clock."""
    interval_s: float
    number: int = 0
    """Of the next one."""

    @property
    def next_at(self) -> float:
        """When the next one is due."""
        return self.begin + self.number * self.interval_s

    def due(self, now: float) -> range:
        """The numbers that became due since the last call: each is given out once.

        Of more than MOST_AT_ONCE the oldest are left out.
        """
        first = self.number
        reached = int((now - self.begin) / self.interval_s)
        self.number = max(first, reached - MOST_AT_ONCE)
        while self.next_at <= now:
            self.number += 1
        return range(max(first, self.number - MOST_AT_ONCE), self.number)
