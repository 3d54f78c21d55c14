"""The settings' parts are put into a live CIB, and nothing else is touched."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from components.pacemaker.guest.merge import merged, references, resources
from tests.unit.pacemaker.samples import COURSE, DUMMY, live, text, wanted


def ids(cib: ET.Element, section: str) -> list[str]:
    return [found.get("id", "") for found in cib.iterfind(f"./configuration/{section}/*")]


def properties(cib: ET.Element) -> dict[str, str]:
    pairs = cib.iterfind("./configuration/crm_config//nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def find(cib: ET.Element, own_id: str) -> ET.Element:
    return next(found for found in cib.iter() if found.get("id") == own_id)


def pushed(**changes: object) -> ET.Element:
    """A live CIB into which a configuration was put."""
    return merged(live(), wanted(**changes), None)


def add(cib: ET.Element, section: str, xml: str) -> None:
    """What somebody did by hand."""
    place = cib.find(f"./configuration/{section}")
    assert place is not None
    place.append(ET.fromstring(xml))


def test_the_first_push_brings_everything_and_keeps_what_pacemaker_wrote() -> None:
    result = pushed()

    assert ids(result, "resources") == ["vip", "webserver"]
    assert len(ids(result, "constraints")) == 2
    assert properties(result)["stonith-enabled"] == "false"
    assert properties(result)["dc-version"] == "2.1.5"
    assert text(find(result, "51")) == text(find(live(), "51"))
    assert result.find("./configuration/rsc_defaults/meta_attributes") is not None


def test_the_live_cib_itself_is_left_alone() -> None:
    before = live()

    merged(before, wanted(), None)

    assert text(before) == text(live())


def test_what_is_pushed_again_changes_nothing() -> None:
    once = pushed()

    assert text(merged(once, wanted(), wanted())) == text(once)


def test_order_of_the_live_resources_is_kept_and_a_new_one_comes_last() -> None:
    before = pushed(resources={"webserver": COURSE["webserver"], "vip": COURSE["vip"]})
    new = {"first": DUMMY, **COURSE}

    result = merged(before, wanted(resources=new), wanted())

    assert ids(result, "resources") == ["webserver", "vip", "first"]


def test_a_changed_resource_is_changed_and_the_others_are_not() -> None:
    before = pushed()
    other = {**COURSE["webserver"], "meta": {"migration-threshold": 1}}

    result = merged(before, wanted(resources={**COURSE, "webserver": other}), wanted())

    assert text(find(result, "vip")) == text(find(before, "vip"))
    assert text(find(result, "webserver")) != text(find(before, "webserver"))


def test_what_the_settings_had_before_and_have_no_more_goes() -> None:
    earlier = {"resources": {**COURSE, "extra": DUMMY}, "properties": {"batch-limit": "5"}}
    before = pushed(**earlier)
    assert "extra" in ids(before, "resources")

    result = merged(before, wanted(), wanted(**earlier))

    assert ids(result, "resources") == ["vip", "webserver"]
    assert "batch-limit" not in properties(result)


def test_what_somebody_made_by_hand_stays() -> None:
    before = pushed()
    add(before, "resources", '<primitive id="own" class="systemd" type="cron"/>')
    add(before, "constraints", '<rsc_location id="cli-ban-vip" rsc="vip" node="db1"/>')
    add(before, "crm_config/cluster_property_set", '<nvpair id="m" name="batch-limit" value="9"/>')
    before_nodes = ET.fromstring('<nvpair id="s" name="standby" value="on"/>')
    find(before, "51").append(before_nodes)

    result = merged(before, wanted(), wanted())

    assert text(result) == text(before)


def test_without_a_record_of_the_last_push_nothing_is_taken_away() -> None:
    before = pushed(resources={**COURSE, "extra": DUMMY})

    assert "extra" in ids(merged(before, wanted(), None), "resources")


@pytest.mark.parametrize("mark", ["target-role", "is-managed", "maintenance"])
def test_a_resource_that_somebody_stopped_stays_so_when_it_is_changed(mark: str) -> None:
    before = pushed()
    xml = f'<meta_attributes id="m"><nvpair id="n" name="{mark}" value="x"/></meta_attributes>'
    find(before, "webserver").append(ET.fromstring(xml))
    changed = {**COURSE, "webserver": {**COURSE["webserver"], "meta": {"priority": 1}}}

    result = merged(before, wanted(resources=changed), wanted())

    pairs = find(result, "webserver").findall("./meta_attributes/nvpair")
    assert {pair.get("name"): pair.get("value") for pair in pairs} == {"priority": "1", mark: "x"}


def test_a_resource_moves_into_a_group_and_out_again() -> None:
    grouped = {"groups": {"web": {"resources": ["vip", "webserver"]}}}
    inside = merged(pushed(), wanted(**grouped), wanted())

    assert ids(inside, "resources") == ["web"]
    outside = merged(inside, wanted(), wanted(**grouped))
    assert ids(outside, "resources") == ["vip", "webserver"]
    assert len([r for r in outside.iter() if r.get("id") == "vip"]) == 1


def test_a_resource_that_somebody_put_into_a_group_is_taken_out_of_it() -> None:
    before = pushed()
    section = before.find("./configuration/resources")
    assert section is not None
    group = ET.SubElement(section, "group", id="theirs")
    for name in ("vip", "webserver"):
        found = find(before, name)
        section.remove(found)
        group.append(found)

    result = merged(before, wanted(), wanted())

    assert ids(result, "resources") == ["vip", "webserver"], "their empty group is gone too"


def test_a_constraint_by_hand_on_a_resource_that_goes_goes_with_it() -> None:
    earlier = {"resources": {**COURSE, "extra": DUMMY}}
    before = pushed(**earlier)
    add(before, "constraints", '<rsc_location id="cli-ban-extra" rsc="extra" node="db1"/>')

    result = merged(before, wanted(), wanted(**earlier))

    assert not [own_id for own_id in ids(result, "constraints") if "extra" in own_id]


def test_the_seeds_short_first_election_is_not_for_ever() -> None:
    before = pushed()
    assert properties(before).get("dc-deadtime") is None


def test_references_of_sets_are_seen_too() -> None:
    xml = (
        '<rsc_order id="o"><resource_set id="s"><resource_ref id="a"/><resource_ref id="b"/>'
        "</resource_set></rsc_order>"
    )

    assert references(ET.fromstring(xml)) == {"a", "b"}


def test_fence_devices_are_resources_and_levels_come_and_go() -> None:
    devices = {
        "fence-a": {"agent": "fence_x", "plugs": {"db1": "1", "db2": "2", "gluster1": "3"}},
        "fence-b": {"agent": "fence_y", "plugs": {"db1": "1"}, "level": 2},
    }
    fencing = {"fencing": {"kind": "devices", "devices": devices}}
    with_levels = pushed(**fencing)

    assert [r.get("id") for r in resources(with_levels)][:2] == ["fence-a", "fence-b"]
    assert len(with_levels.findall("./configuration/fencing-topology/fencing-level")) == 4
    without = merged(with_levels, wanted(), wanted(**fencing))
    assert without.find("./configuration/fencing-topology") is None
    assert ids(without, "resources") == ["vip", "webserver"]
