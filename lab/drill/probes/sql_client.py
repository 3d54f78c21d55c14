"""`python -m lab.drill.probes.sql_client write|read`: a prober that is a client of a database.

`write` writes numbered rows through the write endpoint and, when it is told to end, looks which of
them are there. `read` asks the read endpoint. The settings (with the password) come by standard
input.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from lab.drill.events import AnyEvent, Outcome, Present, Request, Write
from lab.drill.probes.async_prober import Emit, run_async
from lab.drill.probes.numbered import CUT_OFF, NumberedWrites
from lab.drill.probes.sql_drivers import (
    CLEAR,
    CREATE,
    DRIVERS,
    INSERT,
    PRESENT,
    READ,
    Access,
    access_to,
)
from lab.drill.probes.sql_pool import Pool, Rows, first_line

MOST_IN_FLIGHT = 20
"""Fewer than a server has room for (PostgreSQL: 100 connections): a write that waits for a replica
keeps its connection in the server after its client is gone."""
PREPARE_S = 20.0
READ_BACK_S = 10.0
AGAIN_S = 0.25


async def write(settings: Mapping[str, Any], emit: Emit, stop: asyncio.Event) -> None:
    """Write until `stop` is set, then look what is there. Raises where it cannot look."""
    pool = pool_of(settings)
    run = settings["run"]

    async def one(number: int) -> None:
        await pool.ask(INSERT, run, number)

    try:
        await patiently(pool, (CREATE,), within_s=PREPARE_S, what="there is no table to write to")
        # What earlier drills wrote: it stays until the next one, to be looked at.
        await patiently(pool, (CLEAR, run), within_s=PREPARE_S, what="nobody clears the table")
        writes = NumberedWrites(
            probe=settings["probe"],
            write=one,
            emit=emit,
            timeout_s=settings["timeout_s"],
            interval_s=settings["interval_s"],
            most_in_flight=MOST_IN_FLIGHT,
        )
        await writes.run(stop)
        emit(present(settings["probe"], await read_back(pool, run)))
    finally:
        pool.close()


async def read(settings: Mapping[str, Any], emit: Emit, stop: asyncio.Event) -> None:
    """Ask until `stop` is set; an answer that does not come is a failure, as of a page."""
    pool = pool_of(settings)

    async def one(_number: int) -> None:
        await pool.ask(READ)

    def as_request(event: AnyEvent) -> None:
        emit(request_of(event) if isinstance(event, Write) else event)

    try:
        reads = NumberedWrites(
            probe=settings["probe"],
            write=one,
            emit=as_request,
            timeout_s=settings["timeout_s"],
            interval_s=settings["interval_s"],
            most_in_flight=MOST_IN_FLIGHT,
        )
        await reads.run(stop)
    finally:
        pool.close()


def pool_of(settings: Mapping[str, Any]) -> Pool:
    return Pool(DRIVERS[settings["engine"]], access_of(settings), size=2 * MOST_IN_FLIGHT)


def access_of(settings: Mapping[str, Any]) -> Access:
    return access_to(
        settings["endpoint"],
        database=settings["database"],
        user=settings["user"],
        password=settings["password"],
    )


def request_of(event: Write) -> Request:
    """A read as the history knows it."""
    is_known = event.outcome == "ok" or event.detail == CUT_OFF
    outcome: Outcome = event.outcome if is_known else "failed"
    return Request(
        t=event.t,
        probe=event.probe,
        took_s=event.took_s,
        outcome=outcome,
        detail=event.detail,
        waits_since=event.waits_since,
    )


async def read_back(pool: Pool, run: str) -> list[tuple[int, int]]:
    """Every number that is there, and how often; asked until somebody answers."""
    missing = "nobody says which writes are there"
    rows = await patiently(pool, (PRESENT, run), within_s=READ_BACK_S, what=missing)
    return [(int(number), int(count)) for number, count in rows]


async def patiently(pool: Pool, words: tuple[str, ...], *, within_s: float, what: str) -> Rows:
    """A statement that may be repeated, until it is answered. Raises RuntimeError with `what`."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                return await pool.ask(*words)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            if time.monotonic() + AGAIN_S >= deadline:
                msg = f"{what}: {first_line(error)}"
                raise RuntimeError(msg) from None
        await asyncio.sleep(AGAIN_S)


def present(probe: str, found: Iterable[tuple[int, int]]) -> Present:
    """The numbers as ranges, and those that are there more than once. Pure."""
    ranges: list[tuple[int, int]] = []
    counted = sorted(found)
    for number, _ in counted:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    duplicates = tuple(number for number, count in counted if count > 1)
    return Present(t=time.monotonic(), probe=probe, numbers=tuple(ranges), duplicates=duplicates)


if __name__ == "__main__":
    run_async({"write": write, "read": read}[sys.argv[1]])
