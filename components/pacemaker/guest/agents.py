"""Are the agents of a configuration there, and do they get the parameters that they need?

Asked of the agents themselves, before anything is changed.
"""

from __future__ import annotations

import difflib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import NamedTuple, Optional

from .system import run

SUPPLIED = ("action", "plug", "port", "nodename")
"""Parameters of fence agents that Pacemaker itself gives."""
GENERIC = "pcmk_"
"""Beginning of those that every fence device has, whatever its agent."""


class Parameter(NamedTuple):
    """What an agent says of one of its parameters."""

    name: str
    required: bool
    """It must be given: there is no default."""
    instead_of: str
    """The older name that does as well."""


Describe = Callable[[str], Optional[str]]
"""An agent's metadata by its name; None where there is no such agent."""


def problems(configuration: ET.Element, describe: Describe) -> list[str]:
    """Everything that is wrong with the resources of a configuration, a sentence each."""
    return [
        problem
        for primitive in configuration.iter("primitive")
        for problem in problems_of(primitive, describe)
    ]


def problems_of(primitive: ET.Element, describe: Describe) -> Iterator[str]:
    """What is wrong with one resource."""
    name, agent = primitive.get("id", "?"), agent_of(primitive)
    metadata = describe(agent)
    if metadata is None:
        command = "stonith" if agent.startswith("stonith:") else "resource"
        yield f"{name}: there is no agent {agent} on this member; `pcs {command} list` shows all"
        return
    known = parameters(metadata)
    given = {pair.get("name", "") for pair in primitive.iterfind("./instance_attributes/nvpair")}
    for parameter in known.values():
        if parameter.required and not given & {parameter.name, parameter.instead_of}:
            yield f"{name}: {agent} needs the parameter {parameter.name}, which is not given"
    names = {n for p in known.values() for n in (p.name, p.instead_of)} - {""}
    for other in sorted(given - names):
        if not (agent.startswith("stonith:") and other.startswith(GENERIC)):
            yield f"{name}: {agent} has no parameter {other}{near(other, names)}"


def agent_of(primitive: ET.Element) -> str:
    """`standard:provider:type` of a resource."""
    parts = [primitive.get(part) for part in ("class", "provider", "type")]
    return ":".join(part for part in parts if part)


def parameters(metadata: str) -> dict[str, Parameter]:
    """The parameters of an agent, by name."""
    found = {}
    for element in ET.fromstring(metadata).iterfind("./parameters/parameter"):
        name = element.get("name", "")
        content = element.find("content")
        has_default = content is not None and bool(content.get("default"))
        needed = element.get("required") == "1" and element.get("deprecated") != "1"
        found[name] = Parameter(
            name,
            needed and not has_default and name not in SUPPLIED,
            element.get("obsoletes", ""),
        )
    return found


def near(name: str, known: set[str]) -> str:
    """What was probably meant, or what there is."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it has: {', '.join(sorted(known)) or 'none'}"


def ask(agent: str) -> str | None:
    """An agent's metadata, from the machine's own agent."""
    if agent.startswith("systemd:") and not is_unit(agent.partition(":")[2]):
        return None
    done = run(["crm_resource", "--show-metadata", agent])
    return done.stdout if done.returncode == 0 and done.stdout.strip() else None


def is_unit(name: str) -> bool:
    """Whether systemd has this unit: Pacemaker would describe one that is not there, too."""
    unit = name if "." in name else f"{name}.service"
    said = run(["systemctl", "show", "--property", "LoadState", "--value", unit]).stdout
    return said.strip() == "loaded"
