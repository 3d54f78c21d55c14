"""Models of `ha-lab:cluster.fencing`: who cuts the power of a member that does not answer.

What needs two fields is in `fencing_rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.settings.cluster_kinds import ClusterName, OptionName, OptionValue
from components.settings.kinds import Integer, MachineName, matching
from components.settings.section import Section

FenceAgentName = Annotated[
    str,
    AfterValidator(
        matching(r"fence_[A-Za-z0-9_-]{1,48}", "the name of a fence agent such as fence_ipmilan")
    ),
]
PlugName = Annotated[
    str,
    AfterValidator(
        matching(
            r"[A-Za-z0-9][A-Za-z0-9._/-]{0,120}",
            "what the device calls the machine: a domain, an outlet's number, the machine's name",
        )
    ),
]


class FenceDeviceSettings(Section):
    """A fence device of your own."""

    agent: FenceAgentName
    parameters: dict[OptionName, OptionValue] = {}
    """What the agent is told, but for the action and the machine; no passwords."""
    plugs: Annotated[dict[MachineName, PlugName], Field(min_length=1)]
    """The members that it can fence, and what it calls them."""
    level: Annotated[Integer, Field(ge=1, le=9)] = 1
    """Devices of a higher level are asked when those of the lower ones have failed."""


class FencingSettings(Section):
    """How members of the cluster are fenced."""

    kind: Literal["auto", "xvm", "rig", "devices", "none"] = "auto"
    """`xvm`: by fence_virtd on the libvirt host; `rig`: by the rig's own fence service."""
    devices: dict[ClusterName, FenceDeviceSettings] = {}
    """Only with `kind: devices`, by name."""
    watchdog: bool = False
    """SBD with the kernel's softdog as the second level: a member resets itself."""
