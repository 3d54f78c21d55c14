"""The cluster's args from settings and topology. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from components.database.from_settings import database_args
from components.database.ocf import cluster_part
from components.fencing.devices import (
    fencing_devices,
    fencing_levels,
    fencing_properties,
    fencing_warnings,
)
from components.pacemaker.args import (
    Clone,
    ClusterArgs,
    Colocation,
    Fencing,
    Group,
    Location,
    Member,
    Operation,
    Order,
    Resource,
)
from components.pacemaker.web import serves_web
from components.settings.cluster_models import (
    CloneSettings,
    ConstraintSettings,
    ResourceSettings,
)
from components.settings.models import Settings
from components.timers import MonitorTimers, Timers, timers_named
from components.topology import Machine, Role, Topology

PROPERTIES = {
    # Without a majority, nothing runs: the majority runs it somewhere else.
    "no-quorum-policy": "stop",
    "cluster-recheck-interval": "5min",
}
TWO_NODE_RISK = (
    "cluster.twoNode: with two votes there is no majority; after a cut both members go on, and only"
    " fencing decides which one. Give a third member where you can"
)
ACTION_TIMEOUT_S = 60
"""For starts and stops. A stop that is late is a failure, and gets its member fenced."""


def cluster_args(settings: Settings, topology: Topology) -> ClusterArgs:
    """What the cluster of this lab is to be; the lab has one (`topology.with_role`)."""
    cluster, timers = settings.cluster, timers_named(settings.timers)
    device = cluster.quorum_device
    members = tuple(_member(m, topology) for m in topology.with_role(Role.CLUSTER))
    databases = cluster_part(
        database_args(settings, topology), [member.name for member in members], timers.monitor
    )
    return ClusterArgs(
        name=topology.prefix,
        members=members,
        vip=topology.cluster_vip,
        timers=timers,
        two_node=cluster.two_node,
        quorum_device=_member(topology.machine(device), topology) if device else None,
        fencing=_fencing(settings, topology),
        properties={**PROPERTIES, **cluster.properties},
        resource_defaults=cluster.resource_defaults,
        operation_defaults={"timeout": f"{ACTION_TIMEOUT_S}s"},
        resources=(*_resources(settings, topology, timers), *databases.resources),
        groups=tuple(
            Group(id=name, resources=group.resources, meta=group.meta)
            for name, group in cluster.groups.items()
        ),
        clones=(
            *(_clone(name, clone) for name, clone in cluster.clones.items()),
            *databases.clones,
        ),
        locations=(*_locations(cluster.constraints), *databases.locations),
        colocations=_colocations(cluster.constraints),
        orders=_orders(cluster.constraints),
    )


def has_web_server(settings: Settings, topology: Topology) -> bool:
    """Whether the cluster runs the course's web server."""
    return bool(topology.with_role(Role.CLUSTER)) and serves_web(cluster_args(settings, topology))


def cluster_warnings(settings: Settings, topology: Topology) -> tuple[str, ...]:
    """What the user has to know who has chosen this; empty where all is well."""
    if not topology.with_role(Role.CLUSTER):
        return ()
    return (*fencing_warnings(settings), *((TWO_NODE_RISK,) if settings.cluster.two_node else ()))


def _member(machine: Machine, topology: Topology) -> Member:
    # Not its place in the list: it must be the same when another member comes or goes.
    number = int(machine.address) - int(topology.network.network_address)
    return Member(name=machine.name, address=machine.address, node_id=number)


def _fencing(settings: Settings, topology: Topology) -> Fencing:
    devices = fencing_devices(settings, topology, topology.with_role(Role.CLUSTER))
    return Fencing(
        devices=devices,
        levels=fencing_levels(settings, devices),
        properties=fencing_properties(settings),
    )


def _resources(settings: Settings, topology: Topology, timers: Timers) -> tuple[Resource, ...]:
    cluster = settings.cluster
    promotable = cluster.promotable_resources
    return tuple(
        Resource(
            id=name,
            agent=resource.agent,
            parameters=filled_in(resource.parameters, settings, topology),
            operations=_operations(resource, timers.monitor, promotable=name in promotable),
            meta=resource.meta,
        )
        for name, resource in cluster.resources.items()
    )


def filled_in(
    parameters: Mapping[str, str], settings: Settings, topology: Topology
) -> dict[str, str]:
    """Parameters with the lab's own values in place of their names in braces."""
    own = {
        "{vip}": str(topology.cluster_vip),
        "{prefix}": str(topology.network.prefixlen),
        "{interface}": settings.network.interface,
    }
    return {name: own.get(value, value) for name, value in parameters.items()}


def _operations(
    resource: ResourceSettings, timers: MonitorTimers, *, promotable: bool
) -> tuple[Operation, ...]:
    if resource.operations is None:
        return _monitors(resource.agent, timers, promotable=promotable)
    return tuple(
        Operation(
            name=operation.name,
            interval_s=operation.interval_s,
            timeout_s=operation.timeout_s or _timeout_s(operation.name, timers),
            role=operation.role,
        )
        for operation in resource.operations
    )


def _timeout_s(action: str, timers: MonitorTimers) -> int:
    return timers.timeout_s if action == "monitor" else ACTION_TIMEOUT_S


def _monitors(agent: str, timers: MonitorTimers, *, promotable: bool) -> tuple[Operation, ...]:
    """What the timers say of an agent that the settings say nothing of."""
    timeout_s = timers.timeout_s
    if promotable:
        roles = {"Promoted": timers.promoted_s, "Unpromoted": timers.unpromoted_s}
        return tuple(
            Operation(name="monitor", interval_s=interval_s, timeout_s=timeout_s, role=role)
            for role, interval_s in roles.items()
        )
    by_agent = {
        "ocf:heartbeat:IPaddr2": timers.vip_s,
        "ocf:heartbeat:Filesystem": timers.filesystem_s,
    }
    interval_s = by_agent.get(agent, timers.webserver_s)
    return (Operation(name="monitor", interval_s=interval_s, timeout_s=timeout_s),)


def _clone(name: str, clone: CloneSettings) -> Clone:
    promotable = {"promotable": "true"} if clone.promotable else {}
    return Clone(id=name, resource=clone.resource, meta={**clone.meta, **promotable})


def _locations(constraints: ConstraintSettings) -> tuple[Location, ...]:
    return tuple(
        Location(resource=found.resource, member=found.machine, score=found.score)
        for found in constraints.locations
    )


def _colocations(constraints: ConstraintSettings) -> tuple[Colocation, ...]:
    return tuple(
        Colocation(
            resource=found.resource,
            with_resource=found.with_,
            score=found.score,
            role=found.role,
            with_role=found.with_role,
        )
        for found in constraints.colocations
    )


def _orders(constraints: ConstraintSettings) -> tuple[Order, ...]:
    return tuple(
        Order(
            first=found.first,
            then=found.then,
            first_action=found.first_action,
            then_action=found.then_action,
            kind=found.kind,
        )
        for found in constraints.orders
    )
