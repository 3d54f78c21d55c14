"""What the storage asks of its machines, one plan for each step. Pure.

Every server gets its disk and its daemon; one of them then makes the pool and the volumes; at the
end the clients mount them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from components.files import LIB_DIR, STATE_DIR, RenderedFile, ServicePlan, ServiceUnit
from components.rendering import Templates
from components.storage.args import Node, StorageArgs, Volume
from components.storage.firewall import FIRST_BRICK_PORT, LAST_BRICK_PORT
from components.storage.options import mount_options, mount_source, volume_options
from components.storage.uploads import uploads_files, uploads_units

TOOL = f"{LIB_DIR}/storage-tool"
SERVER_PATH = "/etc/ha-lab/storage.json"
VOLUMES_PATH = f"{STATE_DIR}/storage/volumes.json"
DAEMON_PATH = "/etc/glusterfs/glusterd.vol"
KEEPER_UNIT = "ha-lab-storage-mounts.service"
LABEL = "ha-lab-brick"
"""Of the bricks' file system; XFS allows twelve characters."""
WITHIN_S = 90
"""Until every server sees every other, and every brick is up."""

_PACKAGE = f"{LIB_DIR}/storage_tool"
_DROP_IN_PATH = "/etc/systemd/system/glusterd.service.d/ha-lab.conf"
_UNITS = "/etc/systemd/system"
_GUEST = Path(__file__).parent / "guest"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def tool_files() -> tuple[RenderedFile, ...]:
    """The storage's own program; servers and clients have it."""
    modules = [
        RenderedFile(path=f"{_PACKAGE}/{path.name}", content=path.read_text(encoding="utf-8"))
        for path in sorted(_GUEST.glob("*.py"))
    ]
    entry = _TEMPLATES.render("storage-tool.j2", {"lib_dir": LIB_DIR})
    return (*modules, RenderedFile(path=TOOL, content=entry, mode=0o755))


def server_plan(args: StorageArgs, server: Node) -> ServicePlan:
    """One server: its disk, its directories, its daemon; whether the others are there or not."""
    disk = (_brick_mount(args),) if args.device else ()
    drop_in = _TEMPLATES.render("glusterd-drop-in.conf.j2", {"brick_dir": args.brick_dir})
    ports = {"first_port": FIRST_BRICK_PORT, "last_port": LAST_BRICK_PORT}
    return ServicePlan(
        name="storage",
        packages={"debian": ("glusterfs-server", "xfsprogs"), "redhat": ("glusterfs-server",)},
        files=(
            *tool_files(),
            *disk,
            RenderedFile(path=_DROP_IN_PATH, content=drop_in),
            RenderedFile(
                path=DAEMON_PATH, content=_TEMPLATES.render("glusterd.vol.j2", dict(ports))
            ),
            RenderedFile(
                path=SERVER_PATH,
                content=server_json(args, server),
                validate=f"{TOOL} check {{staged}}",
                then=f"{TOOL} prepare {SERVER_PATH}",
            ),
        ),
        units=(
            *(ServiceUnit(name=unit_of(args.brick_dir)) for _ in disk),
            # A restart leaves the bricks alone: see the drop-in.
            ServiceUnit(name="glusterd.service", restart_on=(DAEMON_PATH,)),
        ),
        checks=(f"{TOOL} answers",),
    )


def server_json(args: StorageArgs, server: Node) -> str:
    """What the program is told on a server."""
    data = {
        "machine": server.name,
        "servers": [node.name for node in args.servers],
        "brick_dir": args.brick_dir,
        "device": args.device,
        "label": LABEL,
        "mount_unit": unit_of(args.brick_dir),
        "allow_root_file_system": args.allow_root_file_system,
        "volumes": [volume.name for volume in args.volumes],
    }
    return json.dumps(data, indent=1) + "\n"


def volumes_plan(args: StorageArgs, identities: Sequence[str]) -> ServicePlan:
    """On the first server: all are one pool, and every volume is there, whole and as set.

    `identities` change with the machines: one that was made anew is looked at again.
    """
    wanted = {
        "machine": args.servers[0].name,
        "servers": [server.name for server in args.servers],
        "brick_dir": args.brick_dir,
        "allow_root_file_system": args.allow_root_file_system,
        "within_s": WITHIN_S,
        "volumes": [_wanted(args, volume) for volume in args.volumes],
        "machines": hashlib.sha256(repr(list(identities)).encode()).hexdigest()[:16],
    }
    file = RenderedFile(
        path=VOLUMES_PATH,
        content=json.dumps(wanted, indent=1) + "\n",
        then=f"{TOOL} ensure {VOLUMES_PATH}",
    )
    return ServicePlan(name="storage_volumes", files=(file,))


def _wanted(args: StorageArgs, volume: Volume) -> dict[str, object]:
    return {
        "name": volume.name,
        "replica": volume.replica,
        "arbiter": volume.arbiter,
        "bricks": [f"{server.name}:{args.brick(volume)}" for server in args.servers],
        "options": volume_options(args, volume),
    }


def client_plan(args: StorageArgs, client: Node) -> ServicePlan:
    """One client: its volumes are mounted, again after a reboot and when the mount has died."""
    volumes = args.mounted_by(client.name)
    mounts = {unit_of(volume.mount): _client_mount(args, volume) for volume in volumes}
    keeper = RenderedFile(
        path=f"{_UNITS}/{KEEPER_UNIT}",
        content=_TEMPLATES.render(
            "mounts.service.j2", {"tool": TOOL, "mounts": [volume.mount for volume in volumes]}
        ),
    )
    served = args.uploads_volume
    serves = served is not None and served in volumes
    tool = tool_files()
    return ServicePlan(
        name="storage_client",
        packages={
            "debian": ("glusterfs-client", *(("nginx",) if serves else ())),
            "redhat": ("glusterfs-fuse", *(("nginx",) if serves else ())),
        },
        files=(
            *tool,
            *mounts.values(),
            keeper,
            *(uploads_files(args, served, TOOL) if served is not None and serves else ()),
        ),
        units=(
            *(ServiceUnit(name=unit, restart_on=(file.path,)) for unit, file in mounts.items()),
            ServiceUnit(name=KEEPER_UNIT, restart_on=(keeper.path, *(file.path for file in tool))),
            *(uploads_units() if serves else ()),
        ),
        checks=tuple(f"{TOOL} mounted {volume.mount}" for volume in volumes),
    )


def _brick_mount(args: StorageArgs) -> RenderedFile:
    values = {"label": LABEL, "where": args.brick_dir}
    text = _TEMPLATES.render("bricks.mount.j2", values)
    return RenderedFile(path=f"{_UNITS}/{unit_of(args.brick_dir)}", content=text)


def _client_mount(args: StorageArgs, volume: Volume) -> RenderedFile:
    values = {
        "volume": volume,
        "source": mount_source(args, volume),
        "options": mount_options(args),
    }
    text = _TEMPLATES.render("client.mount.j2", values)
    return RenderedFile(path=f"{_UNITS}/{unit_of(volume.mount)}", content=text)


def unit_of(directory: str) -> str:
    """The name that systemd demands of a directory's mount unit (systemd.unit(5)).

    >>> unit_of("/mnt/gluster")
    'mnt-gluster.mount'
    >>> unit_of("/srv/my-data")
    'srv-my\\\\x2ddata.mount'
    """
    parts = [part.replace("-", "\\x2d") for part in directory.strip("/").split("/")]
    return f"{'-'.join(parts)}.mount"
