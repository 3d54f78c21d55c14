"""Literal histories for tests, in few words.

    history("vip-owner-power-off", victims=("lb1",)).outage(0, 0.2).events()

Every time is in seconds after the fault is begun, as in a verdict. A history begins as a clean one:
steady, injected, undone, ended, a request every 10 ms, `lb1` owning the VIP. Each method gives a
new history, so that one may be the beginning of several.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.drill.events import (
    AnyEvent,
    AuditDone,
    Header,
    Judgement,
    Limits,
    Note,
    Outcome,
    Owner,
    PhaseEvent,
    Prediction,
    Present,
    ProbeState,
    Request,
    RoleSeen,
    Step,
    Write,
)

ZERO = 5000.0
"""The monotonic clock when the fault is begun."""
STEPS: Mapping[Step, float] = {
    "steady": -1.0,
    "inject": 0.0,
    "injected": 0.01,
    "recovered": 1.0,
    "undo": 3.0,
    "undone": 3.5,
    "settled": 4.0,
    "end": 5.0,
}
BEGIN, END = -2.0, 5.0
EVERY = {"http": 0.01, "arp": 0.01, "address": 0.1}
Change = Callable[[Request], Request]


@dataclass(frozen=True)
class History:
    """A history that is being written."""

    header: Header
    body: tuple[AnyEvent, ...] = field(default=())

    def events(self) -> list[AnyEvent]:
        return [self.header, *self.body]

    def plus(self, *events: AnyEvent) -> History:
        return replace(self, body=(*self.body, *events))

    def without(self, unwanted: Callable[[AnyEvent], bool]) -> History:
        return replace(self, body=tuple(event for event in self.body if not unwanted(event)))

    # The drill itself.

    def headed(self, **fields: Any) -> History:
        """With other fields of the header."""
        return replace(self, header=self.header.model_copy(update=fields))

    def limited(self, **fields: Any) -> History:
        """With other limits."""
        return self.headed(limits=self.header.limits.model_copy(update=fields))

    def step(self, step: Step, t: float) -> History:
        """With this step at this moment alone."""
        return self.without_steps(step).plus(PhaseEvent(t=ZERO + t, step=step))

    def without_steps(self, *steps: Step) -> History:
        return self.without(lambda e: isinstance(e, PhaseEvent) and e.step in steps)

    def ended(self, t: float) -> History:
        """Nothing of it is known from this moment on."""
        return self.without(lambda event: event.t >= ZERO + t)

    def probe(self, probe: str, state: str, t: float = BEGIN, detail: str = "") -> History:
        words: Any = state
        return self.plus(ProbeState(t=ZERO + t, probe=probe, state=words, detail=detail))

    def audit(
        self, audit: str, outcome: Judgement, detail: str = "as expected", t: float = END
    ) -> History:
        return self.plus(AuditDone(t=ZERO + t, audit=audit, outcome=outcome, detail=detail))

    def note(self, t: float, text: str) -> History:
        return self.plus(Note(t=ZERO + t, source="clock", text=text))

    # Clients.

    def requests(
        self, begin: float, end: float, *, every: float = 0.01, probe: str = "http", **fields: Any
    ) -> History:
        """More requests: good ones of 2 ms, unless `fields` say otherwise."""
        return self.plus(*(a_request(t, probe=probe, **fields) for t in moments(begin, end, every)))

    def silent(self, begin: float, end: float, probe: str = "http") -> History:
        """The probe asked nothing in this time."""
        return self.without(
            lambda e: isinstance(e, Request) and e.probe == probe and _is_in(e, begin, end)
        )

    def changed(
        self, begin: float, end: float, change: Change, probe: str = "http", each: int = 1
    ) -> History:
        """The requests of this time (every second one: `each=2`) are others."""
        chosen = [
            e
            for e in sorted(self.body, key=lambda e: e.t)
            if isinstance(e, Request) and e.probe == probe and _is_in(e, begin, end)
        ][::each]
        ids = {id(event) for event in chosen}
        body = (
            change(event) if isinstance(event, Request) and id(event) in ids else event
            for event in self.body
        )
        return replace(self, body=tuple(body))

    def outage(
        self,
        begin: float,
        end: float,
        *,
        outcome: Outcome = "failed",
        probe: str = "http",
        each: int = 1,
    ) -> History:
        """The requests that are begun in this time fail."""
        new = {"outcome": outcome, "status": 0, "detail": "connection refused"}
        return self.changed(begin, end, lambda r: r.model_copy(update=new), probe, each)

    def slow(
        self, begin: float, end: float, took_s: float = 0.4, *, probe: str = "http", each: int = 1
    ) -> History:
        """The requests that are begun in this time take long."""
        new = {"took_s": took_s}
        return self.changed(begin, end, lambda r: r.model_copy(update=new), probe, each)

    # Who owns what.

    def owner(
        self, source: str, begin: float, end: float, *owners: str, every: float = 0.05
    ) -> History:
        """What one source says in this time, instead of what it said before."""
        probe = "arp" if source == "arp" else "address"
        silent = self.without(
            lambda e: isinstance(e, Owner) and e.source == source and _is_in(e, begin, end)
        )
        return silent.plus(
            *(
                Owner(t=ZERO + t, source=source, owners=owners, probe=probe)
                for t in moments(begin, end, every)
            )
        )

    def moved(
        self, t: float, *, old: str = "lb1", new: str = "lb2", silent: bool = False
    ) -> History:
        """The VIP moves to another machine; `silent`: the old one says nothing any more."""
        there = self.owner("arp", t, END, new, every=0.01).owner(new, t, END, new)
        if silent:
            return there.without(lambda e: isinstance(e, Owner) and e.source == old and e.t >= ZERO)
        return there.owner(old, t, END)

    def role(
        self, service: str, machine: str, begin: float, end: float, role: str, every: float = 0.1
    ) -> History:
        return self.plus(
            *(
                RoleSeen(t=ZERO + t, service=service, machine=machine, role=role, probe=service)
                for t in moments(begin, end, every)
            )
        )

    # Writes.

    def writes(
        self,
        begin: float,
        end: float,
        *,
        first: int,
        outcome: Outcome = "ok",
        probe: str = "sql",
        every: float = 0.02,
        took_s: float = 0.004,
    ) -> History:
        """Numbered writes, one after the other."""
        return self.plus(
            *(
                Write(t=ZERO + t, probe=probe, number=number, took_s=took_s, outcome=outcome)
                for number, t in enumerate(moments(begin, end, every), first)
            )
        )

    def present(
        self, *numbers: tuple[int, int], duplicates: Iterable[int] = (), probe: str = "sql"
    ) -> History:
        """What is found of them at the end."""
        return self.plus(
            Present(t=ZERO + END, probe=probe, numbers=numbers, duplicates=tuple(duplicates))
        )


def history(
    fault: str = "vip-owner-power-off",
    *,
    victims: tuple[str, ...] = ("lb1",),
    limit_s: float = 0.7,
    predicted_s: float | None = 0.306,
    **fields: Any,
) -> History:
    """A clean history of a drill: nothing fails, `lb1` owns the VIP all the time."""
    formula = "3 x 100 ms advert + 6 ms skew (RFC 5798)"
    header = Header(
        t=ZERO + BEGIN,
        **{
            "stack": "demo",
            "provider": "rig",
            "timers": "standard",
            "fault": fault,
            "tier": "lb",
            "run": 1,
            "seed": 0,
            "wall": "2026-01-02T03:04:05.678+01:00",
            "victims": victims,
            "predicted": predicted_s and Prediction(seconds=predicted_s, formula=formula),
            "limits": Limits(outage_s=limit_s, slow_s=0.25),
            "probes": EVERY,
            "vip_machines": ("lb1", "lb2"),
            **fields,
        },
    )
    clean = History(header).plus(*(PhaseEvent(t=ZERO + t, step=step) for step, t in STEPS.items()))
    for probe in EVERY:
        clean = clean.probe(probe, "started").probe(probe, "stopped", END)
    clean = clean.requests(BEGIN, END, server="app1", balancer="lb1")
    owned = clean.owner("arp", BEGIN, END, "lb1", every=0.01).owner("lb1", BEGIN, END, "lb1")
    return owned.owner("lb2", BEGIN, END)


def failover(outage_s: float = 0.2, *, run: int = 1, **fields: Any) -> History:
    """A realistic one: lb1 loses power, lb2 takes over, lb1 comes back and does not take it away;
    latencies vary, and are the same for the same `run`."""
    chance = random.Random(run)
    moved = history(run=run, **fields).moved(outage_s - 0.03, silent=True).outage(0, outage_s)
    answered = moved.changed(outage_s, END, lambda r: r.model_copy(update={"balancer": "lb2"}))
    return answered.changed(
        BEGIN,
        END,
        lambda r: r.model_copy(
            update={
                "took_s": round(chance.lognormvariate(-6.2, 0.35), 6),
                "server": chance.choice(("app1", "app2")) if r.outcome == "ok" else "",
            }
        ),
    )


def a_request(t: float, **fields: Any) -> Request:
    """One request, a good one unless `fields` say otherwise."""
    good = {"probe": "http", "took_s": 0.002, "outcome": "ok", "status": 200}
    return Request(t=ZERO + t, **{**good, **fields})


def moments(begin: float, end: float, every: float) -> list[float]:
    """From `begin` on, `end` not included."""
    return [round(begin + every * i, 6) for i in range(round((end - begin) / every))]


def _is_in(event: AnyEvent, begin: float, end: float) -> bool:
    # Half a microsecond of room: 5000 and a few milliseconds are no exact binary numbers.
    return begin - 5e-7 <= event.t - ZERO < end - 5e-7
