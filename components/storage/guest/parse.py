"""What Gluster says of itself as XML, as plain data. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass

IN_CLUSTER = "3"
"""State of a peer that is a member of the pool (Peer in Cluster)."""


@dataclass(frozen=True)
class Peer:
    """Another server, as one of them sees it."""

    uuid: str
    names: tuple[str, ...]
    connected: bool
    state: str
    """`Peer in Cluster`, `Peer Rejected`..."""
    is_member: bool


@dataclass(frozen=True)
class Volume:
    """A volume as it was made and set."""

    name: str
    id: str
    started: bool
    replica: int
    arbiter: bool
    bricks: tuple[str, ...]
    """`server:/directory`, in order: each `replica` of them hold the same files."""
    options: dict[str, str]

    def set_of(self, brick: str) -> tuple[str, ...]:
        """The bricks that hold the same files as this one, and itself."""
        at = self.bricks.index(brick)
        first = at - at % self.replica
        return self.bricks[first : first + self.replica]


@dataclass(frozen=True)
class Brick:
    """A brick, as it runs."""

    name: str
    online: bool
    pid: int
    port: str


@dataclass(frozen=True)
class Heal:
    """What must be healed on one brick; `reached` False: nobody can say."""

    brick: str
    reached: bool
    pending: int
    split_brain: int


def peers(root: ET.Element) -> tuple[Peer, ...]:
    """Of `gluster peer status --xml`."""
    found = []
    for node in root.iter("peer"):
        names = [name.text or "" for name in node.iterfind("hostnames/hostname")]
        names = [node.findtext("hostname", ""), *names]
        found.append(
            Peer(
                uuid=node.findtext("uuid", ""),
                names=tuple(dict.fromkeys(name for name in names if name)),
                connected=node.findtext("connected") == "1",
                state=node.findtext("stateStr", "unknown"),
                is_member=node.findtext("state") == IN_CLUSTER,
            )
        )
    return tuple(found)


def peer_named(known: Iterable[Peer], name: str) -> Peer | None:
    """The peer of this name, which may be known by its full name (`gluster1.lab.internal`)."""
    for peer in known:
        if name in {alias.split(".")[0] for alias in peer.names}:
            return peer
    return None


def volumes(root: ET.Element) -> dict[str, Volume]:
    """Of `gluster volume info --xml`, by name."""
    found = {}
    for node in root.iterfind("volInfo/volumes/volume"):
        name = node.findtext("name", "")
        found[name] = Volume(
            name=name,
            id=node.findtext("id", ""),
            started=node.findtext("status") == "1",
            replica=int(node.findtext("replicaCount", "1")),
            arbiter=int(node.findtext("arbiterCount", "0")) > 0,
            bricks=tuple(b.findtext("name", "") for b in node.iterfind("bricks/brick")),
            options={
                option.findtext("name", ""): option.findtext("value", "")
                for option in node.iterfind("options/option")
            },
        )
    return found


def bricks(root: ET.Element, volume: Volume) -> tuple[Brick, ...]:
    """Of `gluster volume status NAME --xml`. A server that is away says nothing: it is offline."""
    running = {}
    for node in root.iterfind("volStatus/volumes/volume/node"):
        name = f"{node.findtext('hostname', '')}:{node.findtext('path', '')}"
        running[name] = Brick(
            name=name,
            online=node.findtext("status") == "1",
            pid=_number(node.findtext("pid")),
            port=node.findtext("ports/tcp") or node.findtext("port") or "",
        )
    nothing = (Brick(name=name, online=False, pid=0, port="") for name in volume.bricks)
    return tuple(running.get(brick.name, brick) for brick in nothing)


def heals(root: ET.Element) -> tuple[Heal, ...]:
    """Of `gluster volume heal NAME info summary --xml`."""
    return tuple(
        Heal(
            brick=node.findtext("name", ""),
            reached=node.findtext("status") == "Connected",
            pending=_number(node.findtext("totalNumberOfEntries")),
            split_brain=_number(node.findtext("numberOfEntriesInSplitBrain")),
        )
        for node in root.iterfind("healInfo/bricks/brick")
    )


def _number(text: str | None) -> int:
    """A count; `-` and N/A stand for what is not known."""
    return int(text) if text is not None and text.lstrip("-").isdigit() else 0
