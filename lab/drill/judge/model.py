"""What a verdict says. All of it is data: JSON is its other form.

Every time is in seconds after the fault was begun (step `inject`), so that the times of several
runs can be laid over each other; without a fault, after the steady state was seen.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from lab.drill.events import Judgement, Limits, Prediction, Step

VERDICT_VERSION = 1
"""Grows when a field changes its meaning."""

Phase = Literal["before", "fault", "undo"]
"""`before`: over before the fault was begun; `undo`: began after its undoing was begun."""


class Part(BaseModel):
    """A part of a verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sentence(Part):
    """One sentence that says what was found and what was expected, in both languages."""

    code: str
    """Its kind, for programs: `outage`, `two-owners`, `lost-writes`..."""
    outcome: Judgement
    en: str
    fr: str

    def in_language(self, language: str) -> str:
        return self.fr if language == "fr" else self.en


class Outage(Part):
    """A time in which a client was not served."""

    begin: float
    """Start of the last good request before it; of the first request where none was good yet."""
    end: float
    """Start of the first of K good requests in a row; the end of the data where it never came."""
    duration_s: float
    phase: Phase
    is_over: bool
    """False: K good requests in a row never came."""
    until_undone: bool
    """It began under the fault and ended only when the fault was being undone: as a failover time
    it is a lower bound."""
    failed: int
    slow: int
    unknown: int


class Latency(Part):
    """Seconds that good requests took; percentiles by nearest rank."""

    p50: float
    p95: float
    p99: float
    max: float


class Client(Part):
    """What one client probe saw."""

    kind: Literal["request", "write"]
    is_session: bool
    """It keeps one connection: what it suffers includes TCP's own timers."""
    interval_s: float | None
    """Between two requests, as announced; None: it was not announced."""
    resolution_s: float | None
    """How exact its outages are: the interval, or the longest time in which it asked nothing
    where that was more. None: neither is known."""
    total: int
    good: int
    slow: int
    failed: int
    unknown: int
    failed_after: int
    """Of the failed ones, those after the fault was begun."""
    outages: tuple[Outage, ...]
    outage_s: float | None
    """The longest under the fault; 0.0: none; None: no data."""
    undo_outage_s: float | None
    """The longest that its undoing caused; None: no data."""
    latency: Latency | None
    servers_before: tuple[str, ...]
    servers_after: tuple[str, ...]
    """Who answered between the end of the last outage under the fault and its undoing."""
    balancers_before: tuple[str, ...]
    balancers_after: tuple[str, ...]


class Source(Part):
    """What one source said of the VIP's owner."""

    looks: int
    before: tuple[str, ...]
    """Its last word before the fault; empty where it was silent for over a second then."""
    after: tuple[str, ...]
    """Its last word of all; empty where that was over a second before the last of any source."""


class Vip(Part):
    """Who owned the VIP."""

    sources: dict[str, Source]
    owner_before: tuple[str, ...]
    owner_after: tuple[str, ...]
    new_owner: str | None
    """The first machine that was seen to own it under the fault and did not before."""
    moves: int
    """How many times it moved to another machine from the fault on, there and back."""
    seen_by: str | None
    """The source that saw it first."""
    seen_within_s: float | None
    """Since the look before of that source: the detection may have been so much earlier."""
    detection_s: float | None
    takeover_s: float | None
    overlaps: int
    """How many times more machines than allowed said at once that they own it."""
    overlap_s: float
    """For how long that is certain: each of them said so before and after."""
    overlap_at_most_s: float
    """The same if every word stayed true until the next one, or 250 ms."""
    arp_overlaps: int
    """How many times in a row of looks more machines than allowed answered on the wire."""
    arp_overlap_s: float


class Writes(Part):
    """What became of the numbered writes of one probe."""

    acknowledged: int
    unknown: int
    """Their answer was lost: they may be there or not."""
    failed: int
    lost: int | None
    """Acknowledged and not there; None: nobody looked."""
    lost_numbers: tuple[int, ...]
    """The first ten of them."""
    duplicates: int | None
    unattempted: int | None
    """There, although nobody wrote them."""


class Service(Part):
    """Who was primary of one replicated service."""

    primary_before: tuple[str, ...]
    primary_after: tuple[str, ...]
    overlaps: int
    """How many times two machines said at once that they are primary."""
    overlap_s: float


class AuditResult(Part):
    """One audit."""

    audit: str
    outcome: Judgement
    detail: str
    after_fault: bool


class Verdict(Part):
    """What one drill has shown."""

    version: int = VERDICT_VERSION
    fault: str
    tier: str
    stack: str
    timers: str
    provider: str
    victims: tuple[str, ...]
    run: int
    seed: int
    wall: str
    outcome: Judgement
    sentences: tuple[Sentence, ...]
    """Why: the failures first, then what is not known, then what was proven."""
    limits: Limits
    predicted: Prediction | None
    outage_s: float | None
    """The longest under the fault, of all clients that connect anew each time (where there is none
    of them: of all); None: no data."""
    session_outage_s: float | None
    """The longest of the clients that keep one connection; None: no data."""
    resolution_s: float | None
    """Of the probe that saw `outage_s`."""
    ratio: float | None
    """Measured divided by predicted."""
    total: int
    """Requests of the clients that connect anew each time (where there is none of them: of all);
    writes are counted apart."""
    failed: int
    """Of these, the failed ones after the fault was begun."""
    slow: int
    unknown: int
    injection_s: float | None
    """How long it took to inject the fault: its moment is known no better."""
    steps: dict[Step, float]
    clients: dict[str, Client]
    vip: Vip
    """The one that the fault is about."""
    other_vips: dict[str, Vip] = {}
    """By name; that of the load balancers is ''."""
    writes: dict[str, Writes]
    services: dict[str, Service]
    audits: tuple[AuditResult, ...]
    no_data: dict[str, str]
    """Probes that were announced and saw nothing after the fault, and why."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences in English."""
        return self.reasons_in("en")

    def reasons_in(self, language: str) -> tuple[str, ...]:
        """The sentences in one language."""
        return tuple(sentence.in_language(language) for sentence in self.sentences)
