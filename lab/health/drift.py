"""Ask machines what is not as it was applied on them.

The machine's own applier compares (`apply.py --verify`); here is what its answer means.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.files import LIB_DIR
from lab.drill.events import Judgement
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.health.report import Drift, MachineLook
from lab.machines import Result

APPLIER = f"{LIB_DIR}/apply.py"
ANSWER_VERSION = 1
READY = "ready"
"""The plan that puts the applier itself on a machine."""
LOOK_TIMEOUT_S = 8.0
PATIENCE_S = 1.0
"""A machine that has not answered by then is asked for its power as well."""
POWER_TIMEOUT_S = 5.0
NOT_THERE = (126, 127)
"""Statuses of a shell whose command is not there or cannot be run."""
KNOW_POWER = ("libvirt", "rig")
"""Controls that tell a machine without power from one that does not answer."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one machine gave."""

    look: MachineLook
    drift: tuple[Drift, ...] = ()


async def look_at(scene: Scene, expected: Mapping[str, Sequence[str]]) -> list[Looked]:
    """All machines of the lab at once, or those of `expected`: by machine, its services.

    Without services a machine tells what it has records of. Takes about 13 s at most.
    """
    names = expected or dict.fromkeys(scene.target.machines, ())
    return await asyncio.gather(*(_look_at(scene, name, names[name]) for name in sorted(names)))


async def _look_at(scene: Scene, machine: str, services: Sequence[str]) -> Looked:
    script = shlex.join([APPLIER, "--verify", *services])
    asking = asyncio.ensure_future(scene.machines.run(machine, script, timeout_s=LOOK_TIMEOUT_S))
    try:
        await asyncio.wait({asking}, timeout=PATIENCE_S)
        if not asking.done() and await is_off(scene, machine):
            return silent(machine, "fail", "is off")
        return answer_of(await asking)
    except LabError as error:
        if await is_off(scene, machine):
            return silent(machine, "fail", "is off")
        return silent(machine, "unknown", str(error).removeprefix(f"{machine} "))
    finally:
        asking.cancel()


def silent(machine: str, outcome: Judgement, detail: str) -> Looked:
    return Looked(MachineLook(machine=machine, outcome=outcome, detail=detail, answers=False))


async def is_off(scene: Scene, machine: str) -> bool:
    """Whether it surely has no power: then there is no need to wait for its answer."""
    if scene.control.name not in KNOW_POWER:
        return False
    try:
        async with asyncio.timeout(POWER_TIMEOUT_S):
            return not await scene.control.is_on(machine)
    except (LabError, TimeoutError):
        return False


def answer_of(result: Result) -> Looked:
    """The meaning of what the applier on a machine answered. Pure."""
    if result.status in NOT_THERE:
        return broken_applier(result.machine, "missing")
    if "Traceback" in result.err:
        # It takes `--verify` for nothing and finds no specification, or modules of it are gone.
        reason = result.err.strip().splitlines()[-1]
        return broken_applier(result.machine, f"of an older release, or damaged ({reason})")
    if result.status != 0:
        detail = f"cannot be looked at: {result.err.strip() or f'status {result.status}'}"
        return Looked(MachineLook(machine=result.machine, outcome="unknown", detail=detail))
    try:
        return looked(result.machine, json.loads(result.out))
    except (ValueError, KeyError, TypeError) as error:
        detail = f"answered something else than its drift ({type(error).__name__})"
        return Looked(MachineLook(machine=result.machine, outcome="unknown", detail=detail))


def looked(machine: str, answer: Mapping[str, Any]) -> Looked:
    """A complete answer. Raises KeyError or ValueError where it is none."""
    if answer["version"] != ANSWER_VERSION:
        raise ValueError(answer["version"])
    drift = tuple(Drift(machine=machine, **finding) for finding in answer["findings"])
    if not answer["plans"]:
        found = MachineLook(machine=machine, outcome="unknown", detail="nothing was applied on it")
        return Looked(found)
    unrecorded = tuple(one["plan"] for one in answer["unknown"])
    detail = f"{len(answer['plans'])} plans, " + (differences(len(drift)) or "as applied")
    if unrecorded:
        detail += f"; {', '.join(unrecorded)}: {answer['unknown'][0]['why']}"
    look = MachineLook(
        machine=machine,
        outcome="unknown" if unrecorded else "pass",
        detail=detail,
        unrecorded=unrecorded,
    )
    return Looked(look, drift)


def differences(number: int) -> str:
    """The number of differences, in words."""
    return f"{number} difference{'s' if number > 1 else ''}" if number else ""


def broken_applier(machine: str, found: str) -> Looked:
    """The machine is there, but nothing on it can be compared until its applier is put right."""
    detail = "cannot be looked at without its applier; `lab reapply` brings it"
    return Looked(
        MachineLook(machine=machine, outcome="unknown", detail=detail),
        (
            Drift(
                machine=machine,
                plan=READY,
                kind="applier",
                subject=APPLIER,
                found=found,
                expected="the applier of this release",
            ),
        ),
    )
