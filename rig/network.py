"""The rig's network namespace, its bridge, and the links of its machines."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from rig.model import Rig, RigError

BRIDGE = "br0"
BRIDGE_NAME = "@bridge"
"""For its address, in place of a machine's name; no machine can be called so."""
_CLONE_NEWNET = 0x40000000
_OPERATIONAL_WITHIN_S = 10.0
_AGAIN_S = 0.01


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
        # An address of its own: the kernel would take the lowest of the machines' links, so another
        # one when that machine loses power, and for seconds nobody else would find the gateway.
        named = ("link", "add", BRIDGE, "address", rig.mac(BRIDGE_NAME), "type", "bridge")
        ip(*inside, *named, "stp_state", "0", "forward_delay", "0")
        ip(*inside, "address", "add", f"{rig.gateway}/{rig.network.prefixlen}", "dev", BRIDGE)
    ip(*inside, "link", "set", BRIDGE, "up")


def delete_namespace(name: str) -> None:
    """Remove a named namespace; what is in it (links, addresses, rules) goes with it."""
    if namespace_exists(name):
        ip("netns", "delete", name)


def namespace_names() -> list[str]:
    """Names of all network namespaces, other people's too."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


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
    _set_port_state(rig.namespace, machine, "0" if state == "silent" else "3")


def _set_port_state(namespace: str, port: str, state: str) -> None:
    """Set the state of a bridge port whose link was set up.

    The kernel refuses it (ENETDOWN, br_set_port_state) until the port is operational, which a work
    queue makes of it some time after its carrier has come back: late on a busy host.
    """
    words = ("bridge", "-n", namespace, "link", "set", "dev", port, "state", state)
    deadline = time.monotonic() + _OPERATIONAL_WITHIN_S
    while True:
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode == 0:
            return
        if time.monotonic() >= deadline:
            raise RigError(
                f"the link of {port} is up, but its bridge does not take it back within "
                f"{_OPERATIONAL_WITHIN_S:g} s: {done.stderr.strip()}"
            )
        time.sleep(_AGAIN_S)


def unplug(rig: Rig, machine: str) -> None:
    """Take a machine's link away for good, if it has one."""
    if machine in links(rig.namespace):
        ip("-n", rig.namespace, "link", "delete", machine)


def enter(namespace: str) -> None:
    """Put the calling thread, for good, into a named namespace; its new sockets are there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (Path("/run/netns") / namespace).open() as handle:
        if libc.setns(handle.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise RigError(f"cannot enter network namespace {namespace}: {os.strerror(number)}")
