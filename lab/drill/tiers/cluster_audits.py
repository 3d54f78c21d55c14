"""What must be true of the Pacemaker cluster: whole, one owner of its VIP, as it was set."""

from __future__ import annotations

import asyncio
import json

from lab.cluster.operate import look, members_of
from lab.drill.model import Audit, Finding, Text
from lab.drill.scene import Scene
from lab.errors import LabError

BY_HAND = "/usr/local/lib/ha-lab/cluster-tool by-hand"


async def whole(scene: Scene) -> Finding:
    """A majority, every member online and free to run something, nothing stopped or failed."""
    state = await look(scene)
    problems = [f"{m.name} is {m.state}" for m in state.members if m.state != "online"]
    problems += [] if state.quorum else ["there is no majority"]
    problems += ["the cluster is in maintenance"] if state.maintenance else []
    problems += [f"{name} does not run" for name in state.stopped]
    problems += [f"failed: {failure}" for failure in state.failures]
    if problems:
        return Finding("fail", "; ".join(problems))
    running = sum(len(member.resources) for member in state.members)
    return Finding("pass", f"{len(state.members)} members with a majority run {running} resources")


async def one_owner(scene: Scene) -> Finding:
    """Every member is asked whether it has the cluster's VIP."""
    members, vip = members_of(scene.target), scene.target.cluster["vip"]
    answers = await asyncio.gather(*(has_vip(scene, member, vip) for member in members))
    owners = [name for name, answer in zip(members, answers, strict=True) if answer is True]
    silent = [name for name, answer in zip(members, answers, strict=True) if answer is None]
    if len(owners) > 1:
        return Finding("fail", f"{' and '.join(owners)} have the cluster's VIP {vip} at once")
    if silent:
        return Finding("unknown", f"{', '.join(silent)} cannot be asked for the VIP {vip}")
    if not owners:
        return Finding("fail", f"nobody has the cluster's VIP {vip}")
    return Finding("pass", f"{owners[0]} has the cluster's VIP {vip}")


async def has_vip(scene: Scene, member: str, vip: str) -> bool | None:
    """Whether it has the address; None where it cannot be asked, False where it has no power."""
    try:
        said = (await scene.machines.run(member, f"ip -4 -o address show to {vip}/32")).ok()
    except LabError:
        return None if await scene.control.is_on(member) else False
    return bool(said.strip())


async def as_set(scene: Scene) -> Finding:
    """Nobody has changed, stopped, moved or banned anything by hand."""
    first = members_of(scene.target)[0]
    said = (await scene.machines.run(first, BY_HAND)).ok()
    try:
        found: dict[str, list[str]] = json.loads(said)
    except ValueError:
        return Finding("unknown", f"{first} gave no answer that can be read: {said[:200]!r}")
    sentences = [*found["kept"], *(f"{changed}, by hand" for changed in found["changed"])]
    if sentences:
        return Finding("fail", "; ".join(sentences))
    return Finding("pass", "resources, constraints and properties are those of the settings")


AUDITS = (
    Audit(
        name="cluster-whole",
        title=Text(
            "every member of the cluster is online, nothing failed",
            "chaque membre du cluster est en ligne, aucun échec",
        ),
        check=whole,
        within_s=60.0,
    ),
    Audit(
        name="one-cluster-vip-owner",
        title=Text(
            "exactly one owner of the cluster's VIP",
            "un seul propriétaire de la VIP du cluster",
        ),
        check=one_owner,
    ),
    Audit(
        name="cluster-as-set",
        title=Text("the cluster is as the settings say", "le cluster est tel que configuré"),
        check=as_set,
    ),
)
