"""What the plots draw: no request is lost in its bin, nobody owns what they did not say."""

from __future__ import annotations

import re

import pytest

from lab.drill.judge.summary import summarise
from lab.drill.judge.timeline import Sample, Timeline, timeline
from lab.drill.report.plots.points import BINS, FLOOR_S, Stretch, lanes, marks
from lab.drill.report.plots.runs import runs_svg
from lab.drill.report.plots.timeline import View, timeline_svg, whole, zoom
from lab.drill.report.voice import Voice
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, History, failover, history
from tests.unit.drill.report.samples import TITLES, VERDICTS

EN = Voice("en", TITLES)


def time_of(drilled: History) -> Timeline:
    return timeline(drilled.events())


def test_a_bin_shows_its_fastest_and_its_slowest_request() -> None:
    samples = [Sample(0.001 * n, 0.001 + 0.001 * (n % 7), "good") for n in range(1000)]
    shown = marks(samples, "good", 0.0, 1.0)
    assert len(shown) == BINS
    assert {(mark.least_s, mark.most_s) for mark in shown[:-1]} <= {
        (a / 1000, b / 1000) for a in range(1, 8) for b in range(a, 8)
    }
    assert max(mark.most_s for mark in shown) == 0.007


def test_marks_are_of_one_kind_within_the_view() -> None:
    samples = [Sample(-1, 1, "good"), Sample(0, 1, "failed"), Sample(0, 0.0, "good")]
    (mark,) = marks(samples, "good", -0.5, 0.5)
    assert (mark.t, mark.least_s, mark.most_s) == (0, FLOOR_S, FLOOR_S)
    assert marks(samples, "slow", -5, 5) == []
    assert len(marks(samples, "failed", 0, 0)) == 1


def test_lanes_of_the_vip() -> None:
    wire, lb1, lb2 = lanes(time_of(history().moved(0.2, silent=True)))
    assert [lane.source for lane in (wire, lb1, lb2)] == ["arp", "lb1", "lb2"]
    assert wire.stretches == (Stretch(BEGIN, 0.2, ("lb1",)), Stretch(0.2, 5.0, ("lb2",)))
    # Its last word, and no more: nobody knows what came after.
    assert lb1.stretches == (Stretch(BEGIN, -0.04, ("lb1",)),)
    assert lb2.stretches[0].begin == 0.2


def test_two_owners_are_drawn_together() -> None:
    wire, *_ = lanes(time_of(history().owner("arp", 1, 2, "lb2", "lb1", every=0.01)))
    assert wire.stretches[1] == Stretch(1.0, 2.0, ("lb1", "lb2"))


def test_lanes_of_primaries() -> None:
    drilled = (
        history()
        .role("pg", "db1", 0, 1, "primary")
        .role("pg", "db2", 0.5, 2, "primary")
        .role("pg", "db1", 1, 2, "replica")
    )
    lane = lanes(time_of(drilled))[-1]
    assert (lane.source, lane.is_service) == ("pg", True)
    assert [(s.begin, s.owners) for s in lane.stretches] == [
        (0.0, ("db1",)),
        (0.5, ("db1", "db2")),
        (1.0, ("db2",)),
    ]


def test_views() -> None:
    drilled = failover(0.2)
    time, verdict = time_of(drilled), judge(drilled.events())
    assert whole(time) == View(BEGIN, END)
    near = zoom(verdict, time)
    assert near == View(-0.3, 0.306 + 0.3)
    long = failover(2.5)
    assert zoom(judge(long.events()), time_of(long)) is None
    late_audit = drilled.audit("x", "pass", t=40)
    assert whole(time_of(late_audit)) == View(BEGIN, END + 0.3)


@pytest.mark.filterwarnings("error::UserWarning")  # matplotlib's
@pytest.mark.filterwarnings("error::RuntimeWarning")  # numpy's
@pytest.mark.parametrize(
    "drilled",
    [
        history().without(lambda _event: True),
        history().without(lambda e: e.kind == "request"),
        history().without(lambda e: e.kind == "owner"),
        history().outage(BEGIN, END),
        history().outage(0, 1, outcome="unknown").slow(2, 3),
        history(predicted_s=None, victims=()),
        history("none").without_steps("inject", "injected"),
    ],
)
def test_every_history_can_be_drawn(drilled: History) -> None:
    time, verdict = time_of(drilled), judge(drilled.events())
    svg = timeline_svg(verdict, time, whole(time), EN, prefix="p")
    assert svg == "" or svg.startswith("<svg role")


def test_a_plot_takes_its_colours_from_the_page_and_its_ids_are_its_own() -> None:
    drilled = failover(0.2).owner("arp", 1, 1.2, "lb1", "lb2", every=0.01).slow(2, 2.2)
    time, verdict = time_of(drilled), judge(drilled.events())
    svg = timeline_svg(verdict, time, whole(time), EN, prefix="mine")
    assert re.findall(r"#[0-9a-fA-F]{6}\b", svg) == []
    assert {"var(--good)", "var(--failed)", "var(--slow)", "var(--machine0)"} <= set(
        re.findall(r"var\(--\w+\)", svg)
    )
    assert all(i.startswith("mine-") for i in re.findall(r'\bid="([^"]*)"', svg))
    assert all(i.startswith("mine-") for i in re.findall(r"(?:url\(|href=\")#([^\")]*)", svg))
    assert "lb1 + lb2" in svg
    assert "<metadata" not in svg


def test_names_from_machines_are_text_and_no_formula() -> None:
    odd = history(vip_machines=("$x$<b>",)).owner("$x$<b>", BEGIN, END, "$x$<b>")
    time, verdict = time_of(odd), judge(odd.events())
    svg = timeline_svg(verdict, time, whole(time), Voice("en"), prefix="p")
    assert "$x$&lt;b&gt; itself" in svg


def test_all_runs_on_one_axis() -> None:
    svg = runs_svg(summarise(VERDICTS), EN, prefix="runs")
    assert "The VIP's owner loses power (course)" in svg
    assert "outage in seconds" in svg
    without_data = judge(history().silent(BEGIN, END).events())
    assert runs_svg(summarise([without_data]), EN, prefix="runs") == ""
