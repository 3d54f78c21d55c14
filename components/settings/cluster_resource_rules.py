"""What the settings of the cluster's resources and constraints must not contradict.

Which agents and parameters there are is known on the machines alone; there it is asked before
anything is touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from components.settings.cluster_models import ClusterSettings, OperationSettings
from components.settings.models import Settings
from components.settings.rules import SEATS, VOTES, Broken, Rule, names_with, near
from components.topology import Role

PACEMAKERS = ("cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog")
"""Properties that Pacemaker itself writes."""
OPERATORS_META = ("target-role", "is-managed", "maintenance")
OPERATORS_PROPERTIES = ("maintenance-mode", "stop-all-resources")
"""For whoever operates the cluster: `up` leaves them as they are, so settings cannot have them."""
PLACEHOLDERS = ("{vip}", "{prefix}", "{interface}")
"""What stands for the lab's own values in parameters."""


def ids(settings: Settings, stack: str) -> Iterator[Broken]:
    """Resources, groups, clones and fence devices have different names."""
    del stack
    cluster = settings.cluster
    seen = dict.fromkeys(cluster.resources, "a resource")
    others = (
        ("groups", cluster.groups, "a group"),
        ("clones", cluster.clones, "a clone"),
        ("fencing.devices", cluster.fencing.devices, "a fence device"),
    )
    for section, names, kind in others:
        for name in names:
            if name in seen:
                yield (
                    f"cluster.{section}.{name}",
                    f"{name!r} is {seen[name]} too; rename one of them",
                )
            seen.setdefault(name, kind)


def containers(settings: Settings, stack: str) -> Iterator[Broken]:
    """Groups and clones have resources that are there, each in one of them."""
    del stack
    cluster = settings.cluster
    inside: Counter[str] = Counter()
    for name, group in cluster.groups.items():
        for index, resource in enumerate(group.resources):
            inside[resource] += 1
            path = f"cluster.groups.{name}.resources.{index}"
            if resource not in cluster.resources:
                yield path, f"{resource!r} is no resource{near(resource, cluster.resources)}"
            elif inside[resource] > 1:
                yield path, f"{resource!r} is in a group already; a resource can be in one only"
    clonable = {**cluster.resources, **cluster.groups}
    for name, clone in cluster.clones.items():
        path = f"cluster.clones.{name}.resource"
        inside[clone.resource] += 1
        if clone.resource not in clonable:
            yield (
                path,
                f"{clone.resource!r} is no resource or group{near(clone.resource, clonable)}",
            )
        elif inside[clone.resource] > 1:
            why = f"{clone.resource!r} is in a group or clone already; clone the group instead"
            yield path, why


def constraints(settings: Settings, stack: str) -> Iterator[Broken]:
    """Constraints are between things that are there, and on members."""
    del stack
    cluster = settings.cluster
    own = "constraints" in cluster.model_fields_set
    hint = "" if own else " (it is the course's constraint: give cluster.constraints too)"
    for path, name in named_in_constraints(cluster):
        if name not in nameable(cluster):
            known = near(name, nameable(cluster)) + hint
            yield path, f"{name!r} is no resource, group or clone{known}"
        elif clone := clone_of(name, cluster):
            yield path, f"{name!r} is inside of the clone {clone!r}; name that"
    names = names_with(settings, Role.CLUSTER)
    for index, location in enumerate(cluster.constraints.locations):
        if names and location.machine not in names:
            path = f"cluster.constraints.locations.{index}.machine"
            yield (
                path,
                f"{location.machine!r} is no member of the cluster{near(location.machine, names)}",
            )


def named_in_constraints(cluster: ClusterSettings) -> Iterator[tuple[str, str]]:
    """Path and name of everything that a constraint names."""
    base, found = "cluster.constraints", cluster.constraints
    for index, location in enumerate(found.locations):
        yield f"{base}.locations.{index}.resource", location.resource
    for index, colocation in enumerate(found.colocations):
        yield f"{base}.colocations.{index}.resource", colocation.resource
        yield f"{base}.colocations.{index}.with", colocation.with_
    for index, order in enumerate(found.orders):
        yield f"{base}.orders.{index}.first", order.first
        yield f"{base}.orders.{index}.then", order.then


def nameable(cluster: ClusterSettings) -> list[str]:
    """What a constraint may name."""
    return [*cluster.resources, *cluster.groups, *cluster.clones]


def clone_of(name: str, cluster: ClusterSettings) -> str | None:
    """The clone that this resource or group is inside of; None for what is outside of all."""
    holders = {name, *(g for g, group in cluster.groups.items() if name in group.resources)}
    return next((c for c, clone in cluster.clones.items() if clone.resource in holders), None)


def cycles(settings: Settings, stack: str) -> Iterator[Broken]:
    """Nothing waits for itself, nor follows itself; no constraint stands there twice."""
    del stack
    found = settings.cluster.constraints
    orders = [(o.first, o.then) for o in found.orders if o.kind == "Mandatory"]
    inside = [
        pair
        for group in settings.cluster.groups.values()
        for pair in zip(group.resources, group.resources[1:], strict=False)
    ]
    if circle := cycle([*orders, *inside]):
        yield "cluster.constraints.orders", f"{circle}: each waits for the other; remove one order"
    follows = [(c.with_, c.resource) for c in found.colocations if not c.score.startswith("-")]
    if circle := cycle(follows):
        why = f"{circle}: each would follow the other; remove one colocation"
        yield "cluster.constraints.colocations", why
    for section in ("locations", "colocations", "orders"):
        listed = list(getattr(found, section))
        for index, item in enumerate(listed):
            if item in listed[:index]:
                yield f"cluster.constraints.{section}.{index}", "stands there twice; remove one"


def cycle(pairs: Iterable[tuple[str, str]]) -> str:
    """A circle in a graph, as `a, b, a`; empty where there is none."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for before, after in pairs:
        graph.add(after, before)
    try:
        graph.prepare()
    except CycleError as error:
        return ", ".join(error.args[1])
    return ""


def operations(settings: Settings, stack: str) -> Iterator[Broken]:
    """Pacemaker tells recurring operations apart by name and interval; roles are for clones."""
    del stack
    cluster = settings.cluster
    promotable = cluster.promotable_resources
    for name, resource in cluster.resources.items():
        listed = resource.operations or ()
        for index, operation in enumerate(listed):
            path = f"cluster.resources.{name}.operations.{index}"
            if any(same(operation, other) for other in listed[:index]):
                why = f"a second {operation.name} with the interval {operation.interval_s} s"
                yield path, f"is {why}; change one (a second more will do)"
            if operation.name == "monitor" and not operation.interval_s:
                yield f"{path}.intervalS", "is 0, so nothing is monitored; give seconds"
            if operation.role and name not in promotable:
                why = "is only for the resource of a promotable clone; remove it"
                yield f"{path}.role", why


def same(one: OperationSettings, other: OperationSettings) -> bool:
    return (one.name, one.interval_s) == (other.name, other.interval_s)


def options(settings: Settings, stack: str) -> Iterator[Broken]:
    """What others decide is not a setting, and placeholders are those that there are."""
    del stack
    cluster = settings.cluster
    for name in cluster.properties:
        path = f"cluster.properties.{name}"
        if name.startswith("stonith-") or name == "concurrent-fencing":
            yield path, "is decided by cluster.fencing; set that"
        elif name in PACEMAKERS:
            yield path, "is Pacemaker's own; remove it"
        elif name in OPERATORS_PROPERTIES:
            yield path, "is for operating the cluster, see `lab cluster`; remove it"
    for section in ("resources", "groups", "clones"):
        for name, found in getattr(cluster, section).items():
            for meta in (meta for meta in OPERATORS_META if meta in found.meta):
                why = "is for operating the cluster (`pcs resource disable`); remove it"
                yield f"cluster.{section}.{name}.meta.{meta}", why
    for name, resource in cluster.resources.items():
        for key, value in resource.parameters.items():
            if re.fullmatch(r"\{[a-zA-Z_]+\}", value) and value not in PLACEHOLDERS:
                path = f"cluster.resources.{name}.parameters.{key}"
                yield path, f"{value} stands for nothing{near(value, PLACEHOLDERS)}"


RESOURCES = ("cluster.resources", "cluster.groups", "cluster.clones")
CLUSTER_RESOURCE_RULES = (
    Rule(ids, (*RESOURCES, "cluster.fencing.devices")),
    Rule(containers, RESOURCES),
    Rule(
        constraints,
        (*SEATS, *VOTES, *RESOURCES, "cluster.constraints"),
    ),
    Rule(cycles, ("cluster.groups", "cluster.constraints.*")),
    Rule(operations, (*RESOURCES, "cluster.resources.*")),
    Rule(options, (*RESOURCES, "cluster.properties")),
)
