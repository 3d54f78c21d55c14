"""Settings of fencing that contradict one another are refused before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.fencing.choice import LONGEST_DOMAIN
from components.machines.names import domain_name
from tests.unit.fencing.labs import HOSTS, IPMI, OWN, RIG, VIRTUAL, lab
from tests.unit.settings.samples import problems, with_value

KIND = "cluster.fencing.kind"
DEVICES = "cluster.fencing.devices"


def changed(base: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    for path, value in changes.items():
        base = with_value(base, path, value)
    return base


@pytest.mark.parametrize("data", [VIRTUAL, RIG, OWN])
def test_what_can_fence_is_accepted(data: dict[str, Any]) -> None:
    assert problems(data) == []


def test_existing_machines_need_devices_or_the_word_none() -> None:
    (problem,) = problems(HOSTS)
    assert problem.startswith(f"{KIND}: is `auto`, and nobody but you knows how to cut the power")
    assert "`kind: devices`" in problem
    assert "`kind: none`, which lets two members run the same resources" in problem
    assert problems(with_value(HOSTS, KIND, "none")) == []


def test_without_a_cluster_nobody_asks_how_it_is_fenced() -> None:
    assert problems(with_value(HOSTS, "cluster.enabled", False)) == []


REMOTE = {"libvirt.uri": "qemu+ssh://root@host/system"}


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        (HOSTS, {KIND: "xvm"}, f"{KIND}: `xvm` fences virtual machines of this host"),
        (HOSTS, {KIND: "rig"}, f"{KIND}: `rig` fences the machines of a rig, and these are none"),
        (VIRTUAL, {KIND: "rig"}, f"{KIND}: `rig` fences the machines of a rig"),
        (VIRTUAL, REMOTE, f"{KIND}: is `auto`, and libvirt at qemu+ssh://root@host/system is on"),
        (VIRTUAL, {**REMOTE, KIND: "xvm"}, f"{KIND}: `xvm` has its daemon beside libvirt"),
        (VIRTUAL, {f"{DEVICES}.x": IPMI}, f"{DEVICES}: are only for `kind: devices`, but kind is"),
        (HOSTS, {KIND: "devices"}, f"{DEVICES}: is empty; describe a fence device"),
        (
            OWN,
            {f"{DEVICES}.ipmi.plugs": {"node1": "1", "node2": "2"}},
            f"{DEVICES}: none fences node3: after a failure there, nothing would start elsewhere",
        ),
        (
            OWN,
            {f"{DEVICES}.ipmi.plugs.node7": "7"},
            f"{DEVICES}.ipmi.plugs.node7: is no member; did you mean 'node",
        ),
        (
            OWN,
            {f"{DEVICES}.ipmi.parameters": {"password": "hunter2"}},
            f"{DEVICES}.ipmi.parameters.password: would be readable in the stack file",
        ),
        (
            RIG,
            {"cluster.fencing.watchdog": True},
            "cluster.fencing.watchdog: the rig's machines share the host's kernel",
        ),
        (
            HOSTS,
            {KIND: "none", "cluster.fencing.watchdog": True},
            "cluster.fencing.watchdog: is a second level and needs a first",
        ),
        (OWN, {f"{DEVICES}.ipmi.agent": "ipmilan"}, f"{DEVICES}.ipmi.agent: expected the name of"),
        (OWN, {f"{DEVICES}.ipmi.plugs": {}}, f"{DEVICES}.ipmi.plugs: "),
        (OWN, {f"{DEVICES}.ipmi.plugs.node1": "a;b:c"}, f"{DEVICES}.ipmi.plugs.node1: expected"),
        (VIRTUAL, {"cluster.fencing.kindd": "xvm"}, "unknown key (did you mean 'kind'?)"),
    ],
)
def test_what_cannot_fence_is_refused(
    base: dict[str, Any], changes: dict[str, object], expected: str
) -> None:
    found = problems(changed(base, changes))
    assert any(expected in problem for problem in found), found
    assert "hunter2" not in "".join(found)


def test_a_script_that_prints_the_password_is_fine() -> None:
    script = {f"{DEVICES}.ipmi.parameters": {"password_script": "/etc/ipmi-password"}}
    assert problems(changed(OWN, script)) == []


def test_a_stack_whose_domains_fence_virtd_cannot_name_is_refused() -> None:
    _, topology, members = lab(VIRTUAL)
    room = LONGEST_DOMAIN - len(domain_name(topology, members[0])) + len("demo")
    assert problems(VIRTUAL, stack="s" * room) == []
    (problem,) = problems(VIRTUAL, stack="s" * (room + 1))
    assert f"give the stack a name of at most {room}" in problem
