"""The rig's network namespace, its bridge, and the links of its machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rig.model import Rig, RigError

BRIDGE = "br0"


def ip(*words: str) -> str:
    """Run `ip WORDS`; RigError with its own message when it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RigError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def namespace_exists(name: str) -> bool:
    return (Path("/run/netns") / name).exists()


def create(rig: Rig) -> None:
    """Make the rig's namespace and bridge unless they are there."""
    if not namespace_exists(rig.namespace):
        ip("netns", "add", rig.namespace)
    inside = ("-n", rig.namespace)
    ip(*inside, "link", "set", "lo", "up")
    if BRIDGE not in links(rig.namespace):
        ip(*inside, "link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip(*inside, "address", "add", f"{rig.gateway}/{rig.network.prefixlen}", "dev", BRIDGE)
    ip(*inside, "link", "set", BRIDGE, "up")


def delete_namespace(name: str) -> None:
    """Remove a named namespace; what is in it (links, addresses, rules) goes with it."""
    if namespace_exists(name):
        ip("netns", "delete", name)


def namespaces(prefix: str) -> list[str]:
    """Names of existing network namespaces that are `prefix` or start with `prefix-`."""
    folder = Path("/run/netns")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(name for name in names if name == prefix or name.startswith(f"{prefix}-"))


def links(namespace: str) -> dict[str, str]:
    """The links in a namespace: name -> up | silent | down."""
    if not namespace_exists(namespace):
        return {}
    found = json.loads(ip("-n", namespace, "-json", "-details", "link", "show") or "[]")
    return {link["ifname"]: _link_state(link) for link in found}


def _link_state(link: dict[str, object]) -> str:
    flags = link.get("flags")
    if not (isinstance(flags, Sequence) and "UP" in flags):
        return "down"
    info = link.get("linkinfo")
    port = info.get("info_slave_data") if isinstance(info, dict) else None
    silent = isinstance(port, dict) and port.get("state") == "disabled"
    return "silent" if silent else "up"


def set_link(rig: Rig, machine: str, state: str) -> None:
    """Make a machine's link `up`, `down` (it loses carrier, as by a pulled cable) or `silent`
    (carrier stays, no frame passes, as by a dead switch behind it)."""
    if machine not in links(rig.namespace):
        raise RigError(f"machine {machine!r} has no link: it is off")
    inside = ("-n", rig.namespace)
    if state == "down":
        ip(*inside, "link", "set", machine, "down")
        return
    ip(*inside, "link", "set", machine, "up")
    # The kernel takes a bridge port's state only from a port that has carrier.
    subprocess.run(
        [
            "bridge",
            *inside,
            "link",
            "set",
            "dev",
            machine,
            "state",
            "0" if state == "silent" else "3",
        ],
        capture_output=True,
        check=True,
    )


def unplug(rig: Rig, machine: str) -> None:
    """Take a machine's link away for good, if it has one."""
    if machine in links(rig.namespace):
        ip("-n", rig.namespace, "link", "delete", machine)
