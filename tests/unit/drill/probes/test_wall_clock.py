"""A wall clock that was set is noted; nothing else is."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab.drill.events import AnyEvent, Note
from lab.drill.probes import wall_clock
from lab.drill.probes.wall_clock import JUMP_S, difference, jump, watch_wall_clock
from tests.support.waiting import MOMENT_S, deadline_s


@pytest.mark.parametrize(("by", "text"), [(0.3, "forward by 0.300 s"), (-3600.0, "back by 3600")])
def test_a_jump_is_told_with_its_way_and_length(by: float, text: str) -> None:
    assert text in str(jump(1.7e9, 1.7e9 + by))


@pytest.mark.parametrize("by", [0.0, 0.049, -0.049])
def test_what_slewing_does_is_no_jump(by: float) -> None:
    assert jump(1.7e9, 1.7e9 + by) is None


def test_two_looks_at_clocks_that_nobody_set_agree() -> None:
    assert jump(difference(), difference()) is None


def test_it_is_the_wall_clock_less_the_monotonic_one() -> None:
    begin = time.monotonic()
    wall = time.time()
    end = time.monotonic()
    assert wall - end - JUMP_S <= difference() <= wall - begin + JUMP_S


def test_the_watcher_notes_each_jump_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[AnyEvent] = []
    looks = iter([5.0, 5.0, 7.0, 7.0, 7.0])

    async def watch() -> None:
        stop = asyncio.Event()

        def look() -> float:
            value = next(looks, None)
            if value is None:
                stop.set()
            return 7.0 if value is None else value

        monkeypatch.setattr(wall_clock, "difference", look)
        monkeypatch.setattr(wall_clock, "EVERY_S", 0.001)
        async with asyncio.timeout(deadline_s(MOMENT_S)):
            await watch_wall_clock(seen.append, stop)

    asyncio.run(watch())
    assert [event.text for event in seen if isinstance(event, Note)] == [
        "the wall clock of this host jumped forward by 2.000 s"
    ]
    assert all(isinstance(event, Note) and event.source == "clock" for event in seen)
