"""The named timers and the failover times that follow from them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.timers import TIMERS, VrrpTimers, explain, predict, timers_named
from components.timers.predict import TAKEOVER_S


def a_vrrp(**overrides: Any) -> VrrpTimers:
    return replace(TIMERS["standard"].vrrp, **overrides)


def test_the_course_has_the_values_of_the_course() -> None:
    course = TIMERS["course"]
    assert (course.vrrp.version, course.vrrp.advert_s) == (2, 1.0)
    assert [course.vrrp.priority(place) for place in (0, 1)] == [101, 100]
    assert course.vrrp.check_interval_s == 2
    haproxy = course.haproxy
    assert (haproxy.connect_ms, haproxy.client_ms, haproxy.server_ms) == (5000, 50_000, 50_000)
    assert (haproxy.inter_ms, haproxy.fall, haproxy.rise) == (2000, 3, 2)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("course", 3 * 1.0 + (256 - 100) / 256),
        ("relaxed", 3 * 1.0 + (256 - 240) / 256 * 1.0),
        ("standard", 3 * 0.1 + (256 - 240) / 256 * 0.1),
        ("fast", 3 * 0.05 + (256 - 240) / 256 * 0.05),
    ],
)
def test_a_crashed_owner_is_replaced_after_three_adverts_and_the_skew(
    name: str, seconds: float
) -> None:
    crash = predict(TIMERS[name])["vip_owner_crash"]
    assert crash == pytest.approx(seconds + TAKEOVER_S, abs=0.001)


def test_a_planned_stop_costs_drain_and_skew_which_version_2_does_not_scale() -> None:
    assert predict(TIMERS["course"])["vip_owner_stop"] == pytest.approx(0.639, abs=0.001)
    slow = replace(TIMERS["course"], vrrp=replace(TIMERS["course"].vrrp, advert_ms=2000))
    assert predict(slow)["vip_owner_stop"] == pytest.approx(0.639, abs=0.001)
    assert predict(TIMERS["standard"])["vip_owner_stop"] == pytest.approx(0.036, abs=0.001)


def test_a_process_that_the_kernel_reports_is_noticed_at_once() -> None:
    by_script = predict(TIMERS["standard"])["haproxy_stopped"]
    by_kernel = predict(TIMERS["standard"], track_process=True)["haproxy_stopped"]
    assert (by_script, by_kernel) == (2.016, 0.016)


def test_redispatch_is_what_makes_a_dead_app_server_harmless() -> None:
    course, standard = TIMERS["course"], TIMERS["standard"]
    assert predict(standard)["app_server_killed"] == 0.01 + 0.5
    assert predict(course)["app_server_killed"] == 3 * 2 * 1.05 + 3 * 1.0
    with_it = replace(course, haproxy=replace(course.haproxy, redispatch=True))
    assert predict(with_it)["app_server_killed"] == 0.01 + 1.0


def test_a_cut_server_stalls_a_request_for_the_connect_timeout() -> None:
    assert predict(TIMERS["fast"])["app_server_cut"] == 0.3
    assert predict(TIMERS["course"])["app_server_cut"] == 4 * 5.0
    assert predict(TIMERS["fast"])["app_server_cut_in_flight"] == 3.0
    assert predict(TIMERS["course"])["app_server_cut_in_flight"] == 50.0


def test_a_silent_server_is_marked_down_by_requests_that_fail_where_they_are_observed() -> None:
    assert predict(TIMERS["fast"])["app_server_lost"] == 2 * 0.3
    # Measured: 10.0 to 12.0 s. Each check waits two seconds and the next begins two seconds later.
    assert predict(TIMERS["course"])["app_server_lost"] == 3 * 2 * 1.05 + 3 * 2
    hasty = replace(TIMERS["course"].haproxy, connect_ms=500)
    without_own_timeout = predict(replace(TIMERS["course"], haproxy=hasty))["app_server_lost"]
    assert without_own_timeout == 12.3, "a check then has its interval for everything"
    seldom = replace(TIMERS["fast"].haproxy, connect_ms=900)
    by_checks = predict(replace(TIMERS["fast"], haproxy=seldom))["app_server_lost"]
    assert by_checks == 0.6 * 1.05 + 2 * 0.5, "its checks are sooner than two such connections"


def test_a_killed_keepalived_costs_less_than_a_crash_by_the_time_that_its_vip_stays() -> None:
    for timers in TIMERS.values():
        seconds = predict(timers)
        expected = pytest.approx(seconds["vip_owner_crash"] - 0.1)
        assert seconds["keepalived_killed"] == expected
    hasty = replace(TIMERS["fast"], vrrp=replace(TIMERS["fast"].vrrp, advert_ms=20))
    assert predict(hasty)["keepalived_killed"] == 0, "the other one is there before it restarts"


@pytest.mark.parametrize("name", TIMERS)
@pytest.mark.parametrize("fault", explain(TIMERS["course"]))
def test_a_formula_adds_up_to_its_seconds(name: str, fault: str) -> None:
    predicted = explain(TIMERS[name])[fault]
    assert value_of(predicted.formula) == pytest.approx(predicted.seconds, abs=0.002)


def value_of(formula: str) -> float:
    """What a reader gets who adds the formula up by hand."""
    total = 0.0
    for sign, times, number, unit in re.findall(
        r"(?:(^|[+-]) ?)(?:(\d+) x )?([\d.]+) (ms|s)\b", formula
    ):
        seconds = float(number) / (1000 if unit == "ms" else 1)
        total += (-1 if sign == "-" else 1) * int(times or 1) * seconds
    return total


def test_the_formulas_say_the_protocol_and_its_numbers() -> None:
    assert explain(TIMERS["fast"])["vip_owner_crash"].formula == (
        "3 x 50 ms advert + 3 ms skew (RFC 5798) + 10 ms takeover"
    )
    assert explain(TIMERS["course"])["app_server_killed"].formula == (
        "2 s check interval + 2 x 2 s to the next check + 300 ms spread + 3 x 1 s between tries"
    )


def test_losing_a_cluster_member_takes_token_and_consensus_and_grows_with_members() -> None:
    assert predict(TIMERS["course"], cluster_members=2)["cluster_member_lost"] == 6.6
    assert predict(TIMERS["course"], cluster_members=3)["cluster_member_lost"] == 8.03
    assert predict(TIMERS["standard"])["cluster_member_lost"] == 2.475


def test_an_emulated_machine_works_as_much_longer_as_its_timers_are_patient() -> None:
    """Measured on three emulated machines: 24.0 and 30.5 s; up to half as long again is allowed."""
    predicted = explain(TIMERS["relaxed"])["cluster_member_replaced"]
    assert predicted.formula.endswith("+ 4.5 s fencing + 4.5 s start")
    assert 30.5 < 1.5 * predicted.seconds < 2 * 24.0


@pytest.mark.parametrize("fault", predict(TIMERS["course"]))
def test_each_faster_set_predicts_no_longer_failovers_than_the_course(fault: str) -> None:
    course, *_ = (predict(timers)[fault] for timers in TIMERS.values())
    standard, fast = (predict(TIMERS[name])[fault] for name in ("standard", "fast"))
    assert fast <= standard <= course


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match=r"'standart'.*course, relaxed.*did you mean standard\?"):
        timers_named("standart")
    assert timers_named("fast") is TIMERS["fast"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"version": 2, "advert_ms": 500}, "VRRPv2 cannot advertise every 500 ms.*use VRRPv3"),
        ({"advert_ms": 5}, "VRRPv3 cannot advertise every 5 ms; give a multiple of 10"),
        ({"advert_ms": 41_000}, "41000 ms"),
        ({"owner_priority": 255}, "priority 255 is outside 1-254"),
        ({"check_timeout_s": 3}, "may take 3 s but must have failed after 2 s"),
    ],
)
def test_impossible_vrrp_timers_are_refused_with_a_fix(
    overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        a_vrrp(**overrides)


def test_priorities_run_out_with_a_message() -> None:
    with pytest.raises(ValueError, match=r"machine number 26 .* use fewer"):
        a_vrrp().priority(25)


def test_the_two_database_monitors_must_differ() -> None:
    with pytest.raises(ValueError, match="both run every 4 s"):
        replace(TIMERS["standard"].monitor, unpromoted_s=4)
