"""The Pacemaker cluster: the member with its VIP is lost, its Apache, its fencing.

Whoever takes over has to be sure first that the member is off. A client sees that as the longest
part of its outage, and the drill looks all the time whether two ever had the VIP at once.
"""

from __future__ import annotations

import asyncio

from lab.cluster.operate import members_of
from lab.drill import predictions
from lab.drill.model import Ability, Fault, Text, Tier, Victims
from lab.drill.predictions import UNFENCED_S
from lab.drill.probes.address import AddressProbe
from lab.drill.probes.arp import ArpProbe
from lab.drill.probes.http import HttpProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import acts, cluster_audits
from lab.drill.tiers.cluster_audits import has_vip
from lab.drill.tiers.guests import guest_script
from lab.errors import LabError

NAME = "cluster"
STEADY_LOOKS, LOOK_PAUSE_S, OWNER_WITHIN_S = 3, 0.1, 60.0
"""So many looks in a row must show the same owner of the VIP."""
REPAIRED_WITHIN_S = 90.0
"""For a member that was switched on or fenced, until it is a member again."""
BY_SERVICE = ("rig", "xvm")
"""Kinds of fencing with a service whose address is known, so that the way to it can be cut."""
ATTRIBUTE = "crm_attribute --type nodes --name standby --node"
# What failed while it was broken must not count against a resource later on.
CLEANUP = "crm_resource --cleanup >/dev/null"


def cluster_vip(target: Target) -> str:
    """Raises KeyError where the lab has no cluster."""
    return str(target.cluster["vip"])


def cluster_url(target: Target) -> str:
    """The page at the cluster's VIP. Raises KeyError where the cluster has no web server."""
    url = target.cluster.get("url")
    if not url:
        raise KeyError("cluster.url")
    return str(url)


def why_no_client(target: Target) -> str | None:
    """Why nobody can say what this costs."""
    if target.cluster.get("url"):
        return None
    return "its cluster runs no web server that a client could ask"


def why_no_fencing(target: Target) -> str | None:
    """Why fencing cannot be broken here."""
    kind = target.cluster.get("fencing")
    if kind in BY_SERVICE:
        return why_no_client(target)
    return f"its fencing is `{kind}`; only that of {' or '.join(BY_SERVICE)} can be broken"


async def owner(scene: Scene) -> Victims:
    """The one member that has the cluster's VIP, in several looks in a row. Raises LabError."""
    members, vip = members_of(scene.target), cluster_vip(scene.target)
    deadline = asyncio.get_running_loop().time() + OWNER_WITHIN_S
    looks: list[tuple[str, ...]] = []
    while True:
        answers = await asyncio.gather(*(has_vip(scene, member, vip) for member in members))
        looks.append(tuple(m for m, answer in zip(members, answers, strict=True) if answer))
        last = looks[-STEADY_LOOKS:]
        if len(last) == STEADY_LOOKS and len(set(last)) == 1 and len(last[0]) == 1:
            return last[0]
        if asyncio.get_running_loop().time() >= deadline:
            seen = ", ".join(looks[-1]) or "none"
            msg = (
                f"no member had the cluster's VIP {vip} alone for {STEADY_LOOKS} looks in a row "
                f"within {OWNER_WITHIN_S:g} s; last seen with it: {seen}"
            )
            raise LabError(msg)
        await asyncio.sleep(LOOK_PAUSE_S)


async def standby(scene: Scene, victims: Victims) -> None:
    for member in victims:
        (await acts.command(scene, member, f"{ATTRIBUTE} {member} --update on")).ok()


async def unstandby(scene: Scene, victims: Victims) -> None:
    for member in victims:
        (await acts.command(scene, member, f"{ATTRIBUTE} {member} --delete")).ok()


async def power_off_unfenced(scene: Scene, victims: Victims) -> None:
    """Nobody reaches the fence service any more, and then a member loses its power."""
    survivors = survivors_of(scene.target, victims)
    cut = guest_script("fencing-cut.sh")
    for done in await asyncio.gather(*(acts.command(scene, m, cut) for m in survivors)):
        done.ok()
    await acts.power_off(scene, victims)


async def fence_again(scene: Scene, victims: Victims) -> None:
    """The fence service is reached again, and asked first; only then the member gets its power:
    one that comes back before it was fenced would be fenced for what it did before."""
    survivors = survivors_of(scene.target, victims)
    join = guest_script("fencing-join.sh")
    for done in await asyncio.gather(*(acts.command(scene, m, join) for m in survivors)):
        done.ok()
    for victim in victims:
        if not await scene.control.is_on(victim):
            fence = f"stonith_admin --reboot {victim} --timeout 60"
            (await acts.command(scene, survivors[0], fence)).ok()
    await acts.power_on(scene, victims)
    (await acts.command(scene, survivors[0], CLEANUP)).ok()


def survivors_of(target: Target, victims: Victims) -> list[str]:
    return [member for member in members_of(target) if member not in victims]


POWER_OFF = Fault(
    name="cluster-member-power-off",
    title=Text(
        "The member with the cluster's VIP loses power",
        "Le membre qui porte la VIP du cluster perd le courant",
    ),
    resolve=owner,
    inject=acts.power_off,
    undo=acts.power_on,
    predict=predictions.member_lost,
    needs=frozenset({Ability.POWER}),
    why_not=why_no_client,
)
CUT = Fault(
    name="cluster-member-cut",
    title=Text(
        "The member with the cluster's VIP loses its link",
        "Le membre qui porte la VIP du cluster perd son lien réseau",
    ),
    resolve=owner,
    inject=acts.cut,
    undo=acts.join,
    predict=predictions.member_lost,
    needs=frozenset({Ability.LINK}),
    why_not=why_no_client,
)
FREEZE = Fault(
    name="cluster-member-freeze",
    title=Text(
        "The member with the cluster's VIP stalls",
        "Le membre qui porte la VIP du cluster se fige",
    ),
    resolve=owner,
    inject=acts.freeze,
    undo=acts.thaw,
    predict=predictions.member_lost,
    needs=frozenset({Ability.FREEZE}),
    why_not=why_no_client,
)
WEB_KILLED = Fault(
    name="cluster-web-killed",
    title=Text("The cluster's Apache is killed", "L'Apache du cluster est tué"),
    resolve=owner,
    inject=acts.running(guest_script("kill-apache.sh")),
    undo=acts.running(CLEANUP),
    predict=predictions.web_killed,
    why_not=why_no_client,
)
STANDBY = Fault(
    name="cluster-member-standby",
    title=Text(
        "The member with the cluster's VIP goes to standby",
        "Le membre qui porte la VIP du cluster passe en standby",
    ),
    resolve=owner,
    inject=standby,
    undo=unstandby,
    predict=predictions.member_emptied,
    why_not=why_no_client,
)
UNFENCED = Fault(
    name="cluster-fencing-broken",
    title=Text(
        "A member loses power and cannot be fenced: nothing may start elsewhere",
        "Un membre perd le courant et ne peut être isolé : rien ne doit démarrer ailleurs",
    ),
    resolve=owner,
    inject=power_off_unfenced,
    undo=fence_again,
    predict=predictions.member_unfenced,
    needs=frozenset({Ability.POWER}),
    why_not=why_no_fencing,
    effect_s=UNFENCED_S,
    until_undone=True,
)

TIER = Tier(
    name=NAME,
    title=Text("Cluster", "Cluster"),
    is_present=lambda target: bool(target.cluster),
    faults=(POWER_OFF, CUT, FREEZE, WEB_KILLED, STANDBY, UNFENCED),
    probes=(
        HttpProbe(name="cluster-http", url=cluster_url),
        ArpProbe(name="cluster-arp", address=cluster_vip, role="cluster", vip=NAME),
        AddressProbe(name="cluster-address", address=cluster_vip, role="cluster", vip=NAME),
    ),
    audits=cluster_audits.AUDITS,
    vip=NAME,
)
