"""The storage as one server describes it, in plain words. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lab.errors import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class BrickState:
    """One brick of a volume."""

    volume: str
    name: str
    """`server:/directory`."""
    online: bool
    pending: int | None
    """Entries that its copy has and another must get; None: it cannot be asked."""
    split_brain: int | None

    @property
    def server(self) -> str:
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageState:
    """The whole storage, as one server sees it."""

    asked: str
    """The server that was asked."""
    servers: Mapping[str, str]
    """`connected`, or what is wrong with it, by name."""
    identities: Mapping[str, str]
    """What the pool calls each server."""
    stopped: tuple[str, ...]
    """Volumes that are not started."""
    bricks: tuple[BrickState, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in sentences; none where all is well."""
        found = [f"{name} is {how}" for name, how in self.servers.items() if how != "connected"]
        found += [f"volume {name} is not started" for name in self.stopped]
        found += [f"brick {b.name} of {b.volume} is down" for b in self.bricks if not b.online]
        for volume in dict.fromkeys(brick.volume for brick in self.bricks):
            own = [brick for brick in self.bricks if brick.volume == volume]
            if split := max((b.split_brain or 0 for b in own), default=0):
                found.append(
                    f"{volume}: {split} entries in split-brain: their copies contradict each other,"
                    " and nobody can say which is right (docs/storage.md: decide, one by one)"
                )
            elif pending := max((b.pending or 0 for b in own), default=0):
                found.append(f"{volume}: {pending} entries wait to be healed")
        return tuple(found)

    @property
    def is_well(self) -> bool:
        return not self.problems

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "problems": list(self.problems)}


def storage_state(status: str, healing: str, *, asked: str, servers: Sequence[str]) -> StorageState:
    """What a server said. Raises LabError for other text."""
    try:
        seen: dict[str, Any] = json.loads(status)
        entries: list[dict[str, Any]] = json.loads(healing)
        heals = {(e["volume"], e["brick"]): e for e in entries if e["reached"]}
        volumes = seen["volumes"]
        return StorageState(
            asked=asked,
            servers={name: _connection(name, seen) for name in servers},
            identities={name: _identity(name, seen) for name in servers},
            stopped=tuple(volume["name"] for volume in volumes if not volume["started"]),
            bricks=tuple(
                _brick(volume, name, heals) for volume in volumes for name in volume["bricks"]
            ),
        )
    except (ValueError, KeyError, TypeError):
        msg = f"{asked} said nothing that can be read of its storage: {status[:200]!r}"
        raise LabError(msg) from None


def _peer(name: str, seen: Mapping[str, Any]) -> Mapping[str, Any] | None:
    named = (p for p in seen["peers"] if name in {alias.split(".")[0] for alias in p["names"]})
    return next(named, None)


def _connection(name: str, seen: Mapping[str, Any]) -> str:
    if name == seen["machine"]:
        return "connected"
    peer = _peer(name, seen)
    if peer is None:
        return "not in the pool"
    if not peer["connected"]:
        return "not connected"
    state = str(peer["state"])
    return "connected" if peer["is_member"] else f"no member of the pool ({state})"


def _identity(name: str, seen: Mapping[str, Any]) -> str:
    if name == seen["machine"]:
        return str(seen["uuid"])
    peer = _peer(name, seen)
    return "" if peer is None else str(peer["uuid"])


def _brick(
    volume: Mapping[str, Any], name: str, heals: Mapping[tuple[str, str], Mapping[str, Any]]
) -> BrickState:
    running = {brick["name"]: bool(brick["online"]) for brick in volume["running"]}
    heal = heals.get((volume["name"], name))
    return BrickState(
        volume=volume["name"],
        name=name,
        online=running.get(name, False),
        pending=None if heal is None else int(heal["pending"]),
        split_brain=None if heal is None else int(heal["split_brain"]),
    )
