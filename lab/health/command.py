"""The `lab check` command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from lab.drill.model import Tier
from lab.drill.opening import open_scene
from lab.drill.tiers.registry import TIERS
from lab.health.check import check_lab
from lab.health.plans import read_plans, services_by_machine
from lab.health.report import Report
from lab.health.show import show_report
from lab.prepare import open_stack
from lab.terminal import out


def check(
    stack: str, *, tiers: Iterable[Tier] = TIERS, with_drift: bool = True, as_json: bool = False
) -> int:
    """Look at a lab and show what was found; the exit status. The audits are those of the `tiers`
    that the lab has.

    0: all is well. 1: an audit fails, a machine is off, or something drifted. 3: neither, but not
    everything could be looked at. Raises LabError where the stack is not up.
    """
    report = asyncio.run(_check(stack, tiers, with_drift=with_drift))
    if as_json:
        out.print_json(report.model_dump_json(by_alias=True))
    else:
        show_report(report, out)
    return report.exit_status


async def _check(stack: str, tiers: Iterable[Tier], *, with_drift: bool) -> Report:
    async with open_scene(stack) as scene:
        expected = None
        if with_drift:
            cli = await asyncio.to_thread(open_stack, stack)
            plans = await asyncio.to_thread(read_plans, cli, scene.target.machines)
            expected = services_by_machine(plans)
        present = [tier for tier in tiers if tier.is_present(scene.target)]
        audits = [audit for tier in present for audit in tier.audits]
        return await check_lab(scene, audits=audits, with_drift=with_drift, expected=expected)
