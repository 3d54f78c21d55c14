"""Put right through Pulumi what somebody changed on a machine: run its plans again.

A plan runs again when its resource is replaced: that has no `delete`, so nothing is undone, and
nothing depends on what it gives, so no other resource follows. Only the named resources are looked
at, so that settings that were not brought up yet stay where they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.drill.opening import open_scene
from lab.health.drift import Looked, look_at
from lab.health.plans import AppliedPlan, read_plans, services_by_machine
from lab.login import find_machine
from lab.prepare import prepare
from lab.pulumi_cli import PulumiCli
from lab.terminal import note, warn

ROUNDS = 2
"""A machine whose applier was missing tells its drift only once it has one again."""
PUT_RIGHT, DRIFT_LEFT, UNKNOWN = 0, 1, 3
"""Exit statuses, as those of `lab check`."""
ASKED = "asked for"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan that is to run again, and why."""

    plan: AppliedPlan
    reasons: tuple[str, ...]


def reapply(stack: str, machine: str | None = None, everything: bool = False) -> int:
    """Run the plans again that drifted, on one machine or all; `everything`: those that did not
    too. The exit status: 0 as specified, 1 drift is left, 3 a machine could not be looked at,
    otherwise Pulumi's.

    Raises LabError where the stack is not up, or has no such machine.
    """
    return asyncio.run(_reapply(prepare(stack, to_change=True), machine, everything=everything))


async def _reapply(cli: PulumiCli, machine: str | None, *, everything: bool) -> int:
    async with open_scene(cli.stack) as scene:
        plans = await asyncio.to_thread(read_plans, cli, scene.target.machines)
        if machine is not None:
            find_machine(scene.target.machines, machine, stack=cli.stack)
            plans = [plan for plan in plans if plan.machine == machine]
        expected = services_by_machine(plans)
        found = await look_at(scene, expected)
        chosen = choose(plans, found, everything=everything)
        rounds = 0
        while chosen and rounds < ROUNDS:
            status = await asyncio.to_thread(run_again, cli, chosen)
            if status != 0:
                return status
            rounds += 1
            found = await look_at(scene, expected)
            chosen = choose(plans, found)
        return ending(found, chosen, rounds)


def choose(
    plans: Iterable[AppliedPlan], found: Sequence[Looked], *, everything: bool = False
) -> list[Chosen]:
    """The plans to run again, in the order of the plans. Pure.

    Those of a machine that does not answer are left out: Pulumi would dial it for minutes.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for looked in found:
        name = looked.look.machine
        for drift in looked.drift:
            reasons.setdefault((name, drift.plan), []).append(f"{drift.subject}: {drift.found}")
        for plan in looked.look.unrecorded:
            reasons.setdefault((name, plan), []).append("its record is of an older release")
    silent = {looked.look.machine for looked in found if not looked.look.answers}
    return [
        Chosen(plan, tuple(why or [ASKED]))
        for plan in plans
        if (why := reasons.get((plan.machine, plan.service), [])) or everything
        if plan.machine not in silent
    ]


def run_again(cli: PulumiCli, chosen: Sequence[Chosen]) -> int:
    """`pulumi up` for these resources alone; the exit status is Pulumi's."""
    for one in chosen:
        plan = one.plan
        note(f"{plan.machine}, plan {plan.service} ({plan.resource}): {'; '.join(one.reasons)}")
    words = [word for one in chosen for word in ("--target-replace", one.plan.urn)]
    status = cli.run(
        "up", "--yes", "--skip-preview", "--suppress-outputs", "--continue-on-error", *words
    )
    if status != 0:
        warn(
            "not all of it was put right; if Pulumi names a resource that was not targeted, the "
            f"stack's settings were changed since: bring those up first, `lab up {cli.stack}`"
        )
    return status


def ending(found: Sequence[Looked], left: Sequence[Chosen], rounds: int) -> int:
    """Say what the last look found; the exit status."""
    for one in left:
        warn(f"{one.plan.machine}, plan {one.plan.service}, still: {'; '.join(one.reasons)}")
    unclear = [looked.look for looked in found if looked.look.outcome != "pass"]
    for look in unclear:
        warn(f"{look.machine}: {look.detail}")
    if left:
        return DRIFT_LEFT
    if unclear:
        return UNKNOWN
    note("all of it is as Pulumi applied it" if rounds else "nothing has drifted")
    return PUT_RIGHT
