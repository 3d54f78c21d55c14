"""What is known of a database on one machine, as JSON between machines and to `lab db`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

STATE_DIR = Path("/var/lib/ha-lab")

PRIMARY, REPLICA = "primary", "replica"
WAITING = "waiting"
"""It was the primary and may not start as such before the other machines have been asked."""
DOWN, ABSENT, UNKNOWN = "down", "absent", "unknown"
"""Not running; never set up here; cannot be said."""

MANUAL, PACEMAKER = "manual", "pacemaker"
"""Who decides that a replica becomes primary: a person, or the cluster."""
TITLES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}

ON, ALONE, OFF = "on", "alone", "off"
"""Does a primary wait for a replica: yes; no, because it was told to go on without one; never."""


@dataclass(frozen=True)
class Follower:
    """A replica as its primary sees it."""

    name: str
    streaming: bool
    synchronous: bool
    """Its acknowledgement is one that writes wait for."""
    lag_bytes: int | None
    """Of the log, not yet on its disk; None: some, and the engine does not say how much."""


@dataclass(frozen=True)
class State:
    """One engine on one machine, now."""

    machine: str
    role: str
    term: int = 0
    """Grows with every promotion; the highest one is right (PostgreSQL: the timeline)."""
    position: str = ""
    """How far its log goes: written by a primary, received by a replica."""
    was: str = ""
    """Not running: the role that the data on its disk is in, as far as the machine may say it."""
    follows: str = ""
    """Address of the primary that a replica receives from; empty: from none now."""
    lag_s: float = 0.0
    """A replica's age of what it shows, in seconds; 0 once it has applied all that it received."""
    synchronous: str = ""
    """Of a primary: `on`, `alone` or `off`."""
    followers: tuple[Follower, ...] = ()
    detail: str = ""
    """Why, where a role needs words."""

    @property
    def is_streaming(self) -> bool:
        return bool(self.follows)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def state_from(data: Mapping[str, Any]) -> State:
    """A state of its JSON; keys of a later release are left out. Raises KeyError or TypeError."""
    known = {item.name for item in fields(State)}
    values = {key: value for key, value in data.items() if key in known}
    values["followers"] = tuple(Follower(**follower) for follower in values.get("followers", ()))
    return State(**values)


@dataclass(frozen=True)
class Seen:
    """The last primary that a machine heard of, kept on its disk."""

    machine: str
    term: int
    synchronous: str


@dataclass(frozen=True)
class Engine:
    """How one engine is set up on this machine."""

    name: str
    version: int
    """Major version, where files and units are named after it; else 0."""
    bootstrap: bool
    """It makes the first primary, where there is no data anywhere."""
    synchronous: bool
    failover: str
    port: int
    seed_port: int = 0
    """MariaDB: where another machine gets a copy of the data."""

    @property
    def title(self) -> str:
        """Its name for people."""
        return TITLES[self.name]


def managed_file(engine: str, folder: Path = STATE_DIR) -> Path:
    """There while the cluster, and nobody else, starts this engine on this machine."""
    return folder / f"{engine}-in-cluster"


@dataclass(frozen=True)
class Config:
    """What this machine is told about the databases; no secrets."""

    machine: str
    address: str
    role_port: int
    peers: Mapping[str, str]
    """Addresses of the other database machines, by name."""
    engines: Mapping[str, Engine] = field(default_factory=dict)


def config_from(data: Mapping[str, Any]) -> Config:
    """The configuration of its JSON."""
    engines = {name: Engine(name=name, **values) for name, values in data["engines"].items()}
    return Config(**{**data, "engines": engines})
