"""The pool: which servers there are, and whether each sees the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import parse
from .system import GlusterError, ToolError, gluster, gluster_xml, must, note, wait_until

INFO = Path("/var/lib/glusterd/glusterd.info")
PEERS = INFO.with_name("peers")
MEMBER = 3
"""GD_FRIEND_STATE_BEFRIENDED (glusterd-sm.h), shown as `Peer in Cluster`."""
STRANGER = re.compile("already part of another cluster|having volumes configured")
PROBE_TIMEOUT_S = 60.0
PEERS_AGAIN_S = 15.0
"""For a pool that has volumes already: a server that is away longer than this is not waited for."""


class StrangerError(ToolError):
    """This machine is new, and the others have a pool that knew the one before."""


def peers(server: str = "") -> tuple[parse.Peer, ...]:
    """The other servers, as this one sees them, or another one."""
    where = [f"--remote-host={server}"] if server else []
    return parse.peers(gluster_xml(*where, "peer", "status"))


def volumes() -> dict[str, parse.Volume]:
    return parse.volumes(gluster_xml("volume", "info"))


def bricks(volume: parse.Volume) -> tuple[parse.Brick, ...]:
    """Its bricks; none of them online where it was not started."""
    if not volume.started:
        return tuple(parse.Brick(name=b, online=False, pid=0, port="") for b in volume.bricks)
    return parse.bricks(gluster_xml("volume", "status", volume.name), volume)


def own_uuid() -> str:
    """This server's identity in the pool."""
    found = re.search(r"^UUID=(\S+)$", INFO.read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise ToolError(f"{INFO} has no UUID")
    return found[1]


def gather(machine: str, servers: Sequence[str], *, within_s: float) -> list[str]:
    """Make one pool of all servers; the ones that are not with it although they once were.

    Raises StrangerError on a machine that the others do not know, ToolError where a server cannot
    be won.
    """
    others = [server for server in servers if server != machine]
    known = peers()
    for server in others:
        if parse.peer_named(known, server) is None:
            probe(server)
    has_volumes = bool(volumes())
    try:
        wait_until(
            lambda: who_is_missing(machine, servers),
            within_s=PEERS_AGAIN_S if has_volumes else within_s,
        )
    except ToolError:
        if not has_volumes:
            raise
    return [server for server in others if not is_with(peers(), server)]


def probe(server: str) -> None:
    """Ask one server to join."""
    try:
        gluster("peer", "probe", server, timeout_s=PROBE_TIMEOUT_S)
    except GlusterError as error:
        if STRANGER.search(error.said):
            raise StrangerError(f"{server} has a pool already") from None
        raise
    note(f"{server} joined the pool")


def is_with(known: Sequence[parse.Peer], server: str) -> bool:
    peer = parse.peer_named(known, server)
    return peer is not None and peer.connected and peer.is_member


def who_is_missing(machine: str, servers: Sequence[str]) -> str:
    """What keeps the servers from being one pool, as each of them sees it; empty: nothing."""
    for asked in servers:
        known = peers("" if asked == machine else asked)
        for server in servers:
            if server != asked and not is_with(known, server):
                peer = parse.peer_named(known, server)
                state = "not known there" if peer is None else f"{peer.state}, "
                if peer is not None:
                    state += "connected" if peer.connected else "not connected"
                return f"{asked} does not see {server} ({state})"
    return ""


def adopt(uuid: str, friends: Mapping[str, str]) -> None:
    """This machine, installed anew, takes the place that the pool keeps for its name.

    `friends`: the other servers' identities by name. They are written down as members already, as
    Red Hat's guide does for a host of the same name: a probe from here is accepted by one server
    alone, and at times stays half-way for ever (`Sent and Received peer request`).
    """
    if own_uuid() != uuid and (volumes() or peers()):
        raise ToolError(
            "this machine is in a pool already, with an identity of its own: it does not take "
            f"another one ({uuid})"
        )
    if volumes():
        return
    take_place(uuid, friends)
    names = ", ".join(sorted(friends))
    wait_until(lambda: "" if volumes() else f"{names} have told of no volume", within_s=60)


def take_place(uuid: str, friends: Mapping[str, str]) -> None:
    """Written while the daemon is stopped: it writes these files itself."""
    text = INFO.read_text(encoding="ascii")
    must(["systemctl", "stop", "glusterd.service"])
    for file in PEERS.iterdir():
        file.unlink()
    for name, identity in friends.items():
        (PEERS / identity).write_text(peer_file(name, identity), "ascii")
    new = INFO.with_suffix(".new")
    new.write_text(re.sub(r"^UUID=\S+$", f"UUID={uuid}", text, flags=re.MULTILINE), "ascii")
    new.replace(INFO)
    must(["systemctl", "start", "glusterd.service"])
    wait_until(lambda: "" if gluster("peer", "status") else "glusterd says nothing", within_s=30)


def peer_file(name: str, identity: str) -> str:
    """A member of the pool, as glusterd keeps it."""
    return f"uuid={identity}\nstate={MEMBER}\nhostname1={name}\n"
