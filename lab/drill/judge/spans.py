"""Who said "it is me", from when to when: intervals of repeated words, and where they overlap.

A word is worth 250 ms: a machine that lost its power says nothing any more, and its last word must
not be taken for the present.

- *Certain*: between two such words in a row, no more than 250 ms apart, of the same machine.
- *At most*: from such a word until the machine's next word, or for 250 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.drill.judge.numbers import rounded

WORD_S = 0.25
"""For how long a word is believed; machines are asked at least every 100 ms."""


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """What one source said at one moment."""

    t: float
    is_me: bool


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Both ends included; begin == end: one single word."""

    begin: float
    end: float

    def holds(self, moment: float) -> bool:
        """Within it, not at the very end of two spans that only meet there."""
        return self.begin < moment < self.end or self.begin == moment == self.end


@dataclass(frozen=True, slots=True)
class Overlap:
    """More at once than there may be."""

    count: int
    seconds: float


def certain(words: Sequence[Word], word_s: float = WORD_S) -> list[Span]:
    """When the one who spoke was it for certain."""
    spans: list[Span] = []
    previous: Word | None = None
    for word in sorted(words):
        if word.is_me:
            goes_on = previous is not None and previous.is_me and word.t - previous.t <= word_s
            begin = spans.pop().begin if goes_on else word.t
            spans.append(Span(begin, word.t))
        previous = word
    return spans


def at_most(words: Sequence[Word], word_s: float = WORD_S) -> list[Span]:
    """When the one who spoke may have been it."""
    ordered = sorted(words)
    spans: list[Span] = []
    for place, word in enumerate(ordered):
        if not word.is_me:
            continue
        end = word.t + word_s
        if place + 1 < len(ordered):
            end = min(end, ordered[place + 1].t)
        if spans and spans[-1].end >= word.t:
            spans[-1] = Span(spans[-1].begin, end)
        else:
            spans.append(Span(word.t, end))
    return spans


def overlap(spans_of_each: Iterable[Sequence[Span]], allowed: int) -> Overlap:
    """How many times and for how long more than `allowed` had a span at the same time."""
    each = [spans for spans in spans_of_each if spans]
    moments = sorted(
        {moment for spans in each for span in spans for moment in (span.begin, span.end)}
    )
    count, seconds, inside = 0, 0.0, False
    for place, moment in enumerate(moments):
        at_moment = _holders(each, moment) > allowed
        following = moments[place + 1] if place + 1 < len(moments) else moment
        between = following > moment and _holders(each, (moment + following) / 2) > allowed
        if (at_moment or between) and not inside:
            count += 1
        inside = between
        seconds += following - moment if between else 0.0
    return Overlap(count, rounded(seconds))


def _holders(each: Sequence[Sequence[Span]], moment: float) -> int:
    return sum(any(span.holds(moment) for span in spans) for spans in each)


def repeated(moments: Iterable[tuple[float, bool]], word_s: float = WORD_S) -> Overlap:
    """How many times in a row of looks, and for how long, a look showed it: each counts until the
    next look, or for 250 ms."""
    looks = sorted(moments)
    count, seconds = 0, 0.0
    for place, (t, shown) in enumerate(looks):
        if not shown:
            continue
        count += place == 0 or not looks[place - 1][1]
        following = looks[place + 1][0] if place + 1 < len(looks) else t
        seconds += min(following - t, word_s)
    return Overlap(count, rounded(seconds))
