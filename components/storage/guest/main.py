"""The tool's command line; `storage-tool --help` on a machine shows it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import disk, ensure, heal, look, mounts, pool, replace
from .system import ToolError, complain, gluster

SERVER = Path("/etc/ha-lab/storage.json")


def parser() -> argparse.ArgumentParser:
    """What may be said to the tool."""
    top = argparse.ArgumentParser(prog="storage-tool", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, about: str, *words: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=about)
        for word in words:
            found.add_argument(word)
        return found

    command("check", "fail where bricks may not be, as this JSON file wants them", "file")
    command("prepare", "make the disk and directories of the bricks", "file")
    command("ensure", "make, grow, set and start the volumes of this JSON file", "file")
    command("answers", "fail unless the daemon answers")
    command("status", "print servers, volumes and bricks, as JSON")
    command("healing", "print what must be healed, as JSON")
    healing = command("heal", "begin to heal a volume", "volume")
    healing.add_argument("--full", action="store_true", help="look at every file")
    adopting = command("adopt", "take the place that the pool keeps for this machine", "uuid")
    adopting.add_argument("friends", nargs="+", metavar="NAME=UUID", help="the other servers")
    command("replace", "begin the lost bricks of this machine anew")
    keeping = command("keep", "mount these directories again whenever they are not")
    keeping.add_argument("directories", nargs="+")
    command("mounted", "fail unless a volume is mounted there", "directory")
    command("mount-state", "print mounted, dead, missing or silent", "directory")
    command("folder", "make a folder in a mounted volume", "directory", "name", "owner")
    return top


def carry_out(asked: argparse.Namespace) -> None:
    name = asked.command
    todo: dict[str, Callable[[], object]] = {
        "check": lambda: disk.check(read(Path(asked.file))),
        "prepare": lambda: disk.prepare(read(Path(asked.file))),
        "ensure": lambda: ensure.ensure(read(Path(asked.file))),
        "answers": answers,
        "status": lambda: look.status(machine()),
        "healing": lambda: look.healing(),
        "heal": lambda: heal.start(asked.volume, full=asked.full),
        "adopt": lambda: pool.adopt(
            asked.uuid, dict(friend.split("=", 1) for friend in asked.friends)
        ),
        "replace": lambda: replace.replace(machine()),
        "keep": lambda: mounts.keep(asked.directories),
        "mounted": lambda: mounts.must_be_mounted(asked.directory),
        "mount-state": lambda: mounts.look(asked.directory),
        "folder": lambda: mounts.make_folder(asked.directory, asked.name, asked.owner),
    }
    found = todo[name]()
    if found is not None:
        print(json.dumps(found))


def answers() -> None:
    """Raises ToolError unless the daemon on this server answers."""
    gluster("peer", "status")


def read(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def machine() -> str:
    """This server's name in the lab."""
    return str(read(SERVER)["machine"])


def main() -> int:
    """Carry out one command; the exit status."""
    try:
        carry_out(parser().parse_args())
    except (ToolError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
