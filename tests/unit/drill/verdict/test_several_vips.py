"""The cluster's VIP beside that of the load balancers: each has its own owners."""

from __future__ import annotations

from lab.drill.events import Owner
from lab.drill.judge.timeline import timeline
from lab.drill.report.plots.points import lanes
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, ZERO, History, history

LOST = history("cluster-member-power-off", victims=("db1",)).headed(tier="cluster", vip="cluster")


def has(drilled: History, machine: str, begin: float, end: float) -> History:
    """The cluster's VIP is on this machine for a while, and on it alone it says so."""
    looks = range(round(begin * 10), round(end * 10))
    return drilled.plus(
        *(
            Owner(
                t=ZERO + t / 10, source=machine, owners=(machine,), probe="address", vip="cluster"
            )
            for t in looks
        )
    )


MOVED = has(has(LOST, "db1", BEGIN, 0), "db2", 0.8, END)


def test_the_vip_that_the_fault_is_about_is_the_one_that_moved() -> None:
    verdict = judge(MOVED.events())

    assert (verdict.vip.owner_before, verdict.vip.new_owner) == (("db1",), "db2")
    assert verdict.vip.detection_s == 0.8
    assert verdict.other_vips[""].owner_before == verdict.other_vips[""].owner_after == ("lb1",)


def test_one_owner_of_each_is_no_overlap_of_both() -> None:
    said = {s.code: s.en for s in judge(MOVED.events()).sentences if s.outcome == "pass"}
    texts = [s.en for s in judge(MOVED.events()).sentences if s.code == "one-owner"]

    assert "two-owners" not in said
    assert len(texts) == 2
    assert any("no more than 1 owner of the cluster's VIP at any time" in text for text in texts)


def test_not_a_moment_with_two_owners_of_the_clusters_vip_is_tolerated() -> None:
    both = has(MOVED, "db1", 0.8, 1.2).limited(owner_overlap_s=60.0)
    verdict = judge(both.events())

    (found,) = [s for s in verdict.sentences if s.code == "two-owners"]
    assert verdict.outcome == found.outcome == "fail"
    assert "they own the cluster's VIP" in found.en
    assert "détenir la VIP du cluster" in found.fr


def test_a_history_from_before_there_were_several_is_judged_as_ever() -> None:
    verdict = judge(history().events())

    assert verdict.vip.owner_before == ("lb1",)
    assert verdict.other_vips == {}


def test_the_plot_shows_the_vip_of_the_fault_first() -> None:
    shown = [(lane.vip, lane.source) for lane in lanes(timeline(MOVED.events()))]

    assert shown[:2] == [("cluster", "db1"), ("cluster", "db2")]
    assert ("", "arp") in shown
