"""What the storage settings must not contradict: machines for the copies, clients, directories."""

from __future__ import annotations

from collections.abc import Iterator

from components import topology
from components.settings.models import Settings
from components.settings.rules import SEATS, Broken, Rule, names_with, near
from components.settings.service_rules import chosen_ports
from components.topology import Role

ARBITER_SET = 3
"""Bricks of a set with an arbiter: Gluster knows no other number."""
DAEMON_PORT = 24007
BRICK_PORTS = range(49152, 49252)


def copies(settings: Settings, stack: str) -> Iterator[Broken]:
    """Every volume has machines for all its copies, in whole sets."""
    del stack
    storage, count = settings.storage, len(names_with(settings, Role.STORAGE))
    if not storage.enabled:
        return
    if not storage.volumes:
        yield "storage.volumes", "is empty; name a volume, or set storage.enabled to false"
    for name, volume in sorted(storage.volumes.items()):
        path = f"storage.volumes.{name}"
        if count == 0 or count % volume.replica:
            why = f"{volume.replica} copies need a multiple of {volume.replica} storage machines"
            yield f"{path}.replica", f"{why}, and there are {count}: set machines.counts.storage"
        if volume.arbiter and volume.replica != ARBITER_SET:
            yield (
                f"{path}.arbiter",
                f"is the third brick of {ARBITER_SET}; set replica to {ARBITER_SET}",
            )


def clients(settings: Settings, stack: str) -> Iterator[Broken]:
    """Clients are machines of the lab, each volume is mounted somewhere of its own."""
    del stack
    storage, names = settings.storage, topology.machine_names(settings)
    mounts: dict[str, str] = {}
    for name, volume in sorted(storage.volumes.items()):
        path = f"storage.volumes.{name}"
        for index, client in enumerate(volume.clients):
            if client not in names:
                yield (
                    f"{path}.clients.{index}",
                    f"{client!r} is no machine of the topology{near(client, names)}",
                )
        other = next((m for m in mounts if overlaps(m, volume.mount)), None)
        if other is not None:
            why = f"{volume.mount} and {other} of volume {mounts[other]} are in one another"
            yield f"{path}.mount", f"{why}; choose another directory"
        if overlaps(volume.mount, storage.brick_dir):
            why = f"{volume.mount} and the bricks' {storage.brick_dir} are in one another"
            yield f"{path}.mount", f"{why}; choose another directory"
        mounts[volume.mount] = name


def overlaps(one: str, other: str) -> bool:
    """Whether one directory is the other or below it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def uploads(settings: Settings, stack: str) -> Iterator[Broken]:
    """The uploads are on a volume that every app server mounts."""
    del stack
    storage = settings.storage
    if not (storage.enabled and storage.uploads):
        return
    volume = storage.volumes.get(storage.uploads)
    if volume is None:
        yield (
            "storage.uploads",
            f"{storage.uploads!r} is no volume{near(storage.uploads, storage.volumes)}",
        )
        return
    lacking = [n for n in names_with(settings, Role.APP) if n not in volume.clients]
    if volume.clients and lacking:
        why = f"is {storage.uploads}, which {', '.join(lacking)} does not mount"
        yield "storage.uploads", f"{why}: add it to the clients, or set uploads to ''"


def disk(settings: Settings, stack: str) -> Iterator[Broken]:
    """Virtual machines have a disk for the bricks."""
    del stack
    storage = settings.storage
    is_given = "disk_gib" in storage.model_fields_set
    if settings.machines.provider == "existing" and is_given:
        yield "storage.diskGib", "is only for `provider: libvirt`; existing hosts have their disks"


def ports(settings: Settings, stack: str) -> Iterator[Broken]:
    """What else runs on a storage machine leaves Gluster its ports."""
    del stack
    if not settings.storage.enabled:
        return
    for seat in topology.machine_seats(settings):
        if Role.STORAGE not in seat.roles:
            continue
        for path, port in chosen_ports(settings, seat):
            if port == DAEMON_PORT or port in BRICK_PORTS:
                yield path, f"{port} is Gluster's on {seat.name}; choose another"


STORAGE_RULES = (
    Rule(copies, (*SEATS, "storage.enabled", "storage.volumes.*")),
    Rule(clients, (*SEATS, "storage.volumes.*", "storage.brickDir")),
    Rule(uploads, (*SEATS, "storage.enabled", "storage.uploads", "storage.volumes.*")),
    Rule(disk, ("machines.provider", "storage.diskGib")),
    Rule(
        ports,
        (
            *SEATS,
            "storage.enabled",
            "loadBalancer.httpPort",
            "loadBalancer.httpsPort",
            "loadBalancer.stats.port",
            "appServer.*",
        ),
    ),
)
