"""Numbered writes and sampled roles: on schedule, numbered, judged, bounded, and ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from lab.drill.events import AnyEvent, RoleSeen, Write
from lab.drill.probes.numbered import CUT_OFF, NotWrittenError, NumberedWrites
from lab.drill.probes.sampled import RoleSamples
from tests.support.waiting import TAKEOVER_S, deadline_s

EVERY_S = 0.01


def writes_of(
    write: Callable[[int], Awaitable[None]],
    *,
    count: int = 10,
    timeout_s: float = 30.0,
    most_in_flight: int = 100,
    cancel: bool = False,
) -> list[Write]:
    """The events of a writer that is told to stop once so many writes were begun, by number."""
    events: list[AnyEvent] = []
    begun = 0

    async def run() -> None:
        stop = asyncio.Event()

        async def counted(number: int) -> None:
            nonlocal begun
            begun += 1
            if begun == count:
                stop.set()
            await write(number)

        writer = NumberedWrites(
            probe="sql",
            write=counted,
            emit=events.append,
            timeout_s=timeout_s,
            interval_s=EVERY_S,
            most_in_flight=most_in_flight,
            first=7,
        )
        task = asyncio.create_task(writer.run(stop))
        if cancel:
            await stop.wait()
            task.cancel()
        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await asyncio.gather(task, return_exceptions=cancel)

    asyncio.run(run())
    found = [event for event in events if isinstance(event, Write)]
    assert len(found) == len(events)
    return sorted(found, key=lambda event: event.number)


def test_each_write_has_the_next_number_and_is_acknowledged() -> None:
    async def write(number: int) -> None:
        assert number >= 7

    events = writes_of(write)
    assert [event.number for event in events] == list(range(7, 7 + len(events)))
    assert {(event.probe, event.outcome) for event in events} == {("sql", "ok")}


def test_a_slow_write_does_not_slow_the_others_down() -> None:
    much_later = asyncio.Event()

    async def write(number: int) -> None:
        if number == 8:
            await much_later.wait()
        if number == 30:
            much_later.set()

    events = writes_of(write, count=40)
    begun, end = events[1].t, events[1].t + events[1].took_s
    told = {event.number for event in events if event.waits_since == begun}
    over = {event.number for event in events if begun < event.t and event.t + event.took_s < end}
    assert over >= set(range(9, 30))
    assert over <= told, "each that is over before it says that it is in flight"
    assert events[1].waits_since != begun


def test_only_what_certainly_did_not_happen_is_failed() -> None:
    async def write(number: int) -> None:
        if number == 7:
            raise NotWrittenError("read-only transaction")
        if number == 8:
            raise ConnectionResetError("reset")
        if number == 9:
            raise TimeoutError("the driver's own")
        if number == 10:
            await asyncio.Event().wait()

    events = writes_of(write, timeout_s=0.2)
    assert [(event.outcome, event.detail) for event in events[:5]] == [
        ("failed", "read-only transaction"),
        ("unknown", "ConnectionResetError: reset"),
        ("unknown", "TimeoutError: the driver's own"),
        ("unknown", "no answer within 0.2 s"),
        ("ok", ""),
    ]


def test_what_is_due_while_too_many_are_in_flight_is_not_sent() -> None:
    asked: list[int] = []
    free = asyncio.Event()

    async def write(number: int) -> None:
        asked.append(number)
        if len(asked) <= 3:
            asyncio.get_running_loop().call_later(0.1, free.set)
            await free.wait()

    events = writes_of(write, count=6, most_in_flight=3)
    not_sent = [event for event in events if event.outcome == "failed"]
    assert len(not_sent) >= 3
    assert {event.detail for event in not_sent} == {"not sent: 3 writes are in flight"}
    assert not {event.number for event in not_sent} & set(asked)


def test_the_end_waits_for_what_is_in_flight() -> None:
    async def write(_number: int) -> None:
        await asyncio.sleep(0.2)

    events = writes_of(write)
    assert {event.outcome for event in events} == {"ok"}


def test_a_write_that_is_cut_off_is_unknown() -> None:
    async def write(_number: int) -> None:
        await asyncio.Event().wait()

    events = writes_of(write, cancel=True)
    assert len(events) == 10
    assert {(event.outcome, event.detail) for event in events} == {("unknown", CUT_OFF)}


def test_every_machine_is_asked_for_its_role_whatever_the_others_do() -> None:
    events: list[RoleSeen] = []
    asking = most = 0

    async def run() -> None:
        stop = asyncio.Event()

        def emit(event: AnyEvent) -> None:
            assert isinstance(event, RoleSeen)
            events.append(event)
            if sum(seen.machine == "db1" for seen in events) == 20:
                stop.set()

        async def hang() -> str:
            nonlocal asking, most
            asking += 1
            most = max(most, asking)
            try:
                await asyncio.Event().wait()
            finally:
                asking -= 1
            return "never"

        async def refuse() -> str:
            raise ConnectionRefusedError

        async def fail() -> str:
            raise ValueError("no such table")

        async def primary() -> str:
            return "primary"

        looks = {"db1": primary, "db2": hang, "db3": refuse, "db4": fail}
        samples = RoleSamples(
            probe="roles",
            service="postgresql",
            looks=looks,
            emit=emit,
            interval_s=EVERY_S,
            timeout_s=0.05,
        )
        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await samples.run(stop)

    begin = time.monotonic()
    asyncio.run(run())
    roles = {(event.machine, event.role) for event in events}
    assert roles == {("db1", "primary"), ("db2", "unknown"), ("db3", "down"), ("db4", "unknown")}
    assert {(event.service, event.probe) for event in events} == {("postgresql", "roles")}
    assert all(begin <= event.t <= time.monotonic() for event in events)
    assert most == 1, "one question at a time"
