"""What settings must not contradict: rules between fields, each a path and a sentence.

This module has the rules of the network and the machines, `service_rules` those of the services.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from components import topology
from components.settings.models import MachineCounts, Settings
from components.topology import Role

Broken = tuple[str, str]
"""Path of the setting, and the sentence: value, expectation, fix."""
SEATS = ("topology", "machines.counts.*")
"""What decides which machines there are."""
VOTES = ("cluster.enabled", "cluster.members")
"""What decides which of them are the cluster's members."""
ADDRESSES = (*SEATS, "number", "network.cidr", "machines.provider", "machines.hosts.*")
"""What decides where they are."""
PRIVATE = tuple(IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the settings that it looks at.

    A rule is not asked where one of those was wrong by itself and is back at its default: what it
    said would be about a value that nobody gave. A path that ends with `.*` includes all below it.
    """

    broken: Callable[[Settings, str], Iterator[Broken]]
    """From settings and stack name, every way in which they break the rule."""
    reads: tuple[str, ...]


def network(settings: Settings, stack: str) -> Iterator[Broken]:
    """A private network with room for the machines, the gateway and the VIP."""
    lab = topology.lab_network(settings, stack)
    low, high = topology.MIN_PREFIX, topology.MAX_PREFIX
    if not low <= lab.prefixlen <= high:
        yield "network.cidr", f"{lab}: expected a prefix length from /{low} to /{high}"
    elif not _has_room(settings, lab):
        count = len(topology.machine_names(settings))
        fit = 32 - (_needed_addresses(settings) - 1).bit_length()
        yield (
            "network.cidr",
            f"{lab} is too small for {count} machines, gateway and VIP; use a /{fit}",
        )
    if not any(lab.subnet_of(private) for private in PRIVATE):
        ranges = ", ".join(map(str, PRIVATE))
        yield "network.cidr", f"{lab} is no private network; choose one inside of {ranges}"


def _has_room(settings: Settings, lab: IPv4Network) -> bool:
    return lab.num_addresses >= _needed_addresses(settings)


def _needed_addresses(settings: Settings) -> int:
    """Of the machines, network, gateway, VIP, broadcast, and of the cluster's VIP."""
    machines = len(topology.machine_names(settings))
    return machines + 4 + bool(names_with(settings, Role.CLUSTER))


def vip(settings: Settings, stack: str) -> Iterator[Broken]:
    """The VIP, as set or as chosen, is a free address of the network."""
    lab = topology.lab_network(settings, stack)
    given = settings.network.vip
    address = given or topology.default_vip(lab)
    yield from free_address(settings, lab, "network.vip", address, is_given=given is not None)


def free_address(
    settings: Settings, lab: IPv4Network, path: str, address: IPv4Address, *, is_given: bool
) -> Iterator[Broken]:
    """An address that the lab wants for itself is inside of its network and no machine's."""
    if lab.prefixlen > topology.MAX_PREFIX:
        return
    shown = str(address) if is_given else f"unset, so {address}; it"
    reserved = {lab.network_address: "network", lab.broadcast_address: "broadcast"}
    if address not in lab:
        yield path, f"{shown} is outside of the lab's network {lab}; choose one inside"
    elif address in reserved:
        yield path, f"{shown} is the {reserved[address]} address of {lab}; choose another"
    elif address == lab.network_address + 1:
        yield path, f"{shown} is the gateway; choose an address of no machine"
    for name, taken in planned_addresses(settings, lab):
        if taken == address:
            yield path, f"{shown} is the address of machine {name}; choose a free one"


def planned_addresses(settings: Settings, lab: IPv4Network) -> Iterable[tuple[str, IPv4Address]]:
    """Names and addresses of the machines; none where they have no room."""
    if settings.machines.provider == "existing":
        return [(name, host.address) for name, host in sorted(settings.machines.hosts.items())]
    if not _has_room(settings, lab):
        return []
    seats = topology.machine_seats(settings)
    return sorted(topology.planned_addresses(settings, lab, seats).items())


def provider(settings: Settings, stack: str) -> Iterator[Broken]:
    """What is for existing machines only is not given for virtual ones."""
    del stack
    machines = settings.machines
    if machines.provider == "existing":
        return
    given = {
        "hosts": bool(machines.hosts),
        "networkNamespace": machines.network_namespace is not None,
        "privateKeyFile": machines.private_key_file is not None,
    }
    for key in (key for key, is_given in given.items() if is_given):
        yield f"machines.{key}", "is only for `provider: existing`; remove it or set the provider"


def hosts(settings: Settings, stack: str) -> Iterator[Broken]:
    """Every machine of the topology is an existing one, each at its own address."""
    if settings.machines.provider != "existing":
        return
    given, lab = settings.machines.hosts, topology.lab_network(settings, stack)
    names = topology.machine_names(settings)
    for name in names:
        if name not in given:
            why = "is missing; the topology has this machine: give its address and hostKey"
            yield f"machines.hosts.{name}", why
    for name in sorted(set(given) - set(names)):
        yield f"machines.hosts.{name}", f"is no machine of the topology{near(name, names)}"
    seen: dict[IPv4Address, str] = {}
    for name, host in sorted(given.items()):
        path, address = f"machines.hosts.{name}.address", host.address
        if address not in lab:
            yield path, f"{address} is outside of {lab}; correct it or set network.cidr"
        elif address in (lab.network_address, lab.broadcast_address):
            yield path, f"{address} is the network or broadcast address of {lab}; correct it"
        if address in seen:
            yield path, f"{address} is also that of {seen[address]}; correct one of them"
        seen.setdefault(address, name)


def counts(settings: Settings, stack: str) -> Iterator[Broken]:
    """Only the full topology can be counted, and a VIP needs a pair."""
    del stack
    chosen = settings.machines.counts
    if settings.topology == "compact":
        if chosen != MachineCounts():
            why = "is only for `topology: full`; compact always has three machines"
            yield "machines.counts", why
    elif chosen.load_balancer == 1 and settings.network.vip is not None:
        yield (
            "machines.counts.loadBalancer",
            "is 1, but network.vip is set: a VIP needs a pair; set 2, or remove the VIP",
        )


def sizes(settings: Settings, stack: str) -> Iterator[Broken]:
    """Sizes are of machines that exist, and enough for what runs on them."""
    del stack
    given, names = settings.machines.sizes, topology.machine_names(settings)
    for name in sorted(set(given) - {"default", *names}):
        yield f"machines.sizes.{name}", f"is no machine of the topology{near(name, names)}"
    for seat in topology.machine_seats(settings):
        needed = topology.needed_memory_mib(seat.roles)
        own = [key for key in (seat.name, "default") if key in given and given[key].memory_mib]
        for key in own[:1]:
            chosen = given[key].memory_mib or 0
            if chosen < needed:
                roles = ", ".join(sorted(seat.roles))
                why = f"{chosen} MiB is too little: {seat.name} needs {needed} MiB for {roles}"
                yield f"machines.sizes.{key}.memoryMib", why


def image(settings: Settings, stack: str) -> Iterator[Broken]:
    """An image from a URL has a checksum, and there is one image."""
    del stack
    chosen = settings.libvirt.image
    if chosen.url is not None and chosen.sha512 is None:
        yield "libvirt.image.sha512", "is missing; an image from a URL is used only when verified"
    if chosen.url is not None and chosen.path is not None:
        yield "libvirt.image", "has both `url` and `path`; keep one"
    if chosen.url is None and chosen.sha512 is not None:
        yield "libvirt.image.sha512", "is the checksum of a download; give `url` too, or remove it"


def names_with(settings: Settings, role: Role) -> list[str]:
    """Names of the machines with a role."""
    return [seat.name for seat in topology.machine_seats(settings) if role in seat.roles]


def near(name: str, options: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: what was probably meant, or what there is."""
    known = list(options)
    found = difflib.get_close_matches(name, known, n=1)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; there are: {', '.join(known) or 'none'}"


def management(settings: Settings, stack: str) -> Iterator[Broken]:
    """The firewall does not shut out whoever administers hosts of somebody else's network."""
    del stack
    machines = settings.machines
    reached_from_gateway = machines.provider == "libvirt" or machines.network_namespace is not None
    if machines.firewall and not reached_from_gateway and not settings.network.management:
        yield (
            "network.management",
            (
                "is empty, so SSH would be open to the gateway alone and shut you out; name the"
                " networks from which you administer these hosts, or set machines.firewall to false"
            ),
        )


RULES = (
    Rule(network, (*SEATS, *VOTES, "number", "network.cidr")),
    Rule(vip, (*ADDRESSES, "network.vip")),
    Rule(provider, ("machines.provider",)),
    Rule(hosts, ADDRESSES),
    Rule(
        management,
        (
            "machines.provider",
            "machines.firewall",
            "machines.networkNamespace",
            "network.management.*",
        ),
    ),
    Rule(counts, (*SEATS, "network.vip")),
    Rule(sizes, (*SEATS, *VOTES, "machines.sizes")),
    Rule(image, ("libvirt.image.*",)),
)
