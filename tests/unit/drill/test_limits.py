"""What a drill is judged by: the prediction, the fault, the stack's own limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.drill.events import Prediction
from lab.drill.limits import limits_for, overlap_s, watch_s
from tests.unit.drill.world import World, target

PREDICTED = Prediction(seconds=0.2, formula="f", failed_requests=7)
FAULT = World().fault()


def test_without_a_fault_nothing_may_fail() -> None:
    limits = limits_for(target(), None, None)
    assert (limits.outage_s, limits.failed_requests, limits.owner_overlap_s) == (0.0, 0, 0.0)


def test_an_outage_may_last_the_prediction_and_the_tolerance() -> None:
    lab = target(tolerancePercent=200, toleranceMs=300, slowMs=80, intervalMs=10)
    limits = limits_for(lab, FAULT, PREDICTED)
    assert limits.outage_s == pytest.approx(0.2 * 2 + 0.3 + 2 * 0.010)
    assert limits.slow_s == 0.08


def test_one_lost_request_of_a_slow_client_is_no_outage_too_long() -> None:
    limits = limits_for(target(intervalMs=500), FAULT, PREDICTED)
    from_good_to_good_s = 2 * 0.500
    assert limits.outage_s > from_good_to_good_s


def test_the_stacks_own_limit_of_a_fault_counts_before_the_prediction() -> None:
    lab = target(limits={"world-gone": {"outageMs": 1500, "failedRequests": 3}})
    limits = limits_for(lab, FAULT, PREDICTED)
    assert (limits.outage_s, limits.failed_requests) == (1.5, 3)


@pytest.mark.parametrize(
    ("own", "of_fault", "predicted", "expected"),
    [(None, None, None, None), (None, None, 7, 7), (None, 0, 7, 0), (2, 0, 7, 2), (0, None, 7, 0)],
)
def test_failed_requests_are_those_of_the_stack_the_fault_the_prediction(
    own: int | None, of_fault: int | None, predicted: int | None, expected: int | None
) -> None:
    lab = target(limits={"world-gone": {"failedRequests": own}} if own is not None else {})
    fault = replace(FAULT, failed_requests=of_fault)
    prediction = PREDICTED.model_copy(update={"failed_requests": predicted})
    assert limits_for(lab, fault, prediction).failed_requests == expected


def test_an_outage_that_only_its_undoing_ends_is_judged_as_such() -> None:
    endless = replace(FAULT, until_undone=True)
    assert limits_for(target(), endless, PREDICTED).until_undone
    assert not limits_for(target(), FAULT, PREDICTED).until_undone


def test_two_owners_are_tolerated_as_long_as_one_of_them_must_learn_it() -> None:
    """Fast timers: three adverts of 50 ms, 3 ms skew, 10 ms takeover, and the looks themselves."""
    assert overlap_s(target().timer_set) == pytest.approx(0.163 + 0.25)


def test_a_fault_is_watched_until_its_effect_must_be_over() -> None:
    slow = replace(FAULT, effect_s=5)
    assert watch_s(None, None, quiet_s=2) == 2
    assert watch_s(FAULT, PREDICTED, quiet_s=2) == pytest.approx(2.3)
    assert watch_s(slow, PREDICTED, quiet_s=2) == pytest.approx(7)
    assert watch_s(replace(slow, until_undone=True), PREDICTED, quiet_s=2) == 5


@pytest.mark.parametrize(("interval_ms", "expected"), [(1, 10), (10, 10), (200, 5), (500, 3)])
def test_rare_requests_end_an_outage_with_fewer_in_a_row(interval_ms: int, expected: int) -> None:
    assert limits_for(target(intervalMs=interval_ms), None, None).good_in_row == expected


def test_a_session_may_wait_for_a_server_that_vanished_with_its_request() -> None:
    """Fast timers: TCP keepalive after 1 s, two probes of 1 s; measured 3.07 s."""
    limits = limits_for(target(tolerancePercent=150, toleranceMs=500), FAULT, PREDICTED)
    assert limits.in_flight_s == pytest.approx(3.0 * 1.5 + 0.5)
    assert limits_for(target(), None, None).in_flight_s == 0.0
