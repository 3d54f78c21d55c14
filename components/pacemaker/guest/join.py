"""Making the configured members one cluster: all online, none left over, pcs logged in to all."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .system import ToolError, must, note, run, status, wait_until

KNOWN_HOSTS = Path("/var/lib/pcsd/known-hosts")
PCSD_PORT = 2224


def join(members: Mapping[str, str], *, login: Path, within_s: float) -> None:
    """`members`: address by name; `login`: a file with `user:password` of pcs on all of them."""
    # All have the new corosync.conf by now. One member tells all of them to read it: nobody
    # restarts, and nobody is for a moment configured in another way than the others.
    must(["corosync-cfgtool", "-R"])
    wait_until(lambda: who_is_missing(status(), members), within_s=within_s)
    for name in left_over(status(), members):
        must(["crm_node", "--force", "-R", name])
        note(f"{name} is no member any more")
    log_in(members, login)


def who_is_missing(seen: ET.Element | None, members: Mapping[str, str]) -> str:
    """What keeps the members from being a cluster; empty where nothing does."""
    if seen is None:
        return "the cluster cannot be asked; `journalctl -u corosync -u pacemaker` says why"
    states = {node.get("name", ""): node for node in seen.iterfind("./nodes/node")}
    missing = [name for name in members if not is_online(states.get(name))]
    leader = seen.find("./summary/current_dc")
    if missing:
        return (
            f"not online: {', '.join(missing)}; `journalctl -u corosync -u pacemaker` there says"
            " why (the firewall lets UDP 5405 in from the members alone)"
        )
    if leader is None or leader.get("with_quorum") != "true":
        return "the members are online but have no majority, or nobody leads them"
    return ""


def is_online(node: ET.Element | None) -> bool:
    """Up, and with the others; standby and maintenance are the operator's business."""
    if node is None:
        return False
    return node.get("online") == "true" and node.get("pending") == "false"


def left_over(seen: ET.Element | None, members: Mapping[str, str]) -> list[str]:
    """Machines that Pacemaker remembers and that are members no more."""
    nodes = [] if seen is None else seen.findall("./nodes/node")
    return sorted(n.get("name", "") for n in nodes if n.get("name") not in members)


def log_in(members: Mapping[str, str], login: Path) -> None:
    """Let pcs here and on the other members act on all of them. The password goes in by stdin."""
    if knows(members) and all_accept(members):
        return
    user, _, password = login.read_text(encoding="utf-8").strip().partition(":")
    hosts = [word for name, address in members.items() for word in (name, f"addr={address}")]
    done = run(["pcs", "host", "auth", "-u", user, "--", *hosts], stdin=f"{password}\n")
    if done.returncode != 0:
        raise ToolError(f"pcs could not log in to the members: {done.stderr.strip()[-800:]}")


def knows(members: Mapping[str, str]) -> bool:
    """Whether pcs has a token for every member at its present address."""
    try:
        stored: dict[str, Any] = json.loads(KNOWN_HOSTS.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    known = {
        name: [place.get("addr") for place in host.get("dest_list", [])]
        for name, host in stored.get("known_hosts", {}).items()
    }
    return all(address in known.get(name, []) for name, address in members.items())


def all_accept(members: Mapping[str, str]) -> bool:
    """Whether every member takes its token; one that was made anew does not."""
    said = run(["pcs", "status", "pcsd"]).stdout
    return all(f"{name}: Online" in said for name in members)
