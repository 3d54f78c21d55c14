"""The cluster's configuration as Pacemaker's XML. Pure: the same args give the same text.

Ids are those that pcs would give, so that `pcs` shows and edits what is made here like its own.
There are no nodes in it: those Pacemaker knows by itself.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from components.fencing.devices import StonithDevice
from components.pacemaker.args import (
    Clone,
    ClusterArgs,
    Colocation,
    Group,
    Location,
    Operation,
    Order,
    Resource,
)

PROPERTIES_ID = "cib-bootstrap-options"
"""Pacemaker itself writes into the set of this name, and pcs edits it."""


def cib_configuration(args: ClusterArgs) -> str:
    """The `configuration` element that the members are to have, as text."""
    root = Element("configuration")
    _properties(root, args)
    _resources(root, args)
    _constraints(root, args)
    _levels(root, args)
    _defaults(root, "rsc_defaults", args.resource_defaults)
    _defaults(root, "op_defaults", args.operation_defaults)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _properties(root: Element, args: ClusterArgs) -> None:
    options = {**args.properties, **args.fencing.properties}
    section = SubElement(root, "crm_config")
    _options(section, "cluster_property_set", PROPERTIES_ID, options)


def _defaults(root: Element, section: str, options: Mapping[str, str]) -> None:
    if options:
        parent = SubElement(root, section)
        _options(parent, "meta_attributes", f"{section}-meta_attributes", options)


def _options(parent: Element, tag: str, own_id: str, options: Mapping[str, str]) -> None:
    """A set of names and values; none where it would be empty."""
    if not options:
        return
    found = SubElement(parent, tag, id=own_id)
    for name, value in sorted(options.items()):
        SubElement(found, "nvpair", id=f"{own_id}-{name}", name=name, value=value)


def _resources(root: Element, args: ClusterArgs) -> None:
    """Fence devices first, then what stands alone, then groups and clones with their content."""
    section = SubElement(root, "resources")
    inside = {name for group in args.groups for name in group.resources}
    inside |= {clone.resource for clone in args.clones}
    for device in args.fencing.devices:
        section.append(_device(device))
    for resource in args.resources:
        if resource.id not in inside:
            section.append(_primitive(resource))
    for group in args.groups:
        if group.id not in inside:
            section.append(_group(group, args))
    for clone in args.clones:
        section.append(_clone(clone, args))


def _primitive(resource: Resource) -> Element:
    standard, *provider, kind = resource.agent.split(":")
    agent = {"class": standard, **({"provider": provider[0]} if provider else {}), "type": kind}
    found = Element("primitive", {"id": resource.id, **agent})
    _options(
        found,
        "instance_attributes",
        f"{resource.id}-instance_attributes",
        resource.parameters,
    )
    _operations(found, resource.id, resource.operations)
    _meta(found, resource.id, resource.meta)
    return found


def _device(device: StonithDevice) -> Element:
    operations = tuple(
        Operation(name=o.name, interval_s=o.interval_s, timeout_s=o.timeout_s)
        for o in device.operations
    )
    return _primitive(
        Resource(
            id=device.id,
            agent=f"stonith:{device.agent}",
            parameters=device.parameters,
            operations=operations,
        )
    )


def _operations(parent: Element, owner: str, operations: Iterable[Operation]) -> None:
    found = SubElement(parent, "operations")
    for operation in operations:
        interval = f"{operation.interval_s}s"
        values = {
            "id": f"{owner}-{operation.name}-interval-{interval}",
            "name": operation.name,
            "interval": interval,
            "timeout": f"{operation.timeout_s}s",
        }
        SubElement(found, "op", {**values, **_given(role=operation.role)})


def _meta(parent: Element, owner: str, options: Mapping[str, str]) -> None:
    _options(parent, "meta_attributes", f"{owner}-meta_attributes", options)


def _group(group: Group, args: ClusterArgs) -> Element:
    found = Element("group", id=group.id)
    by_id = {resource.id: resource for resource in args.resources}
    for name in group.resources:
        found.append(_primitive(by_id[name]))
    _meta(found, group.id, group.meta)
    return found


def _clone(clone: Clone, args: ClusterArgs) -> Element:
    found = Element("clone", id=clone.id)
    groups = {group.id: group for group in args.groups}
    resources = {resource.id: resource for resource in args.resources}
    if clone.resource in groups:
        found.append(_group(groups[clone.resource], args))
    else:
        found.append(_primitive(resources[clone.resource]))
    _meta(found, clone.id, clone.meta)
    return found


def _constraints(root: Element, args: ClusterArgs) -> None:
    section = SubElement(root, "constraints")
    for location in args.locations:
        section.append(_location(location))
    for colocation in args.colocations:
        section.append(_colocation(colocation))
    for order in args.orders:
        section.append(_order(order))


def _location(location: Location) -> Element:
    own_id = _joined("location", location.resource, location.member, location.score)
    values = {"rsc": location.resource, "node": location.member, "score": location.score}
    return Element("rsc_location", {"id": own_id, **values})


def _colocation(colocation: Colocation) -> Element:
    pair = (colocation.resource, colocation.role, colocation.with_resource, colocation.with_role)
    own_id = _joined("colocation", *pair, colocation.score)
    values = {
        "rsc": colocation.resource,
        "with-rsc": colocation.with_resource,
        "score": colocation.score,
    }
    roles = _given(rsc_role=colocation.role, with_rsc_role=colocation.with_role)
    return Element("rsc_colocation", {"id": own_id, **values, **roles})


def _order(order: Order) -> Element:
    actions = [
        None if action == "start" else action for action in (order.first_action, order.then_action)
    ]
    own_id = _joined("order", order.first, actions[0], order.then, actions[1], order.kind)
    values = {
        "first": order.first,
        "first-action": order.first_action,
        "then": order.then,
        "then-action": order.then_action,
        "kind": order.kind,
    }
    return Element("rsc_order", {"id": own_id, **values})


def _levels(root: Element, args: ClusterArgs) -> None:
    if not args.fencing.levels:
        return
    section = SubElement(root, "fencing-topology")
    for level in args.fencing.levels:
        values = {
            "id": f"fl-{level.member}-{level.index}",
            "target": level.member,
            "index": str(level.index),
            "devices": ",".join(level.devices),
        }
        SubElement(section, "fencing-level", values)


def _given(**values: str | None) -> dict[str, str]:
    """XML attributes of what is not None: `rsc_role` is `rsc-role`."""
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}


def _joined(*parts: str | None) -> str:
    """An id of the parts that are given."""
    return "-".join(part for part in parts if part is not None)
