"""Unknown agents and parameters are found with the agents' own words, before anything happens."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from components.pacemaker.guest.agents import parameters, problems
from tests.unit.pacemaker.samples import COURSE, wanted

IPADDR2 = """<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="IPaddr2" version="1.0">
  <parameters>
    <parameter name="ip" unique="1" required="1"><content type="string" default=""/></parameter>
    <parameter name="nic"><content type="string"/></parameter>
    <parameter name="cidr_netmask"><content type="string" default=""/></parameter>
  </parameters>
</resource-agent>
"""
APACHE = IPADDR2.replace('name="ip"', 'name="configfile"').replace('name="nic"', 'name="statusurl"')
FENCE = """<resource-agent name="fence_x">
  <parameters>
    <parameter name="action" required="1"><content type="string" default="reboot"/></parameter>
    <parameter name="plug" required="1" obsoletes="port"><content type="string"/></parameter>
    <parameter name="ip" required="1" obsoletes="ipaddr"><content type="string"/></parameter>
    <parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
  </parameters>
</resource-agent>
"""
KNOWN = {"ocf:heartbeat:IPaddr2": IPADDR2, "ocf:heartbeat:apache": APACHE, "stonith:fence_x": FENCE}


def found(**changes: object) -> list[str]:
    return problems(wanted(**changes), KNOWN.get)


def vip(**parameters: str) -> dict[str, object]:
    changed = {"agent": "ocf:heartbeat:IPaddr2", "parameters": parameters}
    return {"resources": {**COURSE, "vip": changed}}


def fenced(**parameters: str) -> dict[str, object]:
    plugs = {"db1": "1", "db2": "2", "gluster1": "3"}
    device = {"agent": "fence_x", "parameters": parameters, "plugs": plugs}
    return {"fencing": {"kind": "devices", "devices": {"fence-a": device}}}


def test_the_courses_resources_are_accepted() -> None:
    assert found() == []


def test_an_agent_that_is_not_there_is_named() -> None:
    changed = {**COURSE, "vip": {"agent": "ocf:heartbeat:IPadr2"}}

    assert found(resources=changed) == [
        "vip: there is no agent ocf:heartbeat:IPadr2 on this member; `pcs resource list` shows all"
    ]


def test_a_parameter_that_is_missing_is_named() -> None:
    assert found(**vip(nic="eth0")) == [
        "vip: ocf:heartbeat:IPaddr2 needs the parameter ip, which is not given"
    ]


def test_a_misspelled_parameter_is_named_with_the_one_that_was_meant() -> None:
    assert found(**vip(ip="10.0.0.1", cidr_netmsk="24")) == [
        "vip: ocf:heartbeat:IPaddr2 has no parameter cidr_netmsk; did you mean cidr_netmask?"
    ]


def test_everything_is_said_at_once() -> None:
    changed = {
        **COURSE,
        "vip": {"agent": "ocf:x:y"},
        "webserver": {"agent": "ocf:heartbeat:apache"},
    }

    assert len(found(resources=changed)) == 2


def test_what_pacemaker_gives_to_fence_agents_need_not_be_given() -> None:
    assert found(**fenced(ip="10.0.0.9")) == []


def test_an_older_name_of_a_parameter_will_do() -> None:
    assert found(**fenced(ipaddr="10.0.0.9")) == []
    assert found(**fenced()) == [
        "fence-a: stonith:fence_x needs the parameter ip, which is not given"
    ]


def test_every_fence_device_may_have_pcmk_parameters_and_no_resource() -> None:
    assert found(**fenced(ip="10.0.0.9", pcmk_reboot_timeout="60s")) == []
    assert len(found(**vip(ip="10.0.0.1", pcmk_reboot_timeout="60s"))) == 1


def test_a_resource_inside_of_a_group_is_looked_at_too() -> None:
    group = {"groups": {"web": {"resources": ["vip", "webserver"]}}}

    assert found(**group, **vip(nic="eth0")) != []


def test_a_default_of_nothing_is_none() -> None:
    metadata = IPADDR2.replace('default=""', 'default="10.0.0.1"', 1)

    assert parameters(IPADDR2)["ip"].required
    assert not parameters(metadata)["ip"].required
    assert ET.fromstring(metadata).tag == "resource-agent"
