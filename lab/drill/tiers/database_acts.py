"""What faults of a replicated database do, and how they put it right, with `lab db`'s own acts.

Where the failover mode is `manual` somebody has to promote. The drill is that person: it does what
the operator would, through the same functions as `lab db`, and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from components.database.guest.decide import progress
from components.database.guest.model import DOWN, ON, PRIMARY, REPLICA, WAITING
from lab.database import acts as operator
from lab.database.decide import RefusedError, the_primary, the_replica
from lab.database.model import Look, Picture
from lab.database.read import engines_of, picture_of
from lab.drill.model import Victims
from lab.drill.predictions_database import MANUAL, failover_of, is_synchronous
from lab.drill.scene import Scene
from lab.drill.tiers import acts
from lab.errors import LabError
from lab.terminal import note

T = TypeVar("T")
WHOLE_WITHIN_S = 300.0
"""A machine that was emulated or starved answers late, and may have much to recover."""
FOUND_WITHIN_S = 30.0
PAUSE_S = 0.25


async def primary(scene: Scene, engine: str) -> Victims:
    """The machine of the one primary, whose replica follows. Raises LabError."""
    return (the_primary(await whole_picture(scene, engine)).machine,)


async def primary_to_lose(scene: Scene, engine: str) -> Victims:
    """The same, where somebody can make sure that it does not write any more. Raises LabError."""
    target = scene.target
    if failover_of(target, engine) == MANUAL and scene.control.name not in operator.FENCES:
        msg = (
            f"with failover by hand nobody here can take the power of {engine}'s old primary and "
            "leave it off, so no replica can be promoted without two of them writing"
        )
        raise LabError(msg)
    return await primary(scene, engine)


async def replica(scene: Scene, engine: str) -> Victims:
    """The machine of the one replica, which follows. Raises LabError."""
    return (the_replica(await whole_picture(scene, engine), None).machine,)


async def whole_picture(scene: Scene, engine: str) -> Picture:
    """An engine that has a primary and a replica that follows. Raises LabError."""

    async def looked() -> Picture:
        picture = await picture_of(scene, engine)
        must_follow(picture, engine)
        return picture

    return await patiently(looked, within_s=FOUND_WITHIN_S)


async def patiently(attempt: Callable[[], Awaitable[T]], *, within_s: float) -> T:
    """Try again while a machine does not answer in time, as a person would: one that is emulated
    or starved takes seconds for a look. A refusal is final. Raises LabError."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        try:
            return await attempt()
        except RefusedError:
            raise
        except LabError:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(PAUSE_S)


def must_follow(picture: Picture, engine: str) -> None:
    """Raises LabError unless a replica has all that is acknowledged: no fault on top of another."""
    state = the_primary(picture)
    follows = any(follower.streaming for follower in state.followers)
    if not follows or (picture.synchronous and state.synchronous != ON):
        msg = (
            f"no replica of {engine} follows {state.machine} (synchronous: {state.synchronous}), "
            "so nothing was broken; `lab db status` says why"
        )
        raise LabError(msg)


async def kill(scene: Scene, victims: Victims, engine: str) -> None:
    """SIGKILL to the server's main process; what belongs to it goes too."""
    unit = scene.target.database[engine]["unit"]
    script = f"kill -9 $(systemctl show -P MainPID {unit})"
    await acts.running(script)(scene, victims)


async def promote(scene: Scene, victims: Victims) -> None:
    """What the operator does once these machines are lost: every engine without a primary, and
    with failover by hand, gets one."""
    for engine in engines_of(scene):
        if failover_of(scene.target, engine) != MANUAL:
            continue
        picture = await picture_of(scene, engine)
        if picture.primaries:
            continue
        note(f"failover of {engine} is by hand; the operator's part: `lab db promote`")
        # Without synchronous replication there is no promotion that surely loses nothing.
        accept = not is_synchronous(scene.target, engine)
        new = next(iter(sorted(name for name in picture.looks if name not in victims)), None)
        act = partial(operator.make_primary, scene, engine, note, machine=new, accept_loss=accept)
        await patiently(act, within_s=FOUND_WITHIN_S)


async def switch(scene: Scene, _victims: Victims, engine: str) -> None:
    """Primary and replica change places."""
    note(f"`lab db switchover` of {engine}")
    await operator.switchover(scene, engine, note)


async def bring_back(scene: Scene, victims: Victims) -> None:
    """Processor, link and power of these machines, whatever they lost.

    A server that was the primary may wait for its operator: nothing here waits for it.
    """
    for machine in victims:
        await scene.control.thaw(machine)
        await scene.control.join(machine)
        if await scene.control.is_on(machine):
            await acts.join(scene, (machine,))
        else:
            await acts.give_power(scene, (machine,))


async def stop(scene: Scene, victims: Victims, engine: str) -> None:
    """Its server ends in good order, and stays away."""
    await acts.running(f"systemctl stop {scene.target.database[engine]['unit']}")(scene, victims)


async def start(scene: Scene, victims: Victims, engine: str) -> None:
    """Its server runs."""
    # It may wait for the other machine before it is up, so nobody waits for it here.
    await acts.running(f"systemctl start --no-block {scene.target.database[engine]['unit']}")(
        scene, victims
    )


async def make_whole(scene: Scene, engine: str) -> None:
    """One primary, and the other machine follows it. Raises LabError where that does not become so.

    Does the operator's part where a drill ended half-way: nobody is primary, or a former primary
    has acknowledged writes of its own that the promotion was told to give up.
    """
    deadline = asyncio.get_running_loop().time() + WHOLE_WITHIN_S
    while True:
        picture = await picture_of(scene, engine)
        missing = await step_to_whole(scene, engine, picture)
        if not missing:
            return
        if asyncio.get_running_loop().time() >= deadline:
            msg = f"{engine} is not whole again within {WHOLE_WITHIN_S:g} s: {missing}"
            raise LabError(msg)
        await asyncio.sleep(PAUSE_S)


async def step_to_whole(scene: Scene, engine: str, picture: Picture) -> str:
    """Do what has to be done next; what is missing still, or nothing."""
    manual = failover_of(scene.target, engine) == MANUAL
    if not picture.primaries:
        if manual and nobody_will_be_primary(picture):
            note(f"{engine} has no primary; the operator's part: `lab db promote`")
            best = max(picture.replicas, key=lambda s: (s.term, progress(engine, s.position)))
            accept = not picture.synchronous
            await operator.make_primary(
                scene, engine, note, machine=best.machine, accept_loss=accept
            )
        return f"it has no primary ({', '.join(as_seen(picture))})"
    head = picture.primaries[0]
    outside = sorted(name for name, look in picture.looks.items() if not is_in(look))
    for machine in outside:
        state = picture.looks[machine].state
        # Only where the promotion itself was told to accept a loss.
        if manual and state and state.role == WAITING and not picture.synchronous:
            note(f"{machine} may have writes that {head.machine} lacks; they are given up")
            await discard(scene, engine, machine)
    if outside:
        return f"{', '.join(outside)} does not follow {head.machine}"
    waits = head.synchronous == ON or not picture.synchronous
    return "" if waits else f"writes on {head.machine} do not wait for its replica yet"


def nobody_will_be_primary(picture: Picture) -> bool:
    """Whether all are replicas, running or stopped: what a switchover leaves that ended half-way.

    A former primary that is down or waiting becomes one again by itself.
    """
    states = [look.state for look in picture.looks.values()]
    return bool(picture.replicas) and all(
        s is not None and (s.role == REPLICA or (s.role == DOWN and s.was == REPLICA))
        for s in states
    )


def as_seen(picture: Picture) -> list[str]:
    """What each machine said it is."""
    return [
        f"{machine}: {look.state.role if look.state else look.why}"
        for machine, look in sorted(picture.looks.items())
    ]


def is_in(look: Look) -> bool:
    """Whether a machine is the primary, or a replica that receives."""
    state = look.state
    if state is None:
        return False
    return state.role == PRIMARY or (state.role == REPLICA and state.is_streaming)


async def discard(scene: Scene, engine: str, machine: str) -> None:
    """Let a former primary join without what it alone has; it may be about to do so by itself."""
    try:
        await operator.rejoin(scene, engine, note, machine=machine, discard=True)
    except LabError as error:
        note(f"not yet: {error}")
