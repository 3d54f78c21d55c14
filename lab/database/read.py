"""Ask the machines about an engine."""

from __future__ import annotations

import asyncio
import json
import shlex

from components.database.guest.model import UNKNOWN, Seen, state_from
from components.database.roles import PROGRAM
from lab.database.model import Look, Picture
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.health.drift import is_off

LOOK_TIMEOUT_S = 3.0
"""A machine that hangs, or is cut off, costs as much."""
ACT_TIMEOUT_S = 3700.0
"""Seeding a replica anew takes as long as its data needs."""


def engines_of(scene: Scene) -> tuple[str, ...]:
    """The engines of this lab."""
    return tuple(sorted(scene.target.database))


def must_have(scene: Scene, engine: str) -> None:
    """Raises LabError where the lab does not have this engine."""
    if engine not in scene.target.database:
        there = ", ".join(engines_of(scene)) or "none; `ha-lab:database` switches them on"
        msg = f"stack {scene.target.stack} has no {engine}; it has: {there}"
        raise LabError(msg)


async def picture_of(
    scene: Scene, engine: str, *, timeout_s: float = LOOK_TIMEOUT_S, again: bool = True
) -> Picture:
    """What all database machines say of an engine, at once. Raises LabError.

    `again`: a machine that says nothing within `timeout_s` is asked a second time.
    """
    must_have(scene, engine)
    machines = scene.target.with_role("database")
    looks = await asyncio.gather(
        *(look_at(scene, engine, machine, timeout_s=timeout_s, again=again) for machine in machines)
    )
    return Picture(
        engine=engine,
        synchronous=bool(scene.target.database[engine]["synchronous"]),
        looks={look.machine: look for look in looks},
        failover=str(scene.target.database[engine]["failover"]),
    )


async def look_at(
    scene: Scene, engine: str, machine: str, *, timeout_s: float, again: bool
) -> Look:
    """What one machine says. It is asked twice: a busy one misses a moment, a dead one all."""
    if await is_off(scene, machine):
        return Look(machine=machine, state=None, why="it is off", is_off=True)
    look = await look_once(scene, engine, machine, timeout_s=timeout_s)
    if again if look.state is None else look.state.role == UNKNOWN:
        return await look_once(scene, engine, machine, timeout_s=timeout_s)
    return look


async def look_once(scene: Scene, engine: str, machine: str, *, timeout_s: float) -> Look:
    """What one machine says now; its state is None where it says nothing in time."""
    try:
        said = json.loads(await tell(scene, machine, engine, "status", timeout_s=timeout_s))
        seen = Seen(**said["seen"]) if said["seen"] else None
        return Look(machine=machine, state=state_from(said["state"]), seen=seen)
    except LabError as error:
        return Look(machine=machine, state=None, why=str(error))
    except (ValueError, KeyError, TypeError) as error:
        why = f"it says something else than its state ({type(error).__name__})"
        return Look(machine=machine, state=None, why=why)


async def tell(
    scene: Scene, machine: str, engine: str, *words: str, timeout_s: float = ACT_TIMEOUT_S
) -> str:
    """Let a machine's own program do one step. Raises LabError."""
    command = shlex.join([PROGRAM, engine, *words])
    return (await scene.machines.run(machine, command, timeout_s=timeout_s)).ok()
