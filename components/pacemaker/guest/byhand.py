"""What somebody did by hand to a cluster, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from .merge import MARKS, OPTION_SETS, marks_of, options, resources

INTERNAL = (
    "cluster-infrastructure",
    "cluster-name",
    "dc-version",
    "have-watchdog",
    "last-lrm-refresh",
    "dc-deadtime",
)
"""Cluster properties that Pacemaker writes itself, and the one of a new cluster's beginning."""
ON = ("true", "on", "yes", "1")


def kept_by_hand(cib: Element, ours: Element) -> list[str]:
    """What an operator has switched or added, and what therefore stays as it is.

    `ours` is the configuration that the settings put in.
    """
    configuration = _configuration(cib)
    return [
        *_switches(configuration),
        *_marks(configuration),
        *_constraints(configuration, ours),
        *_strangers(configuration, ours),
    ]


def _switches(configuration: Element) -> Iterator[str]:
    for node in configuration.iterfind("./nodes/node"):
        for pair in node.iterfind("./instance_attributes/nvpair"):
            name, value = pair.get("name", ""), pair.get("value", "").lower()
            if name in ("standby", "maintenance") and value in ON:
                yield f"{node.get('uname')} is in {name}"
    for name, pair in options(configuration, "crm_config").items():
        if name == "maintenance-mode" and pair.get("value", "").lower() in ON:
            yield "the whole cluster is in maintenance"


def _marks(configuration: Element) -> Iterator[str]:
    for resource in resources(configuration):
        for name, pair in sorted(marks_of(resource).items()):
            yield f"{resource.get('id')} has {name}={pair.get('value')}"


def _constraints(configuration: Element, ours: Element) -> Iterator[str]:
    known = {found.get("id") for found in ours.iterfind("./constraints/*")}
    for found in configuration.iterfind("./constraints/*"):
        own_id = found.get("id", "")
        if own_id.startswith("cli-"):
            yield f"{own_id}: {_move(found)}"
        elif own_id not in known:
            yield f"the constraint {own_id} is not of the settings"


def _move(constraint: Element) -> str:
    """What a `pcs resource move` or `ban` means."""
    resource, score = constraint.get("rsc"), constraint.get("score", "INFINITY")
    verb = "must not run" if score.startswith("-") else "was moved to run"
    where = constraint.get("node") or "where a rule says"
    return f"{resource} {verb} on {where}"


def _strangers(configuration: Element, ours: Element) -> Iterator[str]:
    known = {found.get("id") for found in resources(ours)}
    for found in configuration.iterfind("./resources/*"):
        if found.get("id") not in known:
            yield f"{found.tag} {found.get('id')} is not of the settings"
    own = options(ours, "crm_config")
    for name, pair in sorted(options(configuration, "crm_config").items()):
        if name not in own and name not in INTERNAL and name != "maintenance-mode":
            yield f"the property {name}={pair.get('value')} is not of the settings"


def changed_by_hand(cib: Element, ours: Element) -> list[str]:
    """Parts of the settings that are not as they were put in; a push puts them back."""
    configuration = _configuration(cib)
    return [*_changed_options(configuration, ours), *_changed_parts(configuration, ours)]


def _changed_options(configuration: Element, ours: Element) -> Iterator[str]:
    for section in OPTION_SETS:
        live = options(configuration, section)
        for name, pair in sorted(options(ours, section).items()):
            found, expected = live.get(name), pair.get("value")
            if found is None:
                yield f"{section} {name} is gone (it was {expected})"
            elif found.get("value") != expected:
                yield f"{section} {name} is {found.get('value')} (it was {expected})"


def _changed_parts(configuration: Element, ours: Element) -> Iterator[str]:
    for section in ("resources", "constraints", "fencing-topology"):
        live = {found.get("id"): found for found in configuration.iterfind(f"./{section}/*")}
        for expected in ours.iterfind(f"./{section}/*"):
            found = live.get(expected.get("id"))
            if found is None:
                yield f"{expected.get('id')} is gone"
            elif plain(found) != plain(expected):
                yield f"{expected.get('id')} was changed"


Plain = tuple[str, tuple[tuple[str, str], ...], tuple["Plain", ...]]


def plain(element: Element) -> Plain:
    """What an element says, without what an operator may switch on it."""
    children = [plain(child) for child in element if child.get("name") not in MARKS]
    kept = [child for child in children if child[2] or child[0] not in ("meta_attributes",)]
    return element.tag, tuple(sorted(element.attrib.items())), tuple(kept)


def _configuration(cib: Element) -> Element:
    found = cib.find("configuration")
    if found is None:
        raise ValueError("the CIB has no configuration")
    return found


def restored(before: Element | None, cib: Element) -> list[str]:
    """What a push is about to put back; nothing is known before the first one."""
    return [] if before is None else changed_by_hand(cib, before)
