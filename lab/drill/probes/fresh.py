"""Requests that each have a connection of their own, as those of many clients."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from lab.drill.probes.answer import Answer
from lab.drill.probes.connection import BrokenError, Connection, Endpoint, NotSentError
from lab.drill.probes.prober import Prober

GOOD = 200


def request_event(
    probe: str,
    begun: float,
    now: float,
    outcome: str,
    answer: Answer | None,
    detail: str,
    *,
    waits_since: float | None = None,
) -> dict[str, Any]:
    """One request, as an event of the history."""
    event = {
        "kind": "request",
        "t": round(begun, 6),
        "probe": probe,
        "took_s": round(now - begun, 6),
        "outcome": outcome,
    }
    if answer is not None:
        event["status"] = answer.status
        event["server"] = answer.headers.get("x-served-by", "")
        event["balancer"] = answer.headers.get("x-load-balancer", "")
    if detail:
        event["detail"] = detail
    if waits_since is not None:
        event["waits_since"] = round(waits_since, 6)
    return event


def judged(answer: Answer) -> tuple[str, str]:
    """Outcome and detail of an answer."""
    return ("ok", "") if answer.status == GOOD else ("failed", f"status {answer.status}")


@dataclass(slots=True)
class _Begun:
    t: float
    connection: Connection


class FreshRequests:
    """A request for each slot, whatever became of those before."""

    def __init__(self, prober: Prober, endpoint: Endpoint, *, probe: str, timeout_s: float) -> None:
        self._prober = prober
        self._endpoint = endpoint
        self._bytes = endpoint.request(keep_alive=False)
        self._probe = probe
        self._timeout_s = timeout_s
        self._begun: dict[int, _Begun] = {}
        """By descriptor, the oldest first."""

    @property
    def in_flight(self) -> int:
        return len(self._begun)

    def look(self, slots: range) -> None:
        for _ in slots:
            self._begin()

    def tend(self, now: float) -> None:
        while self._begun:
            descriptor, oldest = next(iter(self._begun.items()))
            if now - oldest.t < self._timeout_s:
                return
            missing = f"no {oldest.connection.waits_for} within {self._timeout_s:g} s"
            self._end(descriptor, now, "failed", detail=missing)

    def cut_off(self, now: float) -> None:
        for descriptor in list(self._begun):
            self._end(descriptor, now, "unknown", detail="cut off by the end of the probing")

    def _begin(self) -> None:
        t = time.monotonic()
        try:
            connection = Connection(self._endpoint, self._bytes)
        except BrokenError as error:
            self._say(t, time.monotonic(), "failed", detail=str(error))
        except NotSentError as error:
            self._say(t, time.monotonic(), "unknown", detail=f"not sent: {error}")
        else:
            descriptor = connection.fileno()
            self._begun[descriptor] = _Begun(t, connection)
            self._prober.watch(descriptor, partial(self._ready, descriptor))

    def _ready(self, descriptor: int, _events: int, now: float) -> None:
        try:
            answer = self._begun[descriptor].connection.advance()
        except BrokenError as error:
            self._end(descriptor, now, "failed", detail=str(error))
            return
        if answer is not None:
            outcome, detail = judged(answer)
            self._end(descriptor, now, outcome, answer, detail)

    def _end(
        self,
        descriptor: int,
        now: float,
        outcome: str,
        answer: Answer | None = None,
        detail: str = "",
    ) -> None:
        begun = self._begun.pop(descriptor)
        self._prober.forget(descriptor)
        begun.connection.close()
        self._say(begun.t, now, outcome, answer, detail)

    def _say(
        self, t: float, now: float, outcome: str, answer: Answer | None = None, detail: str = ""
    ) -> None:
        oldest = next(iter(self._begun.values()), None)
        waits_since = oldest.t if oldest else None
        self._prober.output.emit(
            request_event(self._probe, t, now, outcome, answer, detail, waits_since=waits_since)
        )
