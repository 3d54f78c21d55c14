"""Existing machines: settings in, Hosts out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.machines.errors import MachinesError
from components.machines.existing import existing_machines
from components.remote.host import Host
from components.secrets import Secrets
from components.settings.load import load_settings
from components.topology import plan

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvPUZSpRpcCXqZmZn9yzsSFm6zUUk2Uf5mGZFIYQOhe"


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """Outputs want one; `asyncio.run` of an earlier test leaves none behind."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def hosts(**machines: object) -> dict[str, Host]:
    """The Hosts of three machines; keywords change node1 (`node1={...}`) or `machines` itself."""
    given = {f"node{i}": {"address": f"10.16.7.{20 + i}", "hostKey": KEY} for i in (1, 2, 3)}
    changes = machines.pop("node1", {})
    assert isinstance(changes, dict)
    given["node1"] |= changes
    data = {
        "number": 7,
        "machines": {
            "provider": "existing",
            "firewall": False,
            "hosts": given,
            **machines,
        },
    }
    settings = load_settings(data, stack="unit")
    secrets = Secrets(json.dumps({"ssh": {"private": "own", "public": "pub"}}), stack="unit")
    return existing_machines(settings, plan(settings, stack="unit"), secrets)


def test_each_machine_of_the_topology_is_a_host_at_its_given_address() -> None:
    found = hosts()
    assert {name: str(host.machine.address) for name, host in found.items()} == {
        "node1": "10.16.7.21",
        "node2": "10.16.7.22",
        "node3": "10.16.7.23",
    }
    assert all(host.host_key == KEY for host in found.values())


def test_user_and_port_are_the_machines_own_or_the_labs() -> None:
    found = hosts(node1={"user": "root", "port": 2222}, user="ada")
    assert (found["node1"].user, found["node1"].port) == ("root", 2222)
    assert (found["node2"].user, found["node2"].port) == ("ada", 22)


def test_a_reinstalled_machine_has_another_identity() -> None:
    assert hosts(node1={"identity": "2"})["node1"].identity == "2"
    assert hosts()["node1"].identity == KEY


def test_nothing_has_to_be_made_for_them() -> None:
    assert all(host.made_by == () for host in hosts().values())


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "id"
    with pytest.raises(MachinesError, match=r"privateKeyFile: cannot read .*No such file"):
        hosts(privateKeyFile=str(missing))


def test_a_public_key_is_no_private_key(tmp_path: Path) -> None:
    public = tmp_path / "id.pub"
    public.write_text(KEY)
    with pytest.raises(MachinesError, match="no private key file"):
        hosts(privateKeyFile=str(public))
