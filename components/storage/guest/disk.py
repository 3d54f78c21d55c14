"""The disk of the bricks: made into a file system where it is empty, and never otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .system import ToolError, must, note, run

NOTHING_FOUND = 2
"""Exit status of blkid where a device has no signature of anything."""
INODE_BYTES = 512
"""Gluster's marks on a file (extended attributes) then fit into its inode."""


def check(config: Mapping[str, Any]) -> None:
    """Raises ToolError where bricks may not be there: nothing is touched."""
    device, brick_dir = config["device"], Path(config["brick_dir"])
    if device is not None:
        must_be_usable(device, config["label"], brick_dir)
    elif not config["allow_root_file_system"] and is_on_root(brick_dir):
        raise ToolError(
            f"{brick_dir} is on the root file system, which bricks could fill up until the machine "
            "stops: mount a file system of its own there, name an empty disk in storage.device, or "
            "accept it with storage.allowRootFileSystem: true"
        )


def is_on_root(directory: Path) -> bool:
    """Whether this directory, or where it would be made, is on the root file system."""
    while not directory.exists():
        directory = directory.parent
    return directory.stat().st_dev == Path("/").stat().st_dev


def must_be_usable(device: str, label: str, where: Path) -> str:
    """`empty` or `ours`. Raises ToolError for any other disk."""
    if not Path(device).is_block_device():
        raise ToolError(f"there is no disk {device}; storage.device must name an empty one")
    if os.path.ismount(where):
        return "ours"
    status, found = run(["blkid", "-p", "-o", "export", device])
    if status == NOTHING_FOUND:
        return "empty"
    marks = dict(line.split("=", 1) for line in found.splitlines() if "=" in line)
    if marks.get("TYPE") == "xfs" and marks.get("LABEL") == label:
        return "ours"
    what = marks.get("TYPE") or marks.get("PTTYPE") or found or "something that blkid cannot name"
    raise ToolError(
        f"{device} is not empty, it holds {what}: nothing is written to it. Name another disk in "
        f"storage.device; if nothing on it is needed, `wipefs --all {device}` empties it"
    )


def prepare(config: Mapping[str, Any]) -> None:
    """The disk has its file system and is mounted; every volume has the directory of its brick."""
    check(config)
    device, brick_dir = config["device"], Path(config["brick_dir"])
    if device is not None:
        if must_be_usable(device, config["label"], brick_dir) == "empty":
            size = f"size={INODE_BYTES}"
            must(["mkfs.xfs", "-q", "-i", size, "-L", config["label"], device], timeout_s=300)
            must(["udevadm", "settle", "--timeout=30"])
            note(f"{device} was empty and has a file system for bricks now")
        must(["systemctl", "daemon-reload"])
        must(["systemctl", "start", config["mount_unit"]])
    for volume in config["volumes"]:
        # Not the brick itself: Gluster makes it, so that one whose disk is gone is not begun anew.
        (brick_dir / volume).mkdir(parents=True, exist_ok=True)
