"""The `lab db` commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lab.database import acts
from lab.database.decide import alarms
from lab.database.read import engines_of, must_have, picture_of
from lab.database.show import as_json, show_picture
from lab.drill.opening import open_scene
from lab.drill.scene import Scene
from lab.terminal import note, out

HEALTHY, ALARMED = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for."""

    machine: str | None = None
    dry_run: bool = False
    accept_loss: bool = False
    off: tuple[str, ...] = ()
    discard: bool = False
    reseed: bool = False


def status(stack: str, engine: str, *, for_scripts: bool = False) -> int:
    """Show one engine, or all; the exit status says whether anything is wrong."""
    return asyncio.run(_status(stack, engine, for_scripts=for_scripts))


async def _status(stack: str, engine: str, *, for_scripts: bool) -> int:
    async with open_scene(stack) as scene:
        chosen = (engine,) if engine else engines_of(scene)
        if not chosen:
            must_have(scene, engine or "database")
        pictures = await asyncio.gather(*(picture_of(scene, name) for name in chosen))
    if for_scripts:
        out.print_json(json.dumps([as_json(picture) for picture in pictures]))
    else:
        for picture in pictures:
            show_picture(picture, out)
    return ALARMED if any(alarms(picture) for picture in pictures) else HEALTHY


def switchover(stack: str, engine: str, options: Options) -> None:
    """Let primary and replica change places."""

    async def act(scene: Scene) -> None:
        dry_run = options.dry_run
        done = await acts.switchover(scene, engine, note, to=options.machine, dry_run=dry_run)
        if not dry_run:
            note(f"{done.new} is the primary of {engine}, {done.old} follows it")

    asyncio.run(_with_scene(stack, act))


def promote(stack: str, engine: str, options: Options) -> None:
    """Make a machine the primary although the old one is gone."""

    async def act(scene: Scene) -> None:
        done = await acts.make_primary(
            scene,
            engine,
            note,
            machine=options.machine,
            off=options.off,
            accept_loss=options.accept_loss,
            dry_run=options.dry_run,
        )
        if not options.dry_run:
            note(f"{done.machine} is the primary of {engine}")

    asyncio.run(_with_scene(stack, act))


def rejoin(stack: str, engine: str, options: Options) -> None:
    """Let a machine follow the primary again."""

    async def act(scene: Scene) -> None:
        done = await acts.rejoin(
            scene,
            engine,
            note,
            machine=options.machine,
            discard=options.discard,
            reseed=options.reseed,
            dry_run=options.dry_run,
        )
        if done:
            note(done)

    asyncio.run(_with_scene(stack, act))


async def _with_scene(stack: str, act: Callable[[Scene], Awaitable[None]]) -> None:
    async with open_scene(stack) as scene:
        await act(scene)
