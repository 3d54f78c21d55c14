"""Who owned the VIP: as the wire says (`arp`), and as each machine says of itself.

*Detection* is from the step `inject` (the fault was about to be injected, so the time of the
command itself, `injection_s`, is in it) until the first look of any source that shows an owner that
was none before the fault. The true moment is up to `seen_within_s` earlier: since the look before.

*Takeover* is from that moment until every client that was in an outage then is served again (of
those that connect anew each time: an open connection waits for TCP's own timers besides): the
latest end of the outages under the fault that contain the moment. It is 0 where no client had an
outage under the fault at all. It is None where nothing can be said: no new owner was seen, there is
no data of clients, they are not served again, or all their outages were over before the new owner
was seen (the looks are then too far apart to tell the two apart).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from lab.drill.events import Owner
from lab.drill.judge.clients import fresh
from lab.drill.judge.model import Client, Source, Vip
from lab.drill.judge.numbers import rounded
from lab.drill.judge.spans import Word, at_most, certain, overlap, repeated
from lab.drill.judge.timeline import Timeline, names

WIRE = "arp"
"""The source that looks at the wire; every other one is a machine that speaks of itself."""
FRESH_S = 1.0
"""A machine that was last heard longer ago may have been off since."""


@dataclass(frozen=True, slots=True)
class _Look:
    t: float
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """A new owner, as one source saw it first."""

    t: float
    source: str
    owner: str
    within_s: float | None


def vips(time: Timeline, clients: Mapping[str, Client]) -> dict[str, Vip]:
    """What is known of each VIP's owner, by its name; of the load balancers' ('') and of the one
    that the fault is about in any case."""
    names_seen = {event.vip for event in time.of(Owner)}
    wanted = sorted({"", time.header.vip, *names_seen})
    return {name: vip(time, clients, name) for name in wanted}


def vip(time: Timeline, clients: Mapping[str, Client], name: str = "") -> Vip:
    """What is known of one VIP's owner; without any source of it everything is empty or None."""
    looks = _looks(time, name)
    last = max((seen[-1].t for seen in looks.values()), default=0.0)
    sources = {source: _source(time, seen, last) for source, seen in looks.items()}
    before = names(chain.from_iterable(s.before for s in sources.values()))
    change = _first_change(time, looks, before)
    allowed = time.header.limits.max_owners
    machines = [seen for source, seen in looks.items() if source != WIRE]
    words = [[Word(look.t, bool(look.owners)) for look in seen] for seen in machines]
    sure = overlap([certain(of_one) for of_one in words], allowed)
    possible = overlap([at_most(of_one) for of_one in words], allowed)
    wire = repeated((look.t, len(look.owners) > allowed) for look in looks.get(WIRE, ()))
    return Vip(
        sources=sources,
        owner_before=before,
        owner_after=names(chain.from_iterable(s.after for s in sources.values())),
        moves=_moves(time, looks),
        new_owner=change.owner if change else None,
        seen_by=change.source if change else None,
        seen_within_s=change.within_s if change else None,
        detection_s=rounded(change.t) if change else None,
        takeover_s=_takeover_s(change.t, clients.values()) if change else None,
        overlaps=sure.count,
        overlap_s=sure.seconds,
        overlap_at_most_s=possible.seconds,
        arp_overlaps=wire.count,
        arp_overlap_s=wire.seconds,
    )


def _looks(time: Timeline, name: str) -> dict[str, list[_Look]]:
    looks: dict[str, list[_Look]] = {}
    for event in time.of(Owner):
        if event.vip == name:
            look = _Look(time.at(event), names(event.owners))
            looks.setdefault(event.source, []).append(look)
    return {source: looks[source] for source in sorted(looks)}


def _source(time: Timeline, looks: Sequence[_Look], last: float) -> Source:
    begin = last if time.fault_begin is None else time.fault_begin
    before = [look for look in looks if look.t < begin]
    return Source(looks=len(looks), before=_word(before, begin), after=_word(looks, last))


def _word(looks: Sequence[_Look], moment: float) -> tuple[str, ...]:
    """What the last look showed, unless it was too long before the moment."""
    return looks[-1].owners if looks and moment - looks[-1].t <= FRESH_S else ()


def _first_change(
    time: Timeline, looks: Mapping[str, Sequence[_Look]], before: Sequence[str]
) -> _Change | None:
    begin = time.fault_begin
    if begin is None or not before:
        return None
    changes = []
    for source, seen in looks.items():
        for place, look in enumerate(seen):
            new = [owner for owner in look.owners if owner not in before]
            if new and begin <= look.t < time.undo_begin:
                within = rounded(look.t - seen[place - 1].t) if place else None
                changes.append(_Change(look.t, source, new[0], within))
                break
    return min(changes, key=lambda change: (change.t, change.source), default=None)


def _moves(time: Timeline, looks: Mapping[str, Sequence[_Look]]) -> int:
    """How many times another machine got it from the fault on: as the wire shows, or as often as
    machines began to say so, whichever is more (a short move may be seen by one of them alone)."""
    begin = time.fault_begin
    if begin is None:
        return 0
    on_wire = [look for look in looks.get(WIRE, ()) if look.owners]
    machines = [seen for source, seen in looks.items() if source != WIRE]
    return max(
        sum(b.owners != a.owners and b.t >= begin for a, b in pairwise(on_wire)),
        sum(
            bool(b.owners) and not a.owners and b.t >= begin
            for seen in machines
            for a, b in pairwise(seen)
        ),
    )


def _takeover_s(moment: float, clients: Collection[Client]) -> float | None:
    asked = fresh([client for client in clients if client.kind == "request"])
    if all(client.outage_s is None for client in asked):
        return None
    suffered = [o for client in asked for o in client.outages if o.phase == "fault"]
    if not suffered:
        return 0.0
    during = [outage for outage in suffered if outage.begin <= moment <= outage.end]
    if not during or not all(outage.is_over for outage in during):
        return None
    return rounded(max(outage.end for outage in during) - moment)
