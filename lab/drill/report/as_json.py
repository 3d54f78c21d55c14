"""The report for programs: every verdict, the summaries, and the SLA arithmetic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lab.drill.availability import LEVELS, availability, failures_per_year
from lab.drill.judge.model import Verdict
from lab.drill.judge.summary import Summary, summarise
from lab.drill.report.tables import MONTHLY, WEEKLY

REPORT_VERSION = 1
"""Grows when a field changes its meaning."""


def to_json(verdicts: Sequence[Verdict]) -> str:
    """All drills as one JSON object; times are in seconds."""
    summaries = summarise(verdicts)
    report = {
        "version": REPORT_VERSION,
        "summaries": [_summary(summary) for summary in summaries],
        "levels": [
            {"percent": level.percent, "downtime_year_s": level.downtime_year_s} for level in LEVELS
        ],
        "verdicts": [verdict.model_dump(mode="json") for verdict in verdicts],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _summary(summary: Summary) -> dict[str, Any]:
    return {**summary.model_dump(mode="json"), "availability": _availability(summary)}


def _availability(summary: Summary) -> dict[str, Any] | None:
    """Of the longest outage, which counts as long as the resolution at least."""
    if summary.outage is None:
        return None
    outage_s = max(summary.outage.max, summary.resolution_s or 0.0)
    return {
        "outage_s": outage_s,
        "failures_per_year": {each.percent: failures_per_year(each, outage_s) for each in LEVELS},
        "once_a_month": availability(MONTHLY, outage_s),
        "once_a_week": availability(WEEKLY, outage_s),
    }
