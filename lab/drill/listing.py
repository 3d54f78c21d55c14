"""What could be drilled, and what a drill would do: `--list` and `--dry-run`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from lab.drill.choose import faults_of, tier_of, why_not
from lab.drill.limits import limits_for
from lab.drill.model import Fault
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.terminal import out


def show_faults(scene: Scene, *, language: str, as_json: bool) -> None:
    """Every fault of this lab's services, whether it is possible here, and its prediction."""
    rows = [fault_row(scene, fault, language) for fault in faults_of(scene.target)]
    if as_json:
        out.print_json(json.dumps(rows))
        return
    table = Table(title=f"faults for stack {scene.target.stack}", title_justify="left", box=None)
    for column in ("fault", "what happens", "predicted", "from"):
        table.add_column(column, overflow="fold")
    for row in rows:
        if row["whyNot"]:
            table.add_row(row["fault"], row["title"], "not here", row["whyNot"], style="dim")
        else:
            seconds = f"{row['predictedS']:.3g} s"
            table.add_row(row["fault"], row["title"], seconds, row["formula"])
    out.print(table)


def fault_row(scene: Scene, fault: Fault, language: str) -> dict[str, Any]:
    """One fault for people and programs."""
    predicted = fault.predict(scene.timers, scene.target)
    return {
        "fault": fault.name,
        "tier": tier_of(fault),
        "title": fault.title.in_language(language),
        "predictedS": predicted.seconds,
        "formula": predicted.formula,
        "whyNot": why_not(scene, fault),
    }


async def show_plan(
    scene: Scene, chosen: Sequence[Fault | None], *, runs: int, language: str, as_json: bool
) -> None:
    """What would be broken, on which machine, and what it would be judged by. Breaks nothing."""
    rows = [await plan_row(scene, fault, language) for fault in chosen]
    if as_json:
        out.print_json(json.dumps({"runs": runs, "drills": rows}))
        return
    table = Table(title=f"{runs} run(s) each; nothing was done", title_justify="left", box=None)
    for column in ("fault", "machine", "what happens", "predicted", "at most", "may fail"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[key]) for key in row))
    out.print(table)


async def plan_row(scene: Scene, fault: Fault | None, language: str) -> dict[str, Any]:
    """One drill as it would be now."""
    if fault is None:
        limits = limits_for(scene.target, None, None)
        row: dict[str, Any] = {
            "fault": "none",
            "machine": "",
            "happens": "nothing",
            "predicted": "",
        }
    else:
        predicted = fault.predict(scene.timers, scene.target)
        limits = limits_for(scene.target, fault, predicted)
        row = {
            "fault": fault.name,
            "machine": await _victims(scene, fault),
            "happens": fault.title.in_language(language),
            "predicted": f"{predicted.seconds:g} s",
        }
    failed = limits.failed_requests
    return {
        **row,
        "atMost": f"{limits.outage_s:g} s",
        "mayFail": "what the outage costs" if failed is None else failed,
    }


async def _victims(scene: Scene, fault: Fault) -> str:
    try:
        return ", ".join(await fault.resolve(scene))
    except LabError as error:
        return f"unknown: {error}"
