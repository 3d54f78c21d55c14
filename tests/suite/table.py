"""The end of a run: a line for each part, what was rerun, what was skipped, what took longest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.suite.results import SLOWEST_KEPT, Result

HEADINGS = ("part", "", "tests", "passed", "failed", "rerun", "skipped", "time")
LEFT = 2
"""Columns of words; the others are numbers."""


def duration(seconds: float) -> str:
    """`5 min 3 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def end_of_run(results: Sequence[Result], *, seconds: float) -> str:
    """All of it as text."""
    rows = [HEADINGS, *(_row(result) for result in results), _total(results, seconds)]
    blocks = [_aligned(rows)]
    blocks += _listed("run a second time", (t for r in results for t in r.rerun))
    blocks += _listed(
        "skipped",
        (f"{count} of {r.name}: {why}" for r in results for why, count in r.skipped.items()),
    )
    slow = sorted((one for r in results for one in r.slowest), reverse=True)[:SLOWEST_KEPT]
    blocks += _listed("slowest", (f"{took:7.1f} s  {test}" for took, test in slow))
    blocks += _listed("failed", (test for r in results for test in r.failed))
    return "\n\n".join(blocks)


def _row(result: Result) -> tuple[str, ...]:
    numbers = (
        result.tests,
        result.passed,
        len(result.failed),
        len(result.rerun),
        sum(result.skipped.values()),
    )
    shown = map(str, numbers) if result.tests else ("",) * len(numbers)
    took = duration(result.seconds) if result.status is not None else ""
    return (result.name, result.word, *shown, took)


def _total(results: Sequence[Result], seconds: float) -> tuple[str, ...]:
    numbers = (
        sum(r.tests for r in results),
        sum(r.passed for r in results),
        sum(len(r.failed) for r in results),
        sum(len(r.rerun) for r in results),
        sum(sum(r.skipped.values()) for r in results),
    )
    return ("all", "", *map(str, numbers), duration(seconds))


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _listed(title: str, lines: Iterable[str]) -> list[str]:
    """A block with a title; none where there are no lines."""
    found = list(lines)
    return ["\n".join([f"{title}:", *(f"  {line}" for line in found)])] if found else []
