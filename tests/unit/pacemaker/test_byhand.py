"""What somebody did by hand is said in words, and what Pacemaker does itself is not."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from components.pacemaker.guest.byhand import changed_by_hand, kept_by_hand, restored
from components.pacemaker.guest.merge import merged
from tests.unit.pacemaker.samples import live, wanted


def pushed() -> ET.Element:
    return merged(live(), wanted(), None)


def place(cib: ET.Element, path: str) -> ET.Element:
    found = cib.find(f"./configuration/{path}")
    assert found is not None, path
    return found


VIP = "resources/primitive[@id='vip']"
WEBSERVER = "resources/primitive[@id='webserver']"
OPTIONS = "crm_config/cluster_property_set"
META = '<meta_attributes id="x"><nvpair id="y" name="{name}" value="{value}"/></meta_attributes>'
SWITCH = '<instance_attributes id="x"><nvpair id="y" name="{}" value="{}"/></instance_attributes>'


def test_nothing_is_said_of_a_cluster_as_it_was_pushed() -> None:
    assert kept_by_hand(pushed(), wanted()) == []
    assert changed_by_hand(pushed(), wanted()) == []


@pytest.mark.parametrize(
    ("path", "xml", "said"),
    [
        ("nodes/node[@uname='db1']", SWITCH.format("standby", "on"), "db1 is in standby"),
        (
            "nodes/node[@uname='db2']",
            SWITCH.format("maintenance", "true"),
            "db2 is in maintenance",
        ),
        (
            OPTIONS,
            '<nvpair id="x" name="maintenance-mode" value="true"/>',
            "the whole cluster is in maintenance",
        ),
        (
            WEBSERVER,
            META.format(name="target-role", value="Stopped"),
            "webserver has target-role=Stopped",
        ),
        (
            "constraints",
            '<rsc_location id="cli-ban-vip-on-db1" rsc="vip" node="db1" score="-INFINITY"/>',
            "cli-ban-vip-on-db1: vip must not run on db1",
        ),
        (
            "constraints",
            '<rsc_location id="cli-prefer-vip" rsc="vip" node="db2" score="INFINITY"/>',
            "cli-prefer-vip: vip was moved to run on db2",
        ),
        (
            "constraints",
            '<rsc_location id="location-vip" rsc="vip" node="db2" score="10"/>',
            "the constraint location-vip is not of the settings",
        ),
        (
            "resources",
            '<primitive id="own" class="systemd" type="cron"/>',
            "primitive own is not of the settings",
        ),
        (
            OPTIONS,
            '<nvpair id="x" name="batch-limit" value="3"/>',
            "the property batch-limit=3 is not of the settings",
        ),
    ],
)
def test_each_thing_an_operator_does_is_one_sentence(path: str, xml: str, said: str) -> None:
    cib = pushed()
    place(cib, path).append(ET.fromstring(xml))

    assert kept_by_hand(cib, wanted()) == [said]
    assert changed_by_hand(cib, wanted()) == [], "it is kept, so it is no drift"


@pytest.mark.parametrize(
    ("name", "value"), [("standby", "off"), ("standby", "false"), ("rack", "on")]
)
def test_an_attribute_that_switches_nothing_is_not_worth_a_word(name: str, value: str) -> None:
    cib = pushed()
    place(cib, "nodes/node[@uname='db1']").append(ET.fromstring(SWITCH.format(name, value)))

    assert kept_by_hand(cib, wanted()) == []


def test_what_pacemaker_writes_itself_is_not_by_hand() -> None:
    cib = pushed()
    xml = '<nvpair id="x" name="last-lrm-refresh" value="1795462697"/>'
    place(cib, OPTIONS).append(ET.fromstring(xml))

    assert kept_by_hand(cib, wanted()) == []


def test_a_changed_part_of_the_settings_is_drift() -> None:
    cib = pushed()
    place(cib, f"{VIP}/operations/op").set("interval", "99s")
    place(cib, f"{OPTIONS}/nvpair[@name='no-quorum-policy']").set("value", "ignore")
    place(cib, "constraints").remove(place(cib, "constraints/rsc_order"))

    assert changed_by_hand(cib, wanted()) == [
        "crm_config no-quorum-policy is ignore (it was stop)",
        "vip was changed",
        "order-vip-webserver-Mandatory is gone",
    ]


def test_a_missing_property_is_drift() -> None:
    cib = pushed()
    options = place(cib, OPTIONS)
    options.remove(place(cib, f"{OPTIONS}/nvpair[@name='stonith-enabled']"))

    assert changed_by_hand(cib, wanted()) == ["crm_config stonith-enabled is gone (it was false)"]


def test_nothing_is_restored_by_the_first_push() -> None:
    cib = live()

    assert restored(None, cib) == []
    assert restored(wanted(), cib) != []
