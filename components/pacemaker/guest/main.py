"""The tool's command line; `cluster-tool --help` on a member shows it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from . import adopt, agents, join, push
from .byhand import changed_by_hand, kept_by_hand
from .system import ToolError, complain

BULLET = "\n  "


def check(file: Path) -> None:
    """Raises ToolError with everything that is wrong with the resources of a configuration."""
    found = agents.problems(ET.parse(file).getroot(), agents.ask)
    if found:
        count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
        raise ToolError(f"{count} with the cluster's resources:{BULLET}{BULLET.join(found)}")


def join_members(file: Path) -> None:
    """Make one cluster of the members that the file (JSON) names."""
    asked: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    join.join(asked["members"], login=Path(asked["login"]), within_s=asked["within_s"])


def by_hand() -> None:
    """Print what was done by hand, as JSON."""
    ours = push.last_pushed()
    if ours is None:
        raise ToolError("this member has pushed nothing yet; the first of the members has")
    cib = push.live_cib()
    found = {"kept": kept_by_hand(cib, ours), "changed": changed_by_hand(cib, ours)}
    print(json.dumps(found))


def parser() -> argparse.ArgumentParser:
    """What may be said to the tool."""
    top = argparse.ArgumentParser(prog="cluster-tool", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, about: str, *, file: bool = True) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=about)
        if file:
            found.add_argument("file", type=Path)
        return found

    command("free", "fail if this machine is in another cluster than this corosync.conf's")
    adopting = command("adopt", "forget the distribution's dummy cluster", file=False)
    adopting.add_argument("--first", action="store_true", help="this member sets the cluster up")
    command("check", "fail if an agent or a parameter of a configuration is missing")
    command("join", "wait for the members of this JSON file, let pcs log in to them")
    pushing = command("push", "bring the cluster to this configuration")
    pushing.add_argument("--within", type=int, default=120, help="seconds")
    command("by-hand", "print what was changed by hand, as JSON", file=False)
    return top


def carry_out(asked: argparse.Namespace) -> None:
    match_command = {
        "free": lambda: adopt.must_be_free(asked.file),
        "adopt": lambda: adopt.adopt(first=asked.first),
        "check": lambda: check(asked.file),
        "join": lambda: join_members(asked.file),
        "push": lambda: push.push(asked.file, within_s=asked.within),
        "by-hand": by_hand,
    }
    match_command[asked.command]()


def main() -> int:
    """Carry out one command; the exit status."""
    try:
        carry_out(parser().parse_args())
    except (ToolError, OSError, subprocess.SubprocessError, ET.ParseError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
