"""The firewall of a machine: what its roles declare, and the nftables file that follows from it.

Roles declare rules, nobody writes nftables by hand, and what no role declared is dropped. Names of
sources are resolved here and not by the roles, so that a role need not know who is where. Only
input is filtered. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal, get_args

from components.files import LIB_DIR, RenderedFile, ServicePlan, ServiceUnit
from components.rendering import Templates

Protocol = Literal["tcp", "udp", "vrrp", "icmp"]
Source = str | tuple[IPv4Address | IPv4Network, ...]
"""`any`, `lab` (the lab's network), `management`, a role's name, or addresses and networks."""

ANY, LAB, MANAGEMENT = "any", "lab", "management"
CONFIG_PATH = "/etc/nftables.conf"
UNIT = "nftables.service"
IN_EFFECT_PATH = f"{LIB_DIR}/firewall-in-effect"
_TEMPLATES_DIR = Path(__file__).parent / "templates"
_TEMPLATES = Templates(_TEMPLATES_DIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallRule:
    """One thing that may come in."""

    protocol: Protocol
    source: Source
    comment: str
    """What it is for; it stands in the rule and in the table."""
    port: int | None = None
    """Port of TCP or UDP; None for the protocols that have none."""
    last_port: int | None = None
    """The last one, where it is a range of ports that begins with `port`."""

    def __post_init__(self) -> None:
        if self.protocol not in get_args(Protocol):
            raise ValueError(
                f"protocol {self.protocol!r} of the firewall rule for {self.comment}: expected "
                f"{', '.join(get_args(Protocol))}"
            )
        has_ports = self.protocol in ("tcp", "udp")
        if has_ports and (self.port is None or not 1 <= self.port <= 65535):
            raise ValueError(
                f"the firewall rule for {self.comment} has port {self.port}; "
                f"{self.protocol} needs one from 1 to 65535"
            )
        if not has_ports and self.port is not None:
            raise ValueError(
                f"the firewall rule for {self.comment} has port {self.port}, but "
                f"{self.protocol} has no ports; leave it out"
            )
        last = self.last_port
        if last is not None and not (has_ports and (self.port or 0) < last <= 65535):
            raise ValueError(
                f"the firewall rule for {self.comment} ends with port {last}; a range of ports "
                f"goes from a lower one ({self.port}) to 65535 at most"
            )
        if set(self.comment) & set('"\\\n') or not 0 < len(self.comment) <= 100:
            raise ValueError(
                f"firewall comment {self.comment!r}: expected 1-100 characters on one line, "
                'without " and \\'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who is meant by the names of sources."""

    lab: IPv4Network
    management: tuple[IPv4Address | IPv4Network, ...]
    """From where the machines are administered; SSH is let in from there and the lab."""
    roles: Mapping[str, tuple[IPv4Address, ...]]
    """Addresses of the machines of each role; an empty role lets nobody in."""

    def __post_init__(self) -> None:
        if not self.management:
            raise ValueError(
                "no management source is given, so SSH would be closed to the administrator too; "
                "give for example the gateway of the lab's network"
            )

    def addresses(self, source: Source) -> tuple[str, ...] | None:
        """The addresses of a source, sorted, or None for everybody."""
        if not isinstance(source, str):
            return _sorted(source)
        if source == ANY:
            return None
        if source == LAB:
            return (str(self.lab),)
        if source == MANAGEMENT:
            return _sorted(self.management)
        if source in self.roles:
            return _sorted(self.roles[source])
        known = ", ".join([ANY, LAB, MANAGEMENT, *sorted(self.roles)])
        raise ValueError(f"firewall source {source!r} is not known; use one of: {known}")


def ports_of(rule: FirewallRule) -> str:
    """`22`, or `49152-49251`; `-` where the protocol has none."""
    if rule.port is None:
        return "-"
    return str(rule.port) if rule.last_port is None else f"{rule.port}-{rule.last_port}"


SSH_RULES = (
    FirewallRule(port=22, protocol="tcp", source=MANAGEMENT, comment="SSH of the administrator"),
)
"""In every machine's firewall, whatever its roles declare."""


def nftables_conf(rules: Iterable[FirewallRule], sources: Sources) -> str:
    """The text of /etc/nftables.conf. A rule whose source is empty lets nobody in: no line."""
    lines = [_line(rule, sources) for rule in _in_order([*SSH_RULES, *rules])]
    return _TEMPLATES.render("nftables.conf.j2", {"lines": [line for line in lines if line]})


def firewall_plan(rules: Iterable[FirewallRule], sources: Sources) -> ServicePlan:
    """The firewall of one machine as a service."""
    file = RenderedFile(
        path=CONFIG_PATH,
        content=nftables_conf(rules, sources),
        mode=0o600,
        validate="nft -c -f {staged}",
    )
    return ServicePlan(
        name="firewall",
        packages={"debian": ("nftables",), "redhat": ("nftables",)},
        files=(_in_effect_file(), file),
        units=(
            ServiceUnit(
                name=UNIT, reload_on=(CONFIG_PATH,), in_effect=f"{IN_EFFECT_PATH} {CONFIG_PATH}"
            ),
        ),
    )


def _in_effect_file() -> RenderedFile:
    return RenderedFile(
        path=IN_EFFECT_PATH,
        content=(_TEMPLATES_DIR / "firewall-in-effect").read_text(encoding="utf-8"),
        mode=0o755,
        validate="bash -n {staged}",
    )


def firewall_table(
    rules: Iterable[FirewallRule], sources: Sources
) -> tuple[tuple[str, str, str, str], ...]:
    """Rows to print: protocol, port, from where, what for."""
    rows = []
    for rule in _in_order([*SSH_RULES, *rules]):
        addresses = sources.addresses(rule.source)
        where = "anywhere" if addresses is None else ", ".join(addresses) or "nobody"
        if isinstance(rule.source, str) and addresses is not None:
            where = f"{rule.source} ({where})"
        rows.append((rule.protocol, ports_of(rule), where, rule.comment))
    return tuple(rows)


def _in_order(rules: Sequence[FirewallRule]) -> list[FirewallRule]:
    """Each rule once, in an order that does not depend on the order of the roles."""
    unique = dict.fromkeys(rules)
    return sorted(unique, key=lambda rule: (rule.protocol, rule.port or 0, str(rule.source)))


def _line(rule: FirewallRule, sources: Sources) -> str | None:
    addresses = sources.addresses(rule.source)
    if addresses is not None and not addresses:
        return None
    words = [] if addresses is None else [f"ip saddr {{ {', '.join(addresses)} }}"]
    if rule.protocol == "vrrp":
        words.append("ip protocol vrrp")
    elif rule.protocol == "icmp":
        words.append("ip protocol icmp")
    else:
        words.append(f"{rule.protocol} dport {ports_of(rule)}")
    return f'{" ".join(words)} accept comment "{rule.comment}"'


def _sorted(addresses: Iterable[IPv4Address | IPv4Network]) -> tuple[str, ...]:
    networks = {IPv4Network(address) for address in addresses}
    # nft refuses a set whose intervals overlap, so an address inside a named network goes.
    kept = [
        network
        for network in sorted(networks)
        if not any(network != other and network.subnet_of(other) for other in networks)
    ]
    return tuple(str(n.network_address) if n.prefixlen == 32 else str(n) for n in kept)
