"""A health report for people."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lab.drill.events import Judgement
from lab.health.drift import differences
from lab.health.report import Report

STYLES: dict[Judgement, str] = {"pass": "green", "fail": "bold red", "unknown": "yellow"}
ENDINGS: dict[Judgement, str] = {
    "pass": "is healthy",
    "fail": "is not healthy",
    "unknown": "could not be looked at completely",
}

WIDE = 1000
"""Columns; wider than any line."""


def show_report(report: Report, console: Console) -> None:
    """One line for each audit, the machines that have something to say, the drift, the outcome."""
    lines = Table(box=None, show_header=False, pad_edge=False)
    for audit in report.audits:
        lines.add_row(word(audit.outcome), escape(audit.title), escape(audit.detail))
    for machine in report.machines:
        if machine.outcome != "pass":
            lines.add_row(word(machine.outcome), escape(machine.machine), escape(machine.detail))
    for table in (lines, drift_table(report)):
        if table.row_count:
            unfolded(console).print(table)
    style = STYLES[report.outcome]
    ending = f"[{style}]{escape(report.stack)} {ENDINGS[report.outcome]}[/]"
    hint = f"; `lab reapply {escape(report.stack)}` puts it right" if report.drift else ""
    console.print(f"{ending}: {summary(report)}{hint} ({report.took_s:.1f} s)", soft_wrap=True)


def unfolded(console: Console) -> Console:
    """In a file or a pipe no line is folded: somebody looks for a path in it."""
    return console if console.is_terminal else Console(file=console.file, width=WIDE)


def word(outcome: Judgement) -> str:
    return f"[{STYLES[outcome]}]{outcome}[/]"


def drift_table(report: Report) -> Table:
    """What is not as it was applied; `lab reapply` puts it right."""
    table = Table(box=None, pad_edge=False)
    for column in ("machine", "plan", "changed by hand", "found", "expected"):
        table.add_column(column, overflow="fold")
    for drift in report.drift:
        cells = (drift.machine, drift.plan, drift.subject, drift.found, drift.expected)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def summary(report: Report) -> str:
    """The counts behind the outcome."""
    passed = sum(audit.outcome == "pass" for audit in report.audits)
    parts = [f"{passed} of {len(report.audits)} audits pass"]
    if report.machines:
        seen = sum(machine.outcome == "pass" for machine in report.machines)
        parts.append(f"{seen} of {len(report.machines)} machines looked at")
        parts.append(differences(len(report.drift)) or "no drift")
    return ", ".join(parts)
