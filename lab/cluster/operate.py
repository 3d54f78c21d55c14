"""Operating a cluster: pcs on whichever member answers. The lab's settings are not changed."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Sequence

from lab.cluster.state import ClusterState, cluster_state
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError

LOOK = "crm_mon --one-shot --inactive --output-as xml"
DONE_WITHIN_S = 120
"""A move or a standby, until the resources run where they are to run."""


def members_of(target: Target) -> tuple[str, ...]:
    """Names of the members. Raises LabError where the lab has no cluster."""
    members = tuple(target.cluster.get("members", ()))
    if not members:
        msg = (
            f"stack {target.stack} has no cluster; set `ha-lab:cluster: {{enabled: true}}` in its"
            f" file and run `make up STACK={target.stack}`"
        )
        raise LabError(msg)
    return members


async def look(scene: Scene) -> ClusterState:
    """The cluster as the first member sees it that answers. Raises LabError where none does."""
    reasons = []
    for member in members_of(scene.target):
        try:
            said = (await scene.machines.run(member, LOOK)).ok()
            return cluster_state(said, asked=member)
        except LabError as error:
            reasons.append(str(error))
    msg = "no member says how the cluster is:\n  " + "\n  ".join(reasons)
    raise LabError(msg)


async def pcs(scene: Scene, words: Sequence[str]) -> str:
    """Run one pcs command on a member that answers. Raises LabError with what pcs said."""
    asked = (await look(scene)).asked
    command = shlex.join(["pcs", *words])
    done = await scene.machines.run(asked, command, timeout_s=DONE_WITHIN_S + 30)
    return done.ok().strip() or done.err.strip()


def standby(member: str, *, on: bool) -> list[str]:
    """Words for pcs: the member runs nothing, or may run resources again."""
    return ["node", "standby" if on else "unstandby", member, f"--wait={DONE_WITHIN_S}"]


def move(resource: str, member: str | None) -> list[str]:
    """To a member, or away from where it is; pcs leaves no constraint behind."""
    target = [member] if member else []
    return ["resource", "move", resource, *target, f"--wait={DONE_WITHIN_S}"]


def clear(resource: str) -> list[str]:
    """Take back moves and bans that were left behind."""
    return ["resource", "clear", resource, f"--wait={DONE_WITHIN_S}"]


def maintenance(member: str | None, *, on: bool) -> list[str]:
    """The cluster keeps its hands off a member's resources, or off all of them."""
    if member is None:
        return ["property", "set", f"maintenance-mode={str(on).lower()}"]
    return ["node", "maintenance" if on else "unmaintenance", member]


def must_be_known(what: str, name: str, known: Collection[str]) -> None:
    """Raises LabError with the nearest name, or all."""
    if name in known:
        return
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
    msg = f"there is no {what} {name!r} in this cluster; {hint}"
    raise LabError(msg)


def resources_of(state: ClusterState) -> set[str]:
    """Names of what the cluster runs or should run."""
    running = {name.partition(" ")[0] for found in state.members for name in found.resources}
    return running | set(state.stopped)
