"""The whole check of a lab: every audit and every machine at the same time, each with an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

from lab.drill.model import Audit, Finding
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.health.drift import Looked, look_at
from lab.health.report import AuditResult, Report

AUDIT_TIMEOUT_S = 10.0
"""Times the patience of the lab's timers."""


async def check_lab(
    scene: Scene,
    *,
    audits: Iterable[Audit],
    with_drift: bool = True,
    expected: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Look once at everything; a machine that is gone costs seconds, never a hang.

    `expected`: by machine, the services that were applied on it (`plans.services_by_machine`); a
    missing record is found with it alone. Not for a lab that somebody is breaking or configuring.
    """
    begun = time.monotonic()
    looking = look_at(scene, expected or {}) if with_drift else nothing()
    results, machines = await asyncio.gather(
        asyncio.gather(*(run_audit(scene, audit) for audit in audits)), looking
    )
    return Report(
        stack=scene.target.stack,
        audits=tuple(results),
        machines=tuple(looked.look for looked in machines),
        drift=tuple(drift for looked in machines for drift in looked.drift),
        took_s=round(time.monotonic() - begun, 3),
    )


async def run_audit(scene: Scene, audit: Audit) -> AuditResult:
    """One audit, once. What it cannot look at is unknown, and so is what takes too long."""
    begun = time.monotonic()
    limit_s = AUDIT_TIMEOUT_S * scene.timers.patience
    try:
        async with asyncio.timeout(limit_s):
            finding = await audit.check(scene)
    except TimeoutError:
        finding = Finding("unknown", f"no answer within {limit_s:g} s")
    except LabError as error:
        finding = Finding("unknown", str(error))
    return AuditResult(
        audit=audit.name,
        title=audit.title.en,
        outcome=finding.outcome,
        detail=finding.detail,
        took_s=round(time.monotonic() - begun, 3),
    )


async def nothing() -> list[Looked]:
    return []
