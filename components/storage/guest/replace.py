"""A lost brick begins anew and is filled from the copies of the others."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import heal, parse, pool
from .system import ToolError, gluster, must, note, run, wait_until

TIMEOUT_S = 120.0
MARK = "trusted.glusterfs.volume-id"
"""Extended attribute of a brick: without it Gluster does not start one."""


EMPTY = "trusted.replace-brick"
GLUSTERD = -12
"""GF_CLIENT_PID_ADD_REPLICA_MOUNT (libglusterfs, glusterfs.h)."""
BRICKS = Path("/var/lib/glusterd/vols")


def why_not(server: str, volume: parse.Volume, running: Sequence[parse.Brick]) -> str:
    """Why this server's bricks of a volume must not be begun anew; empty: they may."""
    online = {brick.name for brick in running if brick.online}
    for brick in (b for b in volume.bricks if b.partition(":")[0] == server):
        copies = volume.set_of(brick)
        down = [b for b in copies if b != brick and b not in online]
        if down:
            return (
                f"{', '.join(down)} is down too, and may have what no other copy has: bring it "
                "back first"
            )
    return ""


def replace(server: str) -> None:
    """On this server: its bricks that are lost begin anew. Raises ToolError before it touches one
    that must not be."""
    lost = []
    for volume in pool.volumes().values():
        mine = [b for b in volume.bricks if b.partition(":")[0] == server]
        if not mine:
            continue
        running = pool.bricks(volume)
        online = {b.name for b in running if b.online}
        if all(brick in online for brick in mine):
            continue
        reason = why_not(server, volume, running)
        if reason:
            raise ToolError(f"volume {volume.name}: {reason}")
        lost += [(volume, brick) for brick in mine if brick not in online]
    if not lost:
        note(f"every brick of {server} runs: there is nothing to replace")
    for volume, brick in lost:
        begin_anew(volume, brick)


def begin_anew(volume: parse.Volume, brick: str) -> None:
    """Give a brick whose files are gone the mark of its volume, start it, and fill it.

    `reset-brick`, which is for this, refuses where the server itself is new (10.3: "destination
    brick is new"); this is what Red Hat's guide does for a host of the same name. An empty brick
    is never a source: it has nothing that could be taken for the newest.
    """
    directory = Path(brick.partition(":")[2])
    directory.mkdir(parents=True, exist_ok=True)
    if not has_mark(directory):
        if any(directory.iterdir()):
            raise ToolError(
                f"{directory} has files that are not known to be of volume {volume.name}: nothing "
                "was touched. Move them away, and try again"
            )
        # Gluster makes these with a volume; a brick without them ends at once (its index).
        for part in (directory / ".glusterfs", directory / ".glusterfs/indices"):
            part.mkdir(mode=0o600)
        os.setxattr(directory, MARK, uuid.UUID(volume.id).bytes)
    # Before it runs: whoever is interrupted here finds a brick that is still to be replaced.
    owe_everything(volume, brick)
    gluster("volume", "start", volume.name, "force", timeout_s=TIMEOUT_S)

    def missing() -> str:
        found = {b.name: b.online for b in pool.bricks(volume)}
        return "" if found.get(brick) else f"{brick} did not start"

    wait_until(missing, within_s=60)
    note(f"{brick} has begun anew")
    heal.start(volume.name, full=False)


def owe_everything(volume: parse.Volume, brick: str) -> None:
    """Let the other copies note that this brick lacks all that they have: it is healed from then
    on, and counts as not healed until it has everything.

    As glusterd itself does for `replace-brick` (glusterd-utils.c):
    a client of its own kind sets this attribute. `heal full` alone is forgotten
    where a daemon has not yet found the new brick.
    """
    identity = brick_identity(volume, brick).encode()
    with glusterds_mount(volume.name) as folder:

        def refused() -> str:
            try:
                os.setxattr(folder, EMPTY, identity)
            except OSError as error:
                return f"the other copies of {brick} do not note that it is empty: {error}"
            return ""

        wait_until(refused, within_s=60)


def brick_identity(volume: parse.Volume, brick: str) -> str:
    """Gluster's own name of a brick, `gv0-client-1`. Raises ToolError."""
    name = brick.replace(":/", ":-").replace("/", "-")
    file = BRICKS / volume.name / "bricks" / name
    for line in file.read_text(encoding="ascii").splitlines() if file.exists() else ():
        key, _, value = line.partition("=")
        if key == "brick-id":
            return value
    raise ToolError(f"{file} does not say how Gluster calls the brick {brick}")


@contextlib.contextmanager
def glusterds_mount(volume: str) -> Iterator[Path]:
    """The volume, with the rights that glusterd has on it."""
    with tempfile.TemporaryDirectory(prefix="ha-lab-heal-") as folder:
        words = ("glusterfs", f"--client-pid={GLUSTERD}", "-s", "localhost", "--volfile-id", volume)
        must([*words, folder])
        try:
            yield Path(folder)
        finally:
            run(["umount", "--lazy", folder])


def has_mark(directory: Path) -> bool:
    """Whether Gluster has marked it as the brick of a volume."""
    return MARK in os.listxattr(directory)
