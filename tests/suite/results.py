"""What a part did, from what pytest reported of each test (pytest-reportlog). Pure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

MOST_RERUNS = 2
"""More than so many in one run is no bad luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A part that has ended, or that was never begun."""

    name: str
    status: int | None
    """Exit status of its command; None where it was not run."""
    seconds: float = 0.0
    passed: int = 0
    failed: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many, by reason."""
    slowest: tuple[tuple[float, str], ...] = ()
    """Seconds and test, the slowest first."""

    @property
    def word(self) -> str:
        """Its verdict in one word."""
        if self.status is None:
            return "not run"
        return "green" if self.status == 0 else "red"

    @property
    def tests(self) -> int:
        """Tests that it had."""
        return self.passed + len(self.failed) + sum(self.skipped.values())


def result_of(name: str, *, status: int, seconds: float, reports: Iterable[str] = ()) -> Result:
    """Read the reports, one JSON object a line; a line that a killed run left unfinished is
    passed over."""
    outcomes: dict[str, str] = {}
    reasons: dict[str, str] = {}
    took: defaultdict[str, float] = defaultdict(float)
    rerun: list[str] = []
    for report in _parsed(reports):
        test, outcome = str(report["nodeid"]), str(report["outcome"])
        took[test] += float(report.get("duration", 0.0))
        if outcome == "rerun":
            rerun.append(test)
            outcomes.pop(test, None)
        elif outcome == "skipped":
            outcomes[test], reasons[test] = outcome, _reason(report)
        elif outcome == "failed" or (report["when"] == "call" and test not in outcomes):
            outcomes[test] = outcome
    return Result(
        name=name,
        status=status,
        seconds=seconds,
        passed=sum(outcome == "passed" for outcome in outcomes.values()),
        failed=tuple(test for test, outcome in outcomes.items() if outcome == "failed"),
        rerun=tuple(rerun),
        # A plain mapping: dataclasses.asdict makes nonsense of a Counter.
        skipped=dict(Counter(reasons[t] for t, o in outcomes.items() if o == "skipped")),
        slowest=tuple(nlargest(SLOWEST_KEPT, ((spent, test) for test, spent in took.items()))),
    )


SLOWEST_KEPT = 15


def _parsed(lines: Iterable[str]) -> Iterable[Mapping[str, Any]]:
    for line in lines:
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if report.get("$report_type") == "TestReport":
            yield report


def _reason(report: Mapping[str, Any]) -> str:
    """Why a test was skipped: the last of file, line and words."""
    said = report.get("longrepr")
    words = said[-1] if isinstance(said, list) and said else said
    return str(words or "no reason given").removeprefix("Skipped: ")


def problems(results: Iterable[Result]) -> list[str]:
    """Why a run is red, a sentence each; none where it is green."""
    results = list(results)
    found = [f"{result.name} is {result.word}" for result in results if result.status != 0]
    reruns = sum(len(result.rerun) for result in results)
    if reruns > MOST_RERUNS:
        found.append(f"{reruns} tests were run a second time, at most {MOST_RERUNS} may be")
    return found
