"""The drill part: the same faults, ten times each, under three sets of timers in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.drills import Verdicts, add_outages, run_drills
from bench.report import Report
from lab.rig_stack import rig_up
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

STACK = "test-bench-drl"
RUNS = 10
COUNTS = {"loadBalancer": 2, "app": 3, "database": 0, "storage": 0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The slowest of ten that is good enough: 95th percentile of the outage, by set of timers."""

    fault: str
    fast_s: float
    standard_s: float | None
    may_fail: bool

    def target_s(self, timers: str) -> float | None:
        return {"fast": self.fast_s, "standard": self.standard_s}.get(timers)


WANTED = (
    Wanted("vip-owner-power-off", 0.2, 0.35, may_fail=True),
    Wanted("vip-owner-stop", 0.05, None, may_fail=False),
    Wanted("app-server-killed", 0.0, 0.0, may_fail=False),
)


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """Outages of the load balancer tier's faults. The rig is removed at the end."""
    report = Report(part="drill: what a client suffers, by set of timers (rig)")
    with own_rig(STACK, home):
        rig_up(STACK, {"topology": "full", "timers": "fast", "machines": {"counts": COUNTS}})
        lab = RigLab(STACK, home)
        for timers in ("fast", "standard", "course"):
            say(f"{timers} timers: {RUNS} runs of {', '.join(w.fault for w in WANTED)}")
            lab.change("timers", timers)
            lab.up().ok()
            _drills(report, lab, timers, home / timers)
    return report


def _drills(report: Report, lab: RigLab, timers: str, folder: Path) -> None:
    verdicts = run_drills(lab, [w.fault for w in WANTED], runs=RUNS, folder=folder)
    for wanted in WANTED:
        _figures(report, timers, wanted, [v for v in verdicts if v["fault"] == wanted.fault])


def _figures(report: Report, timers: str, wanted: Wanted, verdicts: Verdicts) -> None:
    name = f"{timers}: {wanted.fault}"
    target_s = wanted.target_s(timers)
    # Of the fresh connections: a session that was open waits for TCP's own timers besides.
    if not add_outages(report, name, verdicts, "http", runs=RUNS, target_s=target_s):
        return
    failed, total = sum(v["failed"] for v in verdicts), sum(v["total"] for v in verdicts)
    predicted = verdicts[0]["predicted"]
    report.notes.append(
        f"{name}: predicted at most {predicted['seconds']:g} s ({predicted['formula']}); "
        f"{failed} of {total} requests failed"
        + ("" if wanted.may_fail or not failed else " - none was to fail")
    )
