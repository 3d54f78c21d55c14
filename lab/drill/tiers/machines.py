"""What is true of every machine, whatever runs on it. It registers no faults."""

from __future__ import annotations

import asyncio

from lab.drill.model import Audit, Finding, Text, Tier
from lab.drill.scene import Scene
from lab.errors import LabError

FAILED_UNITS = "systemctl list-units --state=failed --no-legend --plain | cut -d' ' -f1"


async def machines_answer(scene: Scene) -> Finding:
    """Every machine is asked over SSH for its failed units."""
    names = sorted(scene.target.machines)
    found = await asyncio.gather(*(_problem(scene, name) for name in names))
    problems = [problem for problem in found if problem]
    if problems:
        return Finding("fail", "; ".join(problems))
    return Finding("pass", f"{len(names)} machines answer, no unit has failed")


async def _problem(scene: Scene, machine: str) -> str | None:
    try:
        units = (await scene.machines.run(machine, FAILED_UNITS)).ok().split()
    except LabError as error:
        return str(error)
    return f"{machine}: failed units: {', '.join(units)}" if units else None


TIER = Tier(
    name="machines",
    title=Text("Machines", "Machines"),
    is_present=lambda target: bool(target.machines),
    audits=(
        Audit(
            name="machines-answer",
            title=Text(
                "every machine answers, no unit has failed",
                "chaque machine répond, aucune unité en échec",
            ),
            check=machines_answer,
        ),
    ),
)
