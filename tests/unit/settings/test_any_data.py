"""Whatever stands in a stack file: a settings error or a lab that can be rendered, no traceback."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_plan
from components.baseline.plan import baseline_plan
from components.firewall_rules import machine_rules, sources
from components.load_balancer.engine import load_balancer_plan
from components.load_balancer.from_settings import load_balancer_args
from components.outputs import public_outputs
from components.pacemaker.cib import cib_configuration
from components.pacemaker.from_settings import cluster_args
from components.pacemaker.plans import check_plan, member_plan
from components.proof import proof_plan
from components.remote.spec import specification
from components.settings.load import SettingsError, load_settings
from components.settings.models import Settings
from components.timers import timers_named
from components.topology import Role, Topology, plan
from tests.unit.settings.samples import EXISTING, FULL, HOST_KEY, STACK

QUICK = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
RICH: dict[str, Any] = {
    "number": 3,
    "topology": "full",
    "timers": "fast",
    "network": {"cidr": "10.9.0.0/24", "vip": "10.9.0.9", "dns": ["9.9.9.9"]},
    "machines": {
        "counts": {"loadBalancer": 2, "app": 4, "database": 1, "storage": 3},
        "sizes": {"default": {"vcpus": 2}, "db1": {"memoryMib": 2048, "diskGib": 20}},
    },
    "libvirt": {"image": {"url": "https://example.org/d.qcow2", "sha512": "ab" * 64}},
    "loadBalancer": {
        "vrid": 51,
        "algorithm": "leastconn",
        "weights": {"app1": 2, "app2": 1},
        "backup": ["app4"],
        "stickiness": "source",
        "check": {"kind": "http", "path": "/health", "status": 200},
        "stats": {"port": 8404, "refreshS": 5},
        "acls": {"is_api": {"pathBeg": ["/api"], "src": ["10.0.0.0/8"], "internal": True}},
        "backends": {"api_back": {"port": 3000, "servers": ["app1"], "check": {"kind": "tcp"}}},
        "routes": [{"backend": "api_back", "acls": ["is_api"]}],
        "errorFiles": {"503": "Pulumi.yaml"},
    },
    "appServer": {"port": 8080},
    "cluster": {
        "enabled": True,
        "members": ["db1", "gluster1", "gluster2", "app1"],
        "vip": "10.9.0.10",
        "fencing": {"kind": "none"},
        "properties": {"batch-limit": 3},
        "resourceDefaults": {"resource-stickiness": 1},
        "resources": {
            "vip": {
                "agent": "ocf:heartbeat:IPaddr2",
                "parameters": {"ip": "{vip}"},
                "operations": [{"name": "monitor", "intervalS": 5, "timeoutS": 5}],
                "meta": {"priority": 1},
            },
            "a": {"agent": "systemd:cron"},
            "b": {"agent": "ocf:pacemaker:Dummy"},
        },
        "groups": {"g": {"resources": ["a"]}},
        "clones": {"c": {"resource": "b", "promotable": True}},
        "constraints": {
            "locations": [{"resource": "g", "machine": "app1", "score": 5}],
            "colocations": [{"resource": "g", "with": "vip", "score": -5}],
            "orders": [{"first": "c", "then": "vip", "firstAction": "promote"}],
        },
    },
    "drill": {"allowed": True, "slowMs": 100, "limits": {"vip-owner-cut": {"outageMs": 5}}},
}
OWN: dict[str, Any] = {
    "topology": "compact",
    "loadBalancer": {"backends": {}, "routes": []},
    "appServer": {"application": {"package": "myapp", "unit": "myapp", "port": 9000}},
}
CLUSTER: dict[str, Any] = {"number": 1, "cluster": {"enabled": True, "fencing": {"kind": "none"}}}
NGINX: dict[str, Any] = {
    "topology": "full",
    "loadBalancer": {
        "engine": "nginx",
        "stickiness": "cookie",
        "backup": [],
        "weights": {"app1": 2},
    },
}
BASES = (FULL, EXISTING, RICH, OWN, CLUSTER, NGINX)

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from([512, 1024, 3000, 8080, 8081, 8404, 8405, 65535, 65536, 10**30]),
    st.floats(allow_nan=True),
    st.text(max_size=12),
    st.sampled_from(
        [
            *("full", "compact", "existing", "libvirt", "fast", "tcp", "cookie", "source", "uri"),
            *("nginx", "leastconn"),
            *("10.9.0.0/28", "10.0.0.0/16", "192.168.1.0/26", "255.255.255.255/32", "0.0.0.0/0"),
            *("10.9.0.100", "10.9.0.21", "10.16.9.12", "10.9.0.255", "::1", "10.9.0.1"),
            *("ocf:heartbeat:IPaddr2", "vip", "INFINITY", "{vip}", "a", "g", "Promoted", "-5"),
            *("app1", "app4", "node1", "lb1", "db1", "default", "is_api", "api_back", "http_back"),
            *(
                "/",
                "/health",
                ".png",
                "-i",
                "stats",
                "or",
                "~root/x",
                "Pulumi.yaml",
                "\n",
                "app1\n",
            ),
            *("my.App", "myapp.service", "http://x", HOST_KEY, "7", "ab" * 64),
        ]
    ),
)
WILD = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def known_keys() -> list[str]:
    """Every key that any section knows, so that wild data gets past the first level."""
    schema = json.loads(json.dumps(Settings.model_json_schema(by_alias=True), default=str))
    sections = [schema, *schema["$defs"].values()]
    return sorted({key for section in sections for key in section.get("properties", {})})


KEYS = st.one_of(
    st.sampled_from(known_keys()), st.sampled_from(["app1", "503", "x_back"]), st.text(max_size=5)
)
SHAPED = st.dictionaries(
    KEYS,
    st.recursive(
        VALUES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=4)
        ),
        max_leaves=12,
    ),
    max_size=5,
)


def paths(node: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in plain data."""
    found = [at] if at else []
    if isinstance(node, dict):
        for key, value in node.items():
            found += paths(value, (*at, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += paths(value, (*at, index))
    return found


@st.composite
def near_misses(draw: st.DrawFn) -> dict[str, Any]:
    """Valid settings in which a few values are replaced, added or removed."""
    data: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        places = paths(data)
        if not places:
            break
        *sections, last = draw(st.sampled_from(places))
        node: Any = data
        for part in sections:
            node = node[part]
        match draw(st.sampled_from(["replace", "replace", "add", "remove"])):
            case "replace":
                node[last] = draw(WILD)
            case "add" if isinstance(node, dict):
                node[draw(KEYS)] = draw(WILD)
            case "remove" if isinstance(node, dict):
                del node[last]
            case _:
                node[last] = draw(VALUES)
    return data


def must_end_well(data: object) -> None:
    """A settings error whose every line has a path, or everything renders."""
    try:
        chosen = load_settings(data, stack=STACK)
    except SettingsError as error:
        problems = error.problems
    else:
        topology = plan(chosen, stack=STACK)
        must_be_sound(chosen, topology)
        must_render(chosen, topology)
        return
    assert problems
    assert all(problem.path and problem.message for problem in problems)


def must_be_sound(chosen: Settings, topology: Topology) -> None:
    addresses = [machine.address for machine in topology.machines]
    own = {topology.vip, *((topology.cluster_vip,) if topology.with_role(Role.CLUSTER) else ())}
    assert len({*addresses, *own}) == len(addresses) + len(own), "every address is used once"
    assert all(address in topology.network for address in (*addresses, *own))
    assert 1 <= topology.vrid <= 255
    public_outputs(chosen, topology, timers_named(chosen.timers))


def must_render(chosen: Settings, topology: Topology) -> None:
    args = load_balancer_args(chosen, topology)
    for machine in topology.with_role(Role.LOAD_BALANCER):
        specification(load_balancer_plan(args, args.peer(machine.name)))
    for machine in topology.with_role(Role.APP):
        specification(app_server_plan(app_server_args(chosen, machine)))
    for machine in topology.machines:
        rules = machine_rules(machine, chosen, topology)
        baseline = baseline_plan(
            machine, topology, user="lab", rules=rules, sources=sources(topology), firewall=True
        )
        specification(baseline)
    specification(proof_plan(chosen, topology))
    if topology.with_role(Role.CLUSTER):
        cluster = cluster_args(chosen, topology)
        specification(check_plan(cluster))
        for member in cluster.members:
            specification(member_plan(cluster, member))
        ET.fromstring(cib_configuration(cluster))


@QUICK
@given(WILD)
@example({1: 2, None: 3})
@example({"[key]": None, "machines": {"sizes": {"[key]": 1}}})
@example({"machines": {"sizes": {5: {}, None: {}}}})
@example({"network": {"cidr": "255.255.255.255/32", "vip": "255.255.255.255"}})
def test_wild_data_is_a_settings_error_or_a_lab(data: object) -> None:
    must_end_well(data)


@QUICK
@given(SHAPED)
def test_known_keys_with_any_values_are_a_settings_error_or_a_lab(data: dict[str, Any]) -> None:
    must_end_well(data)


@QUICK
@given(near_misses())
@example(RICH)
@example(OWN)
@example(FULL)
@example(EXISTING)
def test_nearly_valid_settings_are_a_settings_error_or_a_lab(data: dict[str, Any]) -> None:
    must_end_well(data)


def test_the_settings_that_are_mutated_are_valid_themselves() -> None:
    for base in BASES:
        load_settings(base, stack=STACK)
