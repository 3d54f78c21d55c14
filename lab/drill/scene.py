"""What faults, probes and audits work with: the target, its machines, its power switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.timers import Timers
from lab.drill.target import Target
from lab.machines import Machines

if TYPE_CHECKING:
    from lab.drill.control import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One lab, opened."""

    target: Target
    machines: Machines
    """Commands on the machines, over SSH."""
    control: Control
    """Power, links, freezing."""
    namespace: str | None
    """Network namespace of this host from which the lab is reached; None: this host's own."""

    @property
    def timers(self) -> Timers:
        return self.target.timer_set
