"""What is known of one engine of a lab. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.database.guest.model import MANUAL, PACEMAKER, PRIMARY, REPLICA, Seen, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One entry of the ledger: a machine became primary, or was told to go on without a replica."""

    machine: str
    term: int
    alone: bool
    """Its writes wait for nobody from then on, until a replica is there again."""
    position: str
    """How far its log went then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one machine said."""

    machine: str
    state: State | None
    """None: it did not answer."""
    seen: Seen | None = None
    """The last primary that its role service heard of."""
    why: str = ""
    """Why it did not answer."""
    is_off: bool = False
    """It has no power, so it is surely no primary; one that is only silent may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One engine on all its machines."""

    engine: str
    synchronous: bool
    """Writes wait for a replica, by settings."""
    looks: Mapping[str, Look]
    failover: str = MANUAL

    @property
    def is_in_cluster(self) -> bool:
        """The cluster decides who is primary."""
        return self.failover == PACEMAKER

    def with_role(self, role: str) -> tuple[State, ...]:
        """The machines that say that they have a role."""
        return tuple(
            look.state
            for _, look in sorted(self.looks.items())
            if look.state is not None and look.state.role == role
        )

    @property
    def primaries(self) -> tuple[State, ...]:
        return self.with_role(PRIMARY)

    @property
    def replicas(self) -> tuple[State, ...]:
        return self.with_role(REPLICA)

    @property
    def silent(self) -> tuple[str, ...]:
        """Machines that did not answer."""
        return tuple(name for name, look in sorted(self.looks.items()) if look.state is None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Machines that did not answer although they may be running."""
        return tuple(name for name in self.silent if not self.looks[name].is_off)
