"""What a failed or killed run left in libvirt: recognised as the lab's own, and removed.

libvirt keeps a domain whose start failed, and Pulumi does not know of it: the next `up` would fail
with "already exists". A thing is the lab's own leftover when it has the name that the topology
gives it *and* the lab's mark (description, bridge, directory), is not in the stack's state, and a
run of this very state made what is called so (`owners`): another clone may have a stack of the same
name, and its lab is running. All else of that name is foreign and never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components.machines import names
from components.settings.models import Settings
from components.topology import Topology
from lab.errors import LabError
from lab.libvirt_host.inventory import Inventory, Network, Pool, Volume, take_inventory
from lab.libvirt_host.virsh import Virsh


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """The decision: names to remove, and sentences about what is in the way."""

    domains: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    """By path."""
    pools: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.domains or self.volumes or self.pools or self.networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The names that one stack uses, and what its state knows."""

    settings: Settings
    topology: Topology
    known: frozenset[str] = field(default_factory=frozenset)
    """Ids in the Pulumi state: UUIDs of domains, networks and pools, paths of volumes."""
    maker: str | None = None
    """The Pulumi backend from which what has these names was made, where that is known."""
    backend: str = ""
    """This state's own."""

    @property
    def is_maker(self) -> bool:
        return self.maker is not None and self.maker == self.backend


def ids_in_state(export: Mapping[str, object]) -> frozenset[str]:
    """The libvirt ids of a `pulumi stack export`; an empty stack has none."""
    deployment = export.get("deployment")
    resources = deployment.get("resources") if isinstance(deployment, Mapping) else None
    found = set()
    for resource in resources if isinstance(resources, list) else ():
        if str(resource.get("type", "")).startswith("libvirt:"):
            # A cloud-init disk's id is its path and, after a semicolon, a random part.
            found.add(str(resource.get("id", "")).partition(";")[0])
    return frozenset(found)


def find_leftovers(found: Inventory, plan: Plan) -> Leftovers:
    """Compare what libvirt has with what the stack's state knows. Pure."""
    if unproven := tuple(_unproven(found, plan)):
        return Leftovers(foreign=(*_in_the_way(found, plan), *unproven))
    return _of_this_state(found, plan)


def _of_this_state(found: Inventory, plan: Plan) -> Leftovers:
    pools = [pool for pool in found.pools if _is_own_pool(pool, plan)]
    volumes = [v for pool in pools for v in pool.volumes if _is_left_volume(v, plan)]
    return Leftovers(
        domains=tuple(_left_domains(found, plan)),
        volumes=tuple(volume.path for volume in volumes),
        pools=tuple(pool.name for pool in pools if pool.uuid not in plan.known),
        networks=tuple(
            network.name
            for network in found.networks
            if _is_own_network(network, plan) and network.uuid not in plan.known
        ),
        foreign=tuple(_in_the_way(found, plan)),
    )


def clean_leftovers(virsh: Virsh, plan: Plan, *, refuse_foreign: bool = True) -> Leftovers:
    """Remove what a failed run left; says what it removed.

    Raises LabError, before anything is removed, where something foreign is in the way.
    """
    left = find_leftovers(take_inventory(virsh), plan)
    if left.foreign and refuse_foreign:
        raise LabError("\n".join(left.foreign))
    for name in left.domains:
        virsh.succeeds("destroy", name)
        virsh("undefine", name, "--nvram", "--snapshots-metadata", "--managed-save")
    for path in left.volumes:
        virsh("vol-delete", path)
    for name in left.pools:
        virsh.succeeds("pool-destroy", name)
        virsh.succeeds(
            "pool-delete", name
        )  # fails for a directory with somebody's files: they stay
        virsh("pool-undefine", name)
    for name in left.networks:
        virsh.succeeds("net-destroy", name)
        virsh("net-undefine", name)
    return left


def _left_domains(found: Inventory, plan: Plan) -> Iterator[str]:
    marks = _marks(plan)
    for domain in found.domains:
        if marks.get(domain.name) == domain.description and domain.uuid not in plan.known:
            yield domain.name


def _unproven(found: Inventory, plan: Plan) -> Iterator[str]:
    """A sentence for each thing that looks like a leftover, where no run of this state made it.

    A pool or network of the state is proof too: libvirt has one of a name.
    """
    own = {pool.uuid for pool in found.pools if _is_own_pool(pool, plan)}
    own |= {network.uuid for network in found.networks if _is_own_network(network, plan)}
    if plan.is_maker or own & plan.known:
        return
    left = _of_this_state(found, plan)
    things = [
        *(f"the domain {name}" for name in left.domains),
        *(f"the storage pool {name}" for name in left.pools),
        *(f"the network {name}" for name in left.networks),
    ]
    why = f"made from {plan.maker}" if plan.maker else "nothing proves that this clone made it"
    yield from (_sentence(thing, f"it is not in this stack's state, and {why}") for thing in things)


def _marks(plan: Plan) -> dict[str, str]:
    topology = plan.topology
    return {
        names.domain_name(topology, machine): names.domain_mark(topology, machine)
        for machine in topology.machines
    }


def _is_own_pool(pool: Pool, plan: Plan) -> bool:
    path = names.pool_path(plan.settings.libvirt, plan.topology)
    return pool.name == plan.topology.prefix and pool.path == path


def _is_own_network(network: Network, plan: Plan) -> bool:
    return network.name == plan.topology.prefix and network.bridge == plan.topology.bridge


def _is_left_volume(volume: Volume, plan: Plan) -> bool:
    return names.is_own_volume(plan.topology, volume.name) and volume.path not in plan.known


def _in_the_way(found: Inventory, plan: Plan) -> Iterator[str]:
    """A sentence for each foreign thing that a lab of this plan would collide with."""
    topology, marks = plan.topology, _marks(plan)
    for domain in found.domains:
        mark = marks.get(domain.name)
        if mark is not None and domain.uuid not in plan.known and domain.description != mark:
            yield _sentence(f"the domain {domain.name}", "its description is another")
    for pool in found.pools:
        if pool.uuid in plan.known or _is_own_pool(pool, plan):
            continue
        if pool.name == topology.prefix:
            yield _sentence(f"the storage pool {pool.name}", f"it is in {pool.path}")
    for network in found.networks:
        if network.uuid in plan.known or _is_own_network(network, plan):
            continue
        if network.name == topology.prefix:
            yield _sentence(f"the network {network.name}", f"its bridge is {network.bridge}")
        elif network.bridge == topology.bridge:
            yield _sentence(f"the bridge {network.bridge}", f"network {network.name} has it")
        elif any(address.overlaps(topology.network) for address in network.addresses):
            yield (
                f"the network {network.name} already uses addresses of {topology.network}:"
                " give this stack another `number` or `network.cidr`"
            )


def _sentence(thing: str, why: str) -> str:
    return (
        f"{thing} is in the way of this stack and is not its own ({why}): it was not touched;"
        " rename or remove it, or use another stack name"
    )
