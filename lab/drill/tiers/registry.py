"""All tiers, and the faults by their names."""

from __future__ import annotations

import difflib

from lab.drill.model import Fault, Tier
from lab.drill.target import Target
from lab.drill.tiers import app_server, cluster, database, load_balancer, machines, storage
from lab.errors import LabError

TIERS: tuple[Tier, ...] = (
    machines.TIER,
    load_balancer.TIER,
    app_server.TIER,
    cluster.TIER,
    storage.TIER,
    *database.TIERS,
)
"""In the order in which they are shown."""


def tiers_of(target: Target) -> tuple[Tier, ...]:
    """The tiers that this lab has."""
    return tuple(tier for tier in TIERS if tier.is_present(target))


def faults_of(target: Target) -> tuple[Fault, ...]:
    """The faults of the tiers that this lab has."""
    return tuple(fault for tier in tiers_of(target) for fault in tier.faults)


def fault_named(name: str) -> Fault:
    """The fault of this name. Raises LabError with the nearest one, or all."""
    faults = {fault.name: fault for tier in TIERS for fault in tier.faults}
    if name in faults:
        return faults[name]
    near = difflib.get_close_matches(name, faults, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(faults)}"
    msg = f"there is no fault {name!r}; {hint}"
    raise LabError(msg)
