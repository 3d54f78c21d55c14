"""The edges of the clean-up: files, processes, and what is asked of libvirt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from components.topology import bridge_name
from lab.errors import LabError
from tests.suite import sweep as sweeping
from tests.suite.known_to_libvirt import Virsh, pool_folders, remove_all
from tests.suite.processes import (
    Process,
    end,
    lineage,
    may_be_ended,
    running,
    with_descendants,
)
from tests.suite.sweep import remove_files, sweep
from tests.suite.sweep_libvirt import Hands, Places, clean, own_folders, why_unreadable


class FakeVirsh:
    """A libvirt with things by kind; `stubborn` ones stay."""

    def __init__(
        self, *, stubborn: str = "", folder: Path = Path("/srv"), **things: list[str]
    ) -> None:
        self.folder = folder
        self.things = {kind: set(names) for kind, names in things.items()}
        self.stubborn = stubborn
        self.asked: list[tuple[str, ...]] = []

    def names(self, *words: str) -> list[str]:
        kind = {"list": "domain", "pool-list": "pool", "net-list": "net"}[words[0]]
        return sorted(self.things.get(kind, ()))

    def __call__(self, *words: str) -> str:
        self.asked.append(words)
        if words[0] == "pool-dumpxml":
            return f"<pool><target><path>{self.folder}/{words[1]}</path></target></pool>"
        if words[0].endswith("destroy"):
            raise LabError("it does not run")
        if words[-1] == self.stubborn:
            raise LabError("no")
        kind = {"undefine": "domain", "pool-undefine": "pool", "net-undefine": "net"}[words[0]]
        self.things[kind].remove(words[-1])
        return ""


OTHERS = {
    "domain": ["ha-lab-test-node1", "ha-lab-demo-lb1", "mine"],
    "pool": ["ha-lab-test", "default"],
    "net": ["ha-lab-testing", "default"],
}


def test_libvirt_is_asked_to_remove_what_is_a_tests_and_nothing_else() -> None:
    own = {"domain": ["ha-lab-test-x-lb1"], "pool": ["ha-lab-test-x"], "net": ["ha-lab-test-y"]}
    virsh = FakeVirsh(
        domain=OTHERS["domain"] + own["domain"],
        pool=OTHERS["pool"] + own["pool"],
        net=OTHERS["net"] + own["net"],
    )
    said: list[str] = []
    assert remove_all(virsh, said.append) == [
        "libvirt domain ha-lab-test-x-lb1",
        "libvirt pool ha-lab-test-x",
        "libvirt network ha-lab-test-y",
    ]
    assert virsh.things == {kind: set(names) for kind, names in OTHERS.items()}
    assert {words[-1] for words in virsh.asked} == {n for names in own.values() for n in names}
    assert said == []


def test_what_libvirt_does_not_remove_is_said_and_the_rest_removed() -> None:
    virsh = FakeVirsh(
        stubborn="ha-lab-test-x-lb1", domain=["ha-lab-test-x-lb1", "ha-lab-test-x-lb2"]
    )
    said: list[str] = []
    assert remove_all(virsh, said.append) == ["libvirt domain ha-lab-test-x-lb2"]
    assert said == ["libvirt domain ha-lab-test-x-lb1 cannot be removed: no"]


def test_a_pools_folder_is_its_own_where_it_has_a_tests_name(tmp_path: Path) -> None:
    assert pool_folders(FakeVirsh(pool=["ha-lab-test-x", "default"])) == [
        Path("/srv/ha-lab-test-x")
    ]
    for name in ("ha-lab-test-x", "ha-lab-test", "shared"):
        (tmp_path / name).mkdir()
    (tmp_path / "ha-lab-test-link").symlink_to(tmp_path / "shared")
    (tmp_path / "ha-lab-test-file").touch()
    assert own_folders([*tmp_path.iterdir()] * 2) == [tmp_path / "ha-lab-test-x"]


# -- around libvirt -------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A host on which somebody has defined things, and nothing runs."""
    found = Places(
        configurations=(tmp_path / "ours", tmp_path / "etc"),
        state=tmp_path / "run",
        images=tmp_path / "images",
        dnsmasq=tmp_path / "dnsmasq",
        qemu=tmp_path / "qemu",
        fencing=tmp_path / "fencing",
    )
    for name in ("ours/qemu/ha-lab-test-node1.xml", "etc/qemu/networks/default.xml"):
        write(tmp_path / name)
    for name in ("images/ha-lab-test/lb1.qcow2", "dnsmasq/default.conf", "images/debian.qcow2"):
        write(tmp_path / name)
    write(tmp_path / "fencing/ha-lab-test/pid")
    write(tmp_path / "qemu/nvram/ha-lab-test-node1_VARS.fd")
    return found


@dataclass
class FakeMachine:
    """What was done to a machine that there is not."""

    running: list[Process] = field(default_factory=list)
    bridges: tuple[str, ...] = ()
    libvirt: Callable[[], Virsh] = lambda: pytest.fail("libvirt was asked, perhaps started")
    done: list[str] = field(default_factory=list)

    @property
    def hands(self) -> Hands:
        return Hands(
            processes=lambda: self.running,
            end=lambda pids, _: self.done.extend(f"kill {pid}" for pid in pids),
            libvirt=lambda: self.libvirt(),
            stop_fencing=lambda stack: self.done.append(f"stop fencing of {stack}"),
            delete_bridge=lambda bridge: bridge in self.bridges,
        )


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


OTHERS_RUN = [
    Process(pid=1, argv=("init",)),
    Process(pid=2, argv=("qemu-system-x86_64", "-name", "guest=ha-lab-test-node1,process=x")),
    Process(pid=3, argv=("dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/ha-lab-test.conf")),
    Process(pid=4, argv=("qemu-system-x86_64", "-m", "512")),
]


def test_without_anything_of_a_test_libvirt_is_not_asked_and_nothing_removed(
    places: Places, tmp_path: Path
) -> None:
    before = files(tmp_path)
    machine = FakeMachine(OTHERS_RUN, bridges=(bridge_name("test"), bridge_name("demo")))
    assert clean(places, machine.hands, pytest.fail) == []
    assert files(tmp_path) == before
    assert machine.done == []


def test_what_is_left_of_a_test_beside_libvirt_goes_without_it(
    places: Places, tmp_path: Path
) -> None:
    before = files(tmp_path)
    disk = write(places.images / "ha-lab-test-x/node1.qcow2")
    lease = write(places.dnsmasq / "ha-lab-test-x.conf")
    macs = write(places.dnsmasq / f"{bridge_name('test-x')}.macs")
    store = write(places.qemu / "nvram/ha-lab-test-x-node1_VARS.fd")
    assert clean(places, FakeMachine().hands, pytest.fail) == [
        f"directory {disk.parent}",
        f"file {lease}",
        f"file {macs}",
        f"file {store}",
    ]
    assert files(tmp_path) == before


def test_processes_of_a_test_that_libvirt_has_forgotten_are_ended_and_their_bridges_go(
    places: Places,
) -> None:
    emulator = ("/usr/bin/qemu-system-x86_64", "-name", "guest=ha-lab-test-x-node1,process=x")
    dnsmasq = ("dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/ha-lab-test-y.conf")
    own = [Process(pid=8, argv=dnsmasq), Process(pid=7, argv=emulator)]
    bridge = bridge_name("test-x")
    machine = FakeMachine([*OTHERS_RUN, *own], bridges=(bridge, bridge_name("test")))
    assert clean(places, machine.hands, pytest.fail) == [
        "process 7: emulator of ha-lab-test-x-node1",
        "process 8: dnsmasq of ha-lab-test-y",
        f"bridge {bridge}",
    ]
    assert sorted(machine.done) == ["kill 7", "kill 8"]


def test_fence_daemons_of_tests_are_stopped(places: Places) -> None:
    write(places.fencing / "ha-lab-test-x/pid")
    lock = write(places.fencing / ".ha-lab-test-x.lock")
    machine = FakeMachine()
    assert clean(places, machine.hands, pytest.fail) == ["fence daemon of test-x"]
    assert machine.done == ["stop fencing of test-x"]
    assert not lock.exists()


@pytest.mark.parametrize(
    "name",
    [
        "ours/qemu/ha-lab-test-x-node1.xml",
        "etc/storage/ha-lab-test-x.xml",
        "etc/qemu/networks/ha-lab-test-x.xml",
        "run/network/ha-lab-test-x.xml",
    ],
)
def test_a_definition_of_a_test_is_removed_through_libvirt(
    places: Places, tmp_path: Path, name: str
) -> None:
    definition = write(tmp_path / name)

    def libvirt() -> Virsh:
        definition.unlink()
        return FakeVirsh(net=["ha-lab-test-x"])

    machine = FakeMachine(libvirt=libvirt)
    assert clean(places, machine.hands, pytest.fail) == ["libvirt network ha-lab-test-x"]


def test_the_folder_of_a_pool_goes_wherever_it_is(places: Places, tmp_path: Path) -> None:
    disk = write(tmp_path / "srv/ha-lab-test-x/node1.qcow2")
    definition = write(tmp_path / "ours/storage/ha-lab-test-x.xml")

    def libvirt() -> Virsh:
        definition.unlink()
        return FakeVirsh(pool=["ha-lab-test-x"], folder=tmp_path / "srv")

    removed = clean(places, FakeMachine(libvirt=libvirt).hands, pytest.fail)
    assert removed == ["libvirt pool ha-lab-test-x", f"directory {disk.parent}"]
    assert not disk.exists()


def test_what_the_running_libvirt_does_not_know_is_said(places: Places, tmp_path: Path) -> None:
    write(tmp_path / "etc/qemu/networks/ha-lab-test-x.xml")
    said: list[str] = []
    assert clean(places, FakeMachine(libvirt=FakeVirsh).hands, said.append) == []
    assert "still has network ha-lab-test-x" in said[0]


def test_without_libvirt_its_things_stay_and_that_is_said(places: Places, tmp_path: Path) -> None:
    def libvirt() -> Virsh:
        raise LabError("install it")

    disk = write(places.images / "ha-lab-test-x/node1.qcow2")
    write(tmp_path / "ours/storage/ha-lab-test-x.xml")
    said: list[str] = []
    assert clean(places, FakeMachine(libvirt=libvirt).hands, said.append) == []
    assert said == ["what tests left in libvirt stays: install it"]
    assert disk.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_configuration_is_said(places: Places) -> None:
    (places.configurations[1] / "qemu").chmod(0)
    assert "cannot be read" in (why_unreadable(places) or "")


# -- files and processes --------------------------------------------------------------------------


def test_stack_files_and_memories_of_tests_go_and_others_stay(tmp_path: Path) -> None:
    stacks, state = tmp_path / "stacks", tmp_path / ".state"
    others = {
        write(stacks / "Pulumi.demo.yaml"),
        write(stacks / "Pulumi.testing.yaml"),
        write(state / "passphrase"),
        write(state / "drills/rig/1.jsonl"),
        write(state / "suite/test-results"),
    }
    for name in (
        "stacks/Pulumi.test-x.yaml",
        ".state/test-x.setup",
        ".state/drills/test-x/1.jsonl",
    ):
        write(tmp_path / name)
    assert remove_files(stacks, state) == [
        "file .state/drills/test-x",
        "file .state/test-x.setup",
        "file stacks/Pulumi.test-x.yaml",
    ]
    assert files(tmp_path) == others


STEPS = ("_end_commands", "sweep_rigs", "sweep_namespaces", "sweep_libvirt", "_remove_files")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str] | OSError]:
    """What each step of the sweep does, instead of what it would do to this machine."""
    outcomes: dict[str, list[str] | OSError] = {step: [step] for step in STEPS}

    def replaced(step: str, _: object) -> list[str]:
        outcome = outcomes[step]
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    for step in STEPS:
        monkeypatch.setattr(sweeping, step, partial(replaced, step))
    return outcomes


def test_a_step_that_fails_is_said_and_the_others_are_done(
    steps: dict[str, list[str] | OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    steps["sweep_rigs"] = OSError("broken")
    said: list[str] = []
    assert sweep(said.append) == [step for step in STEPS if step != "sweep_rigs"]
    assert said == ["the clean-up of earlier tests goes on after: broken"]


@pytest.mark.usefixtures("steps")
def test_without_root_files_go_and_the_rest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sweeping, "rigs_of_tests", lambda _: {"test-x": frozenset()})
    monkeypatch.setattr(sweeping, "namespace_names", lambda: ["ha-lab", "ha-lab-test-probes-1"])
    monkeypatch.setattr(sweeping, "why_unreadable", lambda: "it is closed")
    said: list[str] = []
    assert sweep(said.append) == ["_end_commands", "_remove_files"]
    assert said == [
        "rig test-x was left by tests and can be removed by root alone",
        "namespace ha-lab-test-probes-1 was left by tests and can be removed by root alone",
        "libvirt is not looked at: it is closed",
    ]


def test_descendants_are_those_of_the_same_session() -> None:
    command = Process(pid=10, parent=1, session=10)
    child = Process(pid=11, parent=10, session=10)
    grandchild = Process(pid=12, parent=11, session=10)
    daemon = Process(pid=13, parent=11, session=13)
    beside = Process(pid=14, parent=1, session=10)
    everyone = [daemon, grandchild, beside, child, command]
    assert {p.pid for p in with_descendants([command], everyone)} == {10, 11, 12}
    assert lineage(everyone, 12) == {12, 11, 10}


def test_numbers_that_are_used_again_while_they_are_read_are_no_endless_lineage() -> None:
    circle = [Process(pid=10, parent=11, session=1), Process(pid=11, parent=10, session=1)]
    assert {p.pid for p in with_descendants(circle[:1], circle)} == {10, 11}
    assert lineage(circle, 10) == {10, 11}


def test_nobody_ends_himself_or_his_own_parents() -> None:
    parent, own = Process(pid=20, parent=1), Process(pid=21, parent=20)
    child, other = Process(pid=22, parent=21), Process(pid=30, parent=1)
    everyone = [other, own, child, parent, Process(pid=1, parent=0)]
    assert may_be_ended([1, 20, 21, 22, 30, 40], everyone, own=21) == {22, 30, 40}


def test_a_process_is_read_and_ended() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            found = next(p for p in running() if p.pid == sleeper.pid)
            assert (found.parent, found.session) == (os.getpid(), os.getsid(0))
            end([sleeper.pid], pytest.fail)
            assert sleeper.poll() == -signal.SIGKILL
        finally:
            sleeper.kill()


def test_the_words_of_a_command_are_found_as_the_kernel_has_them() -> None:
    script = "import sys, time; print(flush=True); time.sleep(60)"
    argv = [sys.executable, "-c", script, "-m lab", "up"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert next(p for p in running() if p.pid == process.pid).argv == tuple(argv)
        process.kill()
