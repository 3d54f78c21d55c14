"""The clock of a machine, and what it is in ours. Pure.

A question and its answer bound the difference: the machine read its clock after we asked and before
we had the answer. Several of them bound it better than the quickest of them does. Whatever else it
says bounds it from one side. Clocks drift, so old bounds widen; a clock that stood still (a paused
virtual machine) contradicts them, and the new ones replace them.

A clock that may be exactly ours is taken for ours: machines of the rig share this host's kernel.
"""

from __future__ import annotations

DRIFT = 0.001
"""Seconds for each second: twice what NTP may slew a clock by."""


class GuestClock:
    """Bounds of (our clock - the machine's), in seconds."""

    def __init__(self) -> None:
        self._low = float("-inf")
        self._high = float("inf")
        self._at: float | None = None
        """When the bounds were found."""

    @property
    def offset_s(self) -> float:
        """What is to be added to the machine's time."""
        is_ours = self._low <= 0.0 <= self._high
        return 0.0 if is_ours else (self._low + self._high) / 2

    @property
    def uncertainty_s(self) -> float:
        """By so much the offset may be wrong, either way."""
        return max(self._high - self.offset_s, self.offset_s - self._low)

    def heard(self, *, asked: float, said: float, arrived: float) -> float:
        """The machine's clock was `said` between these two moments of ours.

        Returns by how many seconds it moved against what was known; 0 where that may still be true.
        """
        widening = DRIFT * (arrived - self._at) if self._at is not None else 0.0
        old_low, old_high = self._low - widening, self._high + widening
        low, high = asked - said, arrived - said
        self._at = arrived
        if max(low, old_low) <= min(high, old_high):
            self._low, self._high = max(low, old_low), min(high, old_high)
            return 0.0
        moved = (low + high) / 2 - (old_low + old_high) / 2
        self._low, self._high = low, high
        return moved

    def came(self, *, said: float, arrived: float) -> None:
        """A word of that time has arrived: it was said before. What contradicts is left to the next
        answer."""
        if self._low <= arrived - said:
            self._high = min(self._high, arrived - said)

    def ours(self, said: float) -> float:
        """Our time at which the machine's clock was `said`."""
        return said + self.offset_s
