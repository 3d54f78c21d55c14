"""What the settings may not ask of nginx, and what they may."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.settings.samples import problems

CHECKS = "open-source nginx checks no server, it learns from requests that fail: remove it, or"
ROLES = "its endpoints follow the role of each database, which open-source nginx cannot ask for"


def found(engine: str = "nginx", **balancer: Any) -> list[str]:
    other = balancer.pop("other", {})
    lab = {"number": 1, "topology": "full", "loadBalancer": {"engine": engine, **balancer}}
    return problems({**lab, **other})


@pytest.mark.parametrize(
    "balancer",
    [
        {},
        {"algorithm": "leastconn", "weights": {"app1": 3, "app2": 0}},
        {"algorithm": "uri", "backup": []},
        {"stickiness": "cookie", "backup": [], "algorithm": "leastconn"},
        {"stickiness": "source", "backup": [], "algorithm": "source"},
        {"backends": {"api": {"port": 3000, "algorithm": "source"}}, "routes": []},
        {"tls": {"redirect": False}, "httpPort": 8000, "stats": {"port": 9000}},
    ],
)
def test_what_nginx_can_do_is_accepted(balancer: dict[str, Any]) -> None:
    assert found(**balancer) == []


@pytest.mark.parametrize("chosen", ["algorithm: source", "algorithm: uri", "stickiness: cookie"])
def test_a_backup_is_refused_where_a_hash_or_a_cookie_chooses(chosen: str) -> None:
    key, _, value = chosen.partition(": ")
    assert found(**{key: value}) == [
        (
            f"loadBalancer.backup: app3 would be a backup, which nginx cannot have with `{chosen}`:"
            " give `backup: []`, or `engine: haproxy`"
        )
    ]
    assert found("haproxy", **{key: value}) == []


def test_clients_kept_by_address_have_no_other_algorithm() -> None:
    (problem,) = found(stickiness="source", algorithm="leastconn", backup=[])
    assert problem.startswith("loadBalancer.stickiness: source is an algorithm of nginx by itself")


def test_a_check_that_nobody_would_make_is_refused() -> None:
    backends = {"api": {"port": 3000, "check": {"path": "/up"}}}
    given: dict[str, Any] = {"check": {"path": "/ready"}, "backends": backends, "routes": []}
    assert found(**given) == [
        f"loadBalancer.backends.api.check: {CHECKS} use `engine: haproxy`",
        f"loadBalancer.check: {CHECKS} use `engine: haproxy`",
    ]
    assert found("haproxy", **given) == []


def test_databases_whose_writes_could_reach_a_replica_are_refused() -> None:
    (problem,) = found(other={"database": {"postgresql": {"enabled": True}}})
    assert problem.startswith(f"database.postgresql.enabled: {ROLES}")
    assert "use `engine: haproxy`" in problem
