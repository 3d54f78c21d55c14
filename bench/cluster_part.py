"""The cluster part: three fresh machines become one, and lose a member ten times, with the timers
`fast` and with Corosync's own defaults (those of `course`) in one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.drills import Verdicts, add_outages, run_drills
from bench.first_up import first_up
from bench.report import Report
from lab.rig_stack import rig_up
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

STACK = "test-bench-clus"
RUNS = 10
FAULT = "cluster-member-power-off"
PROBE = "cluster-http"
WANTED_S = {"fast": 6.0}
"""The slowest of ten that is good enough, 95th percentile; Corosync's defaults are for comparison.
"""
UP_WITHIN_S = 30.0
OF_CLUSTER = ("cluster-", "fencing-")
"""Begin of the names of resources that belong to the cluster."""


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """The cluster's set-up and failover. The rig is removed at the end."""
    report = Report(part="cluster: three members on one rig, fenced by the rig's own service")
    with own_rig(STACK, home):
        settings = {"topology": "compact", "timers": "fast", "cluster": {"enabled": True}}
        rig_up(STACK, settings)
        lab = RigLab(STACK, home)
        say("the first up")
        first_up(
            report,
            lab,
            whole="all services of three machines",
            tier="the cluster and its fencing",
            names=OF_CLUSTER,
            target_s=UP_WITHIN_S,
        )
        for timers in ("fast", "course"):
            say(f"{timers} timers: {RUNS} runs of {FAULT}")
            lab.change("timers", timers)
            lab.up().ok()
            found = run_drills(lab, [FAULT], runs=RUNS, folder=home / timers)
            _figures(report, timers, found)
    return report


def _figures(report: Report, timers: str, verdicts: Verdicts) -> None:
    name = f"{timers}: power off to Apache answering at the cluster's VIP"
    target_s = WANTED_S.get(timers)
    if not add_outages(report, name, verdicts, PROBE, runs=RUNS, target_s=target_s):
        return
    predicted = verdicts[0]["predicted"]
    twice = sum(v["vip"]["overlaps"] + v["vip"]["arp_overlaps"] for v in verdicts)
    report.notes.append(
        f"{timers}: predicted at most {predicted['seconds']:g} s ({predicted['formula']}); moments"
        f" with two owners: {twice}"
    )
