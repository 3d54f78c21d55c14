"""Models of `ha-lab:storage`: GlusterFS volumes on the machines with the storage role.

What needs two fields is in `storage_rules`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.kinds import Integer, MachineName, matching
from components.settings.section import Section

DirectoryName = Annotated[
    str,
    AfterValidator(
        matching(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+", "an absolute directory such as /data")
    ),
]
DeviceName = Annotated[
    str,
    AfterValidator(
        matching(r"/dev(/[A-Za-z0-9][A-Za-z0-9._:-]*)+", "a block device such as /dev/vdb")
    ),
]
VolumeName = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z][a-z0-9_-]{0,30}",
            "a volume name: lower-case letters, digits, hyphens, underscores, at most 31, e.g. gv0",
        )
    ),
]
NoVolume = Annotated[
    str, AfterValidator(matching(r"([a-z][a-z0-9_-]{0,30})?", "a volume's name, or nothing"))
]
GlusterOption = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9.-]*",
            "an option of `gluster volume set help` such as performance.cache-size",
        )
    ),
]
GlusterValue = Annotated[
    str, AfterValidator(matching(r"[!-~]{1,200}", "a value without spaces, in quotes"))
]


class VolumeSettings(Section):
    """One replicated volume over all the storage machines."""

    replica: Annotated[Integer, Field(ge=3, le=9)] = 3
    """Copies of every file; their number divides that of the storage machines."""
    arbiter: bool = False
    """The third brick of three keeps names only, and a vote: two copies of the data."""
    mount: DirectoryName = "/mnt/gluster"
    """Where the clients mount it."""
    clients: tuple[MachineName, ...] = ()
    """Machines that mount it; empty: the app servers."""
    options: dict[GlusterOption, GlusterValue] = {}
    """Further options of the volume, over the lab's own."""


class StorageSettings(Section):
    """GlusterFS on the machines with the storage role."""

    enabled: bool = False
    """The storage machines run it."""
    brick_dir: DirectoryName = "/data"
    """Directory under which the bricks are, a file system of its own."""
    device: DeviceName | None = None
    """Empty disk for that file system (XFS is made on it); unset: /dev/vdb on virtual machines, and
    none on existing hosts, which have a file system mounted there."""
    disk_gib: Annotated[Integer, Field(ge=1, le=4096)] = 4
    """Second disk of each storage machine in GiB (sparse); virtual machines only."""
    allow_root_file_system: bool = False
    """Bricks may be on the root file system, which they can then fill up."""
    uploads: NoVolume = "gv0"
    """Volume that holds what the app servers serve under /uploads/; empty: none."""
    volumes: dict[VolumeName, VolumeSettings] = {"gv0": VolumeSettings()}
