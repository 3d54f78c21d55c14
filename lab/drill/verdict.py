"""The verdict of a drill: a pure function of its history. And the summary of several runs.

What the numbers mean is defined where they are made: outages in `judge/clients.py`, detection and
takeover in `judge/owners.py`, overlaps in `judge/spans.py`, writes in `judge/writes.py`, what is
enough data in `judge/data.py`, and what each of them means for the outcome in `judge/rules.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from lab.drill.events import AnyEvent, AuditDone, Prediction
from lab.drill.judge.clients import clients, fresh
from lab.drill.judge.data import long_pauses, no_data
from lab.drill.judge.model import AuditResult, Client, Sentence, Verdict
from lab.drill.judge.numbers import rounded
from lab.drill.judge.owners import vips
from lab.drill.judge.rules import (
    about_audits,
    about_client,
    about_data,
    about_owners,
    about_services,
    about_writes,
    outcome_of,
    sorted_sentences,
)
from lab.drill.judge.services import services
from lab.drill.judge.summary import Summary, summarise
from lab.drill.judge.timeline import Timeline, timeline
from lab.drill.judge.writes import writes

__all__ = ["Sentence", "Summary", "Verdict", "judge", "summarise"]


def judge(history: Sequence[AnyEvent]) -> Verdict:
    """What the history shows. The order of the events behind the header does not matter.

    Raises ValueError where the first event is no header, and nothing else.
    """
    time = timeline(history)
    missing = no_data(time)
    seen = _honest(clients(time), missing)
    owners, written, roles = vips(time, seen), writes(time), services(time)
    audits = tuple(_audits(time))
    pauses = long_pauses(time, seen)

    def said() -> Iterator[Sentence]:
        yield from about_data(time, seen, missing, pauses)
        for probe, client in seen.items():
            is_whole = "end" in time.steps and probe not in missing
            yield from about_client(
                time,
                probe,
                client,
                pauses=pauses.get(probe, ()),
                is_whole=is_whole,
                moves=owners[""].moves,
            )
        for name, of_vip in owners.items():
            yield from about_owners(time, of_vip, name)
        for probe, of_probe in written.items():
            yield from about_writes(probe, of_probe)
        yield from about_services(roles)
        yield from about_audits(audits)

    found = sorted_sentences(list(said()))
    header, worst = time.header, _worst(fresh(seen.values()))
    worst_session = _worst([client for client in seen.values() if client.is_session])
    requests = fresh([client for client in seen.values() if client.kind == "request"])
    return Verdict(
        fault=header.fault,
        tier=header.tier,
        stack=header.stack,
        timers=header.timers,
        provider=header.provider,
        victims=header.victims,
        run=header.run,
        seed=header.seed,
        wall=header.wall,
        outcome=outcome_of(found),
        sentences=found,
        limits=header.limits,
        predicted=header.predicted,
        outage_s=worst.outage_s if worst else None,
        session_outage_s=worst_session.outage_s if worst_session else None,
        resolution_s=worst.resolution_s if worst else None,
        ratio=_ratio(worst, header.predicted),
        total=sum(client.total for client in requests),
        failed=sum(client.failed_after for client in requests),
        slow=sum(client.slow for client in requests),
        unknown=sum(client.unknown for client in requests),
        injection_s=_injection_s(time),
        steps=dict(time.steps),
        clients=seen,
        vip=owners[time.header.vip],
        other_vips={name: seen for name, seen in owners.items() if name != time.header.vip},
        writes=written,
        services=roles,
        audits=audits,
        no_data=missing,
    )


def _honest(seen: Mapping[str, Client], missing: Mapping[str, str]) -> dict[str, Client]:
    """A probe that did not look until the end cannot say that there was no outage; one that it
    saw remains, as a lower bound."""
    without = {"outage_s": None, "undo_outage_s": None}
    return {
        probe: client.model_copy(update=without)
        if probe in missing and not client.outage_s
        else client
        for probe, client in seen.items()
    }


def _worst(clients: Collection[Client]) -> Client | None:
    """The client that was without service for longest; of equal ones the least exact."""
    with_data = [client for client in clients if client.outage_s is not None]
    return max(with_data, key=lambda c: (c.outage_s or 0.0, c.resolution_s or 0.0), default=None)


def _ratio(worst: Client | None, predicted: Prediction | None) -> float | None:
    if worst is None or worst.outage_s is None or predicted is None or predicted.seconds <= 0:
        return None
    return rounded(worst.outage_s / predicted.seconds)


def _injection_s(time: Timeline) -> float | None:
    begin, injected = time.steps.get("inject"), time.steps.get("injected")
    return None if begin is None or injected is None else rounded(injected - begin)


def _audits(time: Timeline) -> Iterator[AuditResult]:
    for event in time.of(AuditDone):
        begin = time.fault_begin
        yield AuditResult(
            audit=event.audit,
            outcome=event.outcome,
            detail=event.detail,
            after_fault=begin is not None and time.at(event) >= begin,
        )
