"""The time of a machine in ours: bounds from questions and answers, and clocks that stood still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.drill.probes.guest_clock import DRIFT, GuestClock


def test_an_answer_bounds_the_difference() -> None:
    clock = GuestClock()
    clock.heard(asked=100.0, said=7.0, arrived=100.01)
    assert clock.ours(7.0) == pytest.approx(100.005)
    assert clock.uncertainty_s == pytest.approx(0.005)


def test_several_answers_bound_it_better_than_the_quickest_of_them() -> None:
    clock = GuestClock()
    clock.heard(asked=100.0, said=7.001, arrived=100.01)  # the way back was slow
    clock.heard(asked=100.02, said=7.029, arrived=100.03)  # the way there was slow
    assert clock.uncertainty_s == pytest.approx(0.001, abs=1e-4)
    assert clock.offset_s == pytest.approx(93.0, abs=1e-3)


def test_old_bounds_widen_as_clocks_drift() -> None:
    clock = GuestClock()
    clock.heard(asked=0.0, said=0.0, arrived=0.0002)
    assert clock.heard(asked=10.0, said=9.995, arrived=10.02) == 0.0
    assert 0.0001 < clock.uncertainty_s < 10 * DRIFT


def test_a_clock_that_stood_still_contradicts_what_was_known() -> None:
    clock = GuestClock()
    clock.heard(asked=0.0, said=0.0, arrived=0.002)
    moved = clock.heard(asked=5.0, said=2.0, arrived=5.002)
    assert moved == pytest.approx(3.0, abs=0.01)
    assert clock.ours(2.0) == pytest.approx(5.001)
    assert clock.uncertainty_s == pytest.approx(0.001)


def test_whatever_has_arrived_was_said_before() -> None:
    clock = GuestClock()
    clock.heard(asked=100.0, said=7.0, arrived=100.1)
    clock.came(said=8.0, arrived=101.02)
    assert clock.ours(7.0) == pytest.approx(100.01)
    clock.came(said=9.0, arrived=103.0)  # it was late
    clock.came(said=10.0, arrived=100.0)  # impossible: its clock was set
    assert clock.ours(7.0) == pytest.approx(100.01)


def test_a_clock_that_may_be_ours_is_ours() -> None:
    clock = GuestClock()
    clock.heard(asked=100.0, said=100.01, arrived=100.08)
    assert clock.ours(100.5) == 100.5
    assert clock.uncertainty_s == pytest.approx(0.07)
    clock.heard(asked=100.2, said=100.25, arrived=100.26)
    assert clock.ours(100.5) == 100.5
    assert clock.uncertainty_s == pytest.approx(0.01, abs=0.001)


@given(
    offset=st.floats(-1e5, 1e5),
    ways=st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), min_size=1, max_size=20),
)
def test_the_truth_is_within_the_bounds(offset: float, ways: list[tuple[float, float]]) -> None:
    clock, now = GuestClock(), 1000.0
    for there, back in ways:
        said = now + there - offset
        clock.heard(asked=now, said=said, arrived=now + there + back)
        now += 1.0
        assert abs(clock.offset_s - offset) <= clock.uncertainty_s + 1e-6
