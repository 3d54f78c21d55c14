"""What a history consists of: one class for each kind of event, as JSON objects of one line.

`t` is CLOCK_MONOTONIC of the host that runs the drill, in seconds: it never jumps, and all
processes of that host share it. `Header.wall` ties it to the calendar. Events of several probes
arrive in any order; `t` decides.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HISTORY_VERSION = 1
"""Grows when an old history would be judged wrongly by its new meaning."""

BY_HAND = "hand"
"""Provider of a history in which no tool broke anything."""
Outcome = Literal["ok", "failed", "unknown"]
"""`unknown`: it may or may not have happened, for example a write whose answer was lost."""
Judgement = Literal["pass", "fail", "unknown"]
Step = Literal["steady", "inject", "injected", "recovered", "undo", "undone", "settled", "end"]
"""`inject`/`undo`: about to; `injected`/`undone`: done; `recovered`/`settled`: clients are served
again after the fault / after its undoing; `steady`: the steady state was seen; `end`: no more
requests are sent after this."""


class Event(BaseModel):
    """One thing that happened or was seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    t: float
    """Seconds on the monotonic clock; of a request or write: when it was begun."""


class Prediction(BaseModel):
    """What a fault should cost a client at most, from the timers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float
    formula: str
    """With the numbers in it: `3 x 50 ms advert + 3 ms skew (RFC 5798)`."""
    failed_requests: int | None = None
    """Idempotent requests that may fail with these timers; None: as many as the outage costs."""


class Limits(BaseModel):
    """What a drill must not exceed to pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outage_s: float
    """Longest outage, for every client probe."""
    failed_requests: int | None = None
    """Requests that may fail; None: as many as the outage costs."""
    slow_s: float
    """An answer that takes longer is slow, and does not count as service."""
    good_in_row: int = 10
    """So many good requests in a row end an outage (K)."""
    max_owners: int = 1
    """Machines that may own the VIP at the same time."""
    owner_overlap_s: float = 0.0
    """How long more owners than that are tolerated."""
    in_flight_s: float = 0.0
    """How long a session may wait for a server that took its request and then vanished."""
    until_undone: bool = False
    """Nothing in the lab ends the fault: the outage may last until it is undone."""


class Header(Event):
    """First line of a history: what was done to which lab, and what it is judged by."""

    kind: Literal["drill"] = "drill"
    version: int = HISTORY_VERSION
    stack: str
    provider: str
    """`libvirt`, `rig` or `existing`: how the machines were broken; BY_HAND: a person broke them,
    and the steps `inject` and `injected` were found afterwards (see `lab/exercise/signs.py`)."""
    timers: str
    fault: str
    """Its name; `none` for a drill without a fault."""
    tier: str
    run: int
    seed: int
    wall: str
    """Wall-clock time of `t`, ISO 8601 with offset."""
    victims: tuple[str, ...]
    """The machines that are broken, resolved at run time; may be empty."""
    predicted: Prediction | None
    limits: Limits
    probes: dict[str, float]
    """Every probe that was to run, and its interval in seconds: the resolution of its numbers."""
    sessions: tuple[str, ...] = ()
    """Those probes that keep one connection: what they suffer includes TCP's own timers."""
    vip_machines: tuple[str, ...] = ()
    """The machines that may own the VIP."""
    vip: str = ""
    """The VIP that the fault is about: empty for the load balancers', else its name."""


class Request(Event):
    """One request of a client."""

    kind: Literal["request"] = "request"
    probe: str
    took_s: float
    outcome: Outcome
    status: int = 0
    """HTTP status; 0 where there was no answer."""
    server: str = ""
    """The app server that answered."""
    balancer: str = ""
    """The load balancer that it came through."""
    detail: str = ""
    """Why it failed, in a few words."""
    waits_since: float | None = None
    """When the oldest request was begun that was in flight when this one was over; None: all were
    over. Who decides while a drill runs must not take those for answered."""


class Owner(Event):
    """Who has the VIP, as one source sees it; repeated at least every 100 ms while it looks."""

    kind: Literal["owner"] = "owner"
    source: str
    """`arp` (who answers on the wire), or the name of the machine that was asked about itself."""
    owners: tuple[str, ...]
    """Names of the machines; an unknown MAC address stands for itself."""
    probe: str = ""
    """The probe that looked, as the header announces it; empty: one named as the source."""
    vip: str = ""
    """Which VIP it is: empty for the load balancers', else its name, such as `cluster`."""


class RoleSeen(Event):
    """The role of one machine of a replicated service, as the machine itself says."""

    kind: Literal["role"] = "role"
    service: str
    machine: str
    role: str
    """`primary` (takes writes), `replica`, `down` or `unknown`."""
    probe: str = ""
    """The probe that looked, as the header announces it; empty: one named as the service."""


class Write(Event):
    """One numbered write of a client."""

    kind: Literal["write"] = "write"
    probe: str
    number: int
    took_s: float
    outcome: Outcome
    detail: str = ""
    waits_since: float | None = None
    """When the oldest write was begun that was in flight when this one was over; None: all were
    over. Who decides while a drill runs must not take those for answered."""


class Present(Event):
    """What was found of a probe's writes at the end: ranges of numbers, both ends included."""

    kind: Literal["present"] = "present"
    probe: str
    numbers: tuple[tuple[int, int], ...]
    duplicates: tuple[int, ...] = ()


class PhaseEvent(Event):
    """The drill's own steps."""

    kind: Literal["phase"] = "phase"
    step: Step
    detail: str = ""


class ProbeState(Event):
    """A probe began, ended, or died."""

    kind: Literal["probe"] = "probe"
    probe: str
    state: Literal["started", "stopped", "died", "absent"]
    """`absent`: it cannot run here; why is in `detail`."""
    detail: str = ""


class AuditDone(Event):
    """One audit after (or before) the fault."""

    kind: Literal["audit"] = "audit"
    audit: str
    outcome: Judgement
    detail: str = ""


class Note(Event):
    """Something worth knowing that nothing is computed from, such as a jump of the wall clock."""

    kind: Literal["note"] = "note"
    source: str
    text: str


AnyEvent = Annotated[
    Header
    | Request
    | Owner
    | RoleSeen
    | Write
    | Present
    | PhaseEvent
    | ProbeState
    | AuditDone
    | Note,
    Field(discriminator="kind"),
]
EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
