"""Everything a libvirt host needs before `pulumi up`, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.fencing.choice import fencing_kind
from components.machines.host_facts import (
    ACCELERATION_VARIABLE,
    IMAGE_VARIABLE,
    Acceleration,
    HostFacts,
    read_facts,
    write_facts,
)
from components.settings.models import ImageSettings, Settings
from components.topology import Topology
from lab.libvirt_host.acceleration import KVM, PROBE_DEADLINE_S, is_nested, prove_acceleration
from lab.libvirt_host.daemon import LibvirtHost, ensure_libvirtd
from lab.libvirt_host.fencing import FenceDaemon
from lab.libvirt_host.images import ensure_image
from lab.libvirt_host.leftovers import Leftovers, Plan, clean_leftovers, ids_in_state
from lab.libvirt_host.owners import claim, owner_of
from lab.libvirt_host.packages import ensure_packages

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What Pulumi knows of a stack, and where it keeps that."""

    backend: str
    export: Mapping[str, object]
    """Output of `pulumi stack export`; `{}` for a new stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedHost:
    """How Pulumi has to be run for this stack."""

    host: LibvirtHost
    environment: dict[str, str]

    @property
    def prefix(self) -> tuple[str, ...]:
        """Words before `pulumi`, and before anything else that must reach the machines."""
        return self.host.prefix


def prepare_host(
    settings: Settings, topology: Topology, *, state: State, say: Say, to_change: bool
) -> PreparedHost:
    """Packages, daemon, image, acceleration; `to_change`: what a failed run left is removed too.

    Without that (a preview, a set-up) nothing of any lab is touched. `say` tells the user what
    takes time or changes the host. Under 0.3 s when there is nothing to do. Raises LabError.
    """
    fenced = settings.cluster.enabled and fencing_kind(settings) == "xvm"
    ensure_packages(say, golden=is_golden(settings.libvirt.image), fencing=fenced)
    host = ensure_libvirtd(settings.libvirt.uri)
    image, acceleration = image_and_acceleration(settings, say)
    if to_change:
        _tell(clean_leftovers(host.virsh, plan_of(settings, topology, state)), say)
        claim(topology.prefix, state.backend)
    environment = {ACCELERATION_VARIABLE: acceleration, IMAGE_VARIABLE: str(image)}
    return PreparedHost(host=host, environment=environment)


def prepare_destroy(
    settings: Settings, topology: Topology, *, state: State, say: Say
) -> LibvirtHost:
    """Before `pulumi destroy`: what Pulumi does not know of goes first, or its pool is not empty.

    Foreign things are in nobody's way then, and are left out of the account. Raises LabError.
    """
    host = ensure_libvirtd(settings.libvirt.uri)
    plan = plan_of(settings, topology, state)
    if plan.known or plan.is_maker:
        # First: members see one another go, and would have each other started again.
        FenceDaemon(host=host, topology=topology).stop()
    _tell(clean_leftovers(host.virsh, plan, refuse_foreign=False), say)
    return host


def plan_of(settings: Settings, topology: Topology, state: State) -> Plan:
    """What this state knows and made of the names of a stack."""
    return Plan(
        settings=settings,
        topology=topology,
        known=ids_in_state(state.export),
        maker=owner_of(topology.prefix),
        backend=state.backend,
    )


def image_and_acceleration(settings: Settings, say: Say) -> tuple[Path, Acceleration]:
    """The image to use and the acceleration that was set or proven; both are written down.

    The golden image is built for emulation where KVM is out of the question, or is unlikely.
    """
    chosen, wanted = settings.libvirt.image, settings.libvirt.acceleration
    golden = is_golden(chosen)
    known = wanted if wanted != "auto" else read_facts().acceleration
    if known is not None:
        image = ensure_image(chosen, say, emulation=known == "qemu")
        proven = read_facts().acceleration
    else:
        image = ensure_image(chosen, say, emulation=is_nested() or not KVM.exists())
        say(f"trying whether KVM boots a kernel here (at most {PROBE_DEADLINE_S} s, once per boot)")
        known = proven = prove_acceleration(image)
        say("KVM works" if known == "kvm" else "KVM does not work here: emulating, which is slow")
        if golden:
            image = ensure_image(chosen, say, emulation=known == "qemu")
    kept = str(image) if golden else read_facts().golden_image
    write_facts(HostFacts(acceleration=proven, golden_image=kept))
    return image, known


def is_golden(chosen: ImageSettings) -> bool:
    """Whether the stack uses the image that the project builds."""
    return chosen.path is None and chosen.url is None


def _tell(left: Leftovers, say: Say) -> None:
    if left:
        things = [*left.domains, *left.volumes, *left.pools, *left.networks]
        say(f"removed what a failed run of this stack had left: {', '.join(things)}")
