"""All runs of all faults on one axis, with what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.drill.judge.summary import Summary
from lab.drill.report.plots.svg import FAILED, GOOD, INK, PREDICTED, figure, to_svg
from lab.drill.report.tables import label
from lab.drill.report.voice import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN, ROW_IN, MARGIN_IN = 9.2, 0.34, 0.6
FLOOR_S = 1e-3
SPREAD = 0.22
"""Dots of the same fault lie beside each other within this height, so that none hides another."""


def runs_svg(summaries: Sequence[Summary], voice: Voice, *, prefix: str) -> str:
    """A row for each fault with data; empty where there is none."""
    shown = [summary for summary in summaries if summary.outage is not None]
    if not shown:
        return ""
    with figure(WIDTH_IN, ROW_IN * len(shown) + MARGIN_IN) as drawn:
        axis = drawn.subplots()
        axis.set_xscale("log")
        axis.grid(visible=True, axis="x")
        for row, summary in enumerate(shown):
            _draw_row(axis, row, summary)
        names = [label(summary, summaries, voice) for summary in shown]
        axis.set_yticks(range(len(shown)), names)
        axis.set_ylim(len(shown) - 0.5, -0.5)
        axis.tick_params(axis="y", length=0)
        axis.set_xlabel(voice.say("axis-outage"))
        axis.xaxis.set_major_formatter(lambda value, _place: voice.plain(value))
        return to_svg(drawn, prefix=prefix, alt=voice.say("distribution-alt"))


def _draw_row(axis: Axes, row: int, summary: Summary) -> None:
    floor = max(summary.resolution_s or FLOOR_S, FLOOR_S)
    count = len(summary.outages)
    for place, outage in enumerate(summary.outages):
        height = row + SPREAD * (2 * (place + 0.5) / count - 1)
        is_none = outage <= 0
        axis.plot(
            [max(outage, floor)],
            [height],
            marker="o",
            markersize=4,
            markeredgecolor=GOOD,
            markerfacecolor="none" if is_none else GOOD,
        )
    if summary.outage is not None and count > 1:
        median = max(summary.outage.median, floor)
        axis.plot([median, median], [row - 0.36, row + 0.36], color=INK, linewidth=1.6)
    if summary.predicted is not None and summary.predicted.seconds > 0:
        axis.plot([summary.predicted.seconds], [row], marker="D", markersize=5, color=PREDICTED)
    if summary.limit_s > 0:
        limit = [summary.limit_s, summary.limit_s]
        axis.plot(limit, [row - 0.36, row + 0.36], color=FAILED, linestyle=":", linewidth=1.6)
