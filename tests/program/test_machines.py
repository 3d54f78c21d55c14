"""What the machine layer registers with Pulumi."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from components.machines import MachinesError, make_machines, names
from components.remote.host import Host
from components.secrets import Secrets
from components.settings.load import load_settings
from components.topology import Topology, plan
from tests.program.machines_recorder import STACK, Recording, record

DOMAIN = "libvirt:index/domain:Domain"
VOLUME = "libvirt:index/volume:Volume"
CLOUD_INIT = "libvirt:index/cloudInitDisk:CloudInitDisk"
NETWORK = "libvirt:index/network:Network"
POOL = "libvirt:index/pool:Pool"
PRIVATE = "private host key"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvPUZSpRpcCXqZmZn9yzsSFm6zUUk2Uf5mGZFIYQOhe"

Data = dict[str, object]


@pytest.fixture(autouse=True)
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host of its own: nothing proven, no golden image, an image file to name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HALAB_ACCELERATION", raising=False)
    monkeypatch.delenv("HALAB_IMAGE", raising=False)
    file = tmp_path / "image.qcow2"
    file.write_bytes(b"QFI\xfb not really")
    return file


@pytest.fixture
def libvirt_data(image: Path) -> Data:
    return {"libvirt": {"acceleration": "qemu", "image": {"path": str(image)}}}


def topology_of(data: Data) -> Topology:
    return plan(load_settings(data, stack=STACK), stack=STACK)


def builder(data: Data, hosts: dict[str, Host] | None = None) -> Callable[[], object]:
    """A program that makes the machines of these settings."""
    settings = load_settings(data, stack=STACK)
    topology = plan(settings, stack=STACK)

    def build() -> None:
        keys = {machine.name: PRIVATE for machine in topology.machines}
        keys |= {f"{machine.name}.pub": HOST_KEY for machine in topology.machines}
        text = json.dumps({"ssh": {"private": "key", "public": "pub"}, "hostKeys": keys})
        made = make_machines(settings, topology, Secrets(text, stack=STACK), parent=None)
        if hosts is not None:
            hosts.update(made)

    return build


@pytest.fixture(params=[False, True], ids=["up", "preview"])
def made(request: pytest.FixtureRequest, libvirt_data: Data) -> Recording:
    return record(builder(libvirt_data), preview=request.param)


def test_every_machine_gets_a_domain_and_a_host(libvirt_data: Data) -> None:
    hosts: dict[str, Host] = {}
    made = record(builder(libvirt_data, hosts))
    topology = topology_of(libvirt_data)
    assert list(hosts) == [machine.name for machine in topology.machines]
    expected = {names.domain_name(topology, machine) for machine in topology.machines}
    assert {domain.inputs["name"] for domain in made.of_type(DOMAIN)} == expected


def test_every_resource_has_a_component_for_its_parent(made: Recording) -> None:
    components = {found.name for found in made.registrations if not found.custom}
    strays = [found.name for found in made.registrations if found.custom]
    strays = [name for name in strays if made.named(name).parent not in components]
    assert strays == []


def test_resource_names_are_unique(made: Recording) -> None:
    pairs = [(found.type, found.name) for found in made.registrations]
    assert len(pairs) == len(set(pairs))


def test_libvirt_names_carry_the_stack(made: Recording) -> None:
    for token in (DOMAIN, NETWORK, POOL):
        for found in made.of_type(token):
            assert found.inputs["name"].startswith(f"ha-lab-{STACK}"), found.name


def test_what_keeps_its_name_is_deleted_before_it_is_made_again(made: Recording) -> None:
    for found in made.registrations:
        if found.custom and found.type.startswith("libvirt:") and found.name != "machines-base":
            assert found.delete_before_replace, found.name


def test_a_changed_cloud_init_replaces_the_domain(made: Recording) -> None:
    for domain in made.of_type(DOMAIN):
        assert "cloudinit" in domain.replace_on_changes


def test_the_host_key_is_secret_on_its_way_in_and_out(made: Recording) -> None:
    for disk in made.of_type(CLOUD_INIT):
        assert "userData" in disk.secrets
        assert "userData" in disk.additional_secret_outputs
        assert PRIVATE not in json.dumps(
            {k: str(v) for k, v in disk.inputs.items() if k != "userData"}
        )


def test_nothing_leases_an_address(made: Recording) -> None:
    (network,) = made.of_type(NETWORK)
    assert network.inputs["dhcp"] == {"enabled": False}
    for domain in made.of_type(DOMAIN):
        assert not domain.inputs["networkInterfaces"][0].get("waitForLease")


def test_domains_have_the_planned_macs(made: Recording, libvirt_data: Data) -> None:
    topology = topology_of(libvirt_data)
    planned = {names.domain_name(topology, m): m.mac for m in topology.machines}
    macs = {
        domain.inputs["name"]: domain.inputs["networkInterfaces"][0]["mac"]
        for domain in made.of_type(DOMAIN)
    }
    assert macs == planned


def test_the_base_image_has_its_checksum_in_its_name(made: Recording, image: Path) -> None:
    first = made.named("machines-base").inputs["name"]
    image.write_bytes(b"another image")
    data: Data = {"libvirt": {"acceleration": "qemu", "image": {"path": str(image)}}}
    assert record(builder(data)).named("machines-base").inputs["name"] != first


def test_the_identity_changes_with_domain_and_cloud_init(libvirt_data: Data) -> None:
    hosts: dict[str, Host] = {}
    identities: list[str] = []

    def build() -> None:
        builder(libvirt_data, hosts)()
        pulumi.Output.from_input(hosts["node1"].identity).apply(identities.append)

    record(build)
    assert identities == ["machines-node1-id machines-node1-cloud-init-id"]


def test_without_a_proof_of_kvm_auto_fails_with_what_to_do(image: Path) -> None:
    data: Data = {"libvirt": {"image": {"path": str(image)}}}
    with pytest.raises(MachinesError, match="lab setup"):
        record(builder(data))


def test_a_preview_goes_on_without_proof_and_image() -> None:
    made = record(builder({}), preview=True)
    assert {domain.inputs["type"] for domain in made.of_type(DOMAIN)} == {"qemu"}


def test_without_an_image_up_fails_with_what_to_do() -> None:
    data: Data = {"libvirt": {"acceleration": "qemu"}}
    with pytest.raises(MachinesError, match="make image"):
        record(builder(data))


@pytest.mark.parametrize("proof", ["kvm", "qemu"])
def test_auto_is_what_was_proven(image: Path, proof: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALAB_ACCELERATION", proof)
    made = record(builder({"libvirt": {"image": {"path": str(image)}}}))
    assert {domain.inputs["type"] for domain in made.of_type(DOMAIN)} == {proof}


def test_uefi_is_asked_for_in_the_domains_stylesheet(libvirt_data: Data, image: Path) -> None:
    plain = record(builder(libvirt_data)).of_type(DOMAIN)[0].inputs["xml"]["xslt"]
    data: Data = {
        "libvirt": {"acceleration": "qemu", "firmware": "uefi", "image": {"path": str(image)}}
    }
    uefi = record(builder(data)).of_type(DOMAIN)[0].inputs["xml"]["xslt"]
    assert ('firmware="efi"' in uefi, 'firmware="efi"' in plain) == (True, False)
