"""Clusters for tests: args from settings, and CIBs as a live cluster would have them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from components.pacemaker.args import ClusterArgs
from components.pacemaker.cib import cib_configuration
from components.pacemaker.from_settings import cluster_args
from components.settings.load import load_settings
from components.topology import plan
from tests.unit.settings.samples import with_value

SETTINGS: dict[str, Any] = {
    "number": 1,
    "topology": "full",
    "cluster": {"enabled": True, "fencing": {"kind": "none"}},
}
DUMMY: dict[str, Any] = {"agent": "ocf:pacemaker:Dummy", "parameters": {"state": "/run/dummy"}}
COURSE: dict[str, dict[str, Any]] = {
    "vip": {
        "agent": "ocf:heartbeat:IPaddr2",
        "parameters": {"ip": "{vip}", "cidr_netmask": "{prefix}", "nic": "{interface}"},
    },
    "webserver": {
        "agent": "ocf:heartbeat:apache",
        "parameters": {
            "configfile": "/etc/apache2/ha-lab.conf",
            "statusurl": "http://127.0.0.1/server-status",
        },
    },
}
LIVE = """
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="9" num_updates="3">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-have-watchdog" name="have-watchdog" value="false"/>
        <nvpair id="cib-bootstrap-options-dc-version" name="dc-version" value="2.1.5"/>
        <nvpair id="cib-bootstrap-options-cluster-name" name="cluster-name" value="ha-lab-demo"/>
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="2s"/>
      </cluster_property_set>
    </crm_config>
    <nodes><node id="51" uname="db1"/><node id="52" uname="db2"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status><node_state id="51" uname="db1"/></status>
</cib>
"""
"""What a new cluster has before anything is pushed."""


def settings_with(**changes: object) -> dict[str, Any]:
    """The sample's settings; `resources={...}` is `cluster.resources`, as its other keys are."""
    data = SETTINGS
    for key, value in changes.items():
        data = with_value(data, f"cluster.{key}", value)
    return data


def an_args(data: dict[str, Any] = SETTINGS, *, stack: str = "demo") -> ClusterArgs:
    """The args of these settings."""
    settings = load_settings(data, stack=stack)
    return cluster_args(settings, plan(settings, stack=stack))


def wanted(**changes: object) -> ET.Element:
    """The configuration of the sample's settings with these changes."""
    return ET.fromstring(cib_configuration(an_args(settings_with(**changes))))


def live() -> ET.Element:
    return ET.fromstring(LIVE)


def text(element: ET.Element) -> str:
    """An element without the white space between its parts."""
    copied = ET.fromstring(ET.tostring(element))
    for found in copied.iter():
        found.text = found.tail = None
    return ET.tostring(copied, encoding="unicode")
