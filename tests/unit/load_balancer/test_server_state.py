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


BY_ROLE = """
listen postgresql_write
    bind 10.0.0.100:5432
    server db1 10.0.0.51:5432 check port 8008
    server db2 10.0.0.52:5432 check port 8008

listen postgresql_read
    server db1-primary 10.0.0.51:5432 backup track postgresql_write/db1
"""


def rows(text: str) -> dict[str, str]:
    """By server, its state as HAProxy reads it."""
    names = text.splitlines()[1].lstrip("# ").split()
    found = [dict(zip(names, row.split(), strict=True)) for row in text.splitlines()[2:]]
    return {f"{row['be_name']}/{row['srv_name']}": row["srv_op_state"] for row in found}


def test_servers_by_role_begin_as_down_and_others_as_ever(script: dict[str, Any]) -> None:
    state = script["with_unknown_down"]("", CONFIG + BY_ROLE)
    assert rows(state) == {"postgresql_write/db1": "0", "postgresql_write/db2": "0"}


def test_what_is_known_of_a_server_by_role_stays(script: dict[str, Any]) -> None:
    whole = script["with_unknown_down"]("", BY_ROLE)
    up = "".join(whole.splitlines(keepends=True)[:3]).replace("51 0 0", "51 2 0")
    state = script["with_unknown_down"](up, BY_ROLE)
    assert rows(state) == {"postgresql_write/db1": "2", "postgresql_write/db2": "0"}


def test_a_lab_without_databases_knows_nothing_at_a_start(script: dict[str, Any]) -> None:
    assert rows(script["with_unknown_down"]("", CONFIG)) == {}


def test_a_reload_returns_to_the_configured_weight_and_ends_maintenance_by_hand(
    script: dict[str, Any],
) -> None:
    head = (
        "1\n# be_name srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
        " srv_port\n"
    )
    by_hand = "http_back app1 10.0.0.1 0 1 0 10 80\nhttp_back app2 10.0.0.2 2 12 10 10 80\n"
    kept = script["still_true"](head + by_hand, script["declared"](CONFIG))
    assert kept == head + (
        "http_back app1 10.0.0.1 0 0 10 10 80\nhttp_back app2 10.0.0.2 2 4 10 10 80\n"
    )
