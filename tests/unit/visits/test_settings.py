"""Which labs have a visits page, which database keeps the visits, and where its password is."""

from __future__ import annotations

from typing import Any

import pytest

from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_plan
from components.settings.load import SettingsError, load_settings
from components.topology import Role, plan
from components.visits.args import VisitsArgs
from components.visits.from_settings import visits_args
from components.visits.render import PASSWORD_PATH, visits_password_plan, visits_plan

ON: dict[str, Any] = {"topology": "full", "database": {"postgresql": {"enabled": True}}}


def page(data: dict[str, Any]) -> tuple[VisitsArgs | None, str]:
    """The page of app1, and its nginx.conf."""
    settings = load_settings(data, stack="demo")
    topology = plan(settings, stack="demo")
    app = topology.with_role(Role.APP)[0]
    files = {file.path: file for file in app_server_plan(app_server_args(settings, app)).files}
    conf = files.get("/etc/nginx/nginx.conf")
    return visits_args(settings, topology, app), conf.content if conf else ""


def test_a_database_brings_the_page_through_the_write_endpoint() -> None:
    args, conf = page({**ON, "database": {"postgresql": {"enabled": True, "writePort": 6432}}})
    assert args is not None
    assert (args.engine, args.port, str(args.host)) == ("postgresql", 6432, "10.16.0.100")
    assert "location = /visits" in conf
    assert f"http://127.0.0.1:{args.listen_port};" in conf


@pytest.mark.parametrize(
    ("visits", "found"),
    [({}, ("postgresql", 5432)), ({"engine": "mariadb"}, ("mariadb", 3306))],
)
def test_of_two_engines_one_keeps_the_visits(
    visits: dict[str, str], found: tuple[str, int]
) -> None:
    both = {"postgresql": {"enabled": True}, "mariadb": {"enabled": True}}
    args, _ = page({**ON, "database": both, "appServer": {"visits": visits}})
    assert args is not None
    assert (args.engine, args.port) == found


@pytest.mark.parametrize(
    "data",
    [
        {"topology": "full"},
        {**ON, "appServer": {"visits": {"enabled": False}}},
        {
            **ON,
            "appServer": {"application": {"package": "myapp", "unit": "myapp", "port": 9000}},
            "loadBalancer": {"backends": {}, "routes": []},
        },
    ],
)
def test_without_a_database_or_where_nobody_wants_it_there_is_none(data: dict[str, Any]) -> None:
    args, conf = page(data)
    assert args is None
    assert "/visits" not in conf


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"visits": {"engine": "mariadb"}}, "appServer.visits.engine", "mariadb is off"),
        ({"port": 8090}, "appServer.port", "the visits page's own"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({**ON, "appServer": changes}, stack="demo")
    assert said in {problem.path: problem.message for problem in caught.value.problems}[path]


def test_the_password_is_in_one_file_that_only_root_reads() -> None:
    args, _ = page(ON)
    assert args is not None
    (file,) = visits_password_plan("hidden").files
    assert (file.path, file.mode, file.owner) == (PASSWORD_PATH, 0o600, "root")
    others = visits_plan(args).files
    assert not any("hidden" in other.content for other in others)
    (unit,) = [other for other in others if other.path.endswith("ha-lab-visits.service")]
    assert f"LoadCredential=password:{PASSWORD_PATH}" in unit.content
    assert "User=lab-visits" in unit.content
