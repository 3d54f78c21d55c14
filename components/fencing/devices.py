"""The stonith devices, levels and properties of a lab's cluster, as data. Pure.

What they mean to Pacemaker is written down by the cluster's own component; what the members need
so that the devices work is `plan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.fencing.choice import PORT, fencing_kind
from components.settings.fencing_models import FenceDeviceSettings
from components.settings.models import Settings
from components.topology import Machine, Topology

XVM_AGENT, RIG_AGENT = "fence_virt", "fence_halab_rig"
"""fence_virt and fence_xvm are one program; by this name it can speak TCP, which has an address to
listen on and a peer's address that the peer cannot choose. Multicast has neither."""
XVM_KEY, RIG_KEY = "/etc/cluster/fence_xvm.key", "/etc/cluster/fence_halab_rig.key"
"""On the members, for root alone."""
WATCHDOG = "watchdog"
"""The device that Pacemaker makes by itself where SBD runs."""
WATCHDOG_LEVEL = 9
STONITH_TIMEOUT_S = 30
"""One device and one attempt: a power cut takes one second, an emulated host some more."""
SHORT_DELAY_S = 5
"""Of two members that lose sight of each other, the second one is asked this much later."""


RISK = (
    "cluster.fencing.kind is `none`: a member that is cut off or hangs keeps its resources while"
    " the others start them too. Two owners of one address, or of one database, lose data."
    " For tests only; remove the setting to get fencing"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StonithOperation:
    """A recurring operation of a device."""

    name: str = "monitor"
    interval_s: int = 30
    timeout_s: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StonithDevice:
    """A resource of class stonith."""

    id: str
    agent: str
    parameters: Mapping[str, str]
    """Instance attributes in a fixed order, `pcmk_*` included. No secrets: the CIB is readable."""
    plugs: Mapping[str, str]
    """Member -> what the device calls it; `parameters` says the same to Pacemaker."""
    operations: tuple[StonithOperation, ...] = (StonithOperation(),)
    level: int = 1
    """Devices of a higher level are asked when those of the lower ones have failed."""

    @property
    def members(self) -> tuple[str, ...]:
        """The members that it can fence."""
        return tuple(self.plugs)


@dataclass(frozen=True, slots=True, kw_only=True)
class FencingLevel:
    """For one member: devices that are asked together, after those of the lower levels."""

    member: str
    index: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """SBD's timing, in seconds."""

    timeout_s: int
    """A member whose SBD is not content for so long is reset by its own kernel."""

    @property
    def surely_reset_s(self) -> int:
        """After that the others may assume it: twice the timeout, as Pacemaker advises."""
        return 2 * self.timeout_s


def fencing_devices(
    settings: Settings, topology: Topology, members: Sequence[Machine]
) -> tuple[StonithDevice, ...]:
    """The cluster's devices; none where it has no fencing."""
    # Here, because it brings the libvirt provider along, and settings are read without it.
    from components.machines.names import domain_name

    chosen = settings.cluster.fencing
    match fencing_kind(settings):
        case "xvm":
            plugs = {member.name: domain_name(topology, member) for member in members}
            return (_by_the_host("fence-xvm", XVM_AGENT, settings, topology, plugs),)
        case "rig":
            plugs = {member.name: member.name for member in members}
            return (_by_the_host("fence-rig", RIG_AGENT, settings, topology, plugs),)
        case "devices":
            return tuple(_of_settings(name, own) for name, own in sorted(chosen.devices.items()))
    return ()


def fencing_levels(
    settings: Settings, devices: Sequence[StonithDevice]
) -> tuple[FencingLevel, ...]:
    """The order in which devices are asked; empty where one level is all there is."""
    levels = sorted({device.level for device in devices})
    if watchdog(settings) is None and len(levels) < 2:
        return ()
    members = dict.fromkeys(name for device in devices for name in device.members)
    return tuple(level for name in members for level in _levels_of(name, settings, devices))


def fencing_properties(settings: Settings) -> dict[str, str]:
    """The cluster properties that decide about fencing."""
    if fencing_kind(settings) in ("none", None):
        return {"stonith-enabled": "false"}
    properties = {
        "stonith-enabled": "true",
        "stonith-action": "reboot",
        "stonith-timeout": f"{STONITH_TIMEOUT_S}s",
        "concurrent-fencing": "true",
    }
    if dog := watchdog(settings):
        properties["stonith-watchdog-timeout"] = f"{dog.surely_reset_s}s"
        # Pacemaker 2.1.5 gives all levels together the time of one. Seen on VMs: the wait for the
        # watchdog ended with "did not complete within a total timeout"; nothing was taken over.
        properties["stonith-timeout"] = f"{STONITH_TIMEOUT_S + dog.surely_reset_s}s"
    return properties


def fencing_warnings(settings: Settings) -> tuple[str, ...]:
    """What the user has to know who has chosen this; empty where all is well."""
    if fencing_kind(settings) != "none":
        return ()
    return (RISK,)


def watchdog(settings: Settings) -> Watchdog | None:
    """SBD's timing, where it is switched on and there is fencing at all."""
    if not settings.cluster.fencing.watchdog or fencing_kind(settings) in ("none", None):
        return None
    # An emulated machine stands still for seconds when its host is busy.
    return Watchdog(timeout_s=15 if settings.timers == "relaxed" else 5)


def _by_the_host(
    name: str, agent: str, settings: Settings, topology: Topology, plugs: Mapping[str, str]
) -> StonithDevice:
    """One device for all members: a service on the host, at the gateway's address."""
    key, address = (XVM_KEY, "ipaddr") if agent == XVM_AGENT else (RIG_KEY, "ip")
    parameters = {
        address: str(topology.gateway),
        "ipport": str(PORT),
        "key_file": key,
        **_targets(plugs),
        # Its own monitor only greets the service; a list is asked of whoever holds the power.
        "pcmk_monitor_action": "list",
    }
    if settings.cluster.two_node and len(plugs) == 2:
        first, second = plugs
        # Whoever is asked for later lives: both would be cut at the same time otherwise.
        parameters["pcmk_delay_base"] = f"{first}:{SHORT_DELAY_S}s;{second}:0s"
    return StonithDevice(id=name, agent=agent, parameters=parameters, plugs=plugs)


def _of_settings(name: str, own: FenceDeviceSettings) -> StonithDevice:
    parameters = {**dict(sorted(own.parameters.items())), **_targets(own.plugs)}
    return StonithDevice(
        id=name,
        agent=own.agent,
        parameters=parameters,
        plugs=own.plugs,
        operations=(StonithOperation(interval_s=60, timeout_s=30),),
        level=own.level,
    )


def _targets(plugs: Mapping[str, str]) -> dict[str, str]:
    """Which members it fences, said so that Pacemaker never has to ask or guess."""
    pairs = ";".join(f"{member}:{plug}" for member, plug in plugs.items())
    return {
        "pcmk_host_check": "static-list",
        "pcmk_host_list": " ".join(plugs),
        "pcmk_host_map": pairs,
    }


def _levels_of(
    member: str, settings: Settings, devices: Sequence[StonithDevice]
) -> Iterator[FencingLevel]:
    own = [device for device in devices if member in device.plugs]
    for index in sorted({device.level for device in own}):
        names = tuple(device.id for device in own if device.level == index)
        yield FencingLevel(member=member, index=index, devices=names)
    if watchdog(settings):
        yield FencingLevel(member=member, index=WATCHDOG_LEVEL, devices=(WATCHDOG,))
