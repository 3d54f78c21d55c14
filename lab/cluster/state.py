"""The cluster as `crm_mon` describes it, as plain data. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from lab.errors import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberState:
    """One member."""

    name: str
    state: str
    """`online`, `offline`, `pending`, `unclean`, `standby` or `maintenance`."""
    leads: bool
    resources: tuple[str, ...]
    """What runs there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """The whole cluster, as one member sees it."""

    asked: str
    """The member that was asked."""
    quorum: bool
    maintenance: bool
    fencing: bool
    members: tuple[MemberState, ...]
    stopped: tuple[str, ...]
    """Resources that run nowhere."""
    failures: tuple[str, ...]
    """Operations that failed and were not cleaned up."""

    @property
    def is_well(self) -> bool:
        """A majority, every member there, nothing failed; standby and the like are meant so."""
        lost = [m for m in self.members if m.state in ("offline", "unclean", "pending")]
        return self.quorum and not lost and not self.failures

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self)


def cluster_state(text: str, *, asked: str) -> ClusterState:
    """What `crm_mon --one-shot --inactive --output-as xml` said. Raises LabError for other text."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - a lab's own machine wrote it
    except ET.ParseError:
        msg = f"{asked} said nothing that can be read of its cluster: {text[:200]!r}"
        raise LabError(msg) from None
    leader = root.find("./summary/current_dc")
    options = root.find("./summary/cluster_options")
    return ClusterState(
        asked=asked,
        quorum=leader is not None and leader.get("with_quorum") == "true",
        maintenance=options is not None and options.get("maintenance-mode") == "true",
        fencing=options is not None and options.get("stonith-enabled") == "true",
        members=tuple(_members(root)),
        stopped=tuple(_stopped(root)),
        failures=tuple(_failures(root)),
    )


def _members(root: ET.Element) -> Iterator[MemberState]:
    for node in root.iterfind("./nodes/node"):
        name = node.get("name", "")
        yield MemberState(
            name=name,
            state=_state(node),
            leads=node.get("is_dc") == "true",
            resources=tuple(sorted(_resources_on(root, name))),
        )


def _state(node: ET.Element) -> str:
    """The one word that matters most."""
    for word in ("unclean", "pending"):
        if node.get(word) == "true":
            return word
    if node.get("online") != "true":
        return "offline"
    for word in ("maintenance", "standby"):
        if node.get(word) == "true":
            return word
    return "online"


def _resources_on(root: ET.Element, member: str) -> Iterator[str]:
    for resource in root.iterfind("./resources//resource"):
        if any(node.get("name") == member for node in resource.iterfind("node")):
            role = resource.get("role", "")
            name = resource.get("id", "")
            yield f"{name} ({role})" if role in ("Promoted", "Unpromoted") else name


def _stopped(root: ET.Element) -> Iterator[str]:
    """Each that does not run, but not one that the cluster does not ask for: of a clone, Pacemaker
    lists an instance for each member whose history is known, also one that may not have it, and
    calls it orphaned."""
    for resource in root.iterfind("./resources//resource"):
        if resource.get("active") != "true" and resource.get("orphaned") != "true":
            yield resource.get("id", "")


def _failures(root: ET.Element) -> Iterator[str]:
    for failure in root.iterfind("./failures/failure"):
        reason = failure.get("exitreason") or failure.get("exitstatus") or "failed"
        yield f"{failure.get('op_key')} on {failure.get('node')}: {reason}"
