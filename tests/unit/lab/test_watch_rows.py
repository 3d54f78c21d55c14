"""`lab watch`: what the rows make of what they see."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from lab.drill.events import Owner, ProbeState, Request
from lab.drill.model import Probe
from lab.watch import probing, sights, stream
from lab.watch.model import Cell
from lab.watch.owners import Owners
from lab.watch.registry import rows_for
from lab.watch.requests import Requests
from lab.watch.servers import Servers
from lab.watch.sights import Sights
from tests.unit.drill.world import target
from tests.unit.lab.watched import (
    FakeControl,
    FakeMachines,
    FakeProbe,
    during,
    present,
    said,
    scene,
    server,
    texts,
)

NOW = 1000.0
Patch = pytest.MonkeyPatch


class TestRequests:
    """What a client gets."""

    def requests(self) -> Requests:
        return cast(Requests, present(Requests(probe=cast(Probe, FakeProbe()))))

    def ask(self, rows: Requests, t: float, outcome: Any = "ok", took_s: float = 0.01) -> None:
        rows.take(
            Request(
                t=t,
                probe="http",
                took_s=took_s,
                outcome=outcome,
                server="app1",
                detail="" if outcome == "ok" else "connection refused",
            )
        )

    def test_nothing_yet_is_no_data_and_not_zero_failures(self) -> None:
        rows = self.requests()

        assert rows.data(NOW)["state"] == "no data"
        assert not rows.is_seen()

    def test_the_rate_is_that_of_the_last_two_seconds(self) -> None:
        rows = self.requests()
        for number in range(100):
            self.ask(rows, NOW - 5 + number * 0.05)

        assert rows.data(NOW)["perSecond"] == pytest.approx(20, abs=1)
        assert rows.data(NOW)["ok"] == 100
        assert rows.data(NOW + 10)["perSecond"] == 0
        assert rows.data(NOW + 10)["state"] == "no data"

    def test_at_the_beginning_it_is_that_since_the_first(self) -> None:
        rows = self.requests()
        for number in range(10):
            self.ask(rows, NOW - 0.5 + number * 0.05, took_s=0.001)

        assert rows.data(NOW)["perSecond"] == pytest.approx(20, abs=1)

    def test_an_answer_beyond_the_stacks_own_limit_is_slow(self) -> None:
        rows = self.requests()
        self.ask(rows, NOW - 1, took_s=0.3)

        assert rows.data(NOW)["slow"] == 1
        assert rows.data(NOW)["ok"] == 0
        assert rows.data(NOW)["state"] == "slow"
        assert rows.section(NOW).rows[0][0] == Cell("slow", "warn")

    @pytest.mark.parametrize("outcome", ["failed", "unknown"])
    def test_a_failure_is_shown_with_its_reason_and_counted_for_ever(self, outcome: str) -> None:
        rows = self.requests()
        self.ask(rows, NOW - 1)
        self.ask(rows, NOW - 0.5, outcome)

        assert rows.section(NOW).rows[0][0] == Cell("failing", "bad")
        assert "connection refused" in texts(rows.section(NOW))[0]
        later = rows.section(NOW + 60)
        assert rows.data(NOW + 60)["failed"] == 1
        assert "connection refused" not in texts(later)[0]
        assert rows.summary() == "2 requests: 1 ok, 0 slow, 1 failed"

    def test_a_probe_that_died_is_named_and_starts_again(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(probing, "AGAIN_S", 0.01)
        probe = FakeProbe(dies=2, name="http")
        rows = present(Requests(probe=cast(Probe, probe)))
        during(rows, scene(), lambda: probe.runs == 3)

        assert rows.trouble == "the prober http was killed"
        assert rows.is_seen()


class TestOwners:
    """Who has the VIP."""

    def owners(self, *probes: FakeProbe) -> tuple[Owners, Sights]:
        seen = present(Sights())
        return present(Owners(seen, cast("tuple[Probe, ...]", probes))), seen

    def test_every_source_has_its_own_column(self) -> None:
        rows, seen = self.owners()
        seen.take("lb1", said(vip=True))
        seen.take("lb2", said())
        now = time.monotonic()
        rows.take(Owner(t=now, source="arp", owners=("lb1",)))

        assert rows.section(now).header == ("address", "arp", "lb1", "lb2")
        assert rows.section(now).rows[0][1:] == (
            Cell("lb1", "good"),
            Cell("owner", "good"),
            Cell("-", "dim"),
        )
        assert rows.data(now)["owners"] == {"arp": ("lb1",), "lb1": ("lb1",), "lb2": ()}

    def test_two_owners_are_bad_wherever_they_are_seen(self) -> None:
        rows, seen = self.owners()
        seen.take("lb1", said(vip=True))
        seen.take("lb2", said(vip=True))
        now = time.monotonic()
        rows.take(Owner(t=now, source="arp", owners=("lb1", "lb2")))

        assert rows.section(now).rows[0][1:] == (
            Cell("lb1, lb2", "bad"),
            Cell("owner", "bad"),
            Cell("owner", "bad"),
        )

    def test_nobody_on_the_wire_is_bad_and_old_news_are_unknown(self) -> None:
        rows, _ = self.owners()
        rows.take(Owner(t=NOW, source="arp", owners=()))

        assert rows.section(NOW).rows[0][1] == Cell("nobody", "bad")
        assert rows.section(NOW + 5).rows[0][1] == Cell("?", "warn")
        assert rows.data(NOW + 5)["owners"]["arp"] is None

    def test_one_that_lost_power_is_not_a_second_owner_for_long(self) -> None:
        rows, seen = self.owners()
        seen.take("lb1", said(vip=True))
        now = time.monotonic()

        assert rows.owners(now) == ["lb1"]
        assert rows.owners(now + 1.5) == []
        assert seen.at("lb1", now + 1.5) is not None, "its units may still be shown"

    def test_the_summary_has_every_move(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr("lab.watch.owners.FOLLOW_S", 0.005)
        rows, seen = self.owners()
        assert rows.summary() == "nobody was seen with the VIP"
        seen.take("lb1", said(vip=True))
        during(rows, scene(), lambda: rows.moves == ["lb1"])
        seen.take("lb1", said())
        seen.take("lb2", said(vip=True))
        during(rows, scene(), lambda: rows.moves == ["lb1", "lb2"])

        assert rows.summary() == "VIP: lb1 -> lb2"

    def test_a_probe_that_cannot_look_here_is_not_waited_for(self) -> None:
        absent = ProbeState(t=NOW, probe="arp", state="absent", detail="behind a router")
        unable = FakeProbe(name="other", reason="needs root")
        rows, seen = self.owners(FakeProbe([absent]), unable)
        for machine in ("app1", "lb1", "lb2"):
            seen.take(machine, said())
        during(rows, scene(), rows.is_seen)

        assert rows.data(NOW)["troubles"] == {"arp": "behind a router"}
        assert unable.runs == 0


class TestServers:
    """The app servers, as each load balancer sees them."""

    def servers(self, **by_balancer: Any) -> tuple[Servers, float]:
        seen = present(Sights())
        for balancer, known in by_balancer.items():
            seen.take(balancer, said(servers=known))
        return present(Servers(seen)), time.monotonic()

    def test_a_row_for_each_server_and_a_column_for_each_load_balancer(self) -> None:
        rows, now = self.servers(
            lb1=[server("app1", sessions=2), server("app3", backup=True)],
            lb2=[server("app1", "DOWN"), server("app3", "UP 1/2", backup=True)],
        )

        assert rows.section(now).header == ("server", "by lb1", "by lb2")
        assert rows.section(now).rows == (
            (Cell("app1"), Cell("UP, 2 sessions", "good"), Cell("DOWN, 0 sessions", "bad")),
            (
                Cell("app3"),
                Cell("UP backup, 0 sessions", "good"),
                Cell("UP 1/2 backup, 0 sessions", "warn"),
            ),
        )

    def test_back_ends_that_disagree_are_told_apart_and_sessions_are_summed(self) -> None:
        rows, now = self.servers(
            lb1=[
                server("app1", "DOWN", sessions=1),
                server("app1", "UP", backend="api", sessions=2),
            ]
        )

        cell = rows.section(now).rows[0][1]
        assert cell == Cell("http_back DOWN, api UP, 3 sessions", "warn")
        assert rows.data(now)["lb1"]["app1"]["status"] == ["DOWN", "UP"]

    def test_a_load_balancer_that_says_nothing_is_unknown(self) -> None:
        rows, now = self.servers(lb1=[server("app1")])

        assert texts(rows.section(now)) == [["app1", "UP, 0 sessions", "?"]]
        assert rows.data(now)["lb2"] == "?"

    def test_nginx_does_not_say_how_many_sessions_a_server_has(self) -> None:
        known = [server("app1", sessions=None)]
        rows, now = self.servers(lb1=known, lb2=known)
        assert rows.section(now).rows[0][1] == Cell("UP", "good")
        assert rows.data(now)["lb1"]["app1"]["sessions"] is None

    @pytest.mark.parametrize(
        ("known", "shown"),
        [(None, "HAProxy is not there"), ("HAProxy does not answer: timed out",) * 2],
    )
    def test_one_whose_haproxy_is_gone_says_so(self, known: Any, shown: str) -> None:
        rows, now = self.servers(lb1=known, lb2=[server("app1")])

        assert texts(rows.section(now)) == [["app1", "?", "UP, 0 sessions"], ["lb1", shown]]


class TestMachines:
    """Power and units."""

    def test_units_that_do_not_run_are_named(self) -> None:
        rows = present(Sights())
        rows.take("lb1", said(haproxy="active", keepalived="failed"))
        rows.take("lb2", said(haproxy="active", keepalived="active"))
        now = time.monotonic()

        shown = {row[0].text: row[1:] for row in rows.section(now).rows}
        assert shown["lb1"] == (Cell("on", "good"), Cell("keepalived failed", "bad"))
        assert shown["lb2"] == (Cell("on", "good"), Cell("haproxy, keepalived", "dim"))
        assert shown["app1"] == (Cell("silent", "warn"), Cell("not asked yet", "dim"))

    def test_what_was_said_long_ago_is_not_shown(self) -> None:
        rows = present(Sights())
        rows.take("lb1", said(haproxy="active"))
        later = time.monotonic() + 10

        assert rows.data(later)["lb1"] == {"power": "unknown", "units": {}}

    def test_machines_stream_and_those_that_do_not_are_asked_for_their_power(
        self, monkeypatch: Patch
    ) -> None:
        monkeypatch.setattr(stream, "AGAIN_S", 0.01)
        monkeypatch.setattr(sights, "POWER_EVERY_S", 0.01)
        machines = FakeMachines({"lb1": [said(vip=True)], "lb2": [said()]})
        rows = present(Sights())
        where = scene(machines, FakeControl(off={"app1"}))
        during(rows, where, lambda: rows.is_seen() and rows.off)

        now = time.monotonic()
        assert rows.off == {"app1"}
        assert texts(rows.section(now))[0] == ["app1", "off", ""]
        assert rows.data(now)["lb1"]["power"] == "on"
        assert machines.arguments == {"sudo -n bash -c 'python3 - 10.16.1.100 haproxy'"}


def test_a_lab_shows_the_rows_of_the_services_that_it_has() -> None:
    # Without databases in the lab there is no section of them.
    assert [rows.name for rows in rows_for(target())] == ["vip", "requests", "servers", "machines"]
