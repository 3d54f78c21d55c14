"""Volumes are made where they are missing, grown, set, started; never made smaller or removed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import parse, pool
from .system import ToolError, gluster, note, wait_until

RECORD = Path("/var/lib/ha-lab/storage/options.json")
"""By volume, the options that were set last: what the settings have no more goes back."""
CREATE_TIMEOUT_S = 120.0
REPLACE = "`lab storage replace STACK"


def ensure(wanted: Mapping[str, Any]) -> None:
    """Everything of this lab's volumes. Raises ToolError."""
    machine, servers, within_s = wanted["machine"], wanted["servers"], wanted["within_s"]
    try:
        away = pool.gather(machine, servers, within_s=within_s)
    except pool.StrangerError as error:
        note(f"{machine} was installed anew ({error}): {REPLACE} {machine}` gives it its place")
        return
    for server in away:
        note(f"{server} is not with the others; if it was installed anew: {REPLACE} {server}`")
    for volume in wanted["volumes"]:
        ensure_volume(volume, root=wanted["allow_root_file_system"])
        set_options(volume)
        await_bricks(volume["name"], away, within_s=within_s)
    kept = sorted(set(pool.volumes()) - {volume["name"] for volume in wanted["volumes"]})
    for name in kept:
        note(f"volume {name} is not in the settings; it is left as it is, with its files")


def ensure_volume(wanted: Mapping[str, Any], *, root: bool) -> None:
    """One volume has its bricks and is started."""
    name = wanted["name"]
    found = pool.volumes().get(name)
    if found is None:
        create(wanted, root=root)
    else:
        new = new_bricks(found, wanted)
        if new:
            grow(name, new, root=root)
    if not pool.volumes()[name].started:
        gluster("volume", "start", name, timeout_s=CREATE_TIMEOUT_S)
        note(f"volume {name} is started")


def new_bricks(found: parse.Volume, wanted: Mapping[str, Any]) -> list[str]:
    """The bricks that a volume lacks. Raises ToolError where it is another than the wanted one."""
    name, bricks = found.name, list(wanted["bricks"])
    if found.replica != wanted["replica"] or found.arbiter != wanted["arbiter"]:
        kind = f"{found.replica} copies{' with an arbiter' if found.arbiter else ''}"
        raise ToolError(
            f"volume {name} has {kind}, which cannot be changed under its files; give a new volume "
            "another name and copy them"
        )
    there = list(found.bricks)
    if bricks[: len(there)] != there:
        raise ToolError(
            f"volume {name} has the bricks {', '.join(there)}; the settings want "
            f"{', '.join(bricks)}. Bricks are only added, after those that are there: taking one "
            "away moves its files first, with `gluster volume remove-brick`, by hand"
        )
    return bricks[len(there) :]


def create(wanted: Mapping[str, Any], *, root: bool) -> None:
    replica = str(wanted["replica"])
    copies = ["replica", "2", "arbiter", "1"] if wanted["arbiter"] else ["replica", replica]
    words = ["volume", "create", wanted["name"], *copies, "transport", "tcp", *wanted["bricks"]]
    gluster(*words, *(["force"] if root else []), timeout_s=CREATE_TIMEOUT_S)
    note(f"volume {wanted['name']} is made of {len(wanted['bricks'])} bricks")


def grow(name: str, bricks: Sequence[str], *, root: bool) -> None:
    """New files go to the new bricks at once, old ones are moved in the background."""
    words = ["volume", "add-brick", name, *bricks, *(["force"] if root else [])]
    gluster(*words, timeout_s=CREATE_TIMEOUT_S)
    gluster("volume", "rebalance", name, "start", timeout_s=CREATE_TIMEOUT_S)
    note(f"volume {name} has {len(bricks)} more bricks; its files are being spread over all")


def set_options(wanted: Mapping[str, Any]) -> None:
    """Options as wanted; those that were wanted before go back to Gluster's own value."""
    name, options = wanted["name"], dict(wanted["options"])
    record = read_record()
    found = pool.volumes()[name].options
    changes = [
        word
        for key, value in sorted(options.items())
        if found.get(key) != value
        for word in (key, value)
    ]
    if changes:
        gluster("volume", "set", name, *changes, timeout_s=CREATE_TIMEOUT_S)
    for key in record.get(name, []):
        if key not in options and key in found:
            gluster("volume", "reset", name, key, timeout_s=CREATE_TIMEOUT_S)
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**record, name: sorted(options)}, indent=1)
    RECORD.write_text(f"{text}\n", encoding="utf-8")


def read_record() -> dict[str, list[str]]:
    try:
        record: dict[str, list[str]] = json.loads(RECORD.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record


def await_bricks(name: str, away: Sequence[str], *, within_s: float) -> None:
    """Every brick runs, but for those of servers that are away."""

    def missing() -> str:
        found = pool.bricks(pool.volumes()[name])
        down = [b.name for b in found if not b.online and b.name.partition(":")[0] not in away]
        return f"these bricks of {name} are down: {', '.join(down)}" if down else ""

    try:
        wait_until(missing, within_s=within_s)
    except ToolError as error:
        hint = "`journalctl -u glusterd` and /var/log/glusterfs/bricks there say why"
        lost = f"where a disk was replaced, {REPLACE} SERVER` fills the new one"
        raise ToolError(f"{error}; {hint}; {lost}") from None
