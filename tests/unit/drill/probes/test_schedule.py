"""The schedule is absolute: every number is given out once, when it is due, and never shifts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.drill.probes.schedule import MOST_AT_ONCE, Schedule


def test_the_first_is_due_at_once_and_the_next_one_an_interval_later() -> None:
    schedule = Schedule(100.0, 0.01)
    assert list(schedule.due(99.999)) == []
    assert list(schedule.due(100.0)) == [0]
    assert list(schedule.due(100.009)) == []
    assert list(schedule.due(100.0101)) == [1]


def test_who_woke_up_late_gets_all_that_was_missed_and_is_on_time_again() -> None:
    schedule = Schedule(0.0, 0.01)
    schedule.due(0.0)
    assert list(schedule.due(0.0555)) == [1, 2, 3, 4, 5]
    assert schedule.next_at == 0.06


def test_a_short_look_after_a_late_one_does_not_shift_the_schedule() -> None:
    schedule = Schedule(5.0, 0.02)
    for now in (5.0, 5.031, 5.045, 5.0799):
        schedule.due(now)
    assert schedule.next_at == 5.0 + 4 * 0.02


def test_after_a_long_standstill_only_the_newest_are_due() -> None:
    schedule = Schedule(0.0, 0.01)
    late = schedule.due(1000.005)
    assert len(late) == MOST_AT_ONCE
    assert late[-1] == 100_000
    assert list(schedule.due(1000.011)) == [100_001]


@given(
    begin=st.floats(0, 1e6),
    interval=st.sampled_from([0.01, 0.02, 0.1, 1 / 3]),
    waits=st.lists(st.floats(0, 0.3), max_size=50),
)
def test_each_number_is_given_out_once_in_order_and_not_before_its_time(
    begin: float, interval: float, waits: list[float]
) -> None:
    schedule, now = Schedule(begin, interval), begin
    given_out: list[int] = []
    for wait in waits:
        now += wait
        due = schedule.due(now)
        assert all(begin + number * interval <= now for number in due)
        assert schedule.next_at > now
        given_out += due
    assert given_out == list(range(len(given_out)))
