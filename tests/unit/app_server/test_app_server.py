"""The app server's args, files and rules."""

from __future__ import annotations

from typing import Any

import pytest

from components.app_server import (
    AppServerArgs,
    DemoApplication,
    OwnApplication,
    app_server_files,
    app_server_firewall,
    app_server_plan,
)


def an_own_application(**overrides: Any) -> OwnApplication:
    values = {"packages": {"debian": ("myapp",)}, "unit": "myapp.service", "port": 9090}
    return OwnApplication(**{**values, **overrides})


def test_every_port_answers_its_health_and_is_open_to_the_load_balancers_only() -> None:
    args = AppServerArgs(name="app1")
    conf = next(f.content for f in app_server_files(args) if f.path == "/etc/nginx/nginx.conf")
    ports = (8080, 3000, 8081, 8082)
    assert conf.count("location = /health {") == len(ports)
    assert all(f"listen {port} default_server;" in conf for port in ports)
    rules = app_server_firewall(args)
    assert {(rule.port, rule.source) for rule in rules} == {(p, "load_balancer") for p in ports}


def test_no_location_hides_the_header_that_names_the_machine() -> None:
    files = app_server_files(AppServerArgs(name="app1"))
    conf = next(file.content for file in files if file.path == "/etc/nginx/nginx.conf")
    directives = [line for line in conf.splitlines() if line.strip().startswith("add_header")]
    assert directives == ["    add_header X-Served-By app1 always;"]


def test_an_application_of_the_users_own_is_installed_started_and_checked_only() -> None:
    plan = app_server_plan(
        AppServerArgs(name="app1", application=an_own_application(health_path="/ok"))
    )
    assert plan.packages == {"debian": ("myapp",), "redhat": ()}
    assert [unit.name for unit in plan.units] == ["myapp.service"]
    assert [file.path for file in plan.files] == ["/usr/local/lib/ha-lab/check-http"]
    assert plan.checks == ("/usr/local/lib/ha-lab/check-http 127.0.0.1 9090 /ok",)


def test_an_own_application_opens_its_port_alone() -> None:
    rules = app_server_firewall(AppServerArgs(name="app1", application=an_own_application()))
    assert [rule.port for rule in rules] == [9090]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DemoApplication(port=0), "port 0 of the app server is outside 1-65535"),
        (lambda: DemoApplication(port=3000), "port of the app server 3000 appears twice"),
        (lambda: AppServerArgs(name="app 1"), "app server name 'app 1'"),
        (lambda: an_own_application(port=70000), "port 70000 of the application"),
        (lambda: an_own_application(unit="myapp"), "'myapp'.*such as myapp.service"),
        (lambda: an_own_application(health_path="ok"), "health path 'ok'.*such as /health"),
        (lambda: an_own_application(packages={"suse": ("x",)}), "'suse'.*debian, redhat"),
        (lambda: an_own_application(packages={"debian": ("x; y",)}), "'x; y'"),
    ],
)
def test_a_wrong_app_server_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
