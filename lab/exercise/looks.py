"""Looks at the machines themselves, where no probe sees what a step is about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from components.load_balancer.from_settings import DEFAULT_BACKEND
from lab.drill.choose import audits_of
from lab.drill.scene import Scene
from lab.drill.tiers.roles import servers_seen
from lab.errors import LabError
from lab.health.check import run_audit
from lab.health.report import AuditResult


async def is_down(scene: Scene, server: str) -> bool:
    """Whether a load balancer sends no requests to this app server any more."""

    async def by(balancer: str) -> bool:
        try:
            seen = await servers_seen(scene, balancer)
        except LabError:
            return False
        return any(s.backend == DEFAULT_BACKEND and s.name == server and not s.is_up for s in seen)

    balancers = scene.target.with_role("load_balancer")
    return any(await asyncio.gather(*(by(balancer) for balancer in balancers)))


async def audited(scene: Scene) -> tuple[AuditResult, ...]:
    """Every audit of the lab, once."""
    audits = audits_of(scene.target)
    return tuple(await asyncio.gather(*(run_audit(scene, audit) for audit in audits)))


def problems(results: Sequence[AuditResult]) -> tuple[str, ...]:
    """What is not as it should be, in the audits' words."""
    return tuple(result.detail for result in results if result.outcome != "pass")
