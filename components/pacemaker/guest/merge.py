"""The configuration that the cluster is to have: the live one with the settings' parts put in.

What the settings do not speak of stays: bans and moves (`cli-...`), standby, maintenance, resources
that somebody stopped or took out of the cluster's hands, and whatever else was made by hand. What
an earlier release of the settings had, and this one has not, goes. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

OPTION_SETS = {
    "crm_config": "cluster_property_set",
    "rsc_defaults": "meta_attributes",
    "op_defaults": "meta_attributes",
}
"""Sections that consist of a set of names and values."""
KINDS = ("primitive", "group", "clone", "bundle", "master")
MARKS = ("target-role", "is-managed", "maintenance")
"""Meta attributes with which `pcs resource disable`, `unmanage` and the like leave their mark."""
REFERENCES = ("rsc", "with-rsc", "first", "then")
SEED = ("dc-deadtime", "2s")
"""How long the first member of a new cluster waits for an elder before it leads: its CIB is seeded
with it, and the first push removes it. Pacemaker's own twenty seconds are for cold starts, in which
others may have been leading and are only slower."""


def merged(live: Element, wanted: Element, before: Element | None) -> Element:
    """A copy of the whole CIB `live` with the `configuration` that is wanted in it.

    `before` is the configuration that was put in last; None: nothing ever was.
    """
    result = copy.deepcopy(live)
    configuration = result.find("configuration")
    if configuration is None:
        raise ValueError("the live CIB has no configuration")
    earlier = Element("configuration") if before is None else before
    for section, tag in OPTION_SETS.items():
        _put_options(configuration, wanted, earlier, section, tag)
    _put_resources(configuration, wanted, earlier)
    _put_by_id(configuration, wanted, earlier, "constraints")
    _put_by_id(configuration, wanted, earlier, "fencing-topology")
    _drop_dangling(configuration)
    return result


# -- names and values -------------------------------------------------------------------------


def _put_options(
    configuration: Element, wanted: Element, earlier: Element, section: str, tag: str
) -> None:
    new, old = options(wanted, section), options(earlier, section)
    gone = set(old) - set(new)
    found = configuration.find(f"{section}/{tag}")
    if found is None:
        source = wanted.find(f"{section}/{tag}")
        if source is not None:
            _section(configuration, section).append(copy.deepcopy(source))
        return
    for pair in list(found):
        name = pair.get("name", "")
        if name in gone or (name not in new and (name, pair.get("value")) == SEED):
            found.remove(pair)
        elif name in new:
            pair.set("value", new.pop(name).get("value", ""))
    for pair in new.values():
        found.append(copy.deepcopy(pair))


def options(configuration: Element, section: str) -> dict[str, Element]:
    """The names and values of a section, by name."""
    tag = OPTION_SETS[section]
    return {p.get("name", ""): p for p in configuration.iterfind(f"{section}/{tag}/nvpair")}


def _section(configuration: Element, name: str) -> Element:
    found = configuration.find(name)
    return SubElement(configuration, name) if found is None else found


# -- resources --------------------------------------------------------------------------------


def _put_resources(configuration: Element, wanted: Element, earlier: Element) -> None:
    section = _section(configuration, "resources")
    marks = {found.get("id", ""): marks_of(found) for found in resources(section)}
    source = _section(copy.deepcopy(wanted), "resources")
    taken = {found.get("id") for found in resources(source)}
    taken |= {found.get("id") for found in resources(_section(copy.deepcopy(earlier), "resources"))}
    new = {found.get("id"): found for found in source}
    kept = []
    for child in list(section):
        own_id = child.get("id")
        if own_id in new:
            kept.append(new.pop(own_id))
        elif own_id not in taken and not _emptied(child, taken):
            kept.append(child)
    section[:] = [*kept, *new.values()]
    for found in resources(section):
        _put_marks(found, marks.get(found.get("id", ""), {}))


def _emptied(container: Element, taken: Iterable[str | None]) -> bool:
    """Take the settings' resources out of somebody's group; whether none is left in it."""
    had_content = any(child.tag in KINDS for child in container)
    for child in list(container):
        if child.tag in KINDS and (child.get("id") in taken or _emptied(child, taken)):
            container.remove(child)
    return had_content and not any(child.tag in KINDS for child in container)


def resources(section: Element) -> Iterator[Element]:
    """Resources, groups and clones, whatever they are in."""
    return (found for found in section.iter() if found.tag in KINDS)


def marks_of(resource: Element) -> dict[str, Element]:
    """What an operator did to a resource, by the attribute's name."""
    pairs = resource.iterfind("./meta_attributes/nvpair")
    return {pair.get("name", ""): pair for pair in pairs if pair.get("name") in MARKS}


def _put_marks(resource: Element, marks: dict[str, Element]) -> None:
    if not marks or marks_of(resource):
        return
    found = resource.find("meta_attributes")
    if found is None:
        found = SubElement(resource, "meta_attributes", id=f"{resource.get('id')}-meta_attributes")
    found.extend(copy.deepcopy(pair) for pair in marks.values())


# -- what has an id ---------------------------------------------------------------------------


def _put_by_id(configuration: Element, wanted: Element, earlier: Element, section: str) -> None:
    new = {found.get("id"): copy.deepcopy(found) for found in wanted.iterfind(f"{section}/*")}
    old = {found.get("id") for found in earlier.iterfind(f"{section}/*")}
    found = configuration.find(section)
    if found is None and not new:
        return
    place = _section(configuration, section)
    kept = []
    for child in place:
        own_id = child.get("id")
        if own_id in new:
            kept.append(new.pop(own_id))
        elif own_id not in old:
            kept.append(child)
    place[:] = [*kept, *new.values()]
    if section == "fencing-topology" and not len(place):
        configuration.remove(place)


def _drop_dangling(configuration: Element) -> None:
    """Constraints made by hand on resources that are gone: Pacemaker would refuse them."""
    section = _section(configuration, "constraints")
    there = {found.get("id") for found in resources(_section(configuration, "resources"))}
    for constraint in list(section):
        if not references(constraint) <= there:
            section.remove(constraint)


def references(constraint: Element) -> set[str | None]:
    """The resources that a constraint names."""
    named = {constraint.get(name) for name in REFERENCES if constraint.get(name)}
    return named | {found.get("id") for found in constraint.iter("resource_ref")}
