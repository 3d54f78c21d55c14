"""What the faults should cost, by timers and by what else their machines do."""

from __future__ import annotations

import pytest

from components.timers import TIMERS, Timers
from lab.drill.events import Prediction
from lab.drill.model import Fault
from lab.drill.tiers import app_server, load_balancer
from lab.drill.tiers.registry import fault_named
from tests.unit.drill.fakes import a_target

FAULTS = (*load_balancer.TIER.faults, *app_server.TIER.faults)


def predicted(name: str, timers: str, layout: str = "full", **target: str | int) -> Prediction:
    aimed = a_target(layout, timers=timers, **target)  # type: ignore[arg-type]
    return fault_named(name).predict(TIMERS[timers], aimed)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("vip-owner-power-off", {"course": 3.619, "standard": 0.316, "fast": 0.163}),
        ("vip-owner-cut", {"course": 3.619, "standard": 0.316, "fast": 0.163}),
        ("vip-owner-freeze", {"course": 3.619, "standard": 0.316, "fast": 0.163}),
        ("vip-owner-stop", {"course": 0.639, "standard": 0.036, "fast": 0.033}),
        ("haproxy-killed", {"course": 1.219, "standard": 0.616, "fast": 0.613}),
        ("haproxy-stopped", {"course": 2.619, "standard": 2.016, "fast": 1.013}),
        ("keepalived-killed", {"course": 3.519, "standard": 0.216, "fast": 0.063}),
        ("config-reload", {"course": 0.0, "standard": 0.0, "fast": 0.0}),
        ("app-server-killed", {"course": 9.3, "standard": 0.51, "fast": 0.31}),
        ("app-server-cut", {"course": 12.3, "standard": 1.0, "fast": 0.6}),
        ("app-server-power-off", {"course": 12.3, "standard": 1.0, "fast": 0.6}),
        ("app-server-hung", {"course": 5.0, "standard": 5.0, "fast": 5.0}),
        ("app-server-slow", {"course": 0.0, "standard": 0.0, "fast": 0.0}),
        ("app-server-unhealthy", {"course": 0.0, "standard": 0.0, "fast": 0.0}),
    ],
)
def test_seconds_by_timers(name: str, seconds: dict[str, float]) -> None:
    assert {timers: predicted(name, timers).seconds for timers in seconds} == seconds


@pytest.mark.parametrize("timers", TIMERS.values(), ids=lambda timers: timers.name)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_has_a_formula_with_numbers(fault: Fault, timers: Timers) -> None:
    for layout in ("full", "compact"):
        prediction = fault.predict(timers, a_target(layout, timers=timers.name))
        assert prediction.seconds >= 0
        assert any(character.isdigit() for character in prediction.formula)


def test_an_owner_that_is_an_app_server_too_costs_what_both_cost() -> None:
    both = predicted("vip-owner-power-off", "fast", "compact")
    assert both.seconds == 0.163 + 0.6
    assert both.formula.startswith("3 x 50 ms advert")
    assert both.formula.endswith("2 x 300 ms timeout connect to its app server")


def test_without_observation_the_longer_of_both_counts() -> None:
    """The new owner has checked the app server since before it became owner."""
    course = predicted("vip-owner-power-off", "course", "compact")
    assert course.seconds == predicted("app-server-power-off", "course").seconds
    assert course.formula.endswith("of its app server")


@pytest.mark.parametrize("name", ["haproxy-stopped", "haproxy-killed"])
def test_on_virtual_machines_the_kernel_says_at_once_that_haproxy_died(name: str) -> None:
    by_script = predicted(name, "standard", provider="existing")
    by_kernel = predicted(name, "standard", provider="libvirt")
    assert by_kernel.seconds == 0.016 < by_script.seconds


@pytest.mark.parametrize("name", ["app-server-killed", "app-server-cut", "app-server-power-off"])
def test_with_retries_no_request_may_fail_and_with_the_courses_timers_some_do(name: str) -> None:
    assert predicted(name, "fast").failed_requests == 0
    assert predicted(name, "course").failed_requests is None


@pytest.mark.parametrize("name", ["config-reload", "app-server-unhealthy", "app-server-slow"])
def test_what_no_client_notices_fails_no_request(name: str) -> None:
    assert {predicted(name, timers).failed_requests for timers in TIMERS} == {0}


def test_an_answer_that_is_late_for_this_stack_is_an_outage() -> None:
    late = predicted("app-server-slow", "fast", slow_ms=100)
    assert (late.seconds, late.failed_requests) == (3.0, None)
    assert "100 ms more, the stack's limit is 100 ms" in late.formula


def test_what_nothing_ends_lasts_as_long_as_it_stays_in_place() -> None:
    for name in ("app-server-hung", "app-server-slow"):
        assert fault_named(name).until_undone
    hung = fault_named("app-server-hung")
    assert predicted("app-server-hung", "fast").seconds == hung.effect_s
    assert "30 s timeout server" in predicted("app-server-hung", "fast").formula
    unhealthy = fault_named("app-server-unhealthy")
    assert unhealthy.effect_s > 6.3, "the course's load balancers need so long to turn away"
