"""The stack outputs: names and meanings that scripts rely on."""

from __future__ import annotations

from typing import Any

from components.outputs import OUTPUTS_VERSION, public_outputs
from components.settings.load import load_settings
from components.timers import timers_named
from components.topology import plan
from lab.show import tier_endpoints
from tests.unit.settings.samples import EXISTING, with_value

NAMES = {
    "version",
    "stack",
    "vip",
    "urls",
    "loadBalancer",
    "machines",
    "timers",
    "provider",
    "prefix",
    "libvirtUri",
    "drill",
}


def outputs(data: dict[str, Any], stack: str = "demo") -> dict[str, Any]:
    settings = load_settings(data, stack=stack)
    topology = plan(settings, stack=stack)
    return public_outputs(settings, topology, timers_named(settings.timers))


def test_no_name_is_lost_without_a_new_version() -> None:
    """Add to NAMES what is added; a name that goes needs a new OUTPUTS_VERSION."""
    assert set(outputs({})) == NAMES
    assert OUTPUTS_VERSION == 1


def test_their_values_are_those_of_the_lab() -> None:
    cluster = {"enabled": True, "fencing": {"kind": "none"}}
    settings = {"number": 1, "topology": "full", "cluster": cluster}
    values = outputs({**settings, "drill": {"allowed": True}})

    assert values["version"] == 1
    assert values["stack"] == "demo"
    assert values["prefix"] == "ha-lab-demo"
    assert values["provider"] == "libvirt"
    assert values["vip"] == "10.16.1.100"
    assert values["urls"] == {
        "http": "http://10.16.1.100/",
        "https": "https://10.16.1.100/",
        "stats": "http://10.16.1.100:8404/stats",
    }
    assert values["machines"]["db1"] == {
        "address": "10.16.1.51",
        "roles": ["cluster", "database"],
        "user": "lab",
        "port": 22,
        "ssh": "ssh lab@10.16.1.51",
    }
    assert values["cluster"] == {
        "vip": "10.16.1.101",
        "url": "http://10.16.1.101/",
        "publicUrl": "https://10.16.1.100/cluster",
        "members": ["db1", "db2", "gluster1"],
        "fencing": "none",
    }
    assert values["timers"]["name"] == "standard"
    assert values["drill"] == {
        "allowed": True,
        "intervalMs": 10,
        "slowMs": 250,
        "requestTimeoutS": 10,
        "tolerancePercent": 150,
        "toleranceMs": 500,
        "limits": {},
    }


def test_a_lab_without_a_cluster_says_nothing_of_one() -> None:
    assert "cluster" not in outputs({"cluster": {"enabled": False}})


def test_a_cluster_without_the_web_server_has_no_url() -> None:
    other = {"agent": "systemd:cron"}
    cluster = {
        "enabled": True,
        "resources": {"cron": other},
        "constraints": {"colocations": [], "orders": []},
    }

    assert outputs({"cluster": cluster})["cluster"]["url"] is None


def test_every_predicted_failover_is_a_number_of_seconds() -> None:
    predicted = outputs({})["timers"]["predictedFailoverS"]

    assert predicted
    assert all(isinstance(seconds, float | int) and seconds >= 0 for seconds in predicted.values())


def test_ports_stand_in_the_urls_where_they_are_not_the_usual_ones() -> None:
    ports = {"httpPort": 8000, "httpsPort": 8443, "stats": {"port": 9000}}
    urls = outputs({"number": 1, "topology": "full", "loadBalancer": ports})["urls"]

    assert urls == {
        "http": "http://10.16.1.100:8000/",
        "https": "https://10.16.1.100:8443/",
        "stats": "http://10.16.1.100:9000/stats",
    }


def test_an_existing_machine_is_reached_as_its_own_user_on_its_own_port() -> None:
    data = with_value(EXISTING, "machines.hosts.node2.port", 2222)
    data = with_value(data, "machines.hosts.node2.user", "trainer")

    assert outputs(data)["machines"]["node2"]["ssh"] == "ssh -p 2222 trainer@10.16.9.12"


def test_an_existing_machines_own_ssh_port_is_open_in_its_firewall() -> None:
    from components.firewall import firewall_table
    from components.firewall_rules import machine_rules, sources

    data = with_value(EXISTING, "machines.hosts.node2.port", 2222)
    settings = load_settings(data, stack="demo")
    topology = plan(settings, stack="demo")
    tables = {
        name: firewall_table(
            machine_rules(topology.machine(name), settings, topology), sources(topology)
        )
        for name in ("node1", "node2")
    }
    own = ("tcp", "2222", "management (10.16.9.1)", "SSH of the administrator on its own port")

    assert own in tables["node2"]
    assert own not in tables["node1"]


def test_emulated_machines_are_asked_more_slowly_unless_set() -> None:
    relaxed = outputs({"timers": "relaxed"})["drill"]
    assert (relaxed["intervalMs"], relaxed["slowMs"]) == (500, 2000)
    chosen = outputs({"timers": "relaxed", "drill": {"intervalMs": 50}})["drill"]
    assert (chosen["intervalMs"], chosen["slowMs"]) == (50, 2000)


def test_where_everything_answers_is_shown_to_people() -> None:
    """`lab outputs`: each tier that the lab has, and nothing of those that it has not."""
    tiers = {
        "cluster": {"enabled": True, "fencing": {"kind": "none"}},
        "database": {"postgresql": {"enabled": True}},
        "storage": {"enabled": True},
    }
    values = outputs({"number": 1, "topology": "full", **tiers})
    assert values["urls"]["visits"] == "https://10.16.1.100/visits"
    shown = dict(tier_endpoints(values))
    assert set(shown) == {
        "cluster",
        "postgresql write",
        "postgresql read",
        "uploads",
        "volume",
        "mount",
    }
    assert shown["cluster"].startswith("https://10.16.1.100/cluster ")
    assert shown["postgresql write"] == "10.16.1.100:5432"
    assert shown["uploads"] == "https://10.16.1.100/uploads/"
    assert tier_endpoints(outputs({})) == []
