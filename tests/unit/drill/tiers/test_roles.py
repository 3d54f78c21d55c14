"""Who is broken: the VIP's owner, the app server that can be spared."""

from __future__ import annotations

import asyncio

import pytest

from lab.drill.tiers import roles
from lab.drill.tiers.roles import app_port, app_server, choose_app, parse_stat, vip_owner
from lab.errors import LabError
from tests.unit.drill.fakes import Fakes, a_target, stat

FULL = stat(
    ("http_back", "app1", "UP", ""),
    ("http_back", "app2", "UP", ""),
    ("http_back", "app3", "UP", "backup"),
    ("api_back", "app1", "UP", ""),
)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    monkeypatch.setattr(roles, "LOOK_PAUSE_S", 0.0)
    fakes = Fakes(a_target())
    fakes.machines.says("", "show stat", FULL)
    return fakes


def test_the_owner_is_the_machine_that_has_the_address(fakes: Fakes) -> None:
    fakes.owns("lb2")
    assert asyncio.run(vip_owner(fakes.scene)) == ("lb2",)


def test_an_owner_must_stay_the_same_for_several_looks(fakes: Fakes) -> None:
    has, has_not = '[{"addr_info":[{"local":"10.16.1.100"}]}]', "[]"
    looks = iter([(has, has_not), (has, has), (has_not, has_not)])
    now = {"lb1": "[]", "lb2": has}

    def next_look() -> str:
        now["lb1"], now["lb2"] = next(looks, (has_not, has))
        return now["lb1"]

    fakes.machines.says("lb1", "addr show", next_look)
    fakes.machines.says("lb2", "addr show", lambda: now["lb2"])
    assert asyncio.run(vip_owner(fakes.scene)) == ("lb2",)
    assert next(looks, None) is None, "it did not believe the looks that disagreed"


def test_a_machine_that_does_not_answer_owns_nothing(fakes: Fakes) -> None:
    fakes.owns("lb2")
    fakes.machines.says("lb1", "addr show", LabError("lb1 did not answer"))
    assert asyncio.run(vip_owner(fakes.scene)) == ("lb2",)


@pytest.mark.parametrize(("owners", "seen"), [((), "none"), (("lb1", "lb2"), "lb1, lb2")])
def test_no_owner_and_two_owners_are_errors(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch, owners: tuple[str, ...], seen: str
) -> None:
    monkeypatch.setattr(roles, "OWNER_WITHIN_S", 0.02)
    fakes.owns(*owners)
    with pytest.raises(
        LabError, match=f"owned the VIP 10.16.1.100 alone.*last seen with it: {seen}"
    ):
        asyncio.run(vip_owner(fakes.scene))


def test_servers_are_read_from_the_statistics() -> None:
    first, _, waiting, api = parse_stat(FULL)
    assert (first.backend, first.name, first.port, first.is_up) == (
        "http_back",
        "app1",
        "8080",
        True,
    )
    assert (waiting.name, waiting.is_backup) == ("app3", True)
    assert api.backend == "api_back"
    states = parse_stat(
        stat(*(("b", s, s, "") for s in ("UP 1/2", "DOWN", "DOWN 1/2", "MAINT", "no check")))
    )
    assert [server.is_up for server in states] == [True, False, False, False, True]


def test_the_app_server_to_break_gets_requests_and_is_not_the_only_one(fakes: Fakes) -> None:
    fakes.owns("lb1")
    assert asyncio.run(app_server(fakes.scene)) == ("app1",)


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ((("app1", "UP", "backup"), ("app2", "UP", ""), ("app3", "UP", "")), "app2"),
        ((("app1", "DOWN", ""), ("app2", "UP", ""), ("app3", "UP", "")), "app2"),
        ((("app2", "UP", ""), ("app3", "UP", "backup")), "app2"),
        ((("lb1", "UP", ""), ("lb2", "UP", "")), "lb2"),
        ((("lb1", "UP", ""), ("lb2", "UP", ""), ("web1", "UP", "")), "web1"),
        ((("lb1", "UP", ""), ("lb2", "UP", ""), ("app1", "UP", "backup")), "lb2"),
    ],
)
def test_it_is_up_no_backup_not_the_owner_and_rather_no_load_balancer(
    servers: tuple[tuple[str, str, str], ...], expected: str
) -> None:
    seen = parse_stat(stat(*(("http_back", *server) for server in servers)))
    assert choose_app(seen, owner="lb1", balancers=("lb1", "lb2")) == expected


@pytest.mark.parametrize(
    "servers",
    [
        (("app1", "UP", ""),),
        (("app1", "UP", ""), ("app2", "DOWN", "")),
        (("lb1", "UP", ""), ("app1", "UP", "backup")),
        (),
    ],
)
def test_the_last_app_server_is_spared(servers: tuple[tuple[str, str, str], ...]) -> None:
    seen = parse_stat(stat(*(("http_back", *server) for server in servers)))
    with pytest.raises(LabError, match="no app server can be spared"):
        choose_app(seen, owner="lb1", balancers=("lb1", "lb2"))


def test_the_port_of_an_app_server_is_told_by_whichever_load_balancer_answers(
    fakes: Fakes,
) -> None:
    fakes.machines.says("lb1", "show stat", LabError("lb1 did not answer"))
    assert asyncio.run(app_port(fakes.scene, "app2")) == "8080"
    with pytest.raises(LabError, match="app9: it is no server of http_back"):
        asyncio.run(app_port(fakes.scene, "app9"))
    fakes.machines.says("lb2", "show stat", 1)
    with pytest.raises(LabError, match=r"no load balancer says.*lb1 did not answer; lb2"):
        asyncio.run(app_port(fakes.scene, "app2"))
