"""The cloud-init texts of a virtual machine: administrator, host key, static network, no more.

Fragments in `cloud-init/*.yaml` are valid YAML and are merged as data with the machine's own part,
so that no indentation can go wrong. Everything beyond access and network belongs to the services:
a change here replaces the virtual machine, a change there does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import yaml

from components.topology import Machine, Topology

FRAGMENTS = Path(__file__).resolve().parents[2] / "cloud-init"
HEADER = "#cloud-config\n"
INSTANCE_DIGITS = 12

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What one machine's cloud-init needs beside the topology."""

    user: str
    """The administrator: SSH key only, sudo without a password."""
    authorized_key: str
    """The administrator's public key, one line."""
    interface: str
    """Name that the network interface gets, e.g. eth0."""
    name_servers: tuple[IPv4Address, ...] = ()
    """Empty: the network's gateway, where libvirt's dnsmasq answers."""


def user_data(
    machine: Machine, topology: Topology, guest: Guest, *, private_key: str, public_key: str
) -> str:
    """The `#cloud-config` text. `private_key` and `public_key` are the machine's SSH host key."""
    keys = {"ed25519_private": private_key, "ed25519_public": public_key}
    own: Document = {**_identity(machine, topology), "users": [_user(guest)], "ssh_keys": keys}
    return HEADER + _dump(merged([*fragments(), own]))


def meta_data(machine: Machine, topology: Topology, guest: Guest, *, public_key: str) -> str:
    """The `meta-data` text.

    The instance id is a digest of all the rest, so that a machine which keeps its disk takes up a
    changed cloud-init. The private key is left out: it changes exactly when the public one does.
    """
    parts = (
        _dump(merged(fragments())),
        _dump({**_identity(machine, topology), "users": [_user(guest)]}),
        network_config(machine, topology, guest),
        public_key,
    )
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:INSTANCE_DIGITS]
    name = f"{topology.prefix}-{machine.name}"
    return _dump({"instance-id": f"{name}-{digest}", "local-hostname": machine.name})


def network_config(machine: Machine, topology: Topology, guest: Guest) -> str:
    """The `network-config` text (version 2): one static address, found by MAC, no DHCP."""
    servers = guest.name_servers or (topology.gateway,)
    interface = {
        "match": {"macaddress": machine.mac},
        "set-name": guest.interface,
        "dhcp4": False,
        "dhcp6": False,
        "addresses": [f"{machine.address}/{topology.network.prefixlen}"],
        # Not `default`: the renderers of RHEL's cloud-init know only networks.
        "routes": [{"to": "0.0.0.0/0", "via": str(topology.gateway)}],
        "nameservers": {
            "addresses": [str(server) for server in servers],
            "search": [topology.domain],
        },
    }
    return _dump({"version": 2, "ethernets": {guest.interface: interface}})


def fragments(directory: Path = FRAGMENTS) -> list[Document]:
    """The parsed fragments in name order. Raises TypeError for one that is no object."""
    found = []
    for path in sorted(directory.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            kind = type(content).__name__
            msg = f"{path.name}: expected a YAML object of cloud-config keys, got {kind}"
            raise TypeError(msg)
        found.append(content)
    return found


def merged(documents: Iterable[Mapping[str, object]]) -> Document:
    """Objects merge key by key, lists are appended, of anything else the later one wins."""
    result: Document = {}
    for document in documents:
        for key, value in document.items():
            result[key] = _merged_value(result.get(key), value)
    return result


def _merged_value(old: object, new: object) -> object:
    if isinstance(old, dict) and isinstance(new, dict):
        return merged([old, new])
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    return new


def _identity(machine: Machine, topology: Topology) -> Document:
    return {"hostname": machine.name, "fqdn": f"{machine.name}.{topology.domain}"}


def _user(guest: Guest) -> Document:
    return {
        "name": guest.user,
        "gecos": "ha-lab administrator",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": [guest.authorized_key],
    }


class _Dumper(yaml.SafeDumper):
    """Texts of several lines (keys) as blocks, as a person would write them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _dump(document: Mapping[str, object]) -> str:
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, width=1000)
