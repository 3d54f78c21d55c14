"""Fresh requests and a session, by the real prober against real servers on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest

from lab.drill.events import Request
from lab.drill.probes.http import HttpProbe, SessionProbe, whoami_url
from tests.support.waiting import BOOT_S, deadline_s
from tests.unit.drill.probes.probing import Seen, fresh, probers, running, scene_of, session, slots
from tests.unit.drill.probes.web import nobody, silence, web
from tests.unit.drill.world import target


def play(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(deadline_s(BOOT_S)):
            await test

    asyncio.run(bounded())


def in_flight_beside(request: Request, seen: Seen) -> set[float | None]:
    """What it may say of the others when it was over: the begin of one that was not over then;
    None where perhaps there was none, as others began or were over at the same moment."""
    end = request.t + request.took_s
    others = [(other.t, other.t + other.took_s) for other in seen.requests if other is not request]
    surely = {t for t, over in others if t < end - SAME_S and over > end + SAME_S}
    perhaps = {t for t, over in others if over > end - SAME_S}
    return {*perhaps} if surely else {*perhaps, None}


SAME_S = 1e-5
"""Times are written to the microsecond."""


def test_the_page_is_the_one_that_says_who_answers() -> None:
    assert whoami_url(target()) == "https://10.16.1.100/whoami"


def test_a_lab_without_https_is_told_before_anything_runs() -> None:
    without = target().model_copy(update={"urls": {}})
    assert "https" in str(HttpProbe().why_not(without))
    assert HttpProbe().why_not(target()) is None


@pytest.mark.parametrize("tls", [False, True])
def test_each_request_has_a_connection_of_its_own_and_says_who_answered(tls: bool) -> None:
    async def test() -> None:
        async with web(tls=tls) as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(50)
            await seen.end()
            assert seen.outcomes() == {("ok", "")}
            assert len(server.arrivals) == len(seen.requests) == server.requests
            first = seen.requests[0]
            assert (first.probe, first.status) == ("http", 200)
            assert (first.server, first.balancer) == ("app1", "lb1")
            assert first.took_s > 0

    play(test())


def test_tls_sessions_are_resumed() -> None:
    async def test() -> None:
        async with web(tls=True) as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(50)
            await seen.end()
            assert server.resumed >= len(server.arrivals) - 3

    play(test())


def test_a_hanging_server_does_not_slow_the_requests_down() -> None:
    async def test() -> None:
        scene = scene_of(target(requestTimeoutS=0.5))
        async with web() as server, running(fresh(server.url), scene) as seen:
            await seen.some(10)
            server.mode = "hang"
            hung_from = len(server.arrivals)
            await seen.until(lambda: len(server.arrivals) > hung_from + 100, "a second of it")
            server.mode = "ok"
            await seen.until(lambda: seen.requests[-1].outcome == "ok", "an answer again")
            await seen.end()
            assert abs(slots(seen.requests) - len(seen.requests)) <= 1
            failed = [request for request in seen.requests if request.outcome == "failed"]
            assert "no answer within 0.5 s" in {request.detail for request in failed}
            assert all(request.took_s >= 0.5 for request in failed)
            assert any(request.waits_since for request in failed), "others were in flight, too"
            wrong = [r for r in seen.requests if r.waits_since not in in_flight_beside(r, seen)]
            assert wrong == []

    play(test())


def test_a_prober_that_woke_up_late_begins_all_that_was_due() -> None:
    async def test() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(10)
            (prober,) = probers()
            os.kill(prober, signal.SIGSTOP)
            until = time.monotonic() + 0.3
            await seen.until(lambda: time.monotonic() >= until, "it stood still")
            os.kill(prober, signal.SIGCONT)
            await seen.some(len(seen.events) + 100)
            await seen.end()
            pauses = [b.t - a.t for a, b in pairwise(seen.requests)]
            assert max(pauses) > 0.25, "what it did not see is seen in the history"
            assert abs(slots(seen.requests) - len(seen.requests)) <= 1

    play(test())


@pytest.mark.parametrize(
    ("mode", "status", "detail"),
    [
        ("500", 500, "status 500"),
        ("503", 503, "status 503"),
        ("reset", 0, "connection reset by peer"),
        ("close", 0, "closed without an answer"),
        ("half", 0, "closed in the middle of the answer"),
        ("garbage", 0, "no HTTP answer but 'SSH-2.0-OpenSSH_9.2p1 Debian'"),
    ],
)
@pytest.mark.parametrize("kind", [fresh, session])
def test_what_is_no_good_answer_failed_and_says_why(
    kind: Any, mode: str, status: int, detail: str
) -> None:
    async def test() -> None:
        async with web() as server, running(kind(server.url), scene_of()) as seen:
            server.mode = mode
            await seen.some(20)
            await seen.end()
            assert seen.outcomes() == {("failed", detail)}
            assert {request.status for request in seen.requests} == {status}

    play(test())


@pytest.mark.parametrize("kind", [fresh, session])
def test_a_port_where_nobody_listens_refuses(kind: Any) -> None:
    async def test() -> None:
        async with nobody() as url, running(kind(url), scene_of()) as seen:
            await seen.some(20)
            await seen.end()
            assert seen.outcomes() == {("failed", "connection refused")}
            if kind is fresh:  # a session asks once, however many slots it is late
                assert abs(slots(seen.requests) - len(seen.requests)) <= 1

    play(test())


@pytest.mark.parametrize("kind", [fresh, session])
def test_a_host_that_is_silent_costs_the_timeout(kind: Any) -> None:
    async def test() -> None:
        scene = scene_of(target(requestTimeoutS=0.3))
        async with silence() as url, running(kind(url), scene) as seen:
            await seen.some(2)
            await seen.end()
            assert seen.outcomes() == {("failed", "no connection within 0.3 s")}

    play(test())


def test_a_server_that_speaks_no_tls_failed() -> None:
    async def test() -> None:
        async with web() as server:
            url = server.url.replace("http:", "https:")
            async with running(fresh(url), scene_of(target(requestTimeoutS=0.3))) as seen:
                await seen.some(5)
                await seen.end()
                assert {request.outcome for request in seen.requests} == {"failed"}

    play(test())


def test_the_end_waits_for_what_is_in_flight_and_begins_nothing_new() -> None:
    async def test() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            server.delay_s = 0.5
            await seen.until(lambda: len(server.arrivals) >= 30, "requests in flight")
            assert not seen.events
            await seen.end()
            assert seen.outcomes() == {("ok", "")}
            assert len(seen.requests) == len(server.arrivals) == server.requests

    play(test())


def test_a_session_keeps_its_connection() -> None:
    async def test() -> None:
        async with web(tls=True) as server, running(session(server.url), scene_of()) as seen:
            await seen.some(50)
            await seen.end()
            assert seen.outcomes() == {("ok", "")}
            assert len(server.arrivals) == 1
            assert server.requests == len(seen.requests)

    play(test())


def test_a_session_asks_again_as_soon_as_a_late_answer_came() -> None:
    async def test() -> None:
        async with web() as server:
            slow = SessionProbe(url=lambda _: server.url, interval_s=0.4)
            async with running(slow, scene_of()) as seen:
                server.delay_s = 0.5
                await seen.some(6)
                await seen.end()
                pauses = [b.t - (a.t + a.took_s) for a, b in pairwise(seen.requests)]
                # The host may stall in one of them.
                assert min(pauses) < 0.2, "the next slot would be 0.3 s later"
                assert len(server.arrivals) == 1

    play(test())


def test_a_session_that_breaks_fails_one_request_and_is_made_anew_at_once() -> None:
    async def test() -> None:
        async with web() as server, running(session(server.url), scene_of()) as seen:
            await seen.some(10)
            server.mode = "reset"
            await seen.until(lambda: len(server.arrivals) > 1, "a second connection")
            server.mode = "ok"
            count = len(seen.events)
            await seen.some(count + 20)
            await seen.end()
            failed = [request for request in seen.requests if request.outcome == "failed"]
            assert {request.detail for request in failed} == {"connection reset by peer"}
            assert len(server.arrivals) == len(failed) + 1

    play(test())


def test_a_session_that_is_closed_between_two_requests_fails_none() -> None:
    async def test() -> None:
        async with web() as server:
            slow = SessionProbe(url=lambda _: server.url, interval_s=0.2)
            async with running(slow, scene_of()) as seen:
                await seen.some(1)
                server.hang_up()
                await seen.some(4)
                await seen.end()
                assert seen.outcomes() == {("ok", "")}
                assert len(server.arrivals) >= 2

    play(test())


def test_a_connection_of_which_the_server_says_that_it_ends_is_not_used_again() -> None:
    async def test() -> None:
        async with web() as server, running(session(server.url), scene_of()) as seen:
            server.mode = "last"
            await seen.some(20)
            await seen.end()
            assert seen.outcomes() == {("ok", "")}
            assert len(server.arrivals) == len(seen.requests)

    play(test())
