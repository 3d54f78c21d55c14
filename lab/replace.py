"""Which resources to replace so that a virtual machine is made anew. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from components.settings.models import Settings
from components.topology import Topology
from lab.errors import LabError


def replacement_words(settings: Settings, topology: Topology, machines: Sequence[str]) -> list[str]:
    """Words for `pulumi up`: the machine's disk, and with it the machine and what is on it."""
    names = [machine.name for machine in topology.machines]
    for machine in machines:
        if machine not in names:
            near = difflib.get_close_matches(machine, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
            msg = f"there is no machine {machine!r} in stack {topology.stack}; {hint}"
            raise LabError(msg)
    if machines and settings.machines.provider == "existing":
        msg = (
            "--replace is for virtual machines; reinstall an existing machine yourself"
            " (`python -m rig reinstall` in a rig) and change its `identity` in the stack file"
        )
        raise LabError(msg)
    return [word for machine in machines for word in ("--replace", f"**::machines-{machine}-disk")]
