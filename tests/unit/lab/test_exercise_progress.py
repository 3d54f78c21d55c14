"""How far a step is: effects, service after them, what ends a wait, what is held in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.drill.events import AnyEvent, Owner, ProbeState
from lab.drill.history import read_history
from lab.drill.observe import Observer
from lab.exercise.model import Effect
from lab.exercise.progress import Ending, Problems, Progress, ending
from lab.exercise.record import Recorder
from tests.unit.drill.histories import ZERO, a_request, history


def waiting(effect: Effect = Effect.VIP_MOVED) -> Progress:
    return Progress(
        effect=effect,
        victim="lb1",
        vip_machines=("lb1", "lb2"),
        observer=Observer(slow_s=0.25, probes=("http",)),
        begun_at=ZERO,
    )


def look(t: float, *owners: str, source: str = "arp") -> Owner:
    return Owner(t=ZERO + t, source=source, owners=owners, probe="arp")


@pytest.mark.parametrize(
    ("seen", "at"),
    [
        ([look(1, "lb1"), look(2, "lb2"), look(3, "lb2")], 2),
        ([look(2, "lb2"), look(1.5, "lb2", source="lb2")], 1.5),
        ([look(1, "lb1"), look(2)], None),
        ([look(1, "02:00:00:00:00:01")], None),
        ([look(-0.5, "lb2"), look(1, "lb1")], None),
    ],
    ids=["moved", "late word", "nobody has it", "a stranger has it", "before the person may act"],
)
def test_the_vip_moved_when_another_machine_of_the_pair_has_it(
    seen: list[AnyEvent], at: float | None
) -> None:
    progress = waiting()
    for event in seen:
        progress.see(event)
    assert progress.seen_at == (None if at is None else ZERO + at)


def test_what_looks_at_the_machines_found_is_certain_where_they_end_and_was_not_before() -> None:
    """An answer takes a while, and may tell of a moment in which the look had long begun."""
    progress = waiting(Effect.SERVER_DOWN)
    progress.look(ZERO - 1, ZERO + 1, shows_it=True)
    progress.look(ZERO + 1, ZERO + 2, shows_it=False)
    progress.look(ZERO + 2, ZERO + 4, shows_it=True)
    progress.look(ZERO + 4, ZERO + 5, shows_it=False)
    assert (progress.last_look, progress.seen_at) == (ZERO + 1, ZERO + 4)


def test_another_owner_is_no_effect_of_a_step_about_a_server() -> None:
    progress = waiting(Effect.SERVER_DOWN)
    progress.see(look(1, "lb2"))
    assert progress.seen_at is None


def test_clients_are_served_again_with_so_many_good_answers_after_the_effect() -> None:
    progress = waiting()
    for number in range(20):
        progress.see(a_request(number * 0.01))
    assert not progress.is_served(10), "that was before it"
    progress.see(look(1, "lb2"))
    assert not progress.is_served(10), "nobody has asked since then"
    progress.see(a_request(1.01, outcome="failed"))
    for number in range(9):
        progress.see(a_request(1.02 + number * 0.01))
    assert not progress.is_served(10)
    progress.see(a_request(1.2))
    assert progress.is_served(10)


def test_clients_that_fail_for_ever_are_never_served_again() -> None:
    progress = waiting()
    progress.see(look(0.5, "lb2"))
    for number in range(500):
        progress.see(a_request(0.5 + number * 0.01, outcome="failed" if number % 5 else "ok"))
    assert not progress.is_served(10)


@pytest.mark.parametrize(
    ("is_seen", "key", "now", "end"),
    [
        (False, "", 5.0, None),
        (True, "", 5.0, Ending.DONE),
        (True, "skip", 11.0, Ending.DONE),
        (False, "skip", 5.0, Ending.SKIP),
        (False, "quit", 11.0, Ending.QUIT),
        (False, "", 10.0, Ending.LATE),
    ],
    ids=["waits", "seen", "seen counts first", "skipped", "ended", "never"],
)
def test_a_wait_ends(is_seen: bool, key: str, now: float, end: Ending | None) -> None:
    assert ending(is_seen=is_seen, key=key, now=now, deadline=10.0) is end


def test_a_problem_is_told_again_only_after_it_was_gone() -> None:
    told = Problems()
    assert told.new(["a", "b"]) == ("a", "b")
    assert told.new(["b"]) == ()
    assert told.new(["b", "a"]) == ("a",)


# -- what is held of the time in which a person thinks ---------------------------------------------


def test_only_the_last_seconds_before_the_effect_are_held_and_written(tmp_path: Path) -> None:
    recorder = Recorder(keep_s=1.0)
    started = ProbeState(t=ZERO, probe="http", state="started")
    recorder.take(started)
    for number in range(1000):
        recorder.take(a_request(number * 0.01))
    assert recorder.begin == pytest.approx(ZERO + 8.99)
    assert recorder.events == []
    recorder.write(tmp_path / "step.jsonl", history().header)
    recorder.take(a_request(10.0))
    recorder.close()
    events = read_history(tmp_path / "step.jsonl")
    assert events == recorder.events if recorder.events else True
    assert events[1] == started
    assert [round(event.t - ZERO, 2) for event in events[2:4]] == [8.99, 9.0]
    assert round(events[-1].t - ZERO, 2) == 10.0
    assert len(events) == 2 + 101 + 1


def test_everything_is_held_once_a_machine_is_on_its_way_back() -> None:
    recorder = Recorder(keep_s=1.0)
    recorder.take(a_request(0.0))
    recorder.keep_all()
    recorder.take(a_request(100.0))
    assert recorder.begin == ZERO
