"""Whether the running HAProxy is as its configuration says: the pure parts of the script."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from components import load_balancer

CONFIG = """
global
    description 0123456789abcdef
    maxconn 4096

listen stats
    bind *:8404

frontend http_front
    bind 10.0.0.100:9000
    bind 10.0.0.100:443 ssl crt /etc/haproxy/certs/site.pem alpn h2,http/1.1
"""
INFO = {"description": "0123456789abcdef", "Maxconn": "4096", "Ulimit-n": "8231"}
STATE = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight
4 http_back 1 app1 10.0.0.1 {state} {admin} {weight} 10
4 http_back 2 app2 10.0.0.2 2 0 10 10
"""


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    path = Path(load_balancer.__file__).parent / "templates" / "haproxy-in-effect"
    return runpy.run_path(str(path), run_name="under_test")


def test_a_worker_with_this_configuration_is_as_it_should_be(script: dict[str, Any]) -> None:
    assert script["loaded"](CONFIG, INFO) == []


def test_a_worker_with_another_configuration_says_both(script: dict[str, Any]) -> None:
    (problem,) = script["loaded"](CONFIG, {**INFO, "description": "fedcba9876543210"})
    assert "serves with configuration fedcba9876543210" in problem
    assert "is 0123456789abcdef" in problem


def test_a_worker_without_the_file_descriptors_names_the_setting(script: dict[str, Any]) -> None:
    asked = CONFIG.replace("4096", "400000")
    (problem,) = script["loaded"](asked, INFO)
    assert "4096 connections at once, not 400000 (maxConnections)" in problem
    assert "8231 files" in problem


def test_who_holds_a_port_is_named_and_haproxy_is_not(script: dict[str, Any]) -> None:
    listening = (
        'LISTEN 0 5 0.0.0.0:9000 0.0.0.0:* users:(("python3",pid=77,fd=3))\n'
        'LISTEN 0 4096 10.0.0.100:443 0.0.0.0:* users:(("haproxy",pid=5,fd=6))\n'
        'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=9,fd=3))\n'
    )
    ports = script["ports"](CONFIG)
    assert ports == ["443", "8404", "9000"]
    found = script["holders"](listening, ports)
    assert found == ["port 9000 (0.0.0.0:9000) is held by python3 (process 77)"]


@pytest.mark.parametrize(
    ("admin", "weight", "expected"),
    [
        ("0", "10", []),
        ("1", "10", ["http_back/app1 was put in maintenance"]),
        ("8", "10", ["http_back/app1 was put in drain"]),
        ("0", "0", ["http_back/app1 was given weight 0 instead of 10"]),
        # By its configuration, or because the server that it follows is.
        ("4", "10", []),
        ("2", "10", []),
    ],
)
def test_what_was_set_through_the_socket_is_named(
    script: dict[str, Any], admin: str, weight: str, expected: list[str]
) -> None:
    state = STATE.format(state=0, admin=admin, weight=weight)
    assert script["set_by_hand"](state) == expected
