"""The commands that a person types to break the machines of one stack, and to put them right. Pure.

They are printed, never run: what runs them is another terminal.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from lab.drill.scene import Scene

RUN = "toolchain/run"
RIG_NAMESPACE = "ha-lab-rig-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """How a person reaches the machines of one stack."""

    stack: str
    control: str
    """`libvirt`, `rig` or `existing`: where the machines have their power from."""
    prefix: str = ""
    """Of the names of libvirt domains."""
    libvirt_uri: str = ""
    namespace: str | None = None
    """Network namespace from which the lab is reached; a rig's name is in it."""

    def on(self, machine: str, command: str) -> str:
        """Run a command on a machine, over SSH."""
        return f"{RUN} lab ssh {self.stack} {machine} -- {command}"

    def power_off(self, machine: str) -> str:
        """Take its power away, as a pulled plug does."""
        if self.control == "libvirt":
            return self._virsh("destroy", machine)
        if self.control == "rig":
            return self._rig("power-off", machine)
        # The nearest to a pulled plug that SSH alone can do: no service is stopped.
        return self.on(machine, "sudo systemctl --force --force poweroff")

    def power_on(self, machine: str) -> str:
        """Give it its power back; empty where no command can do that."""
        if self.control == "libvirt":
            return self._virsh("start", machine)
        return self._rig("power-on", machine) if self.control == "rig" else ""

    def _virsh(self, action: str, machine: str) -> str:
        enter = f"ip netns exec {self.namespace} " if self.namespace else ""
        uri = shlex.quote(self.libvirt_uri)
        return f"{enter}virsh --connect {uri} {action} {self.prefix}-{machine}"

    def _rig(self, action: str, machine: str) -> str:
        name = (self.namespace or "").removeprefix(RIG_NAMESPACE)
        return f"{RUN} python -m rig {action} {machine} --name {name}"


def hands_for(scene: Scene) -> Hands:
    """Those for an opened lab."""
    target = scene.target
    return Hands(
        stack=target.stack,
        control=scene.control.name,
        prefix=target.prefix,
        libvirt_uri=target.libvirt_uri,
        namespace=scene.namespace,
    )
