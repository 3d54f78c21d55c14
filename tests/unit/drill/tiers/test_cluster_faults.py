"""What each fault does to the cluster, what it should cost, and where it cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from components.timers import TIMERS
from lab.drill.choose import probes_for, vip_of
from lab.drill.model import Fault
from lab.drill.target import Target
from lab.drill.tiers import cluster
from lab.drill.tiers.registry import fault_named
from lab.errors import LabError
from tests.unit.drill.fakes import Fakes, a_target, finish

VIP = "10.16.1.101"
MEMBERS = ("node1", "node2", "node3")
CLUSTER = {"vip": VIP, "url": f"http://{VIP}/", "members": MEMBERS, "fencing": "rig"}
WAIT = "systemctl is-system-running --wait"
FAULTS = cluster.TIER.faults


def a_cluster(timers: str = "fast", **changes: Any) -> Target:
    return a_target("compact", timers=timers).model_copy(update={"cluster": {**CLUSTER, **changes}})


@pytest.fixture
def fakes() -> Fakes:
    """node2 has the VIP."""
    fakes = Fakes(a_cluster())
    fakes.machines.says("node2", "address show", f"2: eth0 inet {VIP}/24")
    return fakes


def test_the_victim_is_the_one_member_with_the_vip(fakes: Fakes) -> None:
    assert finish(cluster.owner(fakes.scene)) == ("node2",)


def test_without_one_owner_nothing_is_broken(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "OWNER_WITHIN_S", 0.2)
    fakes.machines.says("node3", "address show", f"2: eth0 inet {VIP}/24")

    with pytest.raises(LabError, match="last seen with it: node2, node3"):
        finish(cluster.owner(fakes.scene))


@pytest.mark.parametrize(
    ("name", "injected", "undone"),
    [
        ("cluster-member-power-off", ["power_off node2"], ["power_on node2", f"node2: {WAIT}"]),
        ("cluster-member-cut", ["cut node2"], ["join node2"]),
        ("cluster-member-freeze", ["freeze node2"], ["thaw node2"]),
        (
            "cluster-member-standby",
            [f"node2: {cluster.ATTRIBUTE} node2 --update on"],
            [f"node2: {cluster.ATTRIBUTE} node2 --delete"],
        ),
        ("cluster-web-killed", ["node2: set -- "], [f"node2: {cluster.CLEANUP}"]),
    ],
)
def test_a_fault_and_its_undoing(
    fakes: Fakes, name: str, injected: list[str], undone: list[str]
) -> None:
    fault = fault_named(name)

    finish(fault.inject(fakes.scene, ("node2",)))
    assert fakes.done() == injected
    for _ in range(2):
        fakes.journal.clear()
        finish(fault.undo(fakes.scene, ("node2",)))
        assert fakes.done() == undone


def test_fencing_is_broken_before_the_power_goes_and_asked_before_it_returns(fakes: Fakes) -> None:
    fault = fault_named("cluster-fencing-broken")

    finish(fault.inject(fakes.scene, ("node2",)))
    assert fakes.done() == ["node1: set -- ", "node3: set -- ", "power_off node2"]
    fakes.journal.clear()
    finish(fault.undo(fakes.scene, ("node2",)))
    assert fakes.done() == [
        "node1: set -- ",
        "node3: set -- ",
        "node1: stonith_admin --reboot node2 --timeout 60",
        "power_on node2",
        f"node2: {WAIT}",
        f"node1: {cluster.CLEANUP}",
    ]


def test_a_member_that_has_power_again_is_not_fenced_by_a_second_undoing(fakes: Fakes) -> None:
    finish(fault_named("cluster-fencing-broken").undo(fakes.scene, ("node2",)))

    assert not [line for line in fakes.done() if "stonith_admin" in line]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_without_a_page_to_ask_nobody_can_say_what_it_costs(fault: Fault) -> None:
    assert fault.why_not(a_cluster()) is None
    assert "no web server" in str(fault.why_not(a_cluster(url=None)))


@pytest.mark.parametrize("kind", ["none", "devices"])
def test_fencing_can_be_broken_only_where_its_service_is_known(kind: str) -> None:
    assert f"`{kind}`" in str(
        fault_named("cluster-fencing-broken").why_not(a_cluster(fencing=kind))
    )


@pytest.mark.parametrize(
    ("timers", "kind", "seconds"),
    [
        ("fast", "rig", 2.475 + 3.0),
        ("fast", "none", 2.475 + 1.5),
        ("course", "rig", 8.03 + 3.0),
    ],
)
def test_a_lost_member_costs_membership_fencing_and_start(
    timers: str, kind: str, seconds: float
) -> None:
    fault = fault_named("cluster-member-power-off")
    predicted = fault.predict(TIMERS[timers], a_cluster(timers, fencing=kind))

    assert predicted.seconds == pytest.approx(seconds)
    assert ("fencing" in predicted.formula) == (kind == "rig")


def test_more_members_take_longer_to_agree() -> None:
    fault = fault_named("cluster-member-power-off")
    five = a_cluster(members=(*MEMBERS, "node4", "node5"))

    assert fault.predict(TIMERS["fast"], five).seconds > 2.475 + 3.0 + 0.5


def test_a_killed_apache_costs_its_monitors_interval_and_a_restart() -> None:
    predicted = fault_named("cluster-web-killed").predict(TIMERS["course"], a_cluster("course"))

    assert predicted.seconds == 31.5


def test_its_own_clients_and_looks_watch_it_beside_those_of_the_load_balancers() -> None:
    probes = probes_for(a_cluster(), fault_named("cluster-member-power-off"))

    names = ["http", "session", "arp", "address", "cluster-http", "cluster-arp", "cluster-address"]
    assert [probe.name for probe in probes] == names
    assert vip_of(fault_named("cluster-member-power-off")) == "cluster"
    assert vip_of(fault_named("vip-owner-power-off")) == vip_of(None) == ""
    assert "cluster.url" in str(probes[4].why_not(a_cluster(url=None)))
