"""What faults of several tiers do to a machine and how they put it right: power, link, commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lab.drill.control.blocking import uninterrupted
from lab.drill.control.ready import ANSWER_WITHIN_S, await_answer
from lab.drill.model import Victims
from lab.drill.scene import Scene
from lab.machines import Result

Act = Callable[[Scene, Victims], Awaitable[None]]

LINK_WITHIN_S = 60.0
"""Until a machine answers that got its link or its processor back."""
SCRIPT_TIMEOUT_S = 120.0
"""For what takes seconds on an emulated machine."""


async def power_off(scene: Scene, victims: Victims) -> None:
    for machine in victims:
        await scene.control.power_off(machine)
        scene.machines.forget(machine)


async def power_on(scene: Scene, victims: Victims) -> None:
    """Returns when all that starts with the machine has started."""
    await give_power(scene, victims)
    await started(scene, victims)


async def give_power(scene: Scene, victims: Victims) -> None:
    """Returns when the machine answers; what starts with it may wait for somebody."""
    for machine in victims:
        await scene.control.power_on(machine)
        await await_answer(scene.machines, machine)


async def started(scene: Scene, victims: Victims) -> None:
    """Wait until all that starts with a machine has started."""
    for machine in victims:
        # Its status says whether a unit failed; that is for the audits to find.
        wait = "systemctl is-system-running --wait"
        await scene.machines.run(machine, wait, timeout_s=ANSWER_WITHIN_S)


async def cut(scene: Scene, victims: Victims) -> None:
    for machine in victims:
        await scene.control.cut(machine)
        scene.machines.forget(machine)


async def join(scene: Scene, victims: Victims) -> None:
    for machine in victims:
        await scene.control.join(machine)
        await await_answer(scene.machines, machine, within_s=LINK_WITHIN_S)


async def freeze(scene: Scene, victims: Victims) -> None:
    for machine in victims:
        await scene.control.freeze(machine)
        scene.machines.forget(machine)


async def thaw(scene: Scene, victims: Victims) -> None:
    for machine in victims:
        await scene.control.thaw(machine)
        await await_answer(scene.machines, machine, within_s=LINK_WITHIN_S)


async def nothing(_scene: Scene, _victims: Victims) -> None:
    """There is nothing to put right."""


def running(script: str) -> Act:
    """Run this shell script on every victim."""

    async def act(scene: Scene, victims: Victims) -> None:
        for machine in victims:
            (await command(scene, machine, script)).ok()

    return act


async def command(scene: Scene, machine: str, script: str, *, stdin: str = "") -> Result:
    """Run a script on a machine, to its end: what undoes it must not run beside it there."""
    return await uninterrupted(
        scene.machines.run(machine, script, timeout_s=SCRIPT_TIMEOUT_S, stdin=stdin)
    )
