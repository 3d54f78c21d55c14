"""What settings must not contradict: rules between fields, each a path and a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from itertools import chain

from components import topology
from components.settings.models import Settings
from components.topology import Role

Broken = tuple[str, str]
"""Path of the setting, and the sentence: value, expectation, fix."""


def broken_rules(settings: Settings, *, stack: str) -> list[Broken]:
    """Every rule that these settings break; empty when the topology can be planned."""
    rules = (_network, _vip, _hosts, _machine_names, _sizes, _image, _load_balancer, _routing)
    return list(chain.from_iterable(rule(settings, stack) for rule in rules))


def _network(settings: Settings, stack: str) -> Iterator[Broken]:
    network = topology.lab_network(settings, stack)
    low, high = topology.MIN_PREFIX, topology.MAX_PREFIX
    if not low <= network.prefixlen <= high:
        yield "network.cidr", f"{network}: expected a prefix length from /{low} to /{high}"
    elif network.num_addresses - 4 < len(topology.machine_names(settings)):
        count = len(topology.machine_names(settings))
        yield "network.cidr", f"{network} is too small for {count} machines, gateway and VIP"
    if not network.is_private:
        yield "network.cidr", f"{network} is not a private network; use one of RFC 1918"


def _vip(settings: Settings, stack: str) -> Iterator[Broken]:
    vip, network = settings.network.vip, topology.lab_network(settings, stack)
    if vip is None:
        return
    reserved = {network.network_address: "network", network.broadcast_address: "broadcast"}
    if vip not in network:
        yield "network.vip", f"{vip} is outside of the lab's network {network}"
    elif vip in reserved:
        yield "network.vip", f"{vip} is the {reserved[vip]} address of {network}"
    elif vip == network.network_address + 1:
        yield "network.vip", f"{vip} is the gateway; choose an address of no machine"
    for name, address in _planned_addresses(settings, stack):
        if address == vip:
            yield "network.vip", f"{vip} is the address of machine {name}; choose a free one"


def _planned_addresses(settings: Settings, stack: str) -> Iterable[tuple[str, IPv4Address]]:
    if settings.machines.provider == "existing":
        return [(name, host.address) for name, host in sorted(settings.machines.hosts.items())]
    network = topology.lab_network(settings, stack)
    if network.num_addresses - 4 < len(topology.machine_names(settings)):
        return []
    seats = topology.machine_seats(settings)
    return sorted(topology.planned_addresses(settings, network, seats).items())


def _hosts(settings: Settings, stack: str) -> Iterator[Broken]:
    hosts = settings.machines.hosts
    if settings.machines.provider != "existing":
        if hosts:
            yield (
                "machines.hosts",
                "is only for `provider: existing`; remove it or set the provider",
            )
        return
    names, network = topology.machine_names(settings), topology.lab_network(settings, stack)
    for name in names:
        if name not in hosts:
            yield f"machines.hosts.{name}", "is missing; the topology has this machine"
    for name in sorted(set(hosts) - set(names)):
        yield f"machines.hosts.{name}", f"is no machine of the topology{_near(name, names)}"
    seen: dict[IPv4Address, str] = {}
    for name, host in sorted(hosts.items()):
        if host.address not in network:
            yield f"machines.hosts.{name}.address", f"{host.address} is outside of {network}"
        if host.address in seen:
            other = seen[host.address]
            yield f"machines.hosts.{name}.address", f"{host.address} is also that of {other}"
        seen[host.address] = name


def _machine_names(settings: Settings, stack: str) -> Iterator[Broken]:
    del stack
    names = topology.machine_names(settings)
    for name in sorted(set(settings.machines.sizes) - {"default", *names}):
        yield f"machines.sizes.{name}", f"is no machine of the topology{_near(name, names)}"
    apps = _names_with(settings, Role.APP)
    balancer = settings.load_balancer
    for name in sorted(set(balancer.weights) - set(apps)):
        yield f"loadBalancer.weights.{name}", f"is no app server{_near(name, apps)}"
    backup = balancer.backup or ()
    for index, name in enumerate(backup):
        if name not in apps:
            yield f"loadBalancer.backup.{index}", f"{name!r} is no app server{_near(name, apps)}"
    if set(apps) <= set(backup):
        yield "loadBalancer.backup", "names every app server; at least one must not be a backup"
    for backend, spec in sorted(balancer.backends.items()):
        for index, name in enumerate(spec.servers):
            if name not in apps:
                path = f"loadBalancer.backends.{backend}.servers.{index}"
                yield path, f"{name!r} is no app server{_near(name, apps)}"


def _names_with(settings: Settings, role: Role) -> list[str]:
    return [seat.name for seat in topology.machine_seats(settings) if role in seat.roles]


def _sizes(settings: Settings, stack: str) -> Iterator[Broken]:
    del stack
    sizes = settings.machines.sizes
    for seat in topology.machine_seats(settings):
        needed = topology.needed_memory_mib(seat.roles)
        for key in (seat.name, "default"):
            chosen = sizes[key].memory_mib if key in sizes else None
            if chosen is not None:
                if chosen < needed:
                    roles = ", ".join(sorted(seat.roles))
                    why = f"{chosen} MiB is too little: {seat.name} needs {needed} MiB for {roles}"
                    yield f"machines.sizes.{key}.memoryMib", why
                break


def _image(settings: Settings, stack: str) -> Iterator[Broken]:
    del stack
    image = settings.libvirt.image
    if image.url is not None and image.sha512 is None:
        yield "libvirt.image.sha512", "is missing; an image from a URL is used only when verified"
    if image.url is not None and image.path is not None:
        yield "libvirt.image", "has both `url` and `path`; keep one"


def _load_balancer(settings: Settings, stack: str) -> Iterator[Broken]:
    del stack
    balancers = _names_with(settings, Role.LOAD_BALANCER)
    if len(balancers) == 1 and settings.network.vip is not None:
        yield (
            "machines.counts.loadBalancer",
            "is 1, but network.vip is set: a VIP needs a pair; set 2, or remove the VIP",
        )
    balancer, app = settings.load_balancer, settings.app_server
    ports: dict[int, str] = {}
    for path, port in (
        ("loadBalancer.httpPort", balancer.http_port),
        ("loadBalancer.httpsPort", balancer.https_port),
        ("loadBalancer.stats.port", balancer.stats.port),
        *((("appServer.port", app.port),) if app.application is None else ()),
    ):
        if port in ports:
            yield path, f"{port} is also {ports[port]}; every listener needs its own port"
        ports.setdefault(port, path)


def _routing(settings: Settings, stack: str) -> Iterator[Broken]:
    del stack
    balancer = settings.load_balancer
    for name, acl in sorted(balancer.acls.items()):
        if not (acl.path_beg or acl.path_end or acl.src or acl.internal):
            yield f"loadBalancer.acls.{name}", "has no condition: give pathBeg, pathEnd or src"
    for index, route in enumerate(balancer.routes):
        path = f"loadBalancer.routes.{index}"
        if route.backend not in balancer.backends:
            near = _near(route.backend, balancer.backends)
            yield f"{path}.backend", f"{route.backend!r} is not in loadBalancer.backends{near}"
        for number, acl_name in enumerate(route.acls):
            if acl_name not in balancer.acls:
                near = _near(acl_name, balancer.acls)
                yield f"{path}.acls.{number}", f"{acl_name!r} is not in loadBalancer.acls{near}"


def _near(name: str, options: Iterable[str]) -> str:
    known = list(options)
    found = difflib.get_close_matches(name, known, n=1)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; there are: {', '.join(known) or 'none'}"
