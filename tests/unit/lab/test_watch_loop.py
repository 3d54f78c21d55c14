"""`lab watch`: programs that keep talking, frames, beginning and end."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from rich.console import Console

from lab.watch import command, stream
from lab.watch.model import Rows
from lab.watch.stream import Streamed
from lab.watch.view import data, frame, summary
from tests.support.waiting import MOMENT_S, deadline_s
from tests.unit.lab.watched import (
    FakeMachines,
    FakeRows,
    eventually,
    scene,
)

NOW = 1000.0
Patch = pytest.MonkeyPatch


class TestStream:
    """A program that keeps talking."""

    def run(self, machines: FakeMachines, until: Callable[[Any, Any], object]) -> Any:
        lines: list[tuple[str, str]] = []
        lost: list[tuple[str, str]] = []
        streamed = Streamed(
            program="PROGRAM",
            arguments=("10.16.1.100", "two words"),
            on_line=lambda *what: lines.append(what),
            on_lost=lambda *what: lost.append(what),
        )

        async def go() -> None:
            task = asyncio.create_task(stream.stream(scene(machines), "lb1", streamed))
            await eventually(lambda: until(lines, lost))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(go())
        return lines, lost

    @pytest.fixture(autouse=True)
    def fast(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(stream, "AGAIN_S", 0.01)
        monkeypatch.setattr(stream, "SILENCE_S", 0.05)

    def test_it_gets_the_program_and_its_arguments_and_gives_lines(self) -> None:
        machines = FakeMachines({"lb1": ["one\n", "two\n"]})
        lines, _ = self.run(machines, lambda lines, _: len(lines) == 2)

        assert lines == [("lb1", "one\n"), ("lb1", "two\n")]
        assert machines.processes[0].given == "PROGRAM"
        assert machines.arguments == {
            "sudo -n bash -c 'python3 - 10.16.1.100 '\"'\"'two words'\"'\"''"
        }

    def test_silence_is_a_loss_and_it_starts_again(self) -> None:
        machines = FakeMachines({"lb1": ["one\n"]})
        lines, lost = self.run(machines, lambda lines, _: len(lines) >= 2)

        assert lines[:2] == [("lb1", "one\n")] * 2
        assert lost[0] == ("lb1", "TimeoutError")
        assert machines.forgotten[0] == "lb1", "the old connection is not used again"
        assert machines.processes[0].closed

    def test_a_machine_that_cannot_be_reached_is_tried_again(self) -> None:
        machines = FakeMachines({})
        _, lost = self.run(machines, lambda _, lost: len(lost) >= 3)

        assert "ConnectionRefusedError" in lost[0][1]

    def test_a_line_that_was_cut_off_is_dropped(self) -> None:
        machines = FakeMachines({"lb1": ["one\n", '{"vip": tr']}, ends=True)
        lines, lost = self.run(machines, lambda _, lost: lost)

        assert lines == [("lb1", "one\n")]
        assert lost[0] == ("lb1", "its program ended")


class TestView:
    """A frame."""

    def test_for_people(self) -> None:
        text = io.StringIO()
        every = cast("list[Rows]", [FakeRows()])
        Console(file=text, width=60).print(frame("demo", every, NOW))

        assert text.getvalue().split() == ["demo", "[fake]", "what", "state", "[x]", "good"]

    def test_for_programs(self) -> None:
        every = cast("list[Rows]", [FakeRows()])
        line = data(every, NOW, stack="demo", wall="2026-01-01T00:00:00+00:00")

        assert json.loads(json.dumps(line)) == {
            "t": 1000.0,
            "wall": "2026-01-01T00:00:00+00:00",
            "stack": "demo",
            "fake": {"state": "good"},
        }

    def test_at_the_end(self) -> None:
        assert summary(cast("list[Rows]", [FakeRows()]), 12.4) == "watched for 12 s; seen a lot"


class TestLoop:
    """Beginning and end."""

    def looking(self, *every: FakeRows) -> AsyncIterator[None]:
        rows = cast("list[Rows]", list(every))
        return cast(AsyncIterator[None], command.looking(scene(), rows, asyncio.Event()))

    def test_everything_ends_with_the_block(self) -> None:
        rows = FakeRows()

        async def run() -> None:
            async with command.looking(scene(), cast("list[Rows]", [rows]), asyncio.Event()):
                await asyncio.sleep(0)

        asyncio.run(run())
        assert rows.cancelled

    def test_rows_that_fail_end_the_view_with_their_error(self) -> None:
        rows, other = FakeRows(breaks=True), FakeRows()

        async def run() -> None:
            stop = asyncio.Event()
            async with command.looking(scene(), cast("list[Rows]", [rows, other]), stop):
                async with asyncio.timeout(deadline_s(MOMENT_S)):
                    await stop.wait()

        with pytest.raises(RuntimeError, match="a mistake"):
            asyncio.run(run())
        assert other.cancelled

    def test_a_single_frame_does_not_wait_for_ever(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(command, "FIRST_LOOK_S", 0.05)

        async def run() -> float:
            begun = time.monotonic()
            rows = cast("list[Rows]", [FakeRows(seen=False)])
            await command.first_look(rows, asyncio.Event())
            return time.monotonic() - begun

        assert asyncio.run(run()) > 0.04

    def test_an_interrupt_ends_the_wait_for_it(self) -> None:
        async def run() -> None:
            stop = asyncio.Event()
            stop.set()
            async with asyncio.timeout(deadline_s(MOMENT_S)):
                await command.first_look(cast("list[Rows]", [FakeRows(seen=False)]), stop)

        asyncio.run(run())
