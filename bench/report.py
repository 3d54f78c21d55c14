"""What a bench run found: seconds with their targets, ratios, and where the time went."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

SHORT_S = 1.0
"""Figures below this are shown in milliseconds' steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured time: every sample in seconds, judged by the median."""

    name: str
    samples: tuple[float, ...]
    target_s: float | None = None
    load: float = 0.0
    """Load average of the last minute when it was taken: this machine alone is about 0."""

    @property
    def seconds(self) -> float:
        return statistics.median(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Ours divided by theirs, for the same work in the same run."""

    name: str
    ours_s: float
    theirs_s: float
    target: float

    @property
    def value(self) -> float:
        return self.ours_s / self.theirs_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is no time of a command: a share of a core, an error of a clock."""

    name: str
    value: float
    unit: str
    target: float | None
    load: float


@dataclass(slots=True, kw_only=True)
class Report:
    """The results of one part of the bench."""

    part: str
    figures: list[Figure] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    details: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """By title: seconds of single resources, phases or units."""
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, *samples: float, target_s: float | None = None) -> None:
        """Note a time."""
        load = os.getloadavg()[0]
        self.figures.append(Figure(name=name, samples=samples, target_s=target_s, load=load))

    def measure(self, name: str, value: float, unit: str, *, target: float | None = None) -> None:
        """Note what is counted in another unit."""
        load = os.getloadavg()[0]
        found = Measure(name=name, value=value, unit=unit, target=target, load=load)
        self.measures.append(found)

    def seconds(self, name: str) -> float:
        return next(figure.seconds for figure in self.figures if figure.name == name)

    def compare(self, name: str, ours: str, theirs: str, *, target: float) -> None:
        """Note the ratio of two times that were noted before."""
        ratio = Ratio(
            name=name, ours_s=self.seconds(ours), theirs_s=self.seconds(theirs), target=target
        )
        self.ratios.append(ratio)


def machine() -> dict[str, object]:
    """On what the numbers were taken; nothing that names a person or a place."""
    return {
        "taken": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def to_json(reports: Sequence[Report], versions: Mapping[str, str]) -> str:
    """All results for a program."""
    parts = [
        {
            **asdict(report),
            "figures": [{**asdict(f), "seconds": f.seconds} for f in report.figures],
            "ratios": [{**asdict(r), "ratio": r.value} for r in report.ratios],
        }
        for report in reports
    ]
    return json.dumps({"machine": machine(), "versions": dict(versions), "parts": parts}, indent=1)


def show(report: Report, console: Console) -> None:
    """All results for a person: ratios first."""
    console.rule(f"[bold]{report.part}")
    if report.ratios:
        table = Table("the same work, ours / theirs", "ratio", "target", "ours s", "theirs s")
        for r in report.ratios:
            value = _judged(r.value, r.target, 2)
            table.add_row(r.name, value, f"<= {r.target:g}", f"{r.ours_s:.1f}", f"{r.theirs_s:.1f}")
        console.print(table)
    if report.measures:
        table = Table("what", "found", "unit", "target", "load")
        for m in report.measures:
            target = "" if m.target is None else f"<= {m.target:g}"
            table.add_row(m.name, _judged(m.value, m.target, 2), m.unit, target, f"{m.load:.1f}")
        console.print(table)
    if report.figures:
        _show_figures(report, console)
    for title, seconds in report.details.items():
        table = Table(title, "seconds")
        for name, took in sorted(seconds.items(), key=lambda item: -item[1]):
            table.add_row(name, f"{took:.1f}")
        console.print(table)
    for note in report.notes:
        console.print(note)


def _show_figures(report: Report, console: Console) -> None:
    table = Table("what", "seconds", "target", "samples", "load")
    for f in report.figures:
        target = "" if f.target_s is None else f"<= {f.target_s:g}"
        digits = 3 if max(f.samples) < SHORT_S else 1
        texts = [f"{sample:.{digits}f}" for sample in f.samples]
        samples = " ".join(texts) if len(texts) > 1 else ""
        value = _judged(f.seconds, f.target_s, digits)
        table.add_row(f.name, value, target, samples, f"{f.load:.1f}")
    console.print(table)


def _judged(value: float, target: float | None, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if target is None:
        return text
    return f"[green]{text}[/]" if value <= target else f"[red]{text}[/]"
