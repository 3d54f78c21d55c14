"""Changes of role, step by step. Each says what it does, and raises LabError before it harms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

from components.database.guest.model import PRIMARY, REPLICA, WAITING, State
from lab.database import ledger
from lab.database.decide import Promote, RefusedError, Switch, promote, switch, the_primary
from lab.database.model import Picture, Promotion
from lab.database.read import picture_of, tell
from lab.drill.scene import Scene
from lab.errors import LabError

Say = Callable[[str], None]
"""Tells the user what is done, in one line."""
FENCES = ("libvirt", "rig")
"""Controls that can take a machine's power away and leave it so."""


async def switchover(
    scene: Scene, engine: str, say: Say, *, to: str | None = None, dry_run: bool = False
) -> Switch:
    """Primary and replica change places; no acknowledged write is lost. Raises LabError."""
    # The ledger is read to have every connection open before clients have to wait.
    picture, pages = await asyncio.gather(picture_of(scene, engine), ledger.read(scene, engine))
    chosen = switch(picture, to)
    if picture.is_in_cluster:
        return await switch_by_cluster(scene, engine, say, chosen, dry_run=dry_run)
    term = the_primary(picture).term
    if dry_run:
        say(f"would stop {chosen.old}, promote {chosen.new}, and let {chosen.old} follow it")
        return chosen
    say(f"stopping the primary on {chosen.old}")
    end = json.loads(await tell(scene, chosen.old, engine, "hand-over", chosen.new))["position"]
    say(f"promoting {chosen.new}; {chosen.old} follows it")
    entry = Promotion(machine=chosen.new, term=term + 1, alone=False, position=end)
    try:
        await ledger.write(scene, engine, entry, pages)
    except LabError:
        await tell(scene, chosen.old, engine, "start-as-primary")
        raise
    await asyncio.gather(
        tell(scene, chosen.new, engine, "promote"),
        tell(scene, chosen.old, engine, "start-as-replica"),
    )
    return chosen


async def switch_by_cluster(
    scene: Scene, engine: str, say: Say, chosen: Switch, *, dry_run: bool
) -> Switch:
    """The same where the cluster starts, stops and promotes. Raises LabError."""
    if dry_run:
        say(f"would have the cluster demote {chosen.old} and promote {chosen.new}")
        return chosen
    say(f"the cluster demotes {chosen.old} and promotes {chosen.new}")
    await tell(scene, chosen.new, engine, "take-over")
    await tell(scene, chosen.old, engine, "await-following")
    return chosen


async def make_primary(
    scene: Scene,
    engine: str,
    say: Say,
    *,
    machine: str | None = None,
    off: Sequence[str] = (),
    accept_loss: bool = False,
    dry_run: bool = False,
) -> Promote:
    """Make a machine the primary although the old one is gone. Raises LabError.

    `off`: machines of which the user says that they have no power.
    """
    picture, pages = await asyncio.gather(picture_of(scene, engine), ledger.read(scene, engine))
    chosen = promote(picture, pages.known, machine)
    must_lose_nothing(picture, chosen, accept_loss=accept_loss, say=say)
    if dry_run:
        say(f"would {'; '.join(steps(chosen, off))}")
        return chosen
    await fence(scene, chosen, off, say)
    await asyncio.gather(*(tell(scene, other, engine, "stop") for other in chosen.stop))
    entry = entry_of(chosen.state, alone=picture.synchronous)
    await ledger.write(scene, engine, entry, pages)
    say(f"{chosen.machine} becomes the primary, and goes on alone until it has a replica")
    await tell(scene, chosen.machine, engine, *PROMOTING[chosen.state.role])
    # They find the new primary and join it, by themselves where nothing is lost by that.
    await asyncio.gather(*(tell(scene, other, engine, "start") for other in chosen.stop))
    return chosen


PROMOTING = {
    PRIMARY: ("alone",),
    REPLICA: ("promote", "--alone"),
    WAITING: ("start-as-primary", "--alone"),
}
"""What a machine is told, by what it is now."""


def must_lose_nothing(picture: Picture, chosen: Promote, *, accept_loss: bool, say: Say) -> None:
    """Raises RefusedError where acknowledged writes may be missing and that was not accepted."""
    if not chosen.losses:
        return
    why = "; ".join(chosen.losses)
    if not accept_loss:
        msg = (
            f"{chosen.machine} may lack writes of {picture.engine} that were acknowledged: {why}. "
            "Nothing was done. Bring the other machine back, or accept the loss with --accept-loss"
        )
        raise RefusedError(msg)
    say(f"writes may be lost, as was accepted: {why}")


def steps(chosen: Promote, off: Sequence[str]) -> list[str]:
    """What a promotion would do, in words."""
    fenced = [f"take the power of {name}" for name in chosen.fence if name not in off]
    stopped = [f"stop the server on {name}" for name in chosen.stop]
    return [*fenced, *stopped, f"make {chosen.machine} the primary"]


async def fence(scene: Scene, chosen: Promote, off: Sequence[str], say: Say) -> None:
    """Take the power of machines that do not answer: they may be primary all the same."""
    for name in chosen.fence:
        if name in off:
            continue
        if scene.control.name not in FENCES:
            msg = (
                f"{name} does not answer and may still be the primary: two of them would part for "
                f"ever. Nothing was done. Switch it off, and say so with --is-off {name}"
            )
            raise RefusedError(msg)
        if not await scene.control.is_on(name):
            continue
        say(f"taking the power of {name}, which does not answer")
        await scene.control.power_off(name)
        if await scene.control.is_on(name):
            msg = f"{name} still has power; nothing was promoted"
            raise LabError(msg)


def entry_of(state: State, *, alone: bool) -> Promotion:
    """The promotion of this machine, for the ledger."""
    begins_a_term = state.role == REPLICA
    return Promotion(
        machine=state.machine,
        term=state.term + 1 if begins_a_term else state.term,
        alone=alone,
        position=state.position,
    )


async def rejoin(
    scene: Scene,
    engine: str,
    say: Say,
    *,
    machine: str | None = None,
    discard: bool = False,
    reseed: bool = False,
    dry_run: bool = False,
) -> str:
    """Let a machine follow the primary again; what was done and why. Raises LabError."""
    picture = await picture_of(scene, engine)
    primary = the_primary(picture)
    chosen = machine or the_outsider(picture, primary)
    look = picture.looks.get(chosen)
    if look is None or look.state is None:
        why = look.why if look else f"the machines are {', '.join(sorted(picture.looks))}"
        msg = f"{chosen} cannot be asked to join: {why}"
        raise LabError(msg)
    if dry_run:
        how = "seed it anew" if reseed else "rewind it where it must be"
        say(f"would stop the server on {chosen}, {how}, and let it follow {primary.machine}")
        return ""
    say(f"{chosen} joins the primary on {primary.machine}")
    options = [*(["--discard"] if discard else []), *(["--reseed"] if reseed else [])]
    done: str = json.loads(await tell(scene, chosen, engine, "join", *options))["done"]
    return done


def the_outsider(picture: Picture, primary: State) -> str:
    """The one machine that does not follow. Raises LabError."""
    followers = {follower.name for follower in primary.followers if follower.streaming}
    outside = [name for name in picture.looks if name not in {*followers, primary.machine}]
    if len(outside) != 1:
        found = ", ".join(sorted(outside)) or "none: every other machine follows the primary"
        msg = f"say which machine is to join; there is {found}"
        raise LabError(msg)
    return outside[0]
