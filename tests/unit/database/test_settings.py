"""The databases' settings, what they must not contradict, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from components.database.from_settings import database_args
from components.load_balancer.from_settings import load_balancer_args
from components.outputs import public_outputs
from components.settings.load import SettingsError, load_settings
from components.settings.models import Settings
from components.timers import timers_named
from components.topology import Topology, plan

ON = {"enabled": True}


def lab(data: dict[str, Any]) -> tuple[Settings, Topology]:
    settings = load_settings(data, stack="demo")
    return settings, plan(settings, stack="demo")


def full(**changes: Any) -> dict[str, Any]:
    """The full lab with PostgreSQL."""
    return {"number": 1, "topology": "full", "database": {"postgresql": ON}, **changes}


def problems(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(data, stack="demo")
    return {problem.path: problem.message for problem in caught.value.problems}


def test_they_are_off_unless_asked_for() -> None:
    assert database_args(*lab({"topology": "full"})) is None
    assert load_balancer_args(*lab({"topology": "full"})).tcp_services == ()


def test_a_database_needs_a_machine() -> None:
    found = problems(full(machines={"counts": {"database": 0}}))
    assert "counts.database" in found["database.postgresql.enabled"]


@pytest.mark.parametrize(
    ("key", "port", "whose"),
    [
        ("writePort", 443, "loadBalancer.httpsPort"),
        ("readPort", 5432, "database.postgresql.writePort"),
        ("writePort", 22, "SSH"),
        ("writePort", 8405, "HAProxy's own health"),
    ],
)
def test_an_endpoint_has_its_port_for_itself(key: str, port: int, whose: str) -> None:
    found = problems(full(database={"postgresql": {**ON, key: port}}))
    assert any(whose in message for message in found.values()), found


def test_on_a_compact_lab_the_servers_have_their_ports_too() -> None:
    compact = {"database": {"postgresql": ON}}
    load_settings(compact, stack="demo")

    assert (
        "postgresql's own" in problems({**compact, "appServer": {"port": 5432}})["appServer.port"]
    )
    stats = {"loadBalancer": {"stats": {"port": 8008}}}
    assert "role service" in problems({**compact, **stats})["loadBalancer.stats.port"]
    endpoint = {"database": {"postgresql": {**ON, "readPort": 8008}}}
    assert "role service" in problems(endpoint)["database.postgresql.readPort"]


def test_ports_of_databases_that_are_off_are_free() -> None:
    load_settings({"appServer": {"port": 5432}}, stack="demo")


BY_CLUSTER = {"postgresql": {**ON, "failover": "pacemaker"}}


def clustered(**changes: Any) -> dict[str, Any]:
    """The full lab, whose cluster fails PostgreSQL over."""
    cluster = {"enabled": True, **changes}
    return full(database=BY_CLUSTER, cluster=cluster)


def test_the_cluster_can_fail_it_over() -> None:
    args = database_args(*lab(clustered()))
    assert args is not None
    assert args.in_cluster == ("postgresql",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (full(database=BY_CLUSTER), "there is no cluster"),
        (clustered(fencing={"kind": "none"}), "no fencing"),
        (clustered(members=["db1", "gluster1", "gluster2"]), "db2 is no member"),
        (clustered(members=["db1", "db2"], twoNode=True), "two votes"),
        ({**clustered(), "machines": {"counts": {"database": 1}}}, "one database machine"),
    ],
    ids=["no cluster", "no fencing", "not a member", "two votes", "one machine"],
)
def test_but_only_where_it_cannot_make_two_primaries(data: dict[str, Any], says: str) -> None:
    assert says in problems(data)["database.postgresql.failover"]


def test_the_databases_own_resources_have_their_names_for_themselves() -> None:
    dummy = {"agent": "ocf:pacemaker:Dummy"}
    data = clustered(resources={"postgresql": dummy}, constraints={"colocations": [], "orders": []})
    assert "database's own" in problems(data)["cluster.resources.postgresql"]
    by_hand = {"postgresql": {**ON, "failover": "manual"}}
    load_settings({**data, "database": by_hand}, stack="demo")


def test_the_first_machine_makes_the_first_primary() -> None:
    args = database_args(*lab(full()))
    assert args is not None
    assert [node.name for node in args.nodes] == ["db1", "db2"]
    assert [str(address) for address in args.clients] == [
        "10.16.1.11",
        "10.16.1.12",
        "10.16.1.21",
        "10.16.1.22",
        "10.16.1.23",
    ]


def test_the_endpoints_follow_the_roles() -> None:
    write, read = load_balancer_args(*lab(full())).tcp_services

    assert (write.port, write.check_path) == (5432, "/postgresql/primary")
    assert (read.port, read.check_path) == (5433, "/postgresql/replica")
    assert write.one_at_a_time
    instead = {server.name: server.instead for server in read.servers}
    assert instead == {
        "db1": None,
        "db2": None,
        "db1-primary": "postgresql_write/db1",
        "db2-primary": "postgresql_write/db2",
    }


def test_the_outputs_name_the_endpoints_on_the_vip() -> None:
    settings, topology = lab(full(database={"postgresql": {**ON, "writePort": 6432}}))
    outputs: Any = public_outputs(settings, topology, timers_named("standard"))
    postgresql = outputs["database"]["postgresql"]

    assert postgresql["write"] == "10.16.1.100:6432"
    assert postgresql["read"] == "10.16.1.100:5433"
    assert (postgresql["database"], postgresql["user"]) == ("myapp", "application")
    assert (postgresql["failover"], postgresql["synchronous"]) == ("manual", True)


BOTH = {"postgresql": ON, "mariadb": ON}


def test_two_engines_have_endpoints_of_their_own() -> None:
    services = load_balancer_args(*lab(full(database=BOTH))).tcp_services
    assert {(s.name, s.port, s.server_port) for s in services} == {
        ("mariadb_write", 3306, 3306),
        ("mariadb_read", 3307, 3306),
        ("postgresql_write", 5432, 5432),
        ("postgresql_read", 5433, 5432),
    }
    settings, topology = lab(full(database=BOTH))
    outputs: Any = public_outputs(settings, topology, timers_named("standard"))
    units = {engine: found["unit"] for engine, found in outputs["database"].items()}
    assert units == {"mariadb": "mariadb.service", "postgresql": "postgresql@15-main.service"}


@pytest.mark.parametrize(
    ("cluster", "mode"),
    [
        ({"enabled": True}, "pacemaker"),
        ({"enabled": False}, "manual"),
        ({"enabled": True, "fencing": {"kind": "none"}}, "manual"),
        ({"enabled": True, "members": ["db1", "gluster1", "gluster2"]}, "manual"),
    ],
)
def test_the_cluster_decides_by_itself_where_it_safely_can(
    cluster: dict[str, Any], mode: str
) -> None:
    settings, topology = lab(full(database=BOTH, cluster=cluster))
    outputs: Any = public_outputs(settings, topology, timers_named("standard"))
    found = {engine: values["failover"] for engine, values in outputs["database"].items()}
    assert found == {"postgresql": mode, "mariadb": mode}
    args = database_args(settings, topology)
    assert args is not None
    assert args.in_cluster == (("mariadb", "postgresql") if mode == "pacemaker" else ())


def test_a_person_decides_where_the_settings_say_so() -> None:
    by_hand = {"postgresql": {**ON, "failover": "manual"}}
    args = database_args(*lab(full(database=by_hand, cluster={"enabled": True})))
    assert args is not None
    assert args.in_cluster == ()


def test_two_engines_do_not_share_a_port() -> None:
    clash = full(database={"postgresql": ON, "mariadb": {**ON, "readPort": 5432}})
    assert any("5432" in message for message in problems(clash).values())


@pytest.mark.parametrize("engine", ["mariadb", "postgresql"])
def test_each_engine_may_be_in_other_hands(engine: str) -> None:
    other = "postgresql" if engine == "mariadb" else "mariadb"
    databases = {engine: ON, other: {**ON, "failover": "manual"}}
    args = database_args(*lab(full(database=databases, cluster={"enabled": True})))
    assert args is not None
    assert args.in_cluster == (engine,)


def test_mariadb_alone_needs_no_postgresql() -> None:
    settings, topology = lab(full(database={"mariadb": ON}))
    args = database_args(settings, topology)
    assert args is not None
    assert args.engines == ("mariadb",)
    outputs: Any = public_outputs(settings, topology, timers_named("standard"))
    assert set(outputs["database"]) == {"mariadb"}


def test_copies_of_data_have_their_port_on_a_compact_lab() -> None:
    found = problems({"database": {"mariadb": ON}, "appServer": {"port": 8009}})
    assert "mariadb's own" in found["appServer.port"]
