"""The storage's args from settings and topology. Pure."""

from __future__ import annotations

from components.settings.models import Settings
from components.settings.storage_models import VolumeSettings
from components.storage.args import Node, StorageArgs, Volume
from components.timers import timers_named
from components.topology import Machine, Role, Topology

SECOND_DISK = "/dev/vdb"
"""Of a virtual machine: its disks are on virtio, the bricks' after the system's."""


def storage_args(settings: Settings, topology: Topology) -> StorageArgs | None:
    """What the storage of this lab is to be; None where there is none."""
    storage, servers = settings.storage, topology.with_role(Role.STORAGE)
    if not storage.enabled or not servers:
        return None
    virtual = settings.machines.provider == "libvirt"
    return StorageArgs(
        servers=tuple(_node(machine) for machine in servers),
        volumes=tuple(
            _volume(name, volume, topology) for name, volume in sorted(storage.volumes.items())
        ),
        timers=timers_named(settings.timers).gluster,
        lab=topology.network,
        brick_dir=storage.brick_dir,
        device=storage.device or (SECOND_DISK if virtual else None),
        allow_root_file_system=storage.allow_root_file_system,
        uploads=storage.uploads,
    )


def _volume(name: str, volume: VolumeSettings, topology: Topology) -> Volume:
    apps = topology.with_role(Role.APP)
    clients = [topology.machine(client) for client in volume.clients] or apps
    return Volume(
        name=name,
        replica=volume.replica,
        arbiter=volume.arbiter,
        mount=volume.mount,
        clients=tuple(_node(machine) for machine in clients),
        options=volume.options,
    )


def _node(machine: Machine) -> Node:
    return Node(name=machine.name, address=machine.address)


def has_uploads(settings: Settings, topology: Topology) -> bool:
    """Whether the app servers serve a folder of a volume: the course's web server does."""
    args = storage_args(settings, topology)
    own = settings.app_server.application
    return args is not None and args.uploads_volume is not None and own is None
