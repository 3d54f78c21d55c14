"""Only what has a test's name is a test's, whatever a user calls his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suite.ownership import (
    RigTraces,
    domain_of_emulator,
    files_of_networks,
    is_command_of_tests,
    is_tests,
    mounts_below,
    network_of_dnsmasq,
    rig_of_fence_service,
    rig_of_script,
    rigs_of_tests,
    stack_of,
    stack_of_domain,
)

RIGS = Path("/cache/rig")
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "name", ["test", "test-", "testing", "tests-x", "rig", "mytest-x", "Test-x"]
)
def test_a_users_name_is_not_a_tests(name: str) -> None:
    assert not is_tests(name)
    assert stack_of(f"ha-lab-{name}") is None
    assert stack_of_domain(f"ha-lab-{name}-node1") is None


@pytest.mark.parametrize("name", ["test-x", "test-vm-lab", "test-a.b"])
def test_a_tests_name_is_a_tests(name: str) -> None:
    assert is_tests(name)
    assert stack_of(f"ha-lab-{name}") == name
    assert stack_of_domain(f"ha-lab-{name}-node1") == name


@pytest.mark.parametrize("name", ["test-x", "other-ha-lab-test-x", "ha-lab-rig-test-x", ""])
def test_what_is_not_named_as_the_topology_does_is_not_a_tests(name: str) -> None:
    assert stack_of(name) is None


# -- rigs -----------------------------------------------------------------------------------------


def names(*suffixes: str) -> list[str]:
    return [f"ha-lab-rig-{suffix}" for suffix in suffixes]


def test_each_kind_of_trace_alone_is_enough_to_find_a_rig() -> None:
    traces = RigTraces(
        folders={"test-a": frozenset({"m1"})},
        cgroups={"test-b": frozenset({"m2"})},
        scripts={"test-c": NONE},
        namespaces=names("test-d", "test-d.m4"),
    )
    assert rigs_of_tests(traces) == {
        "test-a": {"m1"},
        "test-b": {"m2"},
        "test-c": NONE,
        "test-d": {"m4"},
    }


def test_machines_of_all_traces_come_together_under_their_rig() -> None:
    traces = RigTraces(
        folders={"test-lb": frozenset({"lb1"}), "test-lb-bare": NONE},
        cgroups={"test-lb": frozenset({"lb2"})},
        namespaces=names("test-lb", "test-lb.lb1", "test-lb-bare", "test-lb-bare.lb1"),
    )
    assert rigs_of_tests(traces) == {"test-lb": {"lb1", "lb2"}, "test-lb-bare": {"lb1"}}


def test_a_name_that_begins_alike_is_another_rig() -> None:
    traces = RigTraces(folders={"test-a": NONE}, namespaces=names("test-a2", "test-a2.m1"))
    assert rigs_of_tests(traces) == {"test-a": NONE, "test-a2": {"m1"}}


@pytest.mark.parametrize("rig", ["rig", "default", "testing", "test"])
def test_a_users_rig_is_not_found_whatever_is_left_of_it(rig: str) -> None:
    machines = frozenset({"lb1"})
    assert rigs_of_tests(RigTraces(folders={rig: NONE})) == {}
    assert rigs_of_tests(RigTraces(folders={rig: machines})) == {}
    assert rigs_of_tests(RigTraces(cgroups={rig: machines})) == {}
    assert rigs_of_tests(RigTraces(scripts={rig: machines})) == {}
    assert rigs_of_tests(RigTraces(namespaces=names(rig, f"{rig}.lb1", f"{rig}.db-1"))) == {}


def test_a_machine_of_a_users_rig_is_not_taken_for_a_rig() -> None:
    traces = RigTraces(namespaces=names("test.a", "test-a.b"), folders={"test": frozenset({"a"})})
    assert rigs_of_tests(traces) == {"test-a": {"b"}}


def test_what_no_rig_can_be_called_is_none() -> None:
    assert rigs_of_tests(RigTraces(namespaces=names("test-A", "test-a_b", "test-a b"))) == {}


def test_namespaces_of_others_are_no_rigs() -> None:
    assert rigs_of_tests(RigTraces(namespaces=["test-x", "ha-lab", "ha-lab-test-x"])) == {}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("sh", "/cache/rig/test-a/machines/m1/run.sh"), ("test-a", "m1")),
        (("/bin/sh", "/cache/rig/mine/fencing/run.sh"), ("mine", None)),
        (("sh", "/elsewhere/rig/test-a/machines/m1/run.sh"), None),
        (("sh", "/cache/rig/test-a/machines/m1/other.sh"), None),
        (("vim", "/cache/rig/test-a/machines/m1/run.sh"), None),
        (("sh", "-c", "sh /cache/rig/test-a/machines/m1/run.sh"), None),
        (("sh", "/cache/rig/test-a/machines/m1/run.sh", "more"), None),
        (("sh",), None),
    ],
)
def test_a_supervisor_is_known_by_the_script_that_it_runs(
    argv: tuple[str, ...], expected: tuple[str, str | None] | None
) -> None:
    assert rig_of_script(argv, RIGS) == expected


def test_a_fence_service_is_known_by_the_name_that_it_was_given() -> None:
    service = ("/venv/bin/python", "-m", "rig", "fence-service", "--name", "test-a")
    assert rig_of_fence_service(service) == "test-a"
    assert rig_of_fence_service(("python3", "-m", "rig", "up", "--name", "test-a")) is None
    assert rig_of_fence_service(("grep", "fence-service", "--name", "test-a")) is None


# -- commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "python -m lab up test-x",
        "/venv/bin/python3.11 -m lab rig up test-x --tiers all",
        "python -m lab drill test-x --fault power",
        "python -m rig up --machines m1 --name test-x",
        "python -m rig exec m1 --name=test-x -- sleep 9",
        "/tools/pulumi up --yes --stack test-x",
        "pulumi destroy --stack=test-x",
        "python -m pytest -n 2 tests/rig -m rig --report-log=/clone/.state/suite/rig.jsonl",
    ],
)
def test_what_works_on_a_tests_stack_or_rig_is_a_tests(line: str) -> None:
    assert is_command_of_tests(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "python -m lab up demo",
        "python -m lab up testing",
        "python -m lab ssh demo node1 -- cat test-x",
        "python -m lab up demo --replace test-x",
        "python -m rig up --name mine --machines test-x",
        "python -m rig exec m1 -- rig --name test-x",
        "python -m rig fence-service --name test-x",
        "pulumi up --stack demo --target test-x",
        "python -m pytest tests/rig",
        "python -m pytest --report-log=/clone/report.jsonl",
        "python -m tests.suite gate",
        "python",
        "vim stacks/Pulumi.test-x.yaml",
        "grep -m lab test-x",
    ],
)
def test_other_commands_are_not_a_tests(line: str) -> None:
    assert not is_command_of_tests(line.split())


# -- libvirt --------------------------------------------------------------------------------------


def test_an_emulator_is_known_by_its_domain() -> None:
    named = ("/usr/bin/qemu-system-x86_64", "-name", "guest=ha-lab-test-x-node1,debug-threads=on")
    assert domain_of_emulator(named) == "ha-lab-test-x-node1"
    assert domain_of_emulator(("qemu-system-x86_64", "-name", "mine")) == "mine"
    assert domain_of_emulator(("qemu-system-x86_64", "-m", "512")) is None
    assert domain_of_emulator(("echo", *named[1:])) is None


def test_a_dnsmasq_is_known_by_the_network_of_its_file() -> None:
    own = "--conf-file=/var/lib/libvirt/dnsmasq/ha-lab-test-x.conf"
    assert network_of_dnsmasq(("/usr/sbin/dnsmasq", own, "--leasefile-ro")) == "ha-lab-test-x"
    assert network_of_dnsmasq(("dnsmasq", "--conf-file=/etc/dnsmasq.conf")) is None
    assert network_of_dnsmasq(("dnsmasq",)) is None
    assert network_of_dnsmasq(("cat", own)) is None


def test_files_of_a_network_have_its_name_or_its_bridges() -> None:
    own = ["ha-lab-test-x.conf", "ha-lab-test-x.pid", "hl-test-1234567.macs"]
    others = ["default.conf", "ha-lab-test.conf", "ha-lab-testing.pid", "hl-test-7654321.status"]
    assert files_of_networks([*others, *own], {"hl-test-1234567"}) == own


def test_mounts_below_a_folder_are_listed_deepest_first() -> None:
    lines = [
        "36 25 0:30 / /cache/rig/test-a/machines/m\\0401/root rw - overlay overlay rw",
        "37 36 0:31 / /cache/rig/test-a/machines/m\\0401/root/run rw - tmpfs tmpfs rw",
        "38 25 0:32 / /cache/rig/test-ab/root rw - overlay overlay rw",
        "39 25 0:33 / /cache/rig/mine/root rw - overlay overlay rw",
    ]
    assert mounts_below("\n".join(lines), RIGS / "test-a") == [
        "/cache/rig/test-a/machines/m 1/root/run",
        "/cache/rig/test-a/machines/m 1/root",
    ]
