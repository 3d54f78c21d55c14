"""The cloud-init texts: what they say, what they do not, and when a machine takes them up anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from components.machines import cloud_init
from components.machines.cloud_init import Guest
from components.settings.load import load_settings
from components.topology import Topology, plan

GOLDEN = Path(__file__).parent / "golden"
GUEST = Guest(user="lab", authorized_key="ssh-ed25519 AAAA lab", interface="eth0")
PRIVATE = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"
PUBLIC = "ssh-ed25519 BBBB"


@pytest.fixture
def topology() -> Topology:
    return plan(load_settings({"number": 7}, stack="unit"), stack="unit")


def user_data(topology: Topology, guest: Guest = GUEST) -> str:
    machine = topology.machines[0]
    return cloud_init.user_data(machine, topology, guest, private_key=PRIVATE, public_key=PUBLIC)


def meta_data(topology: Topology, guest: Guest = GUEST, public_key: str = PUBLIC) -> str:
    return cloud_init.meta_data(topology.machines[0], topology, guest, public_key=public_key)


def test_the_texts_are_the_golden_ones(topology: Topology) -> None:
    texts = {
        "user-data": user_data(topology),
        "meta-data": meta_data(topology),
        "network-config": cloud_init.network_config(topology.machines[0], topology, GUEST),
    }
    for name, text in texts.items():
        if os.environ.get("HALAB_UPDATE_GOLDEN"):
            (GOLDEN / name).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / name).read_text(encoding="utf-8"), f"{name} has changed"


def test_only_the_administrator_gets_in_and_only_by_key(topology: Topology) -> None:
    data = yaml.safe_load(user_data(topology))
    assert [user["name"] for user in data["users"]] == ["lab"]
    assert data["users"][0]["lock_passwd"] is True
    assert (data["ssh_pwauth"], data["disable_root"]) == (False, True)


def test_the_host_key_is_the_stacks_and_no_other_survives(topology: Topology) -> None:
    data = yaml.safe_load(user_data(topology))
    assert data["ssh_deletekeys"] is True
    assert data["ssh_keys"] == {"ed25519_private": PRIVATE, "ed25519_public": PUBLIC}


def test_nothing_asks_for_packages_or_a_lease(topology: Topology) -> None:
    data = yaml.safe_load(user_data(topology))
    network = cloud_init.network_config(topology.machines[0], topology, GUEST)
    interface = yaml.safe_load(network)["ethernets"]["eth0"]
    assert data["package_update"] is False
    assert (interface["dhcp4"], interface["dhcp6"]) == (False, False)
    assert "packages" not in data
    assert "runcmd" not in data


def test_name_servers_are_the_gateway_or_those_that_are_set(topology: Topology) -> None:
    def servers(guest: Guest) -> list[str]:
        text = cloud_init.network_config(topology.machines[0], topology, guest)
        found: list[str] = yaml.safe_load(text)["ethernets"]["eth0"]["nameservers"]["addresses"]
        return found

    assert servers(GUEST) == ["10.16.7.1"]
    assert servers(replace(GUEST, name_servers=(IPv4Address("9.9.9.9"),))) == ["9.9.9.9"]


@pytest.mark.parametrize(
    "changed",
    [replace(GUEST, user="ada"), replace(GUEST, authorized_key="x"), replace(GUEST, interface="n")],
)
def test_a_changed_text_is_a_new_instance(topology: Topology, changed: Guest) -> None:
    assert meta_data(topology, changed) != meta_data(topology)


def test_a_changed_host_key_is_a_new_instance(topology: Topology) -> None:
    assert meta_data(topology, public_key="ssh-ed25519 CCCC") != meta_data(topology)


def test_the_meta_data_holds_no_private_key(topology: Topology) -> None:
    assert "abc" not in meta_data(topology)


def test_fragments_merge_key_by_key_and_lists_append() -> None:
    result = cloud_init.merged([{"a": {"x": 1}, "l": [1]}, {"a": {"y": 2}, "l": [2], "s": 3}])
    assert result == {"a": {"x": 1, "y": 2}, "l": [1, 2], "s": 3}


def test_a_fragment_that_is_no_object_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("- a list\n")
    with pytest.raises(TypeError, match=r"bad\.yaml: expected a YAML object .* got list"):
        cloud_init.fragments(tmp_path)


@pytest.mark.skipif(not shutil.which("cloud-init"), reason="needs cloud-init (apt-get install it)")
def test_cloud_init_itself_accepts_the_user_data(topology: Topology, tmp_path: Path) -> None:
    file = tmp_path / "user-data"
    file.write_text(user_data(topology))
    check = ["cloud-init", "schema", "--config-file", str(file)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
