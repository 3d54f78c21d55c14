"""What the shared storage is to be: values only, each checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from components.checks import must_be_name, must_be_unique
from components.timers import GlusterTimers


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that has bricks, or mounts a volume."""

    name: str
    address: IPv4Address

    def __post_init__(self) -> None:
        must_be_name("storage machine", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One replicated volume."""

    name: str
    clients: tuple[Node, ...]
    mount: str = "/mnt/gluster"
    replica: int = 3
    """Copies of every file: so many machines after each other hold the same."""
    arbiter: bool = False
    """The last of each three holds names only."""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageArgs:
    """The storage of one lab."""

    servers: tuple[Node, ...]
    """In the order of their bricks; the first one makes the pool."""
    volumes: tuple[Volume, ...]
    timers: GlusterTimers
    lab: IPv4Network
    """From where files may be uploaded."""
    brick_dir: str = "/data"
    device: str | None = None
    """Empty disk for the bricks; None: a file system is there already."""
    allow_root_file_system: bool = False
    uploads: str = ""
    """Volume of the app servers' uploads; empty: none."""

    def __post_init__(self) -> None:
        must_be_unique("storage machine name", [server.name for server in self.servers])
        must_be_unique("volume name", [volume.name for volume in self.volumes])
        for volume in self.volumes:
            if len(self.servers) == 0 or len(self.servers) % volume.replica:
                raise ValueError(
                    f"volume {volume.name} has {volume.replica} copies of each file, which needs "
                    f"a multiple of {volume.replica} storage machines, got {len(self.servers)}"
                )

    @property
    def clients(self) -> tuple[Node, ...]:
        """All machines that mount anything, each once."""
        return tuple(dict.fromkeys(c for volume in self.volumes for c in volume.clients))

    def mounted_by(self, name: str) -> tuple[Volume, ...]:
        """The volumes that this machine mounts."""
        return tuple(v for v in self.volumes if name in {client.name for client in v.clients})

    def brick(self, volume: Volume) -> str:
        """Directory of this volume's brick on every server. It is made by Gluster inside of the
        mounted disk: where the disk is missing, so is the directory above it, and the brick stays
        down instead of filling the root file system."""
        return f"{self.brick_dir}/{volume.name}/brick"

    @property
    def uploads_volume(self) -> Volume | None:
        return next((v for v in self.volumes if v.name == self.uploads), None)
