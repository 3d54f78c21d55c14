"""All that is on a libvirt host: to find leftovers, and to prove that destroy left nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree as ET

from lab.errors import LabError
from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.virsh import Virsh

Thing = TypeVar("Thing")
LIBVIRT_FILES = (
    Path("/var/lib/libvirt/images"),
    Path("/var/lib/libvirt/qemu/nvram"),
    Path("/var/lib/libvirt/dnsmasq"),
)
"""Where libvirt keeps files of machines and networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    name: str
    uuid: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    name: str
    uuid: str
    bridge: str
    addresses: tuple[IPv4Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    name: str
    uuid: str
    path: str
    volumes: tuple[Volume, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What libvirt knows."""

    domains: tuple[Domain, ...] = ()
    networks: tuple[Network, ...] = ()
    pools: tuple[Pool, ...] = ()


def take_inventory(virsh: Virsh) -> Inventory:
    """All domains, networks and pools with their volumes."""
    active = set(virsh.names("pool-list", "--name"))
    return Inventory(
        domains=_described(virsh, ("list", "--all", "--name"), _domain),
        networks=_described(virsh, ("net-list", "--all", "--name"), _network),
        pools=_described(
            virsh,
            ("pool-list", "--all", "--name"),
            lambda virsh, name: _pool(virsh, name, active=name in active),
        ),
    )


def _described(
    virsh: Virsh, listing: Sequence[str], describe: Callable[[Virsh, str], Thing]
) -> tuple[Thing, ...]:
    """Every thing of a listing; what another stack removes meanwhile is left out."""
    found = []
    for name in virsh.names(*listing):
        try:
            found.append(describe(virsh, name))
        except LabError:
            if name in virsh.names(*listing):
                raise
    return tuple(found)


def list_everything(host: LibvirtHost) -> frozenset[str]:
    """One line for each domain, network, pool, volume, bridge, and file of libvirt.

    Two lists, taken before `up` and after `destroy`, are equal when nothing was left behind.
    """
    found = take_inventory(host.virsh)
    lines = [f"domain {domain.name}" for domain in found.domains]
    lines += [f"network {network.name}" for network in found.networks]
    for pool in found.pools:
        lines.append(f"pool {pool.name}")
        lines += [f"volume {volume.path}" for volume in pool.volumes]
    lines += [f"interface {name}" for name in _interfaces(host)]
    for folder in LIBVIRT_FILES:
        lines += [f"file {path}" for path in _below(folder)]
    return frozenset(lines)


def _below(folder: Path) -> Iterator[Path]:
    """Everything under a folder; what another stack removes meanwhile is left out."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)


def _domain(virsh: Virsh, name: str) -> Domain:
    xml = _parsed(virsh("dumpxml", name))
    return Domain(
        name=name,
        uuid=xml.findtext("uuid", ""),
        description=xml.findtext("description", ""),
    )


def _network(virsh: Virsh, name: str) -> Network:
    xml = _parsed(virsh("net-dumpxml", name))
    bridge = xml.find("bridge")
    return Network(
        name=name,
        uuid=xml.findtext("uuid", ""),
        bridge=bridge.get("name", "") if bridge is not None else "",
        addresses=tuple(_address(ip) for ip in xml.findall("ip") if _is_ipv4(ip)),
    )


def _is_ipv4(ip: ET.Element) -> bool:
    return ip.get("family", "ipv4") == "ipv4" and ip.get("address") is not None


def _address(ip: ET.Element) -> IPv4Network:
    suffix = ip.get("prefix") or ip.get("netmask") or "32"
    return IPv4Interface(f"{ip.get('address')}/{suffix}").network


def _pool(virsh: Virsh, name: str, *, active: bool) -> Pool:
    xml = _parsed(virsh("pool-dumpxml", name))
    return Pool(
        name=name,
        uuid=xml.findtext("uuid", ""),
        path=xml.findtext("target/path", ""),
        volumes=_volumes(virsh, name) if active else (),
    )


def _volumes(virsh: Virsh, pool: str) -> tuple[Volume, ...]:
    """The volumes of a running pool; virsh separates name and path by spaces."""
    try:
        rows = [row.split(maxsplit=1) for row in virsh.names("vol-list", pool)]
    except LabError:  # its owner stops it at this moment
        return ()
    return tuple(Volume(name=row[0], path=row[1]) for row in rows if len(row) == 2)


def _interfaces(host: LibvirtHost) -> list[str]:
    """Network interfaces from where the machines are reached: bridges and taps are among them."""
    command = [*host.prefix, "ip", "-json", "link"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(str(link["ifname"]) for link in json.loads(done.stdout))


def _parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - libvirt's own XML, from a root-owned socket
