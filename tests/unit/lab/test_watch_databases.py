"""`lab watch`: what the rows of the databases say, asked of real role services."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from components.database.guest.model import Follower, State
from lab.drill.scene import Scene
from lab.drill.target import Target, target_from
from lab.watch.databases import Databases
from lab.watch.registry import rows_for
from tests.unit.drill.world import outputs
from tests.unit.lab.watched import during, scene, texts

PRIMARY = State(
    "db1",
    "primary",
    term=2,
    synchronous="on",
    followers=(Follower("db2", True, True, 4096),),
)
REPLICA = State("db2", "replica", term=2, follows="10.16.1.51", lag_s=1.5)


class RoleServices:
    """db1 and db2 on two loopback addresses, one port."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {"127.0.0.1": PRIMARY, "127.0.0.2": REPLICA}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = str(self.connection.getsockname()[0])
                state = outer.states.get(address)
                self.send_response(200 if state and self.path == "/postgresql" else 500)
                self.end_headers()
                if state:
                    self.wfile.write((json.dumps(state.as_json()) + "\n").encode())

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("0.0.0.0", 0), Handler)  # noqa: S104 - two addresses of loopback
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def target(self) -> Target:
        machine = {"roles": ["database"], "user": "lab", "port": 22}
        data: dict[str, Any] = outputs()
        data["machines"] |= {
            "db1": {"address": "127.0.0.1", **machine},
            "db2": {"address": "127.0.0.2", **machine},
        }
        port = self.server.server_address[1]
        data["database"] = {"postgresql": {"synchronous": True, "rolePort": port}}
        return target_from(data, stack="demo")

    @property
    def scene(self) -> Scene:
        return replace(scene(), target=self.target)


@pytest.fixture
def services() -> Iterator[RoleServices]:
    services = RoleServices()
    yield services
    services.server.shutdown()
    services.server.server_close()


def looked(services: RoleServices) -> tuple[Databases, float]:
    rows = Databases()
    assert rows.is_present(services.target)
    during(rows, services.scene, rows.is_seen)
    return rows, max(t for t, _, _ in rows.seen.values())


def test_a_lab_with_databases_shows_them(services: RoleServices) -> None:
    assert "databases" in [rows.name for rows in rows_for(services.target)]


def test_who_is_primary_and_how_far_the_replica_is_behind(services: RoleServices) -> None:
    rows, now = looked(services)
    assert texts(rows.section(now)) == [
        ["postgresql", "db1", "primary", "to db2 (synchronous, 4 KiB behind); synchronous: on"],
        ["postgresql", "db2", "replica", "from 10.16.1.51, 1.5 s behind"],
    ]
    data = rows.data(now)["postgresql"]
    assert {m: s["role"] for m, s in data["machines"].items()} == {
        "db1": "primary",
        "db2": "replica",
    }
    assert data["alarms"] == []


def test_what_nobody_answers_is_silent_and_an_alarm_says_what_it_means(
    services: RoleServices,
) -> None:
    del services.states["127.0.0.1"]
    rows, now = looked(services)
    shown = texts(rows.section(now))
    assert shown[0][1:3] == ["db1", "silent"]
    assert any(row[1] == "alarm" and "unless it is db1" in row[3] for row in shown)


def test_what_was_seen_too_long_ago_is_not_shown_as_if_it_were_so(services: RoleServices) -> None:
    rows, now = looked(services)
    later = texts(rows.section(now + 10))
    assert [row[2] for row in later[:2]] == ["silent", "silent"]
