"""Which faults a lab can be drilled with, and what watches and audits them. Pure."""

from __future__ import annotations

from dataclasses import replace

from lab.drill.model import Ability, Audit, Fault, Probe
from lab.drill.probes.database import ReadProbe, WriteProbe
from lab.drill.probes.http import HttpProbe, SessionProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers.registry import TIERS, fault_named, tiers_of
from lab.errors import LabError

NO_FAULT = "none"
"""Name of the drill in which nothing is broken and nothing may fail."""
BASE_TIER = "load_balancer"
"""Its probes are a client's eyes, so they watch every drill."""
SWITCHES = {
    Ability.POWER: "can be switched on again",
    Ability.LINK: "can lose their network link",
    Ability.FREEZE: "can be paused",
}


def chosen_faults(scene: Scene, names: tuple[str, ...], *, every: bool) -> list[Fault | None]:
    """The faults that were asked for; None stands for no fault.

    Raises LabError for one that is not known or cannot be done here, and where none was named.
    """
    target = scene.target
    if every:
        return [f for f in faults_of(target) if why_not(scene, f) is None]
    if not names:
        msg = (
            f"say what to break: `lab drill {target.stack} --fault NAME` or `--all`; "
            f"`lab drill {target.stack} --list` shows the names"
        )
        raise LabError(msg)
    return [None if name == NO_FAULT else _possible(scene, name) for name in names]


def _possible(scene: Scene, name: str) -> Fault:
    fault = fault_named(name)
    reason = why_not(scene, fault)
    if reason is not None:
        msg = f"{name} is not possible in stack {scene.target.stack}: {reason}"
        raise LabError(msg)
    return fault


def why_not(scene: Scene, fault: Fault) -> str | None:
    """Why this lab cannot be drilled with this fault; None: it can."""
    if tier_of(fault) not in {tier.name for tier in tiers_of(scene.target)}:
        return f"this lab has no {tier_of(fault).replace('_', ' ')} tier"
    missing = sorted(fault.needs - scene.control.abilities)
    if missing:
        words = " and ".join(SWITCHES[ability] for ability in missing)
        return f"it needs machines that {words}; those of {scene.control.name} are none"
    return fault.why_not(scene.target)


def faults_of(target: Target) -> list[Fault]:
    """The faults of all services that this lab has."""
    return [fault for tier in tiers_of(target) for fault in tier.faults]


def tier_of(fault: Fault | None) -> str:
    """Name of the tier that registered the fault."""
    if fault is None:
        return BASE_TIER
    return next(tier.name for tier in TIERS if fault.name in {f.name for f in tier.faults})


def vip_of(fault: Fault | None) -> str:
    """Name of the VIP that the fault is about; empty for the load balancers'."""
    name = tier_of(fault)
    return next(tier.vip for tier in TIERS if tier.name == name)


def probes_for(target: Target, fault: Fault | None) -> tuple[Probe, ...]:
    """A client's probes, and those of the tier that is broken."""
    names = {BASE_TIER, tier_of(fault)}
    probes = (p for tier in tiers_of(target) if tier.name in names for p in tier.probes)
    return tuple(paced(probe, target.drill.interval_ms / 1000) for probe in probes)


def paced(probe: Probe, interval_s: float) -> Probe:
    """A web client at this pace, a database's no faster than it; other probes as they are."""
    if isinstance(probe, HttpProbe | SessionProbe):
        return replace(probe, interval_s=interval_s)
    if isinstance(probe, WriteProbe | ReadProbe):
        return replace(probe, interval_s=max(probe.interval_s, interval_s))
    return probe


def audits_of(target: Target) -> tuple[Audit, ...]:
    """The audits of all services that this lab has: one may suffer from another's fault."""
    return tuple(audit for tier in tiers_of(target) for audit in tier.audits)
