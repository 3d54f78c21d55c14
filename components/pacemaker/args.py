"""What a Pacemaker cluster is to be: values only, each checked when it is made.

Every error says which value was found, what was expected and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from components.checks import must_be_name, must_be_unique
from components.fencing.devices import FencingLevel, StonithDevice
from components.timers import Timers

SETTLES_WITHIN_S = 120
"""A membership or a transition of the whole cluster, times the timers' patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One machine that votes."""

    name: str
    address: IPv4Address
    node_id: int
    """Corosync's number for it; the same as long as the machine has its address."""

    def __post_init__(self) -> None:
        must_be_name("cluster member", self.name)
        if not 0 < self.node_id < 2**32:
            raise ValueError(f"node id {self.node_id} of {self.name}: expected 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How one action of a resource is carried out."""

    name: str
    interval_s: int
    timeout_s: int
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing that the cluster runs."""

    id: str
    agent: str
    """`standard:provider:type`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Resources that run together, started in this order."""

    id: str
    resources: tuple[str, ...]
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A resource or group that runs on several members."""

    id: str
    resource: str
    meta: Mapping[str, str] = field(default_factory=dict)
    """`promotable` is one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """How much a resource would rather run on a member."""

    resource: str
    member: str
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colocation:
    """`resource` runs where `with_resource` runs."""

    resource: str
    with_resource: str
    score: str
    role: str | None = None
    with_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`first` before `then`."""

    first: str
    then: str
    first_action: str = "start"
    then_action: str = "start"
    kind: str = "Mandatory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fencing:
    """How a member that is lost is made sure to be off."""

    devices: tuple[StonithDevice, ...] = ()
    levels: tuple[FencingLevel, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    """Cluster properties; without a device `stonith-enabled=false` is one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterArgs:
    """One cluster."""

    name: str
    members: tuple[Member, ...]
    """The first one sets the cluster up."""
    vip: IPv4Address
    timers: Timers
    two_node: bool = False
    quorum_device: Member | None = None
    """A machine that has a vote and runs nothing."""
    fencing: Fencing = Fencing()
    properties: Mapping[str, str] = field(default_factory=dict)
    resource_defaults: Mapping[str, str] = field(default_factory=dict)
    operation_defaults: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    groups: tuple[Group, ...] = ()
    clones: tuple[Clone, ...] = ()
    locations: tuple[Location, ...] = ()
    colocations: tuple[Colocation, ...] = ()
    orders: tuple[Order, ...] = ()

    def __post_init__(self) -> None:
        must_be_name("cluster", self.name)
        must_be_unique("member name", [member.name for member in self.members])
        must_be_unique("member address", [member.address for member in self.members])
        must_be_unique("node id", [member.node_id for member in self.members])
        voters = len(self.members) + bool(self.quorum_device)
        if voters < 2:
            raise ValueError("a cluster needs two members at least; give three")
        if self.two_node != (voters == 2):
            raise ValueError(
                f"{voters} votes and two_node={self.two_node}: two votes, and they alone, need the"
                " rule for two nodes; give a third vote, or correct two_node"
            )
        self._check_ids()

    def _check_ids(self) -> None:
        must_be_unique("cluster resource", self.ids)
        known = set(self.ids)
        named = [name for group in self.groups for name in group.resources]
        named += [clone.resource for clone in self.clones]
        named += [name for c in self.colocations for name in (c.resource, c.with_resource)]
        named += [name for order in self.orders for name in (order.first, order.then)]
        named += [location.resource for location in self.locations]
        unknown = sorted(set(named) - known)
        if unknown:
            raise ValueError(f"the cluster has no resource {', '.join(unknown)}; correct the name")

    @property
    def settles_within_s(self) -> int:
        """How long membership and transitions may take until `up` gives up."""
        return SETTLES_WITHIN_S * self.timers.patience

    @property
    def ids(self) -> list[str]:
        """Of everything that the cluster runs, fence devices included."""
        return [
            *(resource.id for resource in self.resources),
            *(group.id for group in self.groups),
            *(clone.id for clone in self.clones),
            *(device.id for device in self.fencing.devices),
        ]

    @property
    def bootstrap(self) -> Member:
        """The member on which what concerns all of them is done once."""
        return self.members[0]
