"""From what was found to the sentences of the verdict.

Every outage under the fault and during its undoing is held against `limits.outage_s`, for each
client probe; a client that keeps one connection may suffer longer (`clients.outage_limit_s`). With
each move of the VIP such a client may also lose one request more than `limits.failed_requests`: the
machine that has the VIP now knows nothing of connections to the other one. Without a fault (`none`)
there may be no outage and no failed request at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.drill.events import Judgement
from lab.drill.judge.clients import Pause, outage_limit_s
from lab.drill.judge.data import absent, latest
from lab.drill.judge.language import Phrase
from lab.drill.judge.model import AuditResult, Client, Outage, Sentence, Service, Vip, Writes
from lab.drill.judge.owners import WIRE
from lab.drill.judge.sentences import Seconds, sentence
from lab.drill.judge.timeline import NO_FAULT, Timeline

ORDER: tuple[Judgement, ...] = ("fail", "unknown", "pass")


def outcome_of(sentences: Sequence[Sentence]) -> Judgement:
    """What is certain counts first: a failure, then what is not known."""
    found = {each.outcome for each in sentences}
    return next(judgement for judgement in ORDER if judgement in found or judgement == "pass")


def sorted_sentences(found: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """The failures first; otherwise in the order in which they were found."""
    return tuple(sorted(found, key=lambda each: ORDER.index(each.outcome)))


def fault_phrase(time: Timeline) -> Phrase:
    """What was done to whom: `vip-owner-power-off of lb1`."""
    header = time.header
    # Doubled braces: these names are no places of a phrase.
    fault, who = (
        text.replace("{", "{{").replace("}", "}}")
        for text in (header.fault, ", ".join(header.victims))
    )
    return Phrase(f"{fault} of {who}", f"{fault} sur {who}") if who else Phrase(fault, fault)


def after_phrase(time: Timeline) -> Phrase:
    """`after vip-owner-power-off of lb1`."""
    if time.header.fault == NO_FAULT:
        return Phrase("without a fault", "sans panne")
    fault = fault_phrase(time)
    return Phrase(f"after {fault.en}", f"après {fault.fr}")


def about_data(
    time: Timeline,
    clients: Mapping[str, Client],
    missing: Mapping[str, str],
    pauses: Mapping[str, Sequence[Pause]],
) -> Iterator[Sentence]:
    """What the history lacks."""
    if "steady" not in time.steps:
        yield sentence("no-steady-state", "unknown")
    is_injected = {"inject", "injected"} <= set(time.steps)
    if not is_injected and time.header.fault != NO_FAULT:
        yield sentence("no-fault", "unknown", fault=fault_phrase(time))
    if "end" not in time.steps:
        yield sentence("cut-off", "unknown")
    if all(client.outage_s is None for client in clients.values()):
        yield sentence("no-client", "unknown")
    cannot_run = absent(time)
    for probe, why in missing.items():
        if probe not in cannot_run:
            yield sentence("no-data", "unknown", probe=probe, why=_short(why))
    for probe, of_probe in pauses.items():
        late = latest(time, clients[probe], of_probe)
        if late is not None and probe not in missing:
            interval, found = Seconds(time.header.probes[probe]), Seconds(late.length_s)
            yield sentence("late", "unknown", probe=probe, found=found, interval=interval)


def _short(why: str) -> str:
    """Of a traceback its last line."""
    lines = why.strip().splitlines()
    return why if len(lines) < 2 else f"{lines[0].partition(':')[0]}: {lines[-1].strip()}"


def about_client(
    time: Timeline,
    probe: str,
    client: Client,
    *,
    pauses: Sequence[Pause],
    is_whole: bool,
    moves: int,
) -> Iterator[Sentence]:
    """Its outages and failed requests. `is_whole`: it looked until the end of the drill; `moves`:
    how many times the VIP moved."""
    if client.outage_s is None:
        return
    yield from _unsteady(time, probe, client)
    limit = outage_limit_s(time, client)
    of_fault = [outage for outage in client.outages if outage.phase == "fault"]
    of_undo = [outage for outage in client.outages if outage.phase == "undo"]
    if not of_fault:
        yield _about_outage(time, "no-outage", "pass", probe, 0.0, limit)
    for outage in _worst_first(of_fault):
        code, outcome = _outage_found(time, outage, limit, pauses=pauses, is_whole=is_whole)
        yield _about_outage(time, code, outcome, probe, outage.duration_s, limit)
    for outage in _worst_first(of_undo):
        code, outcome = _outage_found(time, outage, limit, pauses=pauses, is_whole=is_whole)
        if outcome != "pass":
            of_undoing = "undo-outage" if code == "outage" else code
            yield _about_outage(time, of_undoing, outcome, probe, outage.duration_s, limit)
    if client.kind == "request":
        yield from _failed_requests(time, probe, client, moves)


def _worst_first(outages: Sequence[Outage]) -> list[Outage]:
    """The longest, and those that are worse in another way."""
    longest = sorted(outages, key=lambda outage: -outage.duration_s)[:1]
    worse = [o for o in outages if o not in longest and (not o.is_over or o.until_undone)]
    return longest + worse


def _outage_found(
    time: Timeline, outage: Outage, limit: float, *, pauses: Sequence[Pause], is_whole: bool
) -> tuple[str, Judgement]:
    """The kind of sentence and its outcome. Only what is certain is a failure: not the time in
    which the probe itself stood still, nor requests of which nothing is known."""
    idle = sum(pause.within(outage.begin, outage.end) for pause in pauses)
    is_too_long = outage.duration_s - idle > limit
    if outage.failed + outage.slow == 0:
        is_harmless = outage.is_over and outage.duration_s <= limit
        return ("outage", "pass") if is_harmless else ("outage-unknown", "unknown")
    if not outage.is_over and is_whole:
        return "never-recovered", "fail"
    if is_too_long:
        return "outage", "fail"
    if not outage.is_over:
        return "cut-off-outage", "unknown"
    if outage.until_undone and not time.header.limits.until_undone:
        return "until-undone", "unknown"
    return "outage", "pass" if outage.duration_s <= limit else "unknown"


def _about_outage(
    time: Timeline, code: str, outcome: Judgement, probe: str, found: float, limit: float
) -> Sentence:
    values = {
        "fault": fault_phrase(time),
        "after": after_phrase(time),
        "limit": Seconds(limit),
    }
    return sentence(code, outcome, probe=probe, found=Seconds(found), **values)


def _unsteady(time: Timeline, probe: str, client: Client) -> Iterator[Sentence]:
    steady = time.steps.get("steady")
    early = [o for o in client.outages if o.phase == "before"]
    if steady is not None:
        for outage in _worst_first([o for o in early if o.end > steady]):
            yield sentence("unsteady", "unknown", probe=probe, found=Seconds(outage.duration_s))


def _failed_requests(time: Timeline, probe: str, client: Client, moves: int) -> Iterator[Sentence]:
    has_fault = time.header.fault != NO_FAULT
    limit = time.header.limits.failed_requests if has_fault else 0
    if limit is None:
        return
    limit += moves if client.is_session and has_fault else 0
    values = {"probe": probe, "after": after_phrase(time), "limit": limit}
    judgement: Judgement = "pass" if client.failed_after <= limit else "fail"
    yield sentence("failed-requests", judgement, found=client.failed_after, **values)
    doubtful = sum(outage.unknown for outage in client.outages if outage.phase != "before")
    if judgement == "pass" and client.failed_after + doubtful > limit:
        yield sentence("failed-unknown", "unknown", found=doubtful, **values)


def vip_phrase(name: str) -> Phrase:
    """`the VIP`, or whose it is where it is not the load balancers'."""
    if not name:
        return Phrase("the VIP", "la VIP")
    shown = name.replace("{", "{{").replace("}", "}}")
    return Phrase(f"the {shown}'s VIP", f"la VIP du {shown}")


def owner_phrase(name: str) -> Phrase:
    """`VIP owner`."""
    whose = vip_phrase(name)
    owner = f"owner of {whose.en}" if name else "VIP owner"
    return Phrase(owner, f"détenteur de {whose.fr}")


def about_owners(time: Timeline, vip: Vip, name: str = "") -> Iterator[Sentence]:
    """At most so many machines own the VIP at the same time. A moment with more is tolerated of the
    load balancers' alone: VRRP has no arbiter, a cluster has, and never starts before it is sure.
    """
    limits = time.header.limits
    tolerated = 0.0 if name else limits.owner_overlap_s
    values = {
        "allowed": limits.max_owners,
        "limit": Seconds(tolerated),
        "vip": vip_phrase(name),
    }
    machines = ", ".join(source for source in vip.sources if source != WIRE)
    found = (
        ("two-owners", vip.overlaps, vip.overlap_s),
        ("two-answer-arp", vip.arp_overlaps, vip.arp_overlap_s),
    )
    for code, count, seconds in found:
        # Where nothing is tolerated a single moment is too much.
        if count and (seconds > tolerated or tolerated == 0):
            yield sentence(code, "fail", found=Seconds(seconds), machines=machines, **values)
        elif count:
            yield sentence("owners-tolerated", "pass", found=Seconds(seconds), **values)
    if vip.sources and not vip.overlaps and not vip.arp_overlaps:
        looks = sum(source.looks for source in vip.sources.values())
        sources = ", ".join(vip.sources)
        said = {"allowed": limits.max_owners, "looks": looks, "sources": sources}
        yield sentence("one-owner", "pass", owner=owner_phrase(name), **said)


def about_writes(probe: str, writes: Writes) -> Iterator[Sentence]:
    """Nothing that was acknowledged may be lost, nothing be there twice or unasked."""
    values = {"probe": probe, "acknowledged": writes.acknowledged}
    if writes.lost is None:
        yield sentence("writes-not-looked-for", "unknown", **values)
        return
    if writes.lost:
        numbers = ", ".join(map(str, writes.lost_numbers))
        yield sentence("lost-writes", "fail", found=writes.lost, numbers=numbers, **values)
    if writes.duplicates:
        yield sentence("duplicate-writes", "fail", found=writes.duplicates, **values)
    if writes.unattempted:
        yield sentence("unattempted-writes", "fail", found=writes.unattempted, **values)
    if not (writes.lost or writes.duplicates or writes.unattempted):
        yield sentence("writes-kept", "pass", **values)


def about_services(services: Mapping[str, Service]) -> Iterator[Sentence]:
    """At most one primary of each service."""
    for name, service in services.items():
        if service.overlaps:
            found = Seconds(service.overlap_s)
            yield sentence(
                "two-primaries", "fail", service=name, count=service.overlaps, found=found
            )


def about_audits(audits: Sequence[AuditResult]) -> Iterator[Sentence]:
    """The last word of each audit counts; one from before the fault says nothing about it."""
    last = {audit.audit: audit for audit in audits}
    for audit in last.values():
        if audit.outcome == "pass":
            continue
        code, outcome = (
            ("audit", audit.outcome) if audit.after_fault else ("audit-before", "unknown")
        )
        yield sentence(code, outcome, audit=audit.audit, detail=audit.detail)
