"""What a rig is, as plain values: machines, addresses, names. No I/O."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

#: The administrator of every machine, and where its SSH server listens.
USER = "lab"
PORT = 22
#: What a rig is made with when nothing else is asked for.
CIDR = "10.88.0.0/24"
RELEASE = "bookworm"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")
_STATE_VERSION = 1


class RigError(Exception):
    """A problem to show to the user as it is: what was found, expected, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine.

    `identity` changes each time its disk is made anew; `host_key` is the public key of its SSH
    server (`ssh-ed25519 ...`); `tree` is the root tree under its disk. A `bare` machine has no HA
    packages and a way out to the package registry.
    """

    name: str
    address: str
    bare: bool = False
    port: int = PORT
    user: str = USER
    identity: str = ""
    host_key: str = ""
    tree: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """All machines of one rig, on one private network behind a bridge at `gateway`."""

    name: str
    cidr: str
    release: str
    machines: tuple[Machine, ...] = ()

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.cidr)

    @property
    def gateway(self) -> str:
        """The bridge's address: the network's first."""
        return str(self.network[1])

    @property
    def namespace(self) -> str:
        """The network namespace that holds the bridge; clients of the lab run in it."""
        return f"ha-lab-rig-{self.name}"

    def machine_namespace(self, machine: str) -> str:
        """The machine's own network namespace. With a point, which no name has: rig `a` must not
        take what belongs to rig `a-b` for a machine of its own."""
        return f"{self.namespace}.{machine}"

    def machine_in(self, namespace: str) -> str | None:
        """The machine whose own network namespace is called so; None: no machine of this rig."""
        machine = namespace.removeprefix(f"{self.namespace}.")
        return machine if machine != namespace and is_name(machine) else None

    def machine(self, name: str) -> Machine:
        """The machine called `name`; RigError that lists the others."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines) or "none"
        raise RigError(f"no machine {name!r} in rig {self.name!r}; its machines: {known}")

    def with_machine(self, changed: Machine) -> Rig:
        """The same rig with the machine of that name replaced."""
        machines = tuple(changed if m.name == changed.name else m for m in self.machines)
        return replace(self, machines=machines)

    def mac(self, machine: str) -> str:
        """A locally administered address that stays the same over power-off and reinstall."""
        digest = hashlib.sha256(f"{self.name}/{machine}".encode()).digest()
        return ":".join(f"{byte:02x}" for byte in (0x52, 0x54, *digest[:4]))


def is_name(text: str) -> bool:
    """Whether a rig or a machine can be called so."""
    return _NAME.fullmatch(text) is not None


def checked_name(text: str) -> str:
    """The same name. RigError where no rig or machine can be called so: paths are made of it."""
    if not is_name(text):
        raise RigError(_name_problem(text))
    return text


def plan(
    *,
    name: str,
    cidr: str,
    release: str,
    machines: Iterable[str],
    bare: Iterable[str] = (),
    addresses: Mapping[str, str] | None = None,
    existing: Rig | None = None,
) -> Rig:
    """A rig with an address for every machine: the given one, else the one that it has in
    `existing`, else the next free from .11 on.

    Raises RigError that names every problem at once.
    """
    # In another network the old addresses mean nothing; `merge` says what is wrong with that.
    known = existing.machines if existing and existing.cidr == cidr else ()
    given = {m.name: m.address for m in known} | dict(addresses or {})
    bare_names = {*bare, *(m.name for m in known if m.bare)}
    names = list(dict.fromkeys([*machines, *bare_names, *given]))
    network = _network(cidr)
    problems = [*_name_problems([name, *names]), *_address_problems(network, given)]
    if problems:
        raise RigError("\n".join(problems))
    taken = set(given.values())
    free = [str(a) for a in list(network.hosts())[10:] if str(a) not in taken]
    new = [n for n in names if n not in given]
    if len(new) > len(free):
        raise RigError(f"{cidr} is too small for {len(names)} machines; give a wider --cidr")
    given |= dict(zip(new, free, strict=False))
    members = tuple(Machine(name=n, address=given[n], bare=n in bare_names) for n in names)
    return Rig(name=name, cidr=str(network), release=release, machines=members)


def merge(existing: Rig, wanted: Rig) -> Rig:
    """`existing` with the machines of `wanted` that it lacks; RigError where they contradict."""
    if (existing.cidr, existing.release) != (wanted.cidr, wanted.release):
        raise RigError(
            f"rig {existing.name!r} exists with {existing.cidr}, {existing.release}; asked for "
            f"{wanted.cidr}, {wanted.release}. Remove it first: python -m rig down --name "
            f"{existing.name}"
        )
    have = {m.name: m for m in existing.machines}
    for machine in wanted.machines:
        kept = have.get(machine.name)
        if kept and (kept.address, kept.bare) != (machine.address, machine.bare):
            raise RigError(
                f"machine {machine.name!r} exists with address {kept.address}"
                f"{' (bare)' if kept.bare else ''}; it cannot be changed by up"
            )
    new = tuple(m for m in wanted.machines if m.name not in have)
    used = {m.address: m.name for m in existing.machines}
    if clash := [f"{m.name} and {used[m.address]}" for m in new if m.address in used]:
        raise RigError(f"one address for two machines: {', '.join(clash)}")
    return replace(existing, machines=(*existing.machines, *new))


def to_json(rig: Rig) -> str:
    """The text of a state file."""
    return json.dumps({"version": _STATE_VERSION, **asdict(rig)}, indent=2) + "\n"


def from_json(text: str) -> Rig:
    """The rig of a state file; RigError when it was not written by this version."""
    try:
        data = json.loads(text)
        version = data.pop("version")
        machines = tuple(Machine(**m) for m in data.pop("machines"))
        rig = Rig(**data, machines=machines)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise RigError(f"the rig's state file is damaged ({problem}); `down` removes it") from None
    if version != _STATE_VERSION:
        raise RigError(f"state file of version {version}, expected {_STATE_VERSION}; use `down`")
    return rig


def _network(cidr: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as problem:
        raise RigError(f"--cidr {cidr!r}: {problem}; expected for example 10.88.0.0/24") from None
    if network.prefixlen > 27 or network.prefixlen < 16:
        raise RigError(f"--cidr {cidr!r}: expected a prefix from /16 to /27")
    return network


def _name_problems(names: Iterable[str]) -> list[str]:
    return [_name_problem(name) for name in names if not is_name(name)]


def _name_problem(name: str) -> str:
    return f"name {name!r}: expected a letter, then at most 14 letters, digits or '-', lower case"


def _address_problems(network: ipaddress.IPv4Network, given: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    seen: dict[str, str] = {}
    for name, address in given.items():
        try:
            parsed = ipaddress.IPv4Address(address)
        except ValueError:
            problems.append(f"{name}: {address!r} is not an IPv4 address")
            continue
        if parsed not in network or parsed in (network[0], network[1], network[-1]):
            problems.append(f"{name}: {address} is not a free host address of {network}")
        if address in seen:
            problems.append(f"{name} and {seen[address]} have the same address {address}")
        seen[address] = name
    return problems
