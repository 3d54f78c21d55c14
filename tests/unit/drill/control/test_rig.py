"""The rig's machines: which of its functions is called, and how they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from lab.drill.control.blocking import to_end
from lab.drill.control.rig import RigControl
from lab.errors import LabError
from rig import lifecycle, state
from rig.model import RigError
from tests.support.waiting import MOMENT_S, deadline_s

ACTIONS = ("power_off", "power_on", "cut", "join", "freeze", "thaw")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the rig `main`, of which lb1 is on and lb2 is off."""
    done: list[str] = []

    def recorded(action: str) -> Callable[[str, str], None]:
        def call(rig: str, machine: str) -> None:
            done.append(f"{action} {rig}/{machine}")

        call.__name__ = action
        return call

    for action in ACTIONS:
        monkeypatch.setattr(lifecycle, action, recorded(action))
    monkeypatch.setattr(state, "load", lambda name: name)
    powers = {"lb1": ("on", "up"), "lb2": ("off", "down"), "app1": ("frozen", "silent")}
    monkeypatch.setattr(lifecycle, "status", lambda _rig: powers)
    return done


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_the_rigs_own(calls: list[str], action: str) -> None:
    asyncio.run(getattr(RigControl("main"), action)("lb1"))
    assert calls == [f"{action} main/lb1"]


def test_a_machine_without_power_has_no_link_to_join_and_nothing_to_thaw(calls: list[str]) -> None:
    control = RigControl("main")
    asyncio.run(control.join("lb2"))
    asyncio.run(control.thaw("lb2"))
    assert calls == []


@pytest.mark.usefixtures("calls")
def test_a_frozen_machine_has_power() -> None:
    control = RigControl("main")
    powers = [asyncio.run(control.is_on(name)) for name in ("lb1", "lb2", "app1")]
    assert powers == [True, False, True]
    with pytest.raises(LabError, match="rig main has no machine 'db9'"):
        asyncio.run(control.is_on("db9"))


@pytest.mark.usefixtures("calls")
def test_what_the_rig_says_is_said_with_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def power_off(_rig: str, _machine: str) -> None:
        raise RigError("waited 20 s in vain")

    monkeypatch.setattr(lifecycle, "power_off", power_off)
    with pytest.raises(LabError, match="power off of lb1 in rig main failed: waited 20 s in vain"):
        asyncio.run(RigControl("main").power_off("lb1"))


def test_a_cancelled_call_ends_before_the_cancellation_is_seen() -> None:
    """What undoes a fault must not run beside the thread that still injects it."""
    begun, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        begun.set()
        go_on.wait(deadline_s(MOMENT_S))
        order.append("the call has ended")

    async def main() -> None:
        task = asyncio.create_task(to_end(slow))
        await asyncio.to_thread(begun.wait, deadline_s(MOMENT_S))
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        order.append("cancelled")

    asyncio.run(main())
    assert order == ["the call has ended", "cancelled"]


def test_a_call_gives_its_value_and_its_error() -> None:
    assert asyncio.run(to_end(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(to_end(divmod, 7, 0))
