"""A prober that dies, babbles or falls silent is no data; and no prober outlives its drill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.drill.events import AnyEvent
from lab.drill.probes import process as process_module
from lab.drill.probes.process import ProberCommand, run_prober
from lab.errors import LabError
from lab.stack_file import ROOT
from tests.support.waiting import TAKEOVER_S, deadline_s, wait_until
from tests.unit.drill.probes.probing import Seen, fresh, probers, running, scene_of, slots
from tests.unit.drill.probes.web import web

DRIVER = """
import asyncio, sys
from tests.unit.drill.probes.probing import fresh, probers, running, scene_of
from tests.unit.drill.probes.web import web
async def main():
    async with web() as server, running(fresh(server.url), scene_of()) as seen:
        await seen.some(5)
        print(*probers(), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
GOOD_LINE = '{"kind": "note", "t": 1.0, "source": "test", "text": "hello"}'


def command(script: str, *, silence_s: float = 10.0, drain_s: float = 0.2) -> ProberCommand:
    """A prober made of a few lines of Python."""
    return ProberCommand(
        name="test",
        module="tests.unit.drill.probes.script",
        arguments=[script],
        settings={"secret": "hidden"},
        interval_s=0.01,
        drain_s=drain_s,
        silence_s=silence_s,
    )


def ends_with(script: str, *, after: int = 0, **more: float) -> tuple[str, list[AnyEvent]]:
    """The error of a prober that does this, and what it saw; told to stop after some events."""
    seen = Seen()

    async def run() -> None:
        def emit(event: AnyEvent) -> None:
            seen.events.append(event)
            if len(seen.events) == after:
                seen.stop.set()

        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await run_prober(command(script, **more), namespace=None, emit=emit, stop=seen.stop)

    with pytest.raises(LabError) as error:
        asyncio.run(run())
    return str(error.value), seen.events


def is_gone(pid: int) -> bool:
    """Whether it has ended (what nobody has waited for yet has ended too)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_prober_that_is_killed_is_an_error_that_says_so() -> None:
    async def run() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(10)
            (prober,) = probers()
            os.kill(prober, signal.SIGKILL)
            assert seen.task is not None
            with pytest.raises(LabError, match="the prober http was killed by signal 9"):
                await asyncio.wait_for(seen.task, deadline_s(TAKEOVER_S))
            assert is_gone(prober)

    asyncio.run(run())


def test_a_prober_that_fails_shows_its_error() -> None:
    error, _ = ends_with("sys.exit('no such interface: eth7')")
    assert "test ended with status 1: " in error
    assert "no such interface: eth7" in error


def test_a_prober_that_ends_by_itself_too_early_is_an_error() -> None:
    error, events = ends_with(f"os.write(1, b'{GOOD_LINE}\\n'); os._exit(0)")
    assert "test ended with status 0 before it was told to" in error
    assert len(events) == 1


@pytest.mark.parametrize(
    "line", ["babble", "{}", '{"kind": "request"}', GOOD_LINE[:-1], '{"kind": "drill", "t": 1}']
)
def test_a_line_that_is_no_event_is_an_error(line: str) -> None:
    error, events = ends_with(f"os.write(1, {line + chr(10)!r}.encode()); sys.stdin.read()")
    assert f"the prober test wrote what is no event: {line.encode()!r}" in error
    assert events == []


def test_a_last_line_that_is_cut_off_is_an_error() -> None:
    script = f"os.write(1, b'{GOOD_LINE}\\n{GOOD_LINE[:20]}'); sys.stdin.read(); os._exit(0)"
    error, _ = ends_with(script, after=1)
    assert "wrote what is no event" in error


def test_a_prober_that_falls_silent_is_an_error() -> None:
    error, _ = ends_with("sys.stdin.read()", silence_s=0.5)
    assert "the prober test has said nothing for 0.5 s" in error


def test_a_prober_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "EXIT_S", 0.3)
    script = f"os.write(1, {GOOD_LINE!r}.replace('hello', str(os.getpid())).encode() + b'\\n')"
    error, events = ends_with(f"{script}; time.sleep(60)", after=1)
    assert "did not end when it was told to; it was killed" in error
    pid = int(getattr(events[0], "text", "0"))
    assert pid > 0
    assert is_gone(pid)


def test_settings_are_not_in_the_arguments() -> None:
    async def run() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(1)
            (prober,) = probers()
            assert server.url.encode() not in Path(f"/proc/{prober}/cmdline").read_bytes()

    asyncio.run(run())


def test_a_drill_that_is_cancelled_takes_its_prober_with_it() -> None:
    async def run() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(5)
            (prober,) = probers()
            assert seen.task is not None
            seen.task.cancel()
            await asyncio.gather(seen.task, return_exceptions=True)
            assert is_gone(prober)

    asyncio.run(run())


def test_a_prober_ends_when_the_drill_is_killed() -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert driver.stdout is not None
        prober = int(driver.stdout.readline())
        assert not is_gone(prober)
    finally:
        driver.kill()
        driver.wait()
    wait_until("the prober has ended", lambda: is_gone(prober), usual_s=TAKEOVER_S)


def test_a_prober_ends_after_its_longest_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "LONGEST_S", 0.5)

    async def run() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            assert seen.task is not None
            with pytest.raises(LabError, match="ended with status 0 before it was told to"):
                await asyncio.wait_for(seen.task, deadline_s(TAKEOVER_S))
            assert len(seen.requests) <= slots(seen.requests) + 1, "no more than were due"

    asyncio.run(run())


def test_an_interrupt_at_the_terminal_does_not_reach_the_prober() -> None:
    async def run() -> None:
        async with web() as server, running(fresh(server.url), scene_of()) as seen:
            await seen.some(5)
            (prober,) = probers()
            assert os.getsid(prober) == prober
            assert os.getsid(prober) != os.getsid(0)

    asyncio.run(run())
