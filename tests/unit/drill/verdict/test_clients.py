"""Outages, counts and latencies of client probes, by their definitions."""

from __future__ import annotations

import pytest

from lab.drill.judge.model import Client
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, History, history

CLEAN = history()
SESSION = history(probes={"session": 0.1}).silent(BEGIN, END)
"""A client with one connection, which waits for each answer."""


def client(drilled: History, probe: str = "http") -> Client:
    return judge(drilled.events()).clients[probe]


def windows(drilled: History, probe: str = "http") -> list[tuple[float, float, str]]:
    return [(o.begin, o.end, o.phase) for o in client(drilled, probe).outages]


def test_an_outage_lasts_from_the_last_good_request_to_the_first_of_ten_good_ones() -> None:
    assert windows(CLEAN.outage(0.1, 0.3)) == [(0.09, 0.3, "fault")]


def test_nine_good_requests_do_not_end_it() -> None:
    assert windows(CLEAN.outage(0.1, 0.2).outage(0.29, 0.3)) == [(0.09, 0.3, "fault")]
    assert windows(CLEAN.outage(0.1, 0.2).outage(0.3, 0.31)) == [
        (0.09, 0.2, "fault"),
        (0.29, 0.31, "fault"),
    ]


def test_how_many_good_ones_end_it_is_a_limit() -> None:
    twice = CLEAN.outage(0.1, 0.2).outage(0.23, 0.24)
    assert len(windows(twice.limited(good_in_row=3))) == 2
    assert len(windows(twice.limited(good_in_row=4))) == 1


def test_with_one_of_two_servers_dead_the_outage_covers_it_all() -> None:
    assert windows(CLEAN.outage(0.1, 0.5, each=2)) == [(0.09, 0.49, "fault")]


def test_before_the_first_success_it_counts_from_the_first_request() -> None:
    assert windows(CLEAN.outage(BEGIN, -1.5)) == [(BEGIN, -1.5, "before")]


def test_each_outage_belongs_to_a_phase() -> None:
    drilled = CLEAN.outage(-0.5, -0.3).outage(0, 0.2).outage(3.2, 3.3)
    assert [phase for _, _, phase in windows(drilled)] == ["before", "fault", "undo"]
    assert client(drilled).outage_s == 0.21
    assert client(drilled).undo_outage_s == 0.11


def test_a_request_that_was_on_its_way_when_the_fault_came_belongs_to_it() -> None:
    hanging = CLEAN.silent(-0.01, 0).requests(-0.01, 0, outcome="failed", took_s=0.3)
    assert windows(hanging) == [(-0.02, 0.0, "fault")]
    over = CLEAN.silent(-0.01, 0).requests(-0.01, 0, outcome="failed", took_s=0.005)
    assert windows(over) == [(-0.02, 0.0, "before")]


def test_what_began_under_the_fault_counts_for_it_also_beyond_its_undoing() -> None:
    (outage,) = client(CLEAN.outage(2.9, 3.2)).outages
    assert (outage.phase, outage.until_undone) == ("fault", True)
    assert not client(CLEAN.outage(2.7, 2.9)).outages[0].until_undone


def test_what_was_begun_after_the_end_of_the_drill_is_not_judged() -> None:
    late = CLEAN.requests(END, END + 0.05, outcome="failed", took_s=1.0)
    assert (windows(late), client(late).failed) == ([], 0)
    assert windows(late.without_steps("end"))[0][1] == END + 1.04


def test_one_slow_answer_is_counted_and_is_no_outage_two_are() -> None:
    assert (client(CLEAN.slow(0.5, 0.51)).slow, windows(CLEAN.slow(0.5, 0.51))) == (1, [])
    assert windows(CLEAN.slow(0.5, 0.52)) == [(0.49, 0.52, "fault")]
    assert windows(CLEAN.slow(0.5, 0.53, each=2)) == [(0.49, 0.53, "fault")]


def test_an_answer_is_slow_after_the_limit_not_at_it() -> None:
    at, after = CLEAN.slow(0.5, 0.6, 0.25), CLEAN.slow(0.5, 0.6, 0.2501)
    assert (client(at).slow, client(after).slow) == (0, 10)


def test_one_failed_request_is_an_outage() -> None:
    assert windows(CLEAN.outage(0.5, 0.51)) == [(0.49, 0.51, "fault")]


def test_one_slow_answer_is_an_outage_where_nobody_else_was_served_meanwhile() -> None:
    waited = (
        SESSION.requests(BEGIN, 0, every=0.1, probe="session")
        .requests(0, 0.1, every=0.1, probe="session", took_s=3)
        .requests(3, END, every=0.1, probe="session")
    )
    assert windows(waited, "session") == [(-0.1, 3.0, "fault")]
    assert judge(waited.events()).sentences[0].code == "outage"


def test_one_slow_answer_at_the_very_end_is_no_outage() -> None:
    assert windows(CLEAN.slow(4.99, END)) == []
    assert windows(CLEAN.slow(4.95, 4.96)) == []


def test_a_probe_that_waits_for_a_wrong_answer_is_not_late() -> None:
    hung = (
        SESSION.requests(BEGIN, 0, every=0.1, probe="session")
        .requests(0, 0.1, every=0.1, probe="session", took_s=2, outcome="failed")
        .requests(2, END, every=0.1, probe="session")
    )
    verdict = judge(hung.events())
    assert "late" not in {s.code for s in verdict.sentences}
    assert verdict.outage_s == 2.1
    well = hung.outage(0, 0.1, outcome="ok", probe="session").limited(slow_s=9)
    assert "late" in {s.code for s in judge(well.events()).sentences}


def test_time_in_which_the_probe_stood_still_is_no_certain_outage() -> None:
    drilled = CLEAN.silent(0.5, 1.1).outage(1.1, 1.3)
    verdict = judge(drilled.events())
    assert (verdict.outage_s, verdict.outcome) == (0.81, "unknown")
    assert [s.code for s in verdict.sentences if s.outcome == "unknown"] == ["outage"]
    assert judge(drilled.limited(outage_s=0.19).events()).outcome == "fail"


def test_the_resolution_is_the_interval_or_the_longest_pause_after_the_fault() -> None:
    assert client(CLEAN).resolution_s == 0.01
    assert client(CLEAN.silent(1, 1.05)).resolution_s == 0.06
    assert client(CLEAN.silent(-1, -0.9)).resolution_s == 0.01
    unannounced = client(history(probes={}).silent(1, 1.05))
    assert (unannounced.interval_s, unannounced.resolution_s) == (None, 0.06)


def test_answers_that_the_end_cut_off_are_unknown_and_prove_nothing() -> None:
    cut = client(CLEAN.outage(4.95, END, outcome="unknown"))
    assert (cut.unknown, cut.outages, cut.outage_s) == (5, (), 0.0)
    between = client(CLEAN.outage(0.5, 0.6, outcome="unknown"))
    assert [(o.begin, o.end, o.unknown) for o in between.outages] == [(0.49, 0.6, 10)]


def test_a_few_lost_answers_are_held_against_nobody_with_a_budget_left() -> None:
    lost = CLEAN.outage(0.5, 0.6, outcome="unknown")
    assert judge(lost.limited(failed_requests=10).events()).outcome == "pass"
    verdict = judge(lost.limited(failed_requests=9).events())
    assert (verdict.outcome, verdict.sentences[0].code) == ("unknown", "failed-unknown")


def test_failed_requests_are_counted_from_the_fault_on() -> None:
    drilled = CLEAN.outage(-1.9, -1.8).outage(0, 0.05).outage(3.2, 3.23)
    assert (client(drilled).failed, client(drilled).failed_after) == (18, 8)
    assert judge(drilled.limited(failed_requests=8).events()).outcome == "pass"
    assert judge(drilled.limited(failed_requests=7).events()).outcome == "fail"


def test_latencies_are_those_of_good_requests() -> None:
    drilled = (
        history()
        .silent(BEGIN, END)
        .requests(0, 0.9, took_s=0.001)
        .requests(0.9, 0.95, took_s=0.002)
        .requests(0.95, 1.0, took_s=0.2)
        .requests(1.0, 1.5, took_s=9, outcome="failed")
    )
    latency = client(drilled).latency
    assert latency is not None
    assert (latency.p50, latency.p95, latency.p99, latency.max) == (0.001, 0.002, 0.2, 0.2)
    assert client(CLEAN.outage(BEGIN, END)).latency is None


def test_who_answered_before_and_who_after() -> None:
    drilled = CLEAN.outage(0, 0.2).changed(
        0.2, END, lambda r: r.model_copy(update={"server": "app2", "balancer": "lb2"})
    )
    seen = client(drilled)
    assert (seen.servers_before, seen.balancers_before) == (("app1",), ("lb1",))
    assert (seen.servers_after, seen.balancers_after) == (("app2",), ("lb2",))


def test_after_means_behind_the_last_outage() -> None:
    """While every second request fails the others are still answered by the old one."""
    flapping = CLEAN.outage(0, 0.4, each=2).changed(
        0.39, END, lambda r: r.model_copy(update={"balancer": "lb2"})
    )
    assert client(flapping).balancers_after == ("lb2",)


def test_after_means_before_the_undoing() -> None:
    back = CLEAN.changed(3, END, lambda r: r.model_copy(update={"balancer": "lb9"}))
    assert client(back).balancers_after == ("lb1",)


def test_every_client_is_judged_and_the_worst_one_is_the_drills() -> None:
    two = history(probes={"http": 0.01, "session": 0.1}).requests(
        BEGIN, END, every=0.1, probe="session"
    )
    drilled = two.outage(0, 0.2).outage(0, 0.8, probe="session")
    verdict = judge(drilled.events())
    assert verdict.outage_s == pytest.approx(0.9)
    assert verdict.resolution_s == 0.1
    assert verdict.outcome == "fail"
    assert verdict.total == 700 + 70
    assert judge(two.outage(0, 0.2).events()).outage_s == 0.21


def with_session(session_s: float, *, fault: str = "vip-owner-power-off") -> History:
    """Fresh clients suffer for 0.3 s, the open session for as long as told."""
    both = history(fault, probes={"http": 0.01, "session": 0.1}, sessions=("session",))
    asked = both.requests(BEGIN, END, every=0.1, probe="session").moved(0.1, silent=True)
    return asked.outage(0, 0.3).outage(0, session_s, probe="session")


def test_a_session_is_no_part_of_the_drills_outage() -> None:
    verdict = judge(with_session(1.0).events())
    assert (verdict.outage_s, verdict.session_outage_s) == (0.31, 1.1)
    assert verdict.resolution_s == 0.01
    assert verdict.vip.takeover_s == 0.2
    assert judge(CLEAN.events()).session_outage_s is None


def test_a_session_may_wait_for_tcp_twice_as_long_and_200_ms() -> None:
    """At most 2 x 0.7 s + 0.2 s."""
    assert judge(with_session(1.5).events()).outcome == "pass"
    verdict = judge(with_session(1.6).events())
    assert (verdict.outcome, verdict.sentences[0].code) == ("fail", "outage")
    assert "at most 1.60" in verdict.reasons[0]


def test_without_a_fault_a_session_may_not_wait_at_all() -> None:
    assert judge(with_session(0.05, fault="none").limited(outage_s=0).events()).outcome == "fail"


def test_each_move_of_the_vip_may_cost_a_session_the_request_that_is_on_its_way() -> None:
    moved = with_session(0.2).outage(0, 0.3, outcome="ok").limited(failed_requests=1)
    assert judge(moved.events()).clients["session"].failed == 2
    assert judge(moved.events()).outcome == "pass"
    assert judge(moved.limited(failed_requests=0).events()).outcome == "fail"
    stayed = moved.owner("arp", 0, END, "lb1").owner("lb1", 0, END, "lb1").owner("lb2", 0, END)
    assert judge(stayed.events()).outcome == "fail"


def test_the_drills_numbers_of_requests_are_without_those_of_sessions() -> None:
    verdict = judge(with_session(0.5).events())
    assert (verdict.total, verdict.failed) == (700, 30)


def test_where_there_are_only_sessions_they_are_what_is_measured() -> None:
    alone = with_session(0.5).silent(BEGIN, END).headed(probes={"session": 0.1})
    assert judge(alone.events()).outage_s == 0.6


def test_the_clock_of_a_verdict_is_zero_when_the_fault_begins_or_the_steady_state() -> None:
    assert windows(history("none").without_steps("inject").outage(0, 0.1)) == [(0.99, 1.1, "fault")]
