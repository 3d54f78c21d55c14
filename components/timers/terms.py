"""Predictions as sums: each term is a number with the words for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a client suffers at most, and why."""

    seconds: float
    formula: str
    """With the numbers in it: `3 x 50 ms advert + 3 ms skew (RFC 5798) + 10 ms takeover`."""


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a sum; a negative one is taken away."""

    seconds: float
    text: str


def times(count: int, seconds: float, what: str) -> Term:
    return Term(count * seconds, f"{count} x {duration(seconds)} {what}")


def add(*terms: Term) -> Predicted:
    """The sum of the terms, in milliseconds and in words; never less than nothing."""
    words = terms[0].text
    for term in terms[1:]:
        words += f" {'-' if term.seconds < 0 else '+'} {term.text}"
    return Predicted(max(0.0, round(sum(term.seconds for term in terms), 3)), words)


def duration(seconds: float) -> str:
    """`50 ms`, `2.5 s`: whole milliseconds."""
    millis = round(seconds * 1000)
    return f"{millis} ms" if millis < 1000 else f"{millis / 1000:g} s"
