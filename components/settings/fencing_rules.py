"""What the settings of fencing must not contradict."""

from __future__ import annotations

from collections.abc import Iterator

from components import topology
from components.fencing.choice import LONGEST_DOMAIN, fencing_kind, is_local, rig_name
from components.settings.models import Settings
from components.settings.rules import SEATS, Broken, Rule, near
from components.topology import Role

KIND, DEVICES, WATCHDOG = (f"cluster.fencing.{key}" for key in ("kind", "devices", "watchdog"))
READS = (
    *SEATS,
    "cluster.*",
    "machines.provider",
    "machines.networkNamespace",
    "libvirt.uri",
)


def kind(settings: Settings, stack: str) -> Iterator[Broken]:
    """There is a way to cut the power of these machines, or it is said that there is none."""
    del stack
    if not settings.cluster.enabled:
        return
    chosen = settings.cluster.fencing.kind
    if fencing_kind(settings) is None:
        yield KIND, f"is `auto`, and {_why_not_automatic(settings)}"
    elif chosen == "xvm" and settings.machines.provider != "libvirt":
        yield KIND, "`xvm` fences virtual machines of this host; these are existing ones"
    elif chosen == "xvm" and not is_local(settings.libvirt.uri):
        yield KIND, f"`xvm` has its daemon beside libvirt, and {settings.libvirt.uri} is elsewhere"
    elif chosen == "rig" and rig_name(settings) is None:
        yield KIND, "`rig` fences the machines of a rig, and these are none"


def _why_not_automatic(settings: Settings) -> str:
    if settings.machines.provider == "libvirt":
        what = (
            f"libvirt at {settings.libvirt.uri} is on another host than its fence daemon would be"
        )
    else:
        what = "nobody but you knows how to cut the power of these machines"
    return (
        f"{what}: set `kind: devices` and describe your fence devices (stacks/example.yaml has an"
        " example); or `kind: none`, which lets two members run the same resources after a cut"
    )


def devices(settings: Settings, stack: str) -> Iterator[Broken]:
    """Own devices are given exactly where they are used, and every member has one."""
    del stack
    cluster = settings.cluster
    given = cluster.fencing.devices
    if given and cluster.fencing.kind != "devices":
        yield DEVICES, f"are only for `kind: devices`, but kind is `{cluster.fencing.kind}`"
    if not cluster.enabled or cluster.fencing.kind != "devices":
        return
    if not given:
        yield DEVICES, "is empty; describe a fence device for every member, or set another `kind`"
        return
    members = _members(settings)
    for name, device in sorted(given.items()):
        for plug in sorted(set(device.plugs) - set(members)):
            yield f"{DEVICES}.{name}.plugs.{plug}", f"is no member{near(plug, members)}"
    fenced = {plug for device in given.values() for plug in device.plugs}
    if alone := [member for member in members if member not in fenced]:
        why = "after a failure there, nothing would start elsewhere"
        yield DEVICES, f"none fences {', '.join(alone)}: {why}"


def passwords(settings: Settings, stack: str) -> Iterator[Broken]:
    """A password in a parameter would be readable in the stack file and in the cluster."""
    del stack
    for name, device in sorted(settings.cluster.fencing.devices.items()):
        for parameter in sorted(device.parameters):
            if "passw" in parameter and not parameter.endswith("_script"):
                why = (
                    "would be readable in the stack file and in the cluster; put a script that"
                    f" prints it on the members, and give its path as {parameter}_script"
                )
                yield f"{DEVICES}.{name}.parameters.{parameter}", why


def watchdog(settings: Settings, stack: str) -> Iterator[Broken]:
    """SBD needs a kernel of the machine's own, and a first level before it."""
    del stack
    if not (settings.cluster.enabled and settings.cluster.fencing.watchdog):
        return
    if rig_name(settings):
        yield WATCHDOG, "the rig's machines share the host's kernel and its watchdog; remove it"
    if fencing_kind(settings) == "none":
        yield WATCHDOG, "is a second level and needs a first; set another `kind` or remove it"


def domains(settings: Settings, stack: str) -> Iterator[Broken]:
    """fence_virtd can be asked for each domain by its name."""
    if not settings.cluster.enabled or fencing_kind(settings) != "xvm":
        return
    prefix = f"ha-lab-{stack}-"
    longest = max(_members(settings), key=len, default="")
    if len(prefix + longest) > LONGEST_DOMAIN:
        room = LONGEST_DOMAIN - len(prefix + longest) + len(stack)
        yield (
            KIND,
            (
                f"`xvm` takes domain names of {LONGEST_DOMAIN} characters, and {prefix}{longest} is"
                f" longer; give the stack a name of at most {room}"
            ),
        )


def _members(settings: Settings) -> list[str]:
    return [seat.name for seat in topology.machine_seats(settings) if Role.CLUSTER in seat.roles]


FENCING_RULES = tuple(
    Rule(broken, READS) for broken in (kind, devices, passwords, watchdog, domains)
)
