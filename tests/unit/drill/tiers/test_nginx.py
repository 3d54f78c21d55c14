"""The drill in a lab that nginx balances: its own faults, its own numbers, its own looks."""

from __future__ import annotations

import json

import pytest

from components.timers import TIMERS
from lab.drill.limits import limits_for
from lab.drill.tiers import app_server, load_balancer
from lab.drill.tiers.registry import fault_named
from lab.drill.tiers.roles import servers_seen
from lab.exercise.failover import FAILOVER
from tests.unit.drill.fakes import Fakes, a_target, finish

AUDITS = {audit.name: audit for audit in load_balancer.TIER.audits}


def looks(**states: str) -> str:
    rows = [
        {"backend": "http_back", "name": n, "address": "10.16.1.21", "port": 8080,
         "weight": 1, "backup": n == "app3", "status": status}
        for n, status in states.items()
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def fakes() -> Fakes:
    fakes = Fakes(a_target(engine="nginx"))
    fakes.machines.says("", "nginx-lb-servers", looks(app1="UP", app2="UP", app3="UP"))
    fakes.machines.says("", "is-active ha-lab-nginx-lb keepalived", "active\nactive\n")
    return fakes


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("nginx-killed", "systemctl kill --signal=KILL ha-lab-nginx-lb"),
        ("nginx-stopped", "systemctl stop ha-lab-nginx-lb"),
    ],
)
def test_its_own_faults(fakes: Fakes, name: str, script: str) -> None:
    fault = fault_named(name)
    finish(fault.inject(fakes.scene, ("lb1",)))
    finish(fault.undo(fakes.scene, ("lb1",)))
    start = "systemctl start ha-lab-nginx-lb keepalived"
    assert fakes.done() == [f"lb1: {script}", f"lb1: {start}"]


def test_reloads_are_of_its_unit(fakes: Fakes) -> None:
    finish(load_balancer.RELOAD.inject(fakes.scene, ("lb1",)))
    assert "systemctl reload ha-lab-nginx-lb;" in fakes.done()[0]


def test_faults_that_are_none_for_it_say_why() -> None:
    target = a_target(engine="nginx")
    faults = (*load_balancer.TIER.faults, *app_server.TIER.faults)
    assert {f.name: f.why_not(target) for f in faults if f.why_not(target)} == {
        "haproxy-killed": "its load balancers run nginx, not haproxy",
        "haproxy-stopped": "its load balancers run nginx, not haproxy",
        "app-server-unhealthy": "open-source nginx never asks an app server how it is",
    }
    assert fault_named("nginx-killed").why_not(a_target()) is not None


def test_every_fault_has_a_prediction_with_either_engine() -> None:
    for engine in ("haproxy", "nginx"):
        for fault in (*load_balancer.TIER.faults, *app_server.TIER.faults):
            for timers in TIMERS.values():
                assert fault.predict(timers, a_target(engine=engine)).seconds >= 0


@pytest.mark.parametrize(
    ("name", "seconds", "words"),
    [
        ("app-server-killed", 0.01, "repeat it on another server"),
        ("app-server-cut", 0.6, "2 x 300 ms proxy_connect_timeout"),
        ("nginx-stopped", 1.013, "1 x 1 s check interval"),
        ("nginx-killed", 0.613, "restart of nginx"),
    ],
)
def test_its_predictions(name: str, seconds: float, words: str) -> None:
    predicted = fault_named(name).predict(TIMERS["fast"], a_target(engine="nginx"))
    assert predicted.seconds == seconds
    assert words in predicted.formula
    if name.startswith("app"):
        assert predicted.failed_requests == 0


def test_a_request_in_flight_may_wait_as_long_as_nginx_does() -> None:
    fault = fault_named("app-server-cut")
    limits = {}
    for engine in ("haproxy", "nginx"):
        target = a_target(engine=engine)
        predicted = fault.predict(target.timer_set, target)
        limits[engine] = limits_for(target, fault, predicted).in_flight_s
    assert limits["nginx"] == 45.5 > limits["haproxy"]


def test_servers_are_those_that_accept_connections(fakes: Fakes) -> None:
    seen = finish(servers_seen(fakes.scene, "lb1"))
    assert [(s.name, s.is_up, s.is_backup, s.port) for s in seen] == [
        ("app1", True, False, "8080"),
        ("app2", True, False, "8080"),
        ("app3", True, True, "8080"),
    ]


def test_audits_name_its_unit_and_the_servers_that_refuse(fakes: Fakes) -> None:
    check = AUDITS["balancers-healthy"].check
    assert finish(check(fakes.scene)).detail == (
        "lb1 and lb2 run ha-lab-nginx-lb and keepalived, all servers are up"
    )
    fakes.machines.says("lb1", "nginx-lb-servers", looks(app1="DOWN", app2="UP"))
    fakes.machines.says("lb2", "is-active", "inactive\nactive\n")
    assert finish(check(fakes.scene)).detail == (
        "lb1: http_back/app1 is DOWN; lb2: ha-lab-nginx-lb is inactive"
    )


def test_the_exercise_stops_the_program_that_is_there() -> None:
    for engine, fault in (("haproxy", "haproxy-stopped"), ("nginx", "nginx-stopped")):
        steps = [step.for_engine(engine) for step in FAILOVER.steps]  # type: ignore[arg-type]
        assert [step.name for step in steps][1] == fault
        assert all(step.fault.why_not(a_target(engine=engine)) is None for step in steps)
