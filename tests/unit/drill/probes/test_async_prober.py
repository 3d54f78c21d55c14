"""A writer in a process of its own: what it says, how it ends, and that its death is no silence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lab.drill.events import AnyEvent, Write
from lab.drill.probes import process as process_module
from lab.drill.probes.process import ProberCommand, run_prober
from lab.errors import LabError
from tests.support.waiting import TAKEOVER_S, deadline_s


def writes_in(folder: Path, *, count: int = 20, drain_s: float = 60.0, **more: Any) -> list[Write]:
    """The writes of a prober that is told to stop after some of them."""
    events: list[Write] = []
    defaults = {"delay_s": 0.0, "fails": False, "dies": False, "timeout_s": 30.0}
    command = ProberCommand(
        name="file",
        module="tests.unit.drill.probes.writer",
        settings={**defaults, "path": str(folder / "numbers"), **more},
        interval_s=0.01,
        drain_s=drain_s,
        silence_s=60,
    )

    async def run() -> None:
        stop = asyncio.Event()

        def emit(event: AnyEvent) -> None:
            assert isinstance(event, Write)
            events.append(event)
            if len(events) >= count:
                stop.set()

        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await run_prober(command, namespace=None, emit=emit, stop=stop)

    asyncio.run(run())
    return events


def test_what_it_acknowledged_is_there(tmp_path: Path) -> None:
    events = writes_in(tmp_path)
    assert {event.outcome for event in events} == {"ok"}
    acknowledged = [event.number for event in events]
    assert acknowledged == [int(line) for line in (tmp_path / "numbers").read_text().split()]
    assert acknowledged == list(range(1, len(events) + 1))


def test_at_its_end_it_waits_for_what_is_in_flight(tmp_path: Path) -> None:
    events = writes_in(tmp_path, count=1, delay_s=0.3)
    assert len(events) > 1, "those that were begun before the first had ended"
    assert {event.outcome for event in events} == {"ok"}


def test_what_is_in_flight_too_long_at_its_end_is_unknown(tmp_path: Path) -> None:
    events = writes_in(tmp_path, count=1, delay_s=30, timeout_s=0.2, drain_s=0.1)
    cut_off = [event for event in events if event.detail.startswith("cut off")]
    assert cut_off
    assert {event.outcome for event in events} == {"unknown"}


def test_an_error_of_a_write_is_unknown_and_no_end(tmp_path: Path) -> None:
    events = writes_in(tmp_path, fails=True)
    assert {event.outcome for event in events} == {"unknown"}
    assert {event.detail for event in events} == {"SystemError: the writer itself is broken"}


def test_an_error_of_the_prober_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot find the database"):
        writes_in(tmp_path, dies=True)


def test_it_ends_after_its_longest_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "LONGEST_S", 0.3)
    with pytest.raises(LabError, match="before it was told to"):
        writes_in(tmp_path, count=10_000)
