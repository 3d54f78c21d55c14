"""Models of `ha-lab:cluster`: the Pacemaker cluster, its members, resources and constraints.

The defaults are the course's cluster: `vip` and `webserver`, together on one member, in this order.
What needs two fields is in `cluster_rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.settings.cluster_kinds import (
    AgentName,
    ClusterName,
    OptionName,
    OptionValue,
    Score,
)
from components.settings.fencing_models import FencingSettings
from components.settings.kinds import Address, Integer, MachineName
from components.settings.section import Section

Options = dict[OptionName, OptionValue]
CibRole = Literal["Started", "Promoted", "Unpromoted"]


class OperationSettings(Section):
    """How Pacemaker carries out one action of a resource."""

    name: Literal["monitor", "start", "stop", "promote", "demote", "notify", "reload"]
    interval_s: Annotated[Integer, Field(ge=0, le=86400)] = 0
    """Seconds between two runs; 0: only when it is needed."""
    timeout_s: Annotated[Integer, Field(ge=1, le=3600)] | None = None
    """Seconds it may take; unset: the timers' for a monitor, a minute for the others."""
    role: Literal["Promoted", "Unpromoted"] | None = None
    """For the monitors of a promotable clone, which need one for each role."""


class ResourceSettings(Section):
    """One thing that the cluster runs."""

    agent: AgentName
    """`standard:provider:type`, such as ocf:heartbeat:IPaddr2 or systemd:cron."""
    parameters: Options = {}
    """What the agent is told; {vip}, {prefix} and {interface} stand for the lab's own values."""
    operations: tuple[OperationSettings, ...] | None = None
    """unset: one monitor with the timers' interval; of a promotable clone one for each role."""
    meta: Options = {}
    """Meta attributes, such as migration-threshold."""


class GroupSettings(Section):
    """Resources that run together on one member, started in this order."""

    resources: Annotated[tuple[ClusterName, ...], Field(min_length=1)]
    meta: Options = {}


class CloneSettings(Section):
    """A resource or group that runs on several members at once."""

    resource: ClusterName
    promotable: bool = False
    """Some of its instances are promoted (a primary database)."""
    meta: Options = {}
    """Meta attributes, such as clone-max or promoted-max."""


class LocationSettings(Section):
    """Where a resource would rather run, or must not."""

    resource: ClusterName
    machine: MachineName
    score: Score = "INFINITY"
    """The larger, the rather; -INFINITY: never there."""


class ColocationSettings(Section):
    """`resource` runs where `with` runs."""

    resource: ClusterName
    with_: Annotated[ClusterName, Field(alias="with")]
    score: Score = "INFINITY"
    """INFINITY: it must; -INFINITY: it must not; between: it would rather (not)."""
    role: CibRole | None = None
    """Only for instances of `resource` in this role."""
    with_role: CibRole | None = None
    """Only where `with` has this role."""


class OrderSettings(Section):
    """`first` before `then`; stopped the other way round."""

    first: ClusterName
    then: ClusterName
    first_action: Literal["start", "stop", "promote", "demote"] = "start"
    then_action: Literal["start", "stop", "promote", "demote"] = "start"
    kind: Literal["Mandatory", "Optional", "Serialize"] = "Mandatory"
    """`Optional`: only where both change in one transition."""


class ConstraintSettings(Section):
    """What must hold between resources and machines."""

    locations: tuple[LocationSettings, ...] = ()
    colocations: tuple[ColocationSettings, ...] = (
        ColocationSettings.model_validate({"resource": "webserver", "with": "vip"}),
    )
    orders: tuple[OrderSettings, ...] = (OrderSettings(first="vip", then="webserver"),)


COURSE_RESOURCES = {
    "vip": ResourceSettings(
        agent="ocf:heartbeat:IPaddr2",
        parameters={"ip": "{vip}", "cidr_netmask": "{prefix}", "nic": "{interface}"},
    ),
    "webserver": ResourceSettings(
        agent="ocf:heartbeat:apache",
        parameters={
            "configfile": "/etc/apache2/ha-lab.conf",
            "statusurl": "http://127.0.0.1/server-status",
        },
    ),
}
RESOURCE_DEFAULTS = {
    "resource-stickiness": "100",
    "migration-threshold": "3",
    "failure-timeout": "10min",
}


class ClusterSettings(Section):
    """The Pacemaker cluster."""

    enabled: bool = False
    """There is a cluster."""
    members: tuple[MachineName, ...] = ()
    """Who votes and runs resources; empty: the databases and gluster1, or all of `compact`."""
    vip: Address | None = None
    """The cluster's own VIP; unset: host 101 of the network."""
    quorum_device: MachineName | None = None
    """A machine that has a vote and runs nothing, for an even number of members."""
    two_node: bool = False
    """Two members without a third vote: after a cut, whoever fences first goes on."""
    fencing: FencingSettings = FencingSettings()
    properties: Options = {}
    """Further cluster properties, such as cluster-recheck-interval."""
    resource_defaults: Options = RESOURCE_DEFAULTS
    """Meta attributes of every resource that does not say otherwise."""
    resources: dict[ClusterName, ResourceSettings] = COURSE_RESOURCES
    groups: dict[ClusterName, GroupSettings] = {}
    clones: dict[ClusterName, CloneSettings] = {}
    constraints: ConstraintSettings = ConstraintSettings()

    @property
    def promotable_resources(self) -> set[str]:
        """The resources of promotable clones, whether alone or in a group."""
        cloned = [clone.resource for clone in self.clones.values() if clone.promotable]
        groups = [self.groups[name] for name in cloned if name in self.groups]
        return {*cloned, *(name for group in groups for name in group.resources)}
