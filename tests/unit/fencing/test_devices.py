"""Which stonith devices, levels and properties a cluster gets."""

from __future__ import annotations

from typing import Any

import pytest

from components.fencing.choice import fencing_kind, is_local, rig_name
from components.fencing.devices import (
    FencingLevel,
    StonithDevice,
    fencing_devices,
    fencing_levels,
    fencing_properties,
    fencing_warnings,
    watchdog,
)
from tests.unit.fencing.labs import HOSTS, OWN, RIG, VIRTUAL, lab
from tests.unit.settings.samples import FULL, with_value


def devices(data: dict[str, Any], **changes: object) -> tuple[StonithDevice, ...]:
    return fencing_devices(*lab(data, **changes))


def test_virtual_machines_are_fenced_by_the_daemon_at_their_gateway() -> None:
    (device,) = devices(VIRTUAL)
    assert (device.id, device.agent) == ("fence-xvm", "fence_virt")
    assert device.parameters == {
        "ipaddr": "10.16.1.1",
        "ipport": "1229",
        "key_file": "/etc/cluster/fence_xvm.key",
        "pcmk_host_check": "static-list",
        "pcmk_host_list": "node1 node2 node3",
        "pcmk_host_map": (
            "node1:ha-lab-demo-node1;node2:ha-lab-demo-node2;node3:ha-lab-demo-node3"
        ),
        "pcmk_monitor_action": "list",
    }
    assert device.members == ("node1", "node2", "node3")


def test_machines_of_a_rig_are_fenced_by_its_service() -> None:
    (device,) = devices(RIG)
    assert (device.id, device.agent) == ("fence-rig", "fence_halab_rig")
    assert device.parameters["ip"] == "10.16.9.1"
    assert device.parameters["key_file"] == "/etc/cluster/fence_halab_rig.key"
    assert device.plugs == {"node1": "node1", "node2": "node2", "node3": "node3"}


def test_only_members_are_fenced() -> None:
    full = with_value(FULL, "cluster.enabled", True)
    (device,) = devices(full)
    assert device.members == ("db1", "db2", "gluster1")


def test_devices_of_the_user_are_taken_as_they_are() -> None:
    own = with_value(OWN, "cluster.fencing.devices.ipmi.parameters", {"lanplus": True, "ip": "h"})
    (device,) = devices(own)
    assert (device.id, device.agent, device.level) == ("ipmi", "fence_ipmilan", 1)
    assert device.parameters == {
        "ip": "h",
        "lanplus": "true",
        "pcmk_host_check": "static-list",
        "pcmk_host_list": "node1 node2 node3",
        "pcmk_host_map": "node1:1;node2:2;node3:3",
    }


def test_without_fencing_there_is_no_device_and_a_warning_that_says_what_can_happen() -> None:
    settings, topology, members = lab(HOSTS, cluster__fencing__kind="none")
    assert fencing_devices(settings, topology, members) == ()
    assert fencing_properties(settings) == {"stonith-enabled": "false"}
    (warning,) = fencing_warnings(settings)
    assert "Two owners" in warning
    assert "For tests only" in warning


@pytest.mark.parametrize("data", [VIRTUAL, RIG, OWN])
def test_with_fencing_it_is_enabled_and_there_is_no_warning(data: dict[str, Any]) -> None:
    settings, *_ = lab(data)
    assert fencing_properties(settings)["stonith-enabled"] == "true"
    assert "stonith-watchdog-timeout" not in fencing_properties(settings)
    assert fencing_warnings(settings) == ()


def test_of_two_members_one_is_asked_for_later_so_that_one_survives() -> None:
    pair = {"cluster.members": ["node1", "node2"], "cluster.twoNode": True}
    data = VIRTUAL
    for path, value in pair.items():
        data = with_value(data, path, value)
    (device,) = devices(data)
    assert device.parameters["pcmk_delay_base"] == "node1:5s;node2:0s"
    assert "pcmk_delay_base" not in devices(VIRTUAL)[0].parameters


def test_one_level_of_devices_needs_no_levels() -> None:
    settings, topology, members = lab(VIRTUAL)
    assert fencing_levels(settings, fencing_devices(settings, topology, members)) == ()


def test_the_watchdog_is_asked_last_and_given_time() -> None:
    settings, topology, members = lab(VIRTUAL, cluster__fencing__watchdog=True)
    levels = fencing_levels(settings, fencing_devices(settings, topology, members))
    assert levels[:2] == (
        FencingLevel(member="node1", index=1, devices=("fence-xvm",)),
        FencingLevel(member="node1", index=9, devices=("watchdog",)),
    )
    assert [level.member for level in levels] == ["node1"] * 2 + ["node2"] * 2 + ["node3"] * 2
    properties = fencing_properties(settings)
    assert properties["stonith-watchdog-timeout"] == "10s"
    # One device's time has to be enough for the first level and the wait after it.
    assert properties["stonith-timeout"] == "40s"


def test_a_watchdog_on_emulated_machines_is_patient() -> None:
    settings, *_ = lab(VIRTUAL, cluster__fencing__watchdog=True, timers="relaxed")
    dog = watchdog(settings)
    assert dog is not None
    assert (dog.timeout_s, dog.surely_reset_s) == (15, 30)


def test_devices_of_two_levels_are_asked_one_after_the_other() -> None:
    pdu = {"agent": "fence_apc", "plugs": {"node1": "7", "node2": "8"}, "level": 2}
    own = with_value(OWN, "cluster.fencing.devices.pdu", pdu)
    settings, topology, members = lab(own)
    levels = fencing_levels(settings, fencing_devices(settings, topology, members))
    assert {(level.member, level.index, level.devices) for level in levels} == {
        ("node1", 1, ("ipmi",)),
        ("node1", 2, ("pdu",)),
        ("node2", 1, ("ipmi",)),
        ("node2", 2, ("pdu",)),
        ("node3", 1, ("ipmi",)),
    }


def test_two_devices_of_one_level_are_asked_together() -> None:
    psu = {"agent": "fence_apc", "plugs": {"node1": "7"}}
    settings, topology, members = lab(
        with_value(
            with_value(OWN, "cluster.fencing.devices.psu", psu),
            "cluster.fencing.devices.last",
            {"agent": "fence_apc", "plugs": {"node1": "9"}, "level": 3},
        )
    )
    levels = fencing_levels(settings, fencing_devices(settings, topology, members))
    assert FencingLevel(member="node1", index=1, devices=("ipmi", "psu")) in levels


@pytest.mark.parametrize(
    ("namespace", "rig"),
    [("ha-lab-rig-demo", "demo"), ("ha-lab-rig-", None), ("somebodys", None), (None, None)],
)
def test_a_rig_is_known_by_its_namespace(namespace: str | None, rig: str | None) -> None:
    data = with_value(HOSTS, "machines.networkNamespace", namespace)
    data = with_value(data, "network.management", ["10.0.0.0/24"])
    data = with_value(data, "cluster.fencing.kind", "none")
    settings, *_ = lab(data)
    assert rig_name(settings) == rig


def test_what_is_set_wins_over_what_is_assumed() -> None:
    assert fencing_kind(lab(VIRTUAL)[0]) == "xvm"
    assert fencing_kind(lab(RIG)[0]) == "rig"
    assert fencing_kind(lab(RIG, cluster__fencing__kind="none")[0]) == "none"


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("qemu:///system", True),
        ("qemu+unix:///system?socket=/run/x", True),
        ("qemu+ssh://root@host/system", False),
        ("qemu+tls://host/system", False),
    ],
)
def test_libvirt_is_local_when_the_uri_names_no_host(uri: str, *, local: bool) -> None:
    assert is_local(uri) is local
