"""The databases in the program: what waits for what, and what nobody may read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.program.conftest import LABS, Built, build

MACHINES = ("db1", "db2")
ENGINES = ("mariadb", "postgresql")


@pytest.fixture(scope="module")
def built(libvirt_host: Path) -> Built:
    del libvirt_host
    return build(LABS["full-existing"])


@pytest.mark.parametrize("engine", ENGINES)
def test_every_machine_can_be_asked_for_its_role_before_there_is_any_data(
    engine: str, built: Built
) -> None:
    """The first primary is made only where everybody has said that there is none."""
    first = built.run.waits_for(built.run.by_name(f"{engine}-db1"))
    for machine in MACHINES:
        assert built.run.by_name(f"database-{machine}").urn in first


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_primary_is_there_before_it_is_copied(engine: str, built: Built) -> None:
    first, second = (built.run.by_name(f"{engine}-{machine}") for machine in MACHINES)
    assert first.urn in built.run.waits_for(second)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_passwords_are_there_before_the_server(engine: str, built: Built) -> None:
    for machine in MACHINES:
        whole = built.run.by_name(f"{engine}-{machine}")
        passwords = built.run.by_name(f"{engine}-{machine}-passwords")
        assert passwords.urn in built.run.waits_for(whole)


def test_only_the_passwords_are_secret_so_that_previews_show_the_rest(built: Built) -> None:
    secret = {c.name for c in built.run.commands if "stdin" in c.secret}
    expected = {f"{engine}-{m}-passwords" for engine in ENGINES for m in MACHINES}
    assert {name for name in secret if "db" in name} == expected


def test_the_lab_ends_with_a_proof_that_somebody_can_write(built: Built) -> None:
    (proof,) = [c for c in built.run.commands if c.name.startswith("proof-")]
    checks = json.loads(proof.inputs["stdin"])["checks"]

    before = built.run.waits_for(proof)
    for engine in ENGINES:
        assert any(f"{engine}_write" in check for check in checks)
        for machine in MACHINES:
            assert built.run.by_name(f"{engine}-{machine}").urn in before


@pytest.mark.parametrize("engine", ENGINES)
def test_who_is_primary_is_nowhere_in_the_program(engine: str, built: Built) -> None:
    """Both machines get the same, but for names, numbers and for who begins."""
    files = {}
    for machine, other in (MACHINES, MACHINES[::-1]):
        plan = built.run.by_name(f"{engine}-{machine}").inputs["stdin"]
        files[machine] = (
            re.sub(r"server_id = \d", "server_id = N", plan)
            .replace("10.16.4.51", "10.16.4.5x")
            .replace("10.16.4.52", "10.16.4.5x")
            .replace(machine, "THIS")
            .replace(other, "OTHER")
        )
    assert files["db1"] == files["db2"]


def test_the_application_finds_its_password_in_the_secret_output(built: Built) -> None:
    credentials = built.run.outputs["credentials"]["database"]
    assert credentials["user"] == "application"
    assert credentials["password"] == built.secrets["passwords"]["application"]


def test_the_visits_page_has_its_password_first_and_waits_for_its_web_server(built: Built) -> None:
    for app in ("app1", "app2", "app3"):
        service = built.run.by_name(f"visits-{app}")
        password = built.run.by_name(f"visits-{app}-password")
        assert password.urn in built.run.waits_for(service)
        assert built.run.by_name(f"app-{app}").urn in built.run.waits_for(password)
        assert "stdin" in password.secret
        assert "stdin" not in service.secret
        assert built.secrets["passwords"]["application"] not in service.inputs["stdin"]


def test_the_cluster_takes_over_databases_that_run(libvirt_host: Path) -> None:
    """And where they are taken from it again, it hears that before it lets them go."""
    del libvirt_host
    cluster = {"enabled": True}
    for failover in ("pacemaker", "manual"):
        chosen = {"postgresql": {"enabled": True, "failover": failover}}
        run = build({"number": 4, "topology": "full", "cluster": cluster, "database": chosen}).run
        (pushed,) = [c for c in run.commands if c.name.endswith("-resources")]
        for machine in MACHINES:
            assert run.by_name(f"postgresql-{machine}").urn in run.waits_for(pushed)
