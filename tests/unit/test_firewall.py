"""From declared rules to nftables, and to a table that people read."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from components.firewall import (
    FirewallRule,
    Sources,
    firewall_plan,
    firewall_table,
    nftables_conf,
)

SOURCES = Sources(
    lab=IPv4Network("10.16.1.0/24"),
    management=(IPv4Address("10.16.1.1"),),
    roles={"load_balancer": (IPv4Address("10.16.1.12"), IPv4Address("10.16.1.11")), "app": ()},
)


def a_rule(**overrides: Any) -> FirewallRule:
    values = {"port": 8080, "protocol": "tcp", "source": "load_balancer", "comment": "app"}
    return FirewallRule(**{**values, **overrides})


def accepted(*rules: FirewallRule, sources: Sources = SOURCES) -> list[str]:
    """The lines that follow from rules, without those that are in every firewall."""
    conf = nftables_conf(rules, sources)
    return [line.strip() for line in conf.splitlines() if "comment" in line and "accept" in line]


SSH = 'ip saddr { 10.16.1.1 } tcp dport 22 accept comment "SSH of the administrator"'


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (a_rule(), 'ip saddr { 10.16.1.11, 10.16.1.12 } tcp dport 8080 accept comment "app"'),
        (a_rule(source="any"), 'tcp dport 8080 accept comment "app"'),
        (a_rule(source="lab"), 'ip saddr { 10.16.1.0/24 } tcp dport 8080 accept comment "app"'),
        (a_rule(protocol="udp"), 'udp dport 8080 accept comment "app"'),
        (
            a_rule(protocol="vrrp", port=None, source=(IPv4Address("10.16.1.12"),)),
            'ip saddr { 10.16.1.12 } ip protocol vrrp accept comment "app"',
        ),
    ],
)
def test_a_rule_becomes_one_line(rule: FirewallRule, line: str) -> None:
    assert any(line in found for found in accepted(rule)), accepted(rule)


def test_without_rules_only_the_administrator_comes_in() -> None:
    assert accepted() == [SSH]
    assert "policy drop" in nftables_conf((), SOURCES)


def test_a_role_without_machines_lets_nobody_in_instead_of_everybody() -> None:
    assert accepted(a_rule(source="app")) == [SSH]
    assert ("tcp", "8080", "app (nobody)", "app") in firewall_table([a_rule(source="app")], SOURCES)


def test_a_rule_that_two_roles_declare_is_there_once() -> None:
    assert len(accepted(a_rule(), a_rule())) == 2


def test_the_order_of_the_roles_does_not_change_the_file() -> None:
    rules = [a_rule(port=port) for port in (80, 443, 22)]
    assert nftables_conf(rules, SOURCES) == nftables_conf(reversed(rules), SOURCES)


def test_an_address_inside_a_named_network_is_not_named_again() -> None:
    """nft refuses a set whose intervals overlap."""
    source = (IPv4Network("10.16.1.0/24"), IPv4Address("10.16.1.7"), IPv4Address("10.9.0.1"))
    assert "{ 10.9.0.1, 10.16.1.0/24 }" in accepted(a_rule(source=source))[-1]


def test_the_table_says_who_is_meant() -> None:
    rows = firewall_table([a_rule(), a_rule(port=80, source="any")], SOURCES)
    assert rows == (
        ("tcp", "22", "management (10.16.1.1)", "SSH of the administrator"),
        ("tcp", "80", "anywhere", "app"),
        ("tcp", "8080", "load_balancer (10.16.1.11, 10.16.1.12)", "app"),
    )


def test_only_the_labs_own_table_is_replaced() -> None:
    """`flush ruleset` would take the rules of containers on an existing host with it."""
    conf = nftables_conf((), SOURCES)
    assert "flush ruleset" not in conf
    assert "delete table inet ha_lab" in conf


def test_the_firewall_is_loaded_by_a_reload() -> None:
    plan = firewall_plan((), SOURCES)
    assert plan.units[0].reload_on == ("/etc/nftables.conf",), "a restart would flush every rule"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: a_rule(port=None), "has port None; tcp needs one"),
        (lambda: a_rule(port=0), "has port 0"),
        (lambda: a_rule(protocol="vrrp"), "vrrp has no ports; leave it out"),
        (lambda: a_rule(protocol="sctp"), "'sctp'.*tcp, udp, vrrp, icmp"),
        (lambda: a_rule(comment='a"b'), "firewall comment"),
        (lambda: a_rule(comment="a\nb"), "firewall comment"),
        (lambda: replace(SOURCES, management=()), "SSH would be closed to the administrator"),
        (lambda: accepted(a_rule(source="db")), "'db' is not known.*any, lab, management, app"),
    ],
)
def test_a_wrong_rule_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
