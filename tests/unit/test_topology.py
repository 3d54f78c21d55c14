"""The plan of a lab: names, roles, addresses, MACs; the same for ever for the same settings."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import Any

import pytest

from components.settings.load import load_settings
from components.topology import (
    HIGHEST_NUMBER,
    LINUX_INTERFACE_NAME_LENGTH,
    Role,
    Topology,
    bridge_name,
    lab_number,
    mac_address,
    plan,
)
from tests.unit.settings.samples import EXISTING

CLUSTER = {"enabled": True}
STACKS = ["demo", "full", "rig", "Alice", "alice", "student-17", "a", "x" * 100, "a.b_c-d", "---"]
FULL_PLAN = {
    # Golden: a machine whose address or MAC changes is a machine that is lost and made anew.
    "lb1": ("10.16.2.11", "52:54:00:f7:3a:dc", {"load_balancer"}),
    "lb2": ("10.16.2.12", "52:54:00:43:ed:fe", {"load_balancer"}),
    "app1": ("10.16.2.21", "52:54:00:d2:7d:69", {"app"}),
    "app2": ("10.16.2.22", "52:54:00:a7:36:ab", {"app"}),
    "app3": ("10.16.2.23", "52:54:00:52:54:5e", {"app"}),
    "db1": ("10.16.2.51", "52:54:00:3d:6a:18", {"database", "cluster"}),
    "db2": ("10.16.2.52", "52:54:00:c6:e2:ce", {"database", "cluster"}),
    "gluster1": ("10.16.2.61", "52:54:00:4b:17:ac", {"storage", "cluster"}),
    "gluster2": ("10.16.2.62", "52:54:00:c9:8c:37", {"storage"}),
    "gluster3": ("10.16.2.63", "52:54:00:14:c3:25", {"storage"}),
}
COMPACT_PLAN = {
    "node1": (
        "10.16.1.11",
        "52:54:00:95:aa:0a",
        {"load_balancer", "app", "database", "cluster", "storage"},
    ),
    "node2": (
        "10.16.1.12",
        "52:54:00:6c:af:7e",
        {"load_balancer", "app", "database", "cluster", "storage"},
    ),
    "node3": ("10.16.1.13", "52:54:00:25:97:96", {"app", "cluster", "storage"}),
}


def a_plan(stack: str = "demo", **settings: Any) -> Topology:
    return plan(load_settings(settings, stack=stack), stack=stack)


def summary(topology: Topology) -> dict[str, tuple[str, str, set[str]]]:
    return {
        machine.name: (str(machine.address), machine.mac, {str(role) for role in machine.roles})
        for machine in topology.machines
    }


class TestGoldenPlans:
    """What may never change by accident."""

    def test_the_full_lab_has_the_courses_ten_machines_at_their_addresses(self) -> None:
        topology = a_plan("full", topology="full", number=2, cluster=CLUSTER)

        assert summary(topology) == FULL_PLAN
        assert str(topology.vip) == "10.16.2.100"
        assert str(topology.cluster_vip) == "10.16.2.101"
        assert str(topology.gateway) == "10.16.2.1"
        assert topology.vrid == 3
        assert topology.bridge == "hl-full-a18b869"
        assert topology.prefix == "ha-lab-full"

    def test_the_compact_lab_has_three_machines_that_carry_all_roles(self) -> None:
        topology = a_plan("demo", topology="compact", number=1, cluster=CLUSTER)

        assert summary(topology) == COMPACT_PLAN
        assert str(topology.vip) == "10.16.1.100"
        assert topology.vrid == 2

    @pytest.mark.parametrize(
        ("stack", "number"), [("demo", 0), ("alice", 213), ("student-17", 159), ("student-18", 37)]
    )
    def test_a_stack_without_a_number_has_always_the_same(self, stack: str, number: int) -> None:
        assert lab_number(load_settings({}, stack=stack), stack) == number


class TestAddresses:
    """Every machine, the gateway and the VIP at an address of its own."""

    @pytest.mark.parametrize("prefix", range(16, 29))
    @pytest.mark.parametrize("compact", [True, False])
    def test_networks_of_every_size_have_room_and_no_address_twice(
        self, prefix: int, *, compact: bool
    ) -> None:
        topology = a_plan(
            topology="compact" if compact else "full",
            network={"cidr": f"172.20.0.0/{prefix}"},
            cluster=CLUSTER,
        )
        addresses = [machine.address for machine in topology.machines]
        network = topology.network
        taken = [*addresses, topology.vip, topology.cluster_vip, topology.gateway]

        assert len(set(taken)) == len(taken)
        assert all(address in network for address in taken)
        assert not {network.network_address, network.broadcast_address} & set(taken)

    @pytest.mark.parametrize("cidr", ["10.0.0.0/28", "10.0.0.0/27", "10.0.0.0/26", "10.0.0.0/25"])
    @pytest.mark.parametrize("apps", range(1, 21))
    @pytest.mark.parametrize("storage", [0, 3, 9])
    def test_every_number_of_machines_fits_or_is_refused(
        self, cidr: str, apps: int, storage: int
    ) -> None:
        counts = {"app": apps, "storage": storage}
        machines = 2 + apps + 2 + storage
        network = IPv4Network(cidr)
        if machines > network.num_addresses - 4:
            with pytest.raises(Exception, match="is too small for"):
                a_plan(topology="full", machines={"counts": counts}, network={"cidr": cidr})
            return

        topology = a_plan(topology="full", machines={"counts": counts}, network={"cidr": cidr})
        taken = {machine.address for machine in topology.machines}

        assert len(taken) == machines
        assert not taken & {topology.vip, topology.gateway, network.broadcast_address}

    def test_the_network_is_chosen_by_the_labs_number(self) -> None:
        for number in range(HIGHEST_NUMBER + 1):
            topology = a_plan(number=number)

            assert topology.network == IPv4Network(f"10.16.{number}.0/24")
            assert topology.vrid == number + 1

    def test_what_is_set_wins_over_what_is_computed(self) -> None:
        topology = a_plan(
            number=7,
            network={"cidr": "192.168.1.0/24", "vip": "192.168.1.77", "domain": "class.test"},
            loadBalancer={"vrid": 51},
        )

        assert topology.network == IPv4Network("192.168.1.0/24")
        assert topology.vip == IPv4Address("192.168.1.77")
        assert topology.vrid == 51
        assert topology.domain == "class.test"

    def test_existing_machines_keep_their_own_addresses(self) -> None:
        hosts = {
            name: {**host, "address": f"10.16.9.{200 + index}"}
            for index, (name, host) in enumerate(EXISTING["machines"]["hosts"].items())
        }
        topology = a_plan(
            number=9, machines={"provider": "existing", "firewall": False, "hosts": hosts}
        )

        assert [str(m.address) for m in topology.machines] == [
            "10.16.9.200",
            "10.16.9.201",
            "10.16.9.202",
        ]
        assert str(topology.vip) == "10.16.9.100"

    def test_management_is_the_gateway_until_networks_are_given(self) -> None:
        given = a_plan(number=1, network={"management": ["192.168.0.0/16"]})

        assert a_plan(number=1).management == (IPv4Network("10.16.1.1/32"),)
        assert given.management == (IPv4Network("192.168.0.0/16"),)


class TestMacs:
    """A MAC is how a guest finds its network configuration."""

    def test_no_two_machines_of_many_stacks_share_one(self) -> None:
        names = [f"app{i}" for i in range(20)] + ["lb1", "lb2", "db1", "db2", "gluster1"]
        macs = {mac_address(f"student-{n}", name) for n in range(40) for name in names}

        assert len(macs) == 40 * len(names)

    def test_they_are_unicast_and_locally_administered(self) -> None:
        for machine in a_plan(topology="full").machines:
            first = int(machine.mac[:2], 16)

            assert re.fullmatch(r"52:54:00(:[0-9a-f]{2}){3}", machine.mac)
            assert first & 0b01 == 0
            assert first & 0b10 == 0b10

    def test_they_depend_on_stack_and_machine_and_on_nothing_else(self) -> None:
        small = a_plan("demo", topology="full", machines={"counts": {"app": 1}})
        large = a_plan("demo", topology="full", number=3, machines={"counts": {"app": 9}})
        other = a_plan("demo2", topology="full")

        assert small.machine("app1").mac == large.machine("app1").mac
        assert small.machine("app1").mac != other.machine("app1").mac


class TestNames:
    """What libvirt and Linux know the lab by."""

    @pytest.mark.parametrize("stack", STACKS)
    def test_a_bridge_name_is_a_linux_interface_name(self, stack: str) -> None:
        name = bridge_name(stack)

        assert len(name) <= LINUX_INTERFACE_NAME_LENGTH
        assert re.fullmatch(r"[a-z0-9-]+", name)

    def test_bridge_names_of_many_stacks_are_different(self) -> None:
        classes = [f"student-{n}" for n in range(400)] + [f"{n}-student" for n in range(400)]
        names = {bridge_name(stack) for stack in [*classes, *STACKS]}

        assert len(names) == len({*classes, *STACKS})

    def test_machines_are_found_by_role_in_the_order_of_their_numbers(self) -> None:
        topology = a_plan(topology="full", machines={"counts": {"app": 12}})
        names = [machine.name for machine in topology.with_role(Role.APP)]

        assert names == [f"app{n}" for n in range(1, 13)]
        assert topology.machine("lb2").has(Role.LOAD_BALANCER)
        assert not topology.machine("lb2").has(Role.APP)

    def test_addresses_are_in_the_order_of_the_machines(self) -> None:
        for earlier, later in pairwise(a_plan(topology="full").machines):
            assert earlier.address < later.address


class TestRolesAndSizes:
    """Who does what, with how much."""

    @pytest.mark.parametrize(
        ("counts", "members"),
        [
            ({}, ["db1", "db2", "gluster1"]),
            ({"database": 1}, ["db1", "gluster1", "gluster2"]),
            ({"storage": 0}, ["app1", "db1", "db2"]),
            ({"database": 1, "storage": 0, "app": 1}, ["lb1", "app1", "db1"]),
        ],
    )
    def test_the_cluster_has_three_votes_the_databases_among_them(
        self, counts: dict[str, int], members: list[str]
    ) -> None:
        topology = a_plan(topology="full", machines={"counts": counts}, cluster=CLUSTER)

        assert [machine.name for machine in topology.with_role(Role.CLUSTER)] == members

    def test_members_are_those_that_were_named(self) -> None:
        chosen = {"enabled": True, "members": ["gluster3", "app2", "lb1"]}
        topology = a_plan(topology="full", cluster=chosen)

        assert [m.name for m in topology.with_role(Role.CLUSTER)] == ["lb1", "app2", "gluster3"]

    @pytest.mark.parametrize("topology", ["full", "compact"])
    def test_nobody_votes_where_the_cluster_is_switched_off(self, topology: str) -> None:
        assert a_plan(topology=topology, cluster={"enabled": False}).with_role(Role.CLUSTER) == ()

    def test_without_databases_there_is_no_cluster_but_a_named_one(self) -> None:
        topology = a_plan(topology="full", machines={"counts": {"database": 0}})

        assert topology.with_role(Role.CLUSTER) == ()
        assert topology.with_role(Role.DATABASE) == ()

    def test_one_load_balancer_is_a_lab_too(self) -> None:
        topology = a_plan(topology="full", machines={"counts": {"loadBalancer": 1}})

        assert [m.name for m in topology.with_role(Role.LOAD_BALANCER)] == ["lb1"]

    def test_sizes_come_from_the_name_then_the_default_then_the_roles(self) -> None:
        sizes = {
            "default": {"vcpus": 2, "memoryMib": 1280},
            "db1": {"memoryMib": 2048, "diskGib": 30},
        }
        topology = a_plan(topology="full", machines={"sizes": sizes})
        db1, db2 = topology.machine("db1"), topology.machine("db2")

        assert (db1.memory_mib, db1.vcpus, db1.disk_gib) == (2048, 2, 30)
        assert (db2.memory_mib, db2.vcpus, db2.disk_gib) == (1280, 2, 8)
        assert a_plan(topology="full").machine("lb1").memory_mib == 512

    def test_the_compact_lab_fits_into_a_laptop_of_8_gb(self) -> None:
        assert sum(machine.memory_mib for machine in a_plan().machines) <= 6 * 1024
