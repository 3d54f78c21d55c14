"""The named timers and the failover times that follow from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.timers import TIMERS, VrrpTimers, predict, timers_named


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
    assert predict(TIMERS[name])["vip_owner_crash"] == pytest.approx(seconds, abs=0.001)


def test_a_planned_stop_costs_the_skew_alone_which_version_2_does_not_scale() -> None:
    assert predict(TIMERS["course"])["vip_owner_stop"] == pytest.approx(0.609, abs=0.001)
    slow = replace(TIMERS["course"], vrrp=replace(TIMERS["course"].vrrp, advert_ms=2000))
    assert predict(slow)["vip_owner_stop"] == pytest.approx(0.609, abs=0.001)
    assert predict(TIMERS["standard"])["vip_owner_stop"] == pytest.approx(0.006, abs=0.001)


def test_a_process_that_the_kernel_reports_is_noticed_at_once() -> None:
    by_script = predict(TIMERS["standard"])["haproxy_stopped"]
    by_kernel = predict(TIMERS["standard"], track_process=True)["haproxy_stopped"]
    assert (by_script, by_kernel) == (2.006, 0.006)


def test_redispatch_is_what_makes_a_dead_app_server_harmless() -> None:
    course, standard = TIMERS["course"], TIMERS["standard"]
    assert predict(standard)["app_server_killed"] < 0.1
    assert predict(course)["app_server_killed"] == 3 * 2 + 3 * 1.0
    with_it = replace(course, haproxy=replace(course.haproxy, redispatch=True))
    assert predict(with_it)["app_server_killed"] < 0.1


def test_a_cut_server_stalls_a_request_for_the_connect_timeout() -> None:
    assert predict(TIMERS["fast"])["app_server_cut"] == 0.3
    assert predict(TIMERS["course"])["app_server_cut"] == 4 * 5.0
    assert predict(TIMERS["fast"])["app_server_cut_in_flight"] == 3.0
    assert predict(TIMERS["course"])["app_server_cut_in_flight"] == 50.0


def test_losing_a_cluster_member_takes_token_and_consensus_and_grows_with_members() -> None:
    assert predict(TIMERS["course"], cluster_members=2)["cluster_member_lost"] == 6.6
    assert predict(TIMERS["course"], cluster_members=3)["cluster_member_lost"] == 8.03
    assert predict(TIMERS["standard"])["cluster_member_lost"] == 2.475


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
