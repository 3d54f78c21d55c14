"""Which things in libvirt are the lab's own leftovers, which are somebody else's."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.machines import names
from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import plan
from lab.libvirt_host.inventory import Domain, Inventory, Network, Pool, Volume
from lab.libvirt_host.leftovers import Leftovers, Plan, find_leftovers, ids_in_state
from lab.libvirt_host.owners import claim, owner_of

SETTINGS: Settings = load_settings({"number": 7}, stack="unit")
TOPOLOGY = plan(SETTINGS, stack="unit")
NODE1 = TOPOLOGY.machines[0]
POOL_PATH = names.pool_path(SETTINGS.libvirt, TOPOLOGY)

OWN_DOMAIN = Domain(
    name=names.domain_name(TOPOLOGY, NODE1),
    uuid="d-1",
    description=names.domain_mark(TOPOLOGY, NODE1),
)
OWN_NETWORK = Network(
    name=TOPOLOGY.prefix, uuid="n-1", bridge=TOPOLOGY.bridge, addresses=(TOPOLOGY.network,)
)
DISK = Volume(name="node1.qcow2", path=f"{POOL_PATH}/node1.qcow2")
OWN_POOL = Pool(name=TOPOLOGY.prefix, uuid="p-1", path=POOL_PATH, volumes=(DISK,))
EVERYTHING = Inventory(domains=(OWN_DOMAIN,), networks=(OWN_NETWORK,), pools=(OWN_POOL,))


HERE, THERE = "file:///here/.state/backend", "file:///there/.state/backend"


def left(found: Inventory, *known: str, maker: str | None = HERE) -> Leftovers:
    plan_of_stack = Plan(
        settings=SETTINGS,
        topology=TOPOLOGY,
        known=frozenset(known),
        maker=maker,
        backend=HERE,
    )
    return find_leftovers(found, plan_of_stack)


def test_an_empty_host_has_no_leftovers() -> None:
    assert not left(Inventory())


def test_what_this_state_made_and_does_not_know_is_removed() -> None:
    assert left(EVERYTHING) == Leftovers(
        domains=(OWN_DOMAIN.name,),
        volumes=(DISK.path,),
        pools=(TOPOLOGY.prefix,),
        networks=(TOPOLOGY.prefix,),
    )


@pytest.mark.parametrize("maker", [THERE, None, ""])
def test_the_lab_of_another_clone_with_a_stack_of_this_name_is_foreign(maker: str | None) -> None:
    """Its state is somewhere else; here everything of it looks like a leftover."""
    result = left(EVERYTHING, maker=maker)
    assert not result
    assert [sentence.split(" is in the way")[0] for sentence in result.foreign] == [
        f"the domain {OWN_DOMAIN.name}",
        f"the storage pool {TOPOLOGY.prefix}",
        f"the network {TOPOLOGY.prefix}",
    ]
    assert all(
        (THERE if maker else "nothing proves") in sentence and "use another stack name" in sentence
        for sentence in result.foreign
    )


@pytest.mark.parametrize("known", ["n-1", "p-1"])
def test_a_network_or_pool_of_the_state_is_proof_for_what_else_has_its_name(known: str) -> None:
    """A lab of an older release, or a clone that was moved: nobody else can have that name."""
    assert left(EVERYTHING, known, maker=THERE).domains == (OWN_DOMAIN.name,)


def test_what_the_state_knows_stays() -> None:
    assert left(EVERYTHING, "d-1", "n-1", "p-1", DISK.path) == Leftovers()


def test_only_the_failed_domain_of_a_known_lab_is_removed() -> None:
    assert left(EVERYTHING, "n-1", "p-1", DISK.path) == Leftovers(domains=(OWN_DOMAIN.name,))


def test_a_domain_without_the_mark_is_foreign_and_named() -> None:
    result = left(Inventory(domains=(replace(OWN_DOMAIN, description="my precious"),)))
    assert not result
    assert OWN_DOMAIN.name in result.foreign[0]
    assert "was not touched" in result.foreign[0]


def test_a_network_of_our_name_on_another_bridge_is_foreign() -> None:
    result = left(Inventory(networks=(replace(OWN_NETWORK, bridge="virbr0"),)))
    assert (result.networks, len(result.foreign)) == ((), 1)


def test_a_pool_of_our_name_elsewhere_is_foreign_with_its_volumes() -> None:
    elsewhere = replace(OWN_POOL, path="/srv", volumes=(replace(DISK, path="/srv/node1.qcow2"),))
    result = left(Inventory(pools=(elsewhere,)))
    assert (result.pools, result.volumes, len(result.foreign)) == ((), (), 1)


def test_somebodys_file_in_our_pool_stays() -> None:
    mine = Volume(name="backup.tar", path=f"{POOL_PATH}/backup.tar")
    assert left(Inventory(pools=(replace(OWN_POOL, volumes=(mine,)),)), "p-1") == Leftovers()


def test_other_stacks_and_other_machines_are_nobodys_business() -> None:
    other = Inventory(
        domains=(Domain(name="ha-lab-other-node1", uuid="x", description="ha-lab machine"),),
        networks=(
            Network(
                name="default",
                uuid="y",
                bridge="virbr0",
                addresses=(IPv4Network("192.168.122.0/24"),),
            ),
        ),
        pools=(Pool(name="default", uuid="z", path=str(names.IMAGES), volumes=(DISK,)),),
    )
    assert left(other) == Leftovers()


def test_a_network_with_our_addresses_asks_for_another_number() -> None:
    clash = replace(OWN_NETWORK, name="ha-lab-other", bridge="hl-other")
    assert "another `number`" in left(Inventory(networks=(clash,))).foreign[0]


@pytest.mark.parametrize("export", [{}, {"deployment": None}, {"deployment": {"manifest": {}}}])
def test_a_new_stack_knows_nothing(export: dict[str, object]) -> None:
    assert ids_in_state(export) == frozenset()


def test_the_ids_of_the_state_are_uuids_and_paths() -> None:
    resources = [
        {"type": "pulumi:pulumi:Stack"},
        {"type": "libvirt:index/domain:Domain", "id": "d-1"},
        {"type": "libvirt:index/cloudInitDisk:CloudInitDisk", "id": "/pool/a.iso;random"},
        {"type": "command:remote:Command", "id": "not libvirt"},
    ]
    assert ids_in_state({"deployment": {"resources": resources}}) == {"d-1", "/pool/a.iso"}


def test_who_made_what_is_called_so_is_kept_for_this_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert owner_of("ha-lab-a") is None
    claim("ha-lab-a", HERE)
    claim("ha-lab-a-b", THERE)
    assert (owner_of("ha-lab-a"), owner_of("ha-lab-a-b")) == (HERE, THERE)
    claim("ha-lab-a", THERE)
    assert owner_of("ha-lab-a") == THERE
