"""What a tier registers with the drill: faults, probes, audits.

A tier is one module in `tiers/` with a `TIER`. It knows its own service only; when to inject, how
long to watch and how to judge is the same for all and lives in `run` and `verdict`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from components.timers import Timers
from lab.drill.events import AnyEvent, Judgement, Prediction
from lab.drill.scene import Scene
from lab.drill.target import Target

Emit = Callable[[AnyEvent], None]
"""Writes one event into the history."""


class Ability(StrEnum):
    """What a control can do to a machine; a fault names those that it needs."""

    POWER = "power"
    """Take the power away and give it back."""
    LINK = "link"
    """Cut the network link and join it again."""
    FREEZE = "freeze"
    """Pause all of it and let it go on."""


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages."""

    en: str
    fr: str

    def in_language(self, language: str) -> str:
        return self.fr if language == "fr" else self.en


Victims = tuple[str, ...]
"""Names of the machines that a fault breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break the lab, named by role: `vip-owner-power-off`."""

    name: str
    title: Text
    """`The VIP's owner loses power`."""
    resolve: Callable[[Scene], Awaitable[Victims]]
    """Who has the role now. Raises LabError where nobody has."""
    inject: Callable[[Scene, Victims], Awaitable[None]]
    undo: Callable[[Scene, Victims], Awaitable[None]]
    """Puts it right, also when `inject` was interrupted half-way or never ran; may run twice."""
    predict: Callable[[Timers, Target], Prediction]
    """Upper bound of the outage that a client sees."""
    needs: frozenset[Ability] = frozenset()
    failed_requests: int | None = None
    """Idempotent requests that may fail; None: as many as the outage costs."""
    why_not: Callable[[Target], str | None] = lambda _target: None
    """Why this lab cannot be broken this way (one app server only); None: it can."""
    effect_s: float = 0.0
    """Seconds that the fault stays in place at least, where its effect comes later than that of
    others (a slow link, a reload)."""
    until_undone: bool = False
    """Nothing in the lab ends it (pages that hang behind a healthy `/health`): it is undone after
    `effect_s`, and its outage lasts as long."""


class Probe(Protocol):
    """Watches the lab from outside while it breaks."""

    @property
    def name(self) -> str: ...

    @property
    def interval_s(self) -> float:
        """Between two looks: the resolution of what it says."""

    @property
    def is_session(self) -> bool:
        """Whether it is a client that keeps one connection."""

    def why_not(self, target: Target) -> str | None:
        """Why it cannot run here; None: it can."""

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        """Look until `stop` is set, then end what is in flight, and return within seconds.

        An exception here means that the probe died: what it should have seen is `no data`.
        """


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit found."""

    outcome: Judgement
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One sentence that must be true of a whole lab: `exactly one VIP owner`."""

    name: str
    title: Text
    check: Callable[[Scene], Awaitable[Finding]]
    """Looks once. Raises LabError where it cannot look: the outcome is then unknown."""
    within_s: float = 30.0
    """After a fault it may take this long to become true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One service of the lab, as the drill knows it."""

    name: str
    title: Text
    is_present: Callable[[Target], bool]
    faults: tuple[Fault, ...] = ()
    probes: tuple[Probe, ...] = ()
    audits: tuple[Audit, ...] = ()
    vip: str = ""
    """Name of the VIP that its faults are about; empty: the load balancers'."""
    labels: Mapping[str, Text] = field(default_factory=dict)
    """Names of its probes and sources for people, where their own name does not say it."""
