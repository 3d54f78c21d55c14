"""KVM or emulation: what the settings and the host's proof say."""

from __future__ import annotations

from components.machines.errors import MachinesError
from components.machines.host_facts import ACCELERATION_VARIABLE, Acceleration, HostFacts
from components.settings.models import Settings


def chosen_acceleration(settings: Settings, facts: HostFacts, *, planning: bool) -> Acceleration:
    """The domains' type. Raises MachinesError for `auto` where nothing was proven.

    /dev/kvm and libvirt's capabilities are no proof: there are hosts that have both and on which
    kernels hang. A preview (`planning`) goes on with emulation.
    """
    wanted = settings.libvirt.acceleration
    if wanted != "auto":
        return wanted
    if facts.acceleration is not None:
        return facts.acceleration
    if planning:
        return "qemu"
    msg = (
        "libvirt.acceleration is `auto`, and this host's KVM has not been tried since its boot;"
        " `lab setup` tries it (`make up` too),"
        f" or set libvirt.acceleration to `kvm` or `qemu`, or {ACCELERATION_VARIABLE}"
    )
    raise MachinesError(msg)
