"""What the audits find, also where a machine does not answer."""

from __future__ import annotations

import httpx
import pytest

from lab.drill.model import Finding
from lab.drill.tiers import app_server, cluster, load_balancer, machines
from lab.drill.tiers.balancer_audits import down_servers
from lab.drill.tiers.roles import ServerSeen
from lab.errors import LabError
from tests.unit.drill.fakes import Fakes, a_target, finish, stat

TIERS = (machines.TIER, load_balancer.TIER, app_server.TIER)
AUDITS = {audit.name: audit for tier in TIERS for audit in tier.audits}
UP = stat(("http_back", "app1", "UP", ""), ("http_back", "app2", "UP", ""))
SILENT = LabError("lb2 did not answer over SSH within 3 s")


@pytest.fixture
def fakes() -> Fakes:
    """A healthy lab."""
    fakes = Fakes(a_target())
    fakes.owns("lb1")
    fakes.machines.says("", "show stat", UP)
    fakes.machines.says("", "is-active", "active\nactive\n")
    fakes.machines.says("", "python3 - 10.16.1.", "200")
    return fakes


def look(fakes: Fakes, name: str) -> Finding:
    return finish(AUDITS[name].check(fakes.scene))


def test_a_database_that_has_not_the_role_is_no_lost_server() -> None:
    def seen(backend: str, name: str, status: str) -> ServerSeen:
        return ServerSeen(backend=backend, name=name, status=status, is_backup=False, port="1")

    servers = [seen("pg_write", "db1", "UP"), seen("pg_write", "db2", "DOWN")]
    assert down_servers(servers, {"pg_write"}) == []
    assert down_servers(servers, set()) == ["pg_write/db2 is DOWN"]
    lost = [seen("pg_write", "db1", "DOWN"), seen("http_back", "app1", "DOWN")]
    assert down_servers(lost, {"pg_write"}) == [
        "http_back/app1 is DOWN",
        "no server of pg_write is up",
    ]


HERE = sorted(set(AUDITS) - {"vip-answers"} - {audit.name for audit in cluster.TIER.audits})


@pytest.mark.parametrize("name", HERE)
def test_a_healthy_lab_passes(fakes: Fakes, name: str) -> None:
    found = look(fakes, name)
    assert found.outcome == "pass", found.detail


def test_two_owners_are_named(fakes: Fakes) -> None:
    fakes.owns("lb1", "lb2")
    assert look(fakes, "one-vip-owner") == Finding(
        "fail", "lb1 and lb2 have the VIP 10.16.1.100 at once"
    )


def test_no_owner_is_a_failure(fakes: Fakes) -> None:
    fakes.owns()
    assert look(fakes, "one-vip-owner") == Finding("fail", "nobody has the VIP 10.16.1.100")


def test_a_load_balancer_that_cannot_be_asked_could_be_a_second_owner(fakes: Fakes) -> None:
    fakes.machines.says("lb2", "addr show", SILENT)
    assert look(fakes, "one-vip-owner").outcome == "unknown"
    fakes.control.off.add("lb2")
    assert look(fakes, "one-vip-owner").outcome == "pass", "without power it owns nothing"


def test_daemons_that_do_not_run_and_servers_that_are_down_are_named(fakes: Fakes) -> None:
    fakes.machines.says("lb2", "is-active", "active\nfailed\n")
    down = stat(("http_back", "app1", "DOWN", ""), ("api_back", "app1", "UP 1/2", ""))
    fakes.machines.says("lb1", "show stat", down)
    assert look(fakes, "balancers-healthy") == Finding(
        "fail", "lb1: http_back/app1 is DOWN; lb2: keepalived is failed"
    )


def test_a_load_balancer_without_haproxy_is_said_once(fakes: Fakes) -> None:
    fakes.machines.says("lb2", "is-active", "inactive\nactive\n")
    fakes.machines.says("lb2", "show stat", 1)
    assert look(fakes, "balancers-healthy").detail == "lb2: haproxy is inactive"


def test_a_load_balancer_that_does_not_answer_is_not_healthy(fakes: Fakes) -> None:
    fakes.machines.says("lb2", "", SILENT)
    assert look(fakes, "balancers-healthy") == Finding("fail", str(SILENT))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("502", "app2 answers its page with 502"), (1, "app2: the command ended with status 1")],
)
def test_an_app_server_must_give_a_page(fakes: Fakes, answer: str | int, expected: str) -> None:
    fakes.machines.says("app2", "python3 - 10.16.1.", answer)
    found = look(fakes, "app-servers-healthy")
    assert found.outcome == "fail"
    assert expected in found.detail


@pytest.mark.parametrize("status", ["200", "301", "404"])
def test_an_application_of_ones_own_need_not_have_a_first_page(fakes: Fakes, status: str) -> None:
    fakes.machines.says("", "python3 - 10.16.1.", status)
    assert look(fakes, "app-servers-healthy").outcome == "pass"


def test_failed_units_and_silent_machines_are_listed(fakes: Fakes) -> None:
    fakes.machines.says("app1", "state=failed", "nginx.service\nchrony.service\n")
    fakes.machines.says("lb2", "state=failed", SILENT)
    assert look(fakes, "machines-answer") == Finding(
        "fail", f"app1: failed units: nginx.service, chrony.service; {SILENT}"
    )


@pytest.mark.parametrize(
    ("status", "outcome", "detail"),
    [(200, "pass", "answers 200 (app2)"), (503, "fail", "answers 503, expected 200")],
)
def test_the_vip_must_answer_with_a_page(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch, status: int, outcome: str, detail: str
) -> None:
    answer_with(monkeypatch, lambda _: httpx.Response(status, headers={"X-Served-By": "app2"}))
    found = look(fakes, "vip-answers")
    assert found.outcome == outcome
    assert detail in found.detail


def test_a_vip_without_an_answer_says_why(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    answer_with(monkeypatch, refuse)
    assert look(fakes, "vip-answers") == Finding(
        "fail", "https://10.16.1.100/ does not answer: ConnectError: Connection refused"
    )


def answer_with(monkeypatch: pytest.MonkeyPatch, handler: object) -> None:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    client = httpx.Client(transport=transport)
    monkeypatch.setattr(httpx, "Client", lambda **_: client)
