"""The configuration as Pacemaker's XML: complete, with ids that are unique, the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import pytest

from components.pacemaker.cib import cib_configuration
from tests.unit.pacemaker.samples import COURSE, DUMMY, an_args, settings_with, wanted

EVERYTHING: dict[str, Any] = {
    "resources": {
        **COURSE,
        "files": {**DUMMY, "operations": [{"name": "monitor", "intervalS": 7}]},
        "cron": {"agent": "systemd:cron", "meta": {"priority": 10}},
        "db": DUMMY,
        "one": DUMMY,
        "two": DUMMY,
    },
    "groups": {"pair": {"resources": ["one", "two"], "meta": {"priority": 1}}},
    "clones": {
        "db-clone": {"resource": "db", "promotable": True, "meta": {"promoted-max": 1}},
        "pair-clone": {"resource": "pair"},
    },
    "constraints": {
        "locations": [{"resource": "vip", "machine": "db1", "score": 50}],
        "colocations": [
            {"resource": "webserver", "with": "vip"},
            {"resource": "vip", "with": "db-clone", "withRole": "Promoted"},
            {"resource": "cron", "with": "vip", "score": -100},
        ],
        "orders": [
            {"first": "db-clone", "then": "vip", "firstAction": "promote"},
            {"first": "db-clone", "then": "vip", "firstAction": "demote", "thenAction": "stop"},
            {"first": "vip", "then": "webserver", "kind": "Optional"},
        ],
    },
}


def by_id(root: ET.Element) -> dict[str, ET.Element]:
    return {found.get("id", ""): found for found in root.iter() if found.get("id")}


def attributes(root: ET.Element, own_id: str) -> dict[str, str]:
    """Names and values of a set of options."""
    return {p.get("name", ""): p.get("value", "") for p in by_id(root)[own_id]}


@pytest.mark.parametrize("changes", [{}, EVERYTHING])
def test_every_id_is_there_once(changes: dict[str, Any]) -> None:
    ids = Counter(found.get("id") for found in wanted(**changes).iter() if found.get("id"))

    assert {own_id for own_id, count in ids.items() if count > 1} == set()


def test_the_same_args_give_the_same_text() -> None:
    assert cib_configuration(an_args()) == cib_configuration(an_args())


def test_the_labs_values_stand_in_the_vips_parameters() -> None:
    assert attributes(wanted(), "vip-instance_attributes") == {
        "ip": "10.16.1.101",
        "cidr_netmask": "24",
        "nic": "eth0",
    }


def test_the_web_server_is_with_the_vip_and_after_it() -> None:
    found = by_id(wanted())

    assert found["colocation-webserver-vip-INFINITY"].attrib == {
        "id": "colocation-webserver-vip-INFINITY",
        "rsc": "webserver",
        "with-rsc": "vip",
        "score": "INFINITY",
    }
    assert found["order-vip-webserver-Mandatory"].get("first-action") == "start"


def test_values_with_markup_are_text() -> None:
    strange = {**COURSE, "vip": {**COURSE["vip"], "parameters": {"ip": '<&">'}}}

    assert attributes(wanted(resources=strange), "vip-instance_attributes") == {"ip": '<&">'}


@pytest.mark.parametrize(
    ("timers", "vip", "webserver", "timeout"),
    [("course", "30s", "30s", "60s"), ("fast", "2s", "2s", "20s")],
)
def test_monitors_come_from_the_timers(timers: str, vip: str, webserver: str, timeout: str) -> None:
    data = {**settings_with(), "timers": timers}
    root = ET.fromstring(cib_configuration(an_args(data)))

    operations = {o.get("id", "").partition("-")[0]: o for o in root.iter("op")}
    assert operations["vip"].get("interval") == vip
    assert operations["webserver"].get("interval") == webserver
    assert operations["vip"].get("timeout") == timeout


def test_a_promotable_clone_has_a_monitor_for_each_role() -> None:
    primitive = by_id(wanted(**EVERYTHING))["db"]

    assert {o.get("role"): o.get("interval") for o in primitive.iter("op")} == {
        "Promoted": "4s",
        "Unpromoted": "5s",
    }


def test_operations_that_were_given_are_the_only_ones() -> None:
    (operation,) = by_id(wanted(**EVERYTHING))["files"].iter("op")

    assert (operation.get("interval"), operation.get("timeout")) == ("7s", "30s")


def test_what_is_in_a_group_or_clone_stands_there_alone() -> None:
    root = wanted(**EVERYTHING)
    top = [found.get("id") for found in root.iterfind("./resources/*")]

    assert top == ["vip", "webserver", "files", "cron", "db-clone", "pair-clone"]
    assert [f.get("id") for f in by_id(root)["pair"].iterfind("primitive")] == ["one", "two"]
    assert attributes(root, "db-clone-meta_attributes") == {
        "promotable": "true",
        "promoted-max": "1",
    }


def test_an_agent_without_a_provider_has_none() -> None:
    cron = by_id(wanted(**EVERYTHING))["cron"]

    assert (cron.get("class"), cron.get("provider"), cron.get("type")) == ("systemd", None, "cron")


def test_roles_and_actions_are_in_the_constraints_and_tell_them_apart() -> None:
    found = by_id(wanted(**EVERYTHING))

    assert found["colocation-vip-db-clone-Promoted-INFINITY"].get("with-rsc-role") == "Promoted"
    assert found["order-db-clone-promote-vip-Mandatory"].get("then-action") == "start"
    assert found["order-db-clone-demote-vip-stop-Mandatory"].get("then-action") == "stop"
    assert found["location-vip-db1-50"].get("node") == "db1"


def test_without_fencing_it_is_switched_off_and_without_a_device() -> None:
    root = wanted()

    assert attributes(root, "cib-bootstrap-options")["stonith-enabled"] == "false"
    assert [p for p in root.iter("primitive") if p.get("class") == "stonith"] == []


def test_fence_devices_are_resources_of_their_own_class() -> None:
    plugs = {"db1": "1", "db2": "2", "gluster1": "3"}
    devices = {"ipmi": {"agent": "fence_ipmilan", "parameters": {"ip": "10.9.9.9"}, "plugs": plugs}}
    root = wanted(fencing={"kind": "devices", "devices": devices})

    device = by_id(root)["ipmi"]
    assert (device.get("class"), device.get("type")) == ("stonith", "fence_ipmilan")
    assert attributes(root, "ipmi-instance_attributes")["ip"] == "10.9.9.9"
    assert attributes(root, "cib-bootstrap-options")["stonith-enabled"] == "true"


def test_settings_win_over_the_labs_own_properties() -> None:
    root = wanted(properties={"cluster-recheck-interval": "1min"}, resourceDefaults={})

    assert attributes(root, "cib-bootstrap-options")["cluster-recheck-interval"] == "1min"
    assert root.find("rsc_defaults") is None
