"""What a reload may believe of the servers' state: nothing of a server that has moved."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from components import load_balancer

CONFIG = """
backend http_back
    server app1 10.0.0.1:80 check
    server app2 10.0.0.2:80 check
"""
HEAD = "1\n# be_name srv_name srv_addr srv_op_state srv_port\n"
ONE = "http_back app1 10.0.0.1 0 80\n"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    path = Path(load_balancer.__file__).parent / "templates" / "haproxy-server-state"
    return runpy.run_path(str(path), run_name="under_test")


@pytest.mark.parametrize(
    "moved",
    [
        "http_back app2 10.0.0.2 2 8080\n",
        "http_back app2 10.0.0.9 2 80\n",
        "http_back app3 10.0.0.3 2 80\n",
        "api_back app2 10.0.0.2 2 80\n",
    ],
    ids=["port", "address", "gone", "other back end"],
)
def test_only_servers_that_are_where_they_were_keep_their_state(
    script: dict[str, Any], moved: str
) -> None:
    servers = script["declared"](CONFIG)
    assert script["still_true"](HEAD + ONE + moved, servers) == HEAD + ONE


def test_no_answer_is_no_state(script: dict[str, Any]) -> None:
    assert script["still_true"]("", {}) == ""
