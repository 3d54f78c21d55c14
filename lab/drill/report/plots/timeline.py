"""One drill over time: requests by latency, outages, the drill's own steps, who had the VIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drill.judge.model import Client, Verdict
from lab.drill.judge.timeline import Kind, Sample, Timeline
from lab.drill.report.plots.points import Lane, Mark, Stretch, lanes, marks
from lab.drill.report.plots.svg import (
    FAILED,
    GOOD,
    INK,
    MACHINES,
    MUTED,
    PAPER,
    PREDICTED,
    SLOW,
    UNKNOWN,
    figure,
    to_svg,
)
from lab.drill.report.voice import Voice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN, CLIENT_IN, LANE_IN, MARGIN_IN = 9.2, 1.6, 0.19, 0.62
AROUND_S = 0.3
"""Shown at least before and after what a zoom is about."""
MARKERS: dict[Kind, tuple[str, str]] = {
    "slow": (SLOW, "^"),
    "failed": (FAILED, "x"),
    "unknown": (UNKNOWN, "s"),
}
LOWEST_MS = 0.5
HEADROOM = 8
"""Above the slowest answer, for the lengths of the outages; of a logarithmic axis."""
LABEL_SHARE = 0.05
"""A stretch that is narrower than this share of the plot has no room for its name."""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown, in seconds after the fault was begun."""

    begin: float
    end: float


def whole(time: Timeline) -> View:
    """All of a drill."""
    moments = [time.at(event) for event in time.events]
    begin, end = min(moments, default=0.0), max(moments, default=0.0)
    # What comes behind the end are audits.
    end = min(end, time.steps.get("end", end) + AROUND_S)
    return View(begin, max(end, begin + AROUND_S))


def zoom(run: Verdict, time: Timeline) -> View | None:
    """The part around the failover; None where it is most of the drill anyway."""
    ends = [o.end for c in run.clients.values() for o in c.outages if o.phase == "fault"]
    moments = [*ends, run.vip.detection_s, run.injection_s]
    moments.append(run.predicted.seconds if run.predicted else None)
    about = max([0.1, *(moment for moment in moments if moment is not None)])
    room, everything = max(AROUND_S, about / 2), whole(time)
    view = View(max(-room, everything.begin), min(about + room, everything.end))
    return view if view.end - view.begin < 0.6 * (everything.end - everything.begin) else None


def timeline_svg(run: Verdict, time: Timeline, view: View, voice: Voice, *, prefix: str) -> str:
    """The plot of one drill."""
    clients = list(time.samples().items())
    tracks = lanes(time)
    heights = [CLIENT_IN] * len(clients) + ([LANE_IN * len(tracks)] if tracks else [])
    if not heights:
        return ""
    with figure(WIDTH_IN, sum(heights) + MARGIN_IN) as drawn:
        rows = drawn.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
        axes: list[Axes] = [row[0] for row in rows]
        for axis, (probe, samples) in zip(axes, clients, strict=False):
            _draw_client(axis, run, probe, samples, view, voice)
        if tracks:
            _draw_lanes(axes[-1], tracks, view, voice)
        for axis in axes:
            _draw_steps(axis, run)
        _label_steps(axes[0], run, view, voice)
        axes[-1].set_xlim(view.begin, view.end)
        axes[-1].set_xlabel(voice.say("axis-time"))
        axes[-1].xaxis.set_major_formatter(lambda value, _place: voice.plain(value))
        return to_svg(drawn, prefix=prefix, alt=_alt(run, view, voice))


def _draw_client(
    axis: Axes, run: Verdict, probe: str, samples: Sequence[Sample], view: View, voice: Voice
) -> None:
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, _place: voice.plain(value))
    axis.set_ylabel("ms")
    axis.set_title(voice.title(probe), loc="left", fontsize=8, fontweight="bold", pad=3)
    axis.grid(visible=True, axis="y")
    _draw_good(axis, marks(samples, "good", view.begin, view.end))
    for kind, (colour, marker) in MARKERS.items():
        _draw_marks(axis, marks(samples, kind, view.begin, view.end), colour, marker)
    axis.axhline(run.limits.slow_s * 1000, color=SLOW, linewidth=0.7, linestyle=(0, (4, 3)))
    axis.annotate(
        voice.say("mark-slow"),
        (1.0, run.limits.slow_s * 1000),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=7,
    )
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, LOWEST_MS), HEADROOM * max(run.limits.slow_s * 1000, high))
    client = run.clients.get(probe)
    if client is not None:
        _draw_outages(axis, client, view, voice)


def _draw_good(axis: Axes, good: Sequence[Mark]) -> None:
    """All of them are one path: a bar from the fastest to the slowest of a bin, or a dot."""
    x: list[float] = []
    y: list[float] = []
    for mark in good:
        x += [mark.t, mark.t, float("nan")]
        y += [mark.least_s * 1000, mark.most_s * 1000, float("nan")]
    axis.plot(x, y, color=GOOD, linewidth=1.8, solid_capstyle="round")


def _draw_marks(axis: Axes, bad: Sequence[Mark], colour: str, marker: str) -> None:
    x = [mark.t for mark in bad]
    for y in ([mark.least_s * 1000 for mark in bad], [mark.most_s * 1000 for mark in bad]):
        axis.plot(
            x,
            y,
            linestyle="none",
            marker=marker,
            markersize=3.2,
            markeredgewidth=0.8,
            markeredgecolor=colour,
            markerfacecolor="none",
        )


def _draw_outages(axis: Axes, client: Client, view: View, voice: Voice) -> None:
    for outage in client.outages:
        if outage.end < view.begin or outage.begin > view.end:
            continue
        axis.axvspan(outage.begin, outage.end, facecolor=FAILED, alpha=0.16, linewidth=0)
        axis.axvspan(
            outage.begin, outage.end, facecolor="none", edgecolor=FAILED, hatch="///", linewidth=0
        )
        middle = (max(outage.begin, view.begin) + min(outage.end, view.end)) / 2
        axis.annotate(
            voice.seconds(outage.duration_s),
            (middle, 0.97),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            fontweight="bold",
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1},
        )


def _draw_lanes(axis: Axes, tracks: Sequence[Lane], view: View, voice: Voice) -> None:
    machines = sorted({o for track in tracks for s in track.stretches for o in s.owners})
    colours = {name: MACHINES[n % len(MACHINES)] for n, name in enumerate(machines)}
    for row, track in enumerate(tracks):
        for stretch in track.stretches:
            _draw_stretch(axis, row, stretch, view, colours)
    axis.set_ylim(len(tracks) - 0.4, -0.6)
    axis.set_yticks(range(len(tracks)), [lane_name(track, voice) for track in tracks])
    axis.tick_params(axis="y", length=0)


def _draw_stretch(
    axis: Axes, row: int, stretch: Stretch, view: View, colours: dict[str, str]
) -> None:
    begin, end = max(stretch.begin, view.begin), min(stretch.end, view.end)
    if end <= begin:
        return
    is_one = len(stretch.owners) == 1
    colour = colours[stretch.owners[0]] if is_one else FAILED
    axis.broken_barh([(begin, end - begin)], (row - 0.38, 0.76), facecolor=colour, alpha=0.4)
    # Two at once are what must not be missed: named at any width.
    if not is_one or end - begin >= LABEL_SHARE * (view.end - view.begin):
        label = " + ".join(stretch.owners)
        axis.text((begin + end) / 2, row, label, ha="center", va="center", fontsize=7)


def lane_name(track: Lane, voice: Voice) -> str:
    """What people call it."""
    if track.is_service:
        return voice.say("lane-primary", service=track.source)
    is_wire = track.source == "arp"
    name = voice.say("lane-wire") if is_wire else voice.say("lane-machine", machine=track.source)
    return f"{name}, {track.vip}" if track.vip else name


def _draw_steps(axis: Axes, run: Verdict) -> None:
    for step, style in (("inject", "-"), ("injected", ":"), ("undo", "-"), ("undone", ":")):
        moment = run.steps.get(step)  # type: ignore[call-overload]
        if moment is not None:
            axis.axvline(moment, color=INK, linewidth=0.9, linestyle=style)
    if run.predicted is not None:
        axis.axvline(run.predicted.seconds, color=PREDICTED, linewidth=1.1, linestyle="--")


def _label_steps(axis: Axes, run: Verdict, view: View, voice: Voice) -> None:
    """What the lines mean: the steps above the plot, the prediction within, so that their names do
    not meet."""
    predicted = run.predicted.seconds if run.predicted else None
    labels = (
        ("mark-fault", run.steps.get("inject"), "right", 1.0, INK),
        ("mark-undo", run.steps.get("undo"), "right", 1.0, INK),
        ("mark-predicted", predicted, "left", 0.03, PREDICTED),
    )
    for key, moment, side, height, colour in labels:
        if moment is not None and view.begin <= moment <= view.end:
            axis.annotate(
                f" {voice.say(key)} ",
                (moment, height),
                xycoords=("data", "axes fraction"),
                ha=side,
                va="bottom",
                color=colour,
            )


def _alt(run: Verdict, view: View, voice: Voice) -> str:
    outages = [
        voice.say(
            "plot-outage",
            probe=voice.title(probe),
            begin=voice.seconds(outage.begin),
            end=voice.seconds(outage.end),
        )
        for probe, client in run.clients.items()
        for outage in client.outages
        if outage.begin <= view.end and outage.end >= view.begin
    ]
    owners = [", ".join(names) for names in (run.vip.owner_before, run.vip.owner_after)]
    return voice.say(
        "plot-alt",
        fault=voice.title(run.fault),
        begin=voice.seconds(view.begin),
        end=voice.seconds(view.end),
        outages="; ".join(outages) or voice.say("nothing"),
        owners=" → ".join(name or voice.say("nothing") for name in owners),
    )
