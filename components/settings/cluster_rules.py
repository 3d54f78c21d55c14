"""What the cluster's settings must not contradict: its members, their votes, its addresses.

What it runs is looked at in `cluster_resource_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from components import topology
from components.pacemaker.web import PORT as WEB_PORT
from components.pacemaker.web import is_web_server
from components.settings.models import Settings
from components.settings.rules import (
    ADDRESSES,
    SEATS,
    VOTES,
    Broken,
    Rule,
    free_address,
    names_with,
    near,
    planned_addresses,
)
from components.topology import Role

MOST_MEMBERS = 16
"""Corosync was made for a few machines; its makers test up to so many."""


def members(settings: Settings, stack: str) -> Iterator[Broken]:
    """Members are machines of the topology, each once, and enough of them."""
    del stack
    cluster, names = settings.cluster, topology.machine_names(settings)
    if not cluster.enabled:
        return
    for index, name in enumerate(cluster.members):
        path = f"cluster.members.{index}"
        if name not in names:
            yield path, f"{name!r} is no machine of the topology{near(name, names)}"
        elif name in cluster.members[:index]:
            yield path, f"{name!r} is named twice; remove one"
    count = len(set(cluster.members))
    if count == 1:
        yield "cluster.members", "has one member only; name three (two need a rule for quorum)"
    elif count > MOST_MEMBERS:
        yield "cluster.members", f"has {count} members; expected {MOST_MEMBERS} at most"
    is_asked_for = "enabled" in cluster.model_fields_set
    if is_asked_for and not (cluster.members or names_with(settings, Role.CLUSTER)):
        why = "is unset, and there are no databases to choose from; name three machines"
        yield "cluster.members", why


def quorum(settings: Settings, stack: str) -> Iterator[Broken]:
    """Whatever is cut off, one part at most has the majority."""
    del stack
    cluster, names = settings.cluster, topology.machine_names(settings)
    voters = names_with(settings, Role.CLUSTER)
    device = cluster.quorum_device
    if not voters or set(cluster.members) - set(names):
        return
    if device is not None and device not in names:
        yield (
            "cluster.quorumDevice",
            f"{device!r} is no machine of the topology{near(device, names)}",
        )
    elif device in voters:
        why = f"{device!r} is a member; its third vote must come from another machine"
        yield "cluster.quorumDevice", why
    elif device is not None and len(voters) % 2:
        why = f"is only for an even number of members; {len(voters)} have a majority without it"
        yield "cluster.quorumDevice", why
    if cluster.two_node and (device is not None or len(voters) != 2):
        why = "is only for two members without a quorum device; set it to false"
        yield "cluster.twoNode", why
    if len(voters) == 2 and device is None and not cluster.two_node:
        yield (
            "cluster.members",
            (
                "has two members, and neither has a majority without the other: add a third, or"
                " give another machine's vote with cluster.quorumDevice, or accept the risk with"
                " cluster.twoNode: true"
            ),
        )


def vip(settings: Settings, stack: str) -> Iterator[Broken]:
    """The cluster's VIP is a free address, and not that of the load balancers."""
    if not names_with(settings, Role.CLUSTER):
        return
    lab = topology.lab_network(settings, stack)
    given, machines = settings.cluster.vip, dict(planned_addresses(settings, lab))
    address = given or topology.default_cluster_vip(lab, machines.values())
    yield from free_address(settings, lab, "cluster.vip", address, is_given=given is not None)
    if address == (settings.network.vip or topology.default_vip(lab)):
        shown = str(address) if given else f"unset, so {address}; it"
        yield "cluster.vip", f"{shown} is the load balancers' VIP; choose another address"


def web_port(settings: Settings, stack: str) -> Iterator[Broken]:
    """On no member does another program hold the port of the cluster's web server."""
    del stack
    resources = settings.cluster.resources.values()
    if not any(is_web_server(found.agent, found.parameters) for found in resources):
        return
    own, found = settings.app_server.application, set(names_with(settings, Role.CLUSTER))
    listeners = (
        (Role.APP, "appServer.application.port", own.port if own else None),
        (Role.APP, "appServer.port", None if own else settings.app_server.port),
        (Role.LOAD_BALANCER, "loadBalancer.stats.port", settings.load_balancer.stats.port),
    )
    for role, path, port in listeners:
        if port == WEB_PORT and found & set(names_with(settings, role)):
            why = f"{WEB_PORT} is the cluster's web server's on the same machine; change it"
            yield path, why


MEMBERS = (*SEATS, *VOTES)
CLUSTER_RULES = (
    Rule(members, MEMBERS),
    Rule(quorum, (*MEMBERS, "cluster.quorumDevice", "cluster.twoNode")),
    Rule(vip, (*MEMBERS, *ADDRESSES, "network.vip", "cluster.vip")),
    Rule(web_port, (*MEMBERS, "cluster.resources", "appServer.*", "loadBalancer.stats.port")),
)
