"""Drills in a bench: many runs of faults, and the outages of one client in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.report import Report
from lab.drill.judge.numbers import rank
from tests.support.rig_lab import RigLab

HAVE_NUMBERS = (0, 1, 3)
"""Exit statuses of a drill after which there are verdicts: passed, failed, unknown. A limit that is
exceeded is a result too."""

Verdicts = list[dict[str, Any]]


def run_drills(lab: RigLab, faults: Sequence[str], *, runs: int, folder: Path) -> Verdicts:
    """All verdicts, as the report has them. Raises BenchError."""
    words = [word for fault in faults for word in ("--fault", fault)]
    done = lab.lab("drill", lab.stack, *words, "--runs", str(runs), "--report", str(folder))
    if done.status not in HAVE_NUMBERS:
        msg = f"the drill gave no numbers (status {done.status}):\n{done.text[-2000:]}"
        raise BenchError(msg)
    verdicts: Verdicts = json.loads((folder / "report.json").read_text("utf-8"))["verdicts"]
    return verdicts


def add_outages(
    report: Report, name: str, verdicts: Verdicts, probe: str, *, runs: int, target_s: float | None
) -> bool:
    """Note the outages of one client and their 95th percentile; whether there are any.

    `target_s`: for the latter. What has no data is said.
    """
    outages = outages_of(verdicts, probe)
    if len(outages) < runs:
        report.notes.append(f"{name}: only {len(outages)} of {runs} runs have data")
    if not outages:
        return False
    report.add(name, *outages)
    report.add(f"{name}, p95", rank(outages, 0.95), target_s=target_s)
    return True


def outages_of(verdicts: Verdicts, probe: str) -> list[float]:
    """The outages of one client in seconds, of the runs that have data. Pure."""
    clients = [verdict["clients"].get(probe, {}) for verdict in verdicts]
    return [c["outage_s"] for c in clients if c.get("outage_s") is not None]


def lost_writes(verdicts: Verdicts, probe: str) -> str:
    """How many acknowledged writes of one client were lost, and in how many runs nobody looked."""
    found = [verdict["writes"].get(probe, {}).get("lost") for verdict in verdicts]
    known = [lost for lost in found if lost is not None]
    blind = f", not looked for in {found.count(None)} runs" if None in found else ""
    return f"acknowledged writes that were lost: {sum(known)} in {len(known)} runs{blind}"
