"""When something that was done by hand began, of literal histories."""

from __future__ import annotations

from typing import Any

import pytest

from lab.drill.events import BY_HAND, AnyEvent, Request
from lab.drill.observe import Observer
from lab.drill.verdict import Verdict, judge
from lab.exercise.model import Effect
from lab.exercise.progress import Progress
from lab.exercise.signs import Moments, moments
from tests.unit.drill.histories import STEPS, ZERO, History, history

BEGUN = -1.5
"""Since when the person may act; the history itself begins half a second earlier."""


def by_hand(**fields: Any) -> History:
    """A history without any step: nobody but the person knows what happens when."""
    return history(provider=BY_HAND, **fields).without_steps(*STEPS)


def progress(events: list[AnyEvent], effect: Effect = Effect.VIP_MOVED, **fields: Any) -> Progress:
    """What was seen of these events."""
    seen = Progress(
        effect=effect,
        victim="lb1",
        vip_machines=("lb1", "lb2"),
        observer=Observer(slow_s=0.25, probes=()),
        begun_at=ZERO + BEGUN,
    )
    for event in events:
        seen.see(event)
    for name, value in fields.items():
        setattr(seen, name, value)
    return seen


def found(made: History, seen: Progress) -> Moments:
    """The moments in seconds after the true one."""
    at = moments(made.header, made.body, seen)
    return Moments(*(round(t - ZERO, 6) for t in (at.steady, at.inject, at.injected)))


def judged(made: History, at: Moments) -> Verdict:
    """The verdict with these moments, as the exercise writes them."""
    steps = {"steady": at.steady, "inject": at.inject, "injected": at.injected, "end": 4.9}
    for step, t in steps.items():
        made = made.step(step, t)  # type: ignore[arg-type]
    return judge(made.events())


def test_a_power_loss_began_at_the_last_good_request_and_not_when_the_vip_moved() -> None:
    made = by_hand().outage(0.0, 0.4).moved(0.37, silent=True)
    at = found(made, progress(list(made.body)))
    assert at.inject == pytest.approx(-0.01)
    assert at.injected == pytest.approx(0.0)
    verdict = judged(made, at)
    assert verdict.outage_s == pytest.approx(0.41)
    assert verdict.outcome == "pass"


def test_the_outage_is_the_one_that_a_drill_would_have_measured() -> None:
    broken = history().outage(0.0, 0.4).moved(0.37, silent=True)
    by_tool = judge(broken.events())
    made = by_hand().outage(0.0, 0.4).moved(0.37, silent=True)
    of_hand = judged(made, found(made, progress(list(made.body))))
    assert of_hand.outage_s == by_tool.outage_s
    assert of_hand.failed == by_tool.failed


def test_a_farewell_that_nobody_suffers_from_began_at_the_last_look_with_the_old_owner() -> None:
    made = by_hand().moved(0.2)
    at = found(made, progress(list(made.body)))
    assert at.inject == pytest.approx(0.19), "the wire is looked at every 10 ms"
    assert at.injected == pytest.approx(0.2)
    assert judged(made, at).outage_s == 0.0


def test_a_stranger_on_the_wire_is_not_normal_any_more() -> None:
    made = by_hand().moved(0.5, silent=True)
    made = made.owner("arp", 0.1, 0.5, "02:00:00:00:00:01", every=0.01)
    assert found(made, progress(list(made.body))).inject == pytest.approx(0.09)


def test_the_vip_that_stays_while_nobody_answers_belongs_to_the_outage() -> None:
    """HAProxy is stopped; keepalived moves the VIP two seconds later."""
    made = by_hand().outage(0.0, 2.0).moved(2.0)
    at = found(made, progress(list(made.body)))
    assert at.inject == pytest.approx(-0.01)
    assert judged(made, at).outage_s == pytest.approx(2.01)


def test_outages_with_less_than_a_second_between_them_are_of_one_cause() -> None:
    made = by_hand().outage(0.0, 0.1).outage(0.8, 1.0).moved(1.0)
    assert found(made, progress(list(made.body))).inject == pytest.approx(-0.01)


def test_an_outage_long_before_is_another_one_and_ends_the_steady_state() -> None:
    made = by_hand().outage(-1.4, -1.3).outage(0.0, 0.4).moved(0.4)
    at = found(made, progress(list(made.body)))
    assert at.inject == pytest.approx(-0.01)
    assert at.steady == pytest.approx(-1.3)
    verdict = judged(made, at)
    assert verdict.outage_s == pytest.approx(0.41)
    assert "unsteady" not in {sentence.code for sentence in verdict.sentences}


def test_what_happened_before_the_person_could_act_is_not_theirs() -> None:
    made = by_hand().outage(-1.9, -1.6).moved(0.0)
    at = found(made, progress(list(made.body)))
    assert at.steady == pytest.approx(BEGUN)
    assert at.inject == pytest.approx(-0.01)


def test_late_answers_of_requests_from_before_are_part_of_it() -> None:
    """The request that was on its way when the power went ends only with its timeout."""
    cut = Request(t=ZERO - 0.005, probe="session", took_s=3.0, outcome="failed")
    made = by_hand().requests(-2.0, -0.005, probe="session").plus(cut)
    made = made.requests(3.0, 5.0, probe="session").moved(0.3, silent=True)
    at = found(made, progress(list(made.body)))
    assert at.inject == pytest.approx(-0.01)
    assert at.injected == pytest.approx(-0.005)


def by_servers(until: float) -> History:
    """Two app servers in turn; app1 answers nobody from this moment on."""
    answered = by_hand(victims=("app1",)).changed(
        -2.0, until, lambda r: r.model_copy(update={"server": "app2"}), each=2
    )
    return answered.changed(until, 5.0, lambda r: r.model_copy(update={"server": "app2"}))


def test_a_server_that_nobody_misses_was_killed_after_its_last_answer() -> None:
    made = by_servers(0.0)
    down = progress([], Effect.SERVER_DOWN, victim="app1", seen_at=ZERO + 0.8)
    at = found(made, down)
    assert at.inject == pytest.approx(-0.01)
    assert at.injected == pytest.approx(0.8)


def test_a_server_that_answered_nobody_was_up_at_the_last_look_that_said_so() -> None:
    made = by_hand().changed(-2.0, 5.0, lambda r: r.model_copy(update={"server": "app2"}))
    down = progress([], Effect.SERVER_DOWN, victim="app1", seen_at=ZERO + 0.8)
    down.last_look = ZERO + 0.5
    assert found(made, down).inject == pytest.approx(0.5)


def test_requests_that_fail_before_a_server_is_taken_out_are_of_its_end() -> None:
    made = by_servers(0.0).outage(0.0, 1.2, each=2)
    down = progress([], Effect.SERVER_DOWN, victim="app1", seen_at=ZERO + 1.3)
    at = found(made, down)
    assert at.inject == pytest.approx(-0.01)
    assert judged(made, at).outage_s == pytest.approx(1.2, abs=0.03)


def test_a_slow_moment_before_a_servers_last_answer_is_not_of_its_end() -> None:
    made = by_servers(0.0).outage(-0.4, -0.35)
    down = progress([], Effect.SERVER_DOWN, victim="app1", seen_at=ZERO + 0.8)
    at = found(made, down)
    assert at.inject == pytest.approx(-0.01)
    assert at.steady == pytest.approx(-0.35)
    assert judged(made, at).clients["http"].servers_after == ("app2",)


def returning(word_at: float) -> tuple[History, Progress]:
    """lb1 is off, lb2 owns the VIP; lb1 says its first word at this moment."""
    made = by_hand().owner("arp", -2.0, 5.0, "lb2", every=0.01).owner("lb2", -2.0, 5.0, "lb2")
    made = made.without(lambda e: getattr(e, "source", "") == "lb1")
    made = made.owner("lb1", word_at, 5.0)
    back = progress([], Effect.LAB_WHOLE, seen_at=ZERO + 3.0)
    return made, back


def test_a_return_that_costs_nothing_began_with_the_first_word_of_the_machine() -> None:
    made, back = returning(1.0)
    at = found(made, back)
    assert at.inject == at.injected == pytest.approx(1.0)
    assert judged(made, at).outage_s == 0.0


def test_what_was_said_and_suffered_before_it_may_return_is_not_of_its_return() -> None:
    made, back = returning(1.0)
    made = made.owner("lb1", -2.0, -1.8, "lb1").outage(-1.9, -1.6)
    at = found(made, back)
    assert at.steady == pytest.approx(BEGUN)
    assert at.inject == pytest.approx(1.0)


def test_a_machine_that_disturbs_clients_long_before_its_first_word_is_charged_for_it() -> None:
    made, back = returning(2.5)
    made = made.outage(-0.5, -0.2)
    at = found(made, back)
    assert at.inject == pytest.approx(-0.51)
    assert judged(made, at).outage_s == pytest.approx(0.31)


def test_without_an_effect_there_is_no_beginning() -> None:
    made = by_hand()
    with pytest.raises(ValueError, match="not seen"):
        moments(made.header, made.body, progress(list(made.body)))
