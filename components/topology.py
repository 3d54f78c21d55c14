"""Names, roles, addresses, MACs, VRRP ids and priorities of every machine of a lab.

Pure and deterministic: the same settings and stack name give the same lab, so previews are complete
and nothing has to be discovered from leases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from components.settings.models import Settings, Size

LAB_NETWORKS = IPv4Network("10.16.0.0/16")
"""Lab number n has the n-th /24 of this; the course's own 192.168.1.0/24 is many a home network."""
HIGHEST_NUMBER = 250
VIP_HOST = 100
"""The VIP's host number when nothing is set, as in the course (192.168.1.100)."""
CLUSTER_VIP_HOST = 101
"""Likewise that of the cluster's own VIP."""
MEMBERS = 3
"""Members of the cluster when none are named: a majority survives the loss of any of them."""
MIN_PREFIX, MAX_PREFIX = 16, 28
"""Room for eleven machines and both VIPs in a /28; wider than /16 is surely a typing error."""
LINUX_INTERFACE_NAME_LENGTH = 15
MAC_PREFIX = "52:54:00"
"""The prefix that QEMU and libvirt use."""


class Role(StrEnum):
    """What a machine does."""

    LOAD_BALANCER = "load_balancer"
    APP = "app"
    DATABASE = "database"
    STORAGE = "storage"
    CLUSTER = "cluster"


ROLE_MEMORY_MIB = {
    Role.LOAD_BALANCER: 128,
    Role.APP: 128,
    Role.DATABASE: 512,
    Role.STORAGE: 256,
    Role.CLUSTER: 256,
}
"""What each role needs beside the system, in MiB."""
SYSTEM_MEMORY_MIB = 384
"""The system itself with systemd, sshd, cloud-init and chrony, in MiB."""
DEFAULT_DISK_GIB = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine of the lab."""

    name: str
    roles: frozenset[Role]
    address: IPv4Address
    mac: str
    memory_mib: int
    vcpus: int
    disk_gib: int
    data_disk_gib: int = 0
    """A second disk, for bricks; 0: none."""

    def has(self, role: Role) -> bool:
        return role in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole plan of one lab."""

    stack: str
    prefix: str
    """What every libvirt name of the lab begins with: `ha-lab-<stack>`."""
    network: IPv4Network
    gateway: IPv4Address
    bridge: str
    """Name of the libvirt bridge, unique per stack, at most 15 characters."""
    domain: str
    vip: IPv4Address
    """Of the load balancers."""
    cluster_vip: IPv4Address
    vrid: int
    management: tuple[IPv4Network, ...]
    """From where the machines are administered: SSH and the statistics page."""
    machines: tuple[Machine, ...]

    def with_role(self, role: Role) -> tuple[Machine, ...]:
        """The machines with a role, in the order of their names' numbers."""
        return tuple(machine for machine in self.machines if machine.has(role))

    def machine(self, name: str) -> Machine:
        return next(machine for machine in self.machines if machine.name == name)


@dataclass(frozen=True, slots=True)
class Seat:
    """A machine's place in the plan before it has an address."""

    name: str
    roles: frozenset[Role]
    host: int
    """Preferred host number in the network."""


def plan(settings: Settings, *, stack: str) -> Topology:
    """The topology of a stack. Settings that `load_settings` accepts give a valid one."""
    number = lab_number(settings, stack)
    network = lab_network(settings, stack)
    seats = machine_seats(settings)
    addresses = planned_addresses(settings, network, seats)
    vip = settings.network.vip or default_vip(network)
    machines = tuple(_machine(settings, stack, seat, addresses[seat.name]) for seat in seats)
    return Topology(
        stack=stack,
        prefix=f"ha-lab-{stack}",
        network=network,
        gateway=network.network_address + 1,
        bridge=bridge_name(stack),
        domain=settings.network.domain,
        vip=vip,
        cluster_vip=settings.cluster.vip or default_cluster_vip(network, addresses.values()),
        management=settings.network.management or (IPv4Network(network.network_address + 1),),
        vrid=settings.load_balancer.vrid or number + 1,
        machines=machines,
    )


def lab_number(settings: Settings, stack: str) -> int:
    """The lab's number on its host, 0-250: as set, or from the stack's name."""
    if settings.number is not None:
        return settings.number
    digest = hashlib.sha256(stack.encode()).digest()
    return int.from_bytes(digest[:4], "big") % (HIGHEST_NUMBER + 1)


def lab_network(settings: Settings, stack: str) -> IPv4Network:
    """The lab's network: as set, or the /24 of the lab's number."""
    if settings.network.cidr is not None:
        return settings.network.cidr
    base = LAB_NETWORKS.network_address + 256 * lab_number(settings, stack)
    return IPv4Network((base, 24))


def bridge_name(stack: str) -> str:
    """`hl-<start of the stack's name>-<hash>`: readable, unique, short enough for Linux.

    Names of a class begin alike, so the hash has most of the room: 28 bits keep hundreds apart.
    """
    digest = hashlib.sha256(stack.encode()).hexdigest()[:7]
    room = LINUX_INTERFACE_NAME_LENGTH - len("hl-") - len("-") - len(digest)
    start = "".join(c for c in stack.lower() if c.isalnum())[:room]
    return f"hl-{start}-{digest}"


def machine_names(settings: Settings) -> tuple[str, ...]:
    """The names of the topology's machines."""
    return tuple(seat.name for seat in machine_seats(settings))


def machine_seats(settings: Settings) -> tuple[Seat, ...]:
    """Which machines there are, with which roles."""
    if settings.topology == "compact":
        seats = tuple(_compact_seat(index) for index in range(1, 4))
    else:
        seats = tuple(_full_seats(settings))
    members = cluster_members(settings, seats)
    return tuple(_with_vote(seat) if seat.name in members else seat for seat in seats)


def cluster_members(settings: Settings, seats: tuple[Seat, ...]) -> tuple[str, ...]:
    """Names of the cluster's members, as set or chosen; none where there is no cluster.

    Chosen are the database machines, which the cluster is for, and a third vote: of the storage
    machines, or else of what there is.
    """
    cluster = settings.cluster
    if not cluster.enabled:
        return ()
    if cluster.members:
        return cluster.members
    likely = (Role.DATABASE, Role.STORAGE, Role.APP, Role.LOAD_BALANCER)
    chosen = [seat.name for role in likely for seat in seats if role in seat.roles]
    return tuple(dict.fromkeys(chosen))[:MEMBERS] if _has_databases(seats) else ()


def quorum_device_name(settings: Settings) -> str | None:
    """The machine that has a vote and runs nothing, where there is a cluster with one."""
    return settings.cluster.quorum_device if settings.cluster.enabled else None


def _has_databases(seats: tuple[Seat, ...]) -> bool:
    return any(Role.DATABASE in seat.roles for seat in seats)


def _with_vote(seat: Seat) -> Seat:
    return replace(seat, roles=seat.roles | {Role.CLUSTER})


def _compact_seat(index: int) -> Seat:
    roles = {Role.APP, Role.STORAGE}
    if index <= 2:
        roles |= {Role.LOAD_BALANCER, Role.DATABASE}
    return Seat(f"node{index}", frozenset(roles), 10 + index)


def _full_seats(settings: Settings) -> Iterable[Seat]:
    """lb from host 11, app 21, db 51, gluster 61."""
    counts = settings.machines.counts
    for i in range(1, counts.load_balancer + 1):
        yield Seat(f"lb{i}", frozenset({Role.LOAD_BALANCER}), 10 + i)
    for i in range(1, counts.app + 1):
        yield Seat(f"app{i}", frozenset({Role.APP}), 20 + i)
    for i in range(1, counts.database + 1):
        yield Seat(f"db{i}", frozenset({Role.DATABASE}), 50 + i)
    for i in range(1, counts.storage + 1):
        yield Seat(f"gluster{i}", frozenset({Role.STORAGE}), 60 + i)


def default_vip(network: IPv4Network) -> IPv4Address:
    """Host 100, or in a small network the last host."""
    if network.num_addresses > VIP_HOST + 2:
        return network.network_address + VIP_HOST
    return network.broadcast_address - 1


def default_cluster_vip(network: IPv4Network, machines: Collection[IPv4Address]) -> IPv4Address:
    """Host 101, or in a small network the last host that neither a machine nor the VIP has."""
    if network.num_addresses > CLUSTER_VIP_HOST + 2:
        return network.network_address + CLUSTER_VIP_HOST
    address = default_vip(network) - 1
    while address in machines:
        address -= 1
    return address


def planned_addresses(
    settings: Settings, network: IPv4Network, seats: tuple[Seat, ...]
) -> dict[str, IPv4Address]:
    hosts = settings.machines.hosts
    if settings.machines.provider == "existing":
        return {seat.name: hosts[seat.name].address for seat in seats if seat.name in hosts}
    if network.num_addresses > max(seat.host for seat in seats) + 2:
        return {seat.name: network.network_address + seat.host for seat in seats}
    return {seat.name: network.network_address + 2 + index for index, seat in enumerate(seats)}


def _machine(settings: Settings, stack: str, seat: Seat, address: IPv4Address) -> Machine:
    sizes = settings.machines.sizes
    size, default = sizes.get(seat.name, Size()), sizes.get("default", Size())
    return Machine(
        name=seat.name,
        roles=seat.roles,
        address=address,
        mac=mac_address(stack, seat.name),
        memory_mib=size.memory_mib or default.memory_mib or needed_memory_mib(seat.roles),
        vcpus=size.vcpus or default.vcpus or 1,
        disk_gib=size.disk_gib or default.disk_gib or DEFAULT_DISK_GIB,
        data_disk_gib=data_disk_gib(settings, seat.roles),
    )


def data_disk_gib(settings: Settings, roles: frozenset[Role]) -> int:
    """Size of the second disk of a machine with these roles, in GiB; 0: it has none."""
    storage = settings.storage
    virtual = settings.machines.provider == "libvirt"
    return storage.disk_gib if virtual and storage.enabled and Role.STORAGE in roles else 0


def needed_memory_mib(roles: frozenset[Role]) -> int:
    """Memory that a machine with these roles needs, in MiB."""
    return SYSTEM_MEMORY_MIB + sum(ROLE_MEMORY_MIB[role] for role in sorted(roles))


def mac_address(stack: str, machine: str) -> str:
    """A MAC that only this machine of this stack has."""
    digest = hashlib.sha256(f"{stack}/{machine}".encode()).hexdigest()
    return ":".join([MAC_PREFIX, digest[0:2], digest[2:4], digest[4:6]])
