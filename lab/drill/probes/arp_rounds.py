"""From answers to questions to who owns an address. Pure.

A round is one question and the answers until the next one. Who answers the same question owns the
address at the same moment, so several answers to one are several owners. An announcement
(gratuitous ARP) is no answer: it says that there is a new owner, and nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Say = Callable[[float, tuple[str, ...]], None]
"""Tells a moment and the owners then, by their names."""

REPEAT_S = 0.1
"""So often the same is said again."""
SILENT_ROUNDS = 3
"""Nobody owns the address after so many questions without an answer: a single answer may be late
on a busy host."""


class Rounds:
    """Follows the questions and answers of one address."""

    def __init__(self, names: Mapping[str, str], say: Say) -> None:
        """`names`: by MAC address, the machine that has it."""
        self._names = names
        self._say_it = say
        self._asked_at: float | None = None
        self._answers: dict[str, float] = {}
        """In this round: owner -> when it answered first."""
        self._silent_since: list[float] = []
        """Questions in a row that nobody answered."""
        self._said: tuple[str, ...] | None = None
        self._said_at = float("-inf")
        self._unsaid: float | None = None
        """When the same was seen last without being said again."""

    def asked(self, t: float) -> None:
        """A question goes out: the round before is over."""
        if self._asked_at is not None:
            self._close(self._asked_at)
        self._asked_at = t
        self._answers = {}

    def answered(self, t: float, mac: str) -> None:
        self._answers.setdefault(self._names.get(mac, mac), t)

    def announced(self, t: float, mac: str) -> None:
        """Somebody said unasked that the address is its own."""
        owner = self._names.get(mac, mac)
        if owner not in (self._said or ()):
            self._saw(t, (owner,))

    def _close(self, asked_at: float) -> None:
        if self._answers:
            self._silent_since.clear()
            self._saw(min(self._answers.values()), tuple(sorted(self._answers)))
            return
        self._silent_since.append(asked_at)
        if len(self._silent_since) == SILENT_ROUNDS:
            self._saw(self._silent_since[0], ())
        elif len(self._silent_since) > SILENT_ROUNDS:
            self._saw(self._silent_since.pop(), ())

    def _saw(self, t: float, owners: tuple[str, ...]) -> None:
        if owners == self._said and t - self._said_at < REPEAT_S:
            self._unsaid = t
            return
        if owners != self._said and self._said is not None and self._unsaid is not None:
            # The last look before the change: between the two it happened.
            self._say_it(self._unsaid, self._said)
        self._said, self._said_at, self._unsaid = owners, t, None
        self._say_it(t, owners)
