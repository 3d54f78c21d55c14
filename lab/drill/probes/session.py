"""Requests over one connection that is kept open, as those of one client."""

from __future__ import annotations

import time

from lab.drill.probes.answer import Answer
from lab.drill.probes.connection import BrokenError, Connection, Endpoint, NotSentError
from lab.drill.probes.fresh import judged, request_event
from lab.drill.probes.prober import Prober


class SessionRequests:
    """One request after the other: in each slot, or as soon as the one before is over.

    Connecting is part of the request that finds no connection. A connection that the other side
    closes between two requests fails nobody.
    """

    def __init__(self, prober: Prober, endpoint: Endpoint, *, probe: str, timeout_s: float) -> None:
        self._prober = prober
        self._endpoint = endpoint
        self._bytes = endpoint.request(keep_alive=True)
        self._probe = probe
        self._timeout_s = timeout_s
        self._connection: Connection | None = None
        self._begun: float | None = None
        """When the request that is in flight was begun."""
        self._is_owed = False
        """Whether a slot passed while one was in flight."""

    @property
    def in_flight(self) -> int:
        return 0 if self._begun is None else 1

    def look(self, _slots: range) -> None:
        if self._begun is None:
            self._begin()
        else:
            self._is_owed = True

    def tend(self, now: float) -> None:
        if self._begun is not None and now - self._begun >= self._timeout_s:
            waits_for = self._connection.waits_for if self._connection else "connection"
            self._hang_up()
            self._end(now, "failed", detail=f"no {waits_for} within {self._timeout_s:g} s")

    def cut_off(self, now: float) -> None:
        self._hang_up()
        if self._begun is not None:
            self._end(now, "unknown", detail="cut off by the end of the probing")

    def _begin(self) -> None:
        self._is_owed = False
        self._begun = time.monotonic()
        try:
            if self._connection is None:
                self._connection = Connection(self._endpoint, self._bytes)
                self._prober.watch(self._connection.fileno(), self._ready)
            else:
                self._connection.ask(self._bytes)
        except NotSentError as error:
            self._end(time.monotonic(), "unknown", detail=f"not sent: {error}")
        except BrokenError as error:
            self._hang_up()
            self._end(time.monotonic(), "failed", detail=str(error))

    def _ready(self, _events: int, now: float) -> None:
        if self._connection is not None:
            self._advance(self._connection, now)
        if self._is_owed and self._begun is None and not self._prober.is_ending:
            self._begin()

    def _advance(self, connection: Connection, now: float) -> None:
        try:
            answer = connection.advance()
        except BrokenError as error:
            self._hang_up()
            if self._begun is not None:
                self._end(now, "failed", detail=str(error))
            return
        if answer is not None:
            if not answer.keeps_open or connection.is_over:
                self._hang_up()
            outcome, detail = judged(answer)
            self._end(now, outcome, answer, detail)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._prober.forget(self._connection.fileno())
            self._connection.close()
            self._connection = None

    def _end(
        self, now: float, outcome: str, answer: Answer | None = None, detail: str = ""
    ) -> None:
        begun, self._begun = self._begun or now, None
        self._prober.output.emit(request_event(self._probe, begun, now, outcome, answer, detail))
