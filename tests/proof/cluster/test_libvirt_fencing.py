"""fence_virtd for two labs on one host: members cut each other's power, and nobody else's.

The machines have nothing to boot, so their power is real and their guests are callers in
namespaces, with the members' addresses. A guest that fences a guest is in the tests of the cluster.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from components.fencing.virtd import virtd_conf
from components.machines.names import domain_name
from components.topology import Topology
from lab.errors import LabError
from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.fencing import FenceDaemon
from lab.libvirt_host.packages import ensure_packages
from tests.libvirt.conftest import MakeLab
from tests.libvirt.machine_lab import Data, MachineLab
from tests.proof.cluster.fence_callers import Caller, caller_as
from tests.support.waiting import MOMENT_S, wait_until

DENIED, OFF, FAILED = 3, 2, 1
"""Exit status of fence_virt: not permitted, `status` of a machine that is off, everything else."""


@pytest.fixture(scope="module")
def labs(
    libvirt_host: LibvirtHost, make_lab: MakeLab, hollow: Data
) -> tuple[MachineLab, MachineLab]:
    """Two labs with two members each."""
    del libvirt_host
    ensure_packages(print, golden=False, fencing=True)
    data = {**hollow, "cluster": {"enabled": True}}
    made = [make_lab(f"test-fence{name}", data, machines=2) for name in "ab"]
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda lab: lab.up(), made):
            done.ok()
    return made[0], made[1]


@pytest.fixture(scope="module")
def ours(labs: tuple[MachineLab, MachineLab]) -> MachineLab:
    return labs[0]


@pytest.fixture(scope="module")
def theirs(labs: tuple[MachineLab, MachineLab]) -> MachineLab:
    return labs[1]


def daemon_of(lab: MachineLab) -> Iterator[FenceDaemon]:
    daemon = FenceDaemon(host=lab.host, topology=lab.topology)
    daemon.ensure(lambda: key_of(lab))
    yield daemon
    daemon.stop()


def key_of(lab: MachineLab) -> str:
    return f"the fence key of {lab.stack}, long enough"


@pytest.fixture
def daemon(ours: MachineLab) -> Iterator[FenceDaemon]:
    yield from daemon_of(ours)


@pytest.fixture
def their_daemon(theirs: MachineLab) -> Iterator[FenceDaemon]:
    yield from daemon_of(theirs)


@pytest.fixture
def member(ours: MachineLab) -> Iterator[Caller]:
    with caller_as(ours, ours.topology.machines[0]) as caller:
        yield caller


@pytest.fixture
def stranger(theirs: MachineLab) -> Iterator[Caller]:
    """A member of the other lab."""
    with caller_as(theirs, theirs.topology.machines[0]) as caller:
        yield caller


def domain(lab: MachineLab, index: int = 1) -> str:
    return domain_name(lab.topology, lab.topology.machines[index])


def state(lab: MachineLab, index: int = 1) -> str:
    return lab.host.virsh("domstate", domain(lab, index)).strip()


@pytest.fixture(autouse=True)
def all_on(labs: tuple[MachineLab, MachineLab]) -> None:
    for lab in labs:
        for index in range(2):
            if state(lab, index) != "running":
                lab.host.virsh("start", domain(lab, index))


def test_a_member_cuts_and_gives_the_power_of_another(
    daemon: FenceDaemon, member: Caller, ours: MachineLab
) -> None:
    target = domain(ours)
    assert member.fence("status", target, by=daemon).status == 0
    member.fence("off", target, by=daemon).ok()
    assert state(ours) == "shut off"
    assert member.fence("status", target, by=daemon).status == OFF
    member.fence("on", target, by=daemon).ok()
    assert state(ours) == "running"


def test_a_reboot_is_a_new_start_of_the_same_machine(
    daemon: FenceDaemon, member: Caller, ours: MachineLab
) -> None:
    before = ours.host.virsh("domid", domain(ours))
    definition = ours.host.virsh("dumpxml", "--inactive", domain(ours))
    member.fence("reboot", domain(ours), by=daemon).ok()
    assert state(ours) == "running"
    assert ours.host.virsh("domid", domain(ours)) != before
    assert ours.host.virsh("dumpxml", "--inactive", domain(ours)) == definition
    ours.preview("--expect-no-changes").ok()


def test_a_machine_that_is_off_stays_off_when_it_is_rebooted(
    daemon: FenceDaemon, member: Caller, ours: MachineLab
) -> None:
    ours.host.virsh("destroy", domain(ours))
    member.fence("reboot", domain(ours), by=daemon).ok()
    assert state(ours) == "shut off"


def test_a_member_sees_the_machines_of_its_lab_and_no_others(
    daemon: FenceDaemon, member: Caller, ours: MachineLab, theirs: MachineLab, tmp_path: Path
) -> None:
    listed = member.fence("list", by=daemon).ok().text
    assert {line.split()[0] for line in listed.splitlines()} == {domain(ours, 0), domain(ours, 1)}
    member.check(tmp_path, domain(ours, 0), domain(ours, 1), by=daemon).ok()
    unknown = member.check(tmp_path, domain(ours), domain(theirs), by=daemon)
    assert unknown.status == FAILED
    assert f"may not fence {domain(theirs)} from here" in unknown.text


@pytest.mark.parametrize("action", ["off", "reboot", "on", "status"])
def test_a_member_cannot_fence_a_machine_of_another_lab_by_its_own_daemon(
    daemon: FenceDaemon, member: Caller, theirs: MachineLab, action: str
) -> None:
    uuid = theirs.host.virsh("domuuid", domain(theirs)).strip()
    for target in (domain(theirs), uuid):
        done = member.fence(action, target, by=daemon)
        assert done.status == DENIED, done.text
    assert state(theirs) == "running"


def test_a_member_cannot_fence_by_the_daemon_of_another_lab_even_with_its_key(
    daemon: FenceDaemon, their_daemon: FenceDaemon, stranger: Caller, ours: MachineLab
) -> None:
    # It does reach the daemon: both gateways are addresses of one host.
    own_key = stranger.fence("off", domain(ours), by=daemon, key=their_daemon.key_file)
    assert own_key.status == FAILED
    stolen = stranger.fence("off", domain(ours), by=daemon)
    assert stolen.status == DENIED, stolen.text
    assert "Permission denied" in stolen.text
    assert stranger.fence("list", by=daemon).ok().text == ""
    assert state(ours) == "running"


def test_a_member_of_another_lab_gains_nothing_by_taking_a_members_address(
    daemon: FenceDaemon, stranger: Caller, ours: MachineLab
) -> None:
    taken = str(ours.topology.machines[0].address)
    stranger.pretend(taken, to=str(ours.topology.gateway))
    done = stranger.fence("off", domain(ours), by=daemon)
    assert done.status == FAILED
    assert "Unable to connect" in done.text
    assert state(ours) == "running"


def test_without_the_key_nobody_fences(
    daemon: FenceDaemon, member: Caller, ours: MachineLab, tmp_path: Path
) -> None:
    other = tmp_path / "key"
    other.write_text("some other key, which is as long\n")
    unsigned = ("-C", "none", "-c", "none")
    weak = ("-c", "sha1")
    for key, options in ((other, ()), (other, unsigned), (daemon.key_file, weak)):
        done = member.fence("off", domain(ours), *options, by=daemon, key=key)
        assert done.status == FAILED, done.text
    assert state(ours) == "running"


def test_a_machine_of_the_lab_that_is_no_member_fences_nobody(
    daemon: FenceDaemon, ours: MachineLab
) -> None:
    machine = ours.topology.machines[0]
    outsider = replace(machine, address=machine.address + 100)
    with caller_as(ours, outsider) as caller:
        done = caller.fence("off", domain(ours), by=daemon)
    assert done.status == DENIED
    assert state(ours) == "running"


def test_a_second_start_changes_nothing_and_another_key_is_taken_over(
    daemon: FenceDaemon, member: Caller, ours: MachineLab, tmp_path: Path
) -> None:
    first = process(daemon)
    daemon.ensure(lambda: key_of(ours))
    daemon.ensure()
    assert process(daemon) == first
    old = tmp_path / "old"
    old.write_text(daemon.key_file.read_text())
    daemon.ensure(lambda: "another key, which is long enough too")
    assert process(daemon) != first
    assert member.fence("list", by=daemon, key=old).status == FAILED
    member.fence("list", by=daemon).ok()


def test_a_daemon_that_died_is_started_again(daemon: FenceDaemon) -> None:
    first = process(daemon)
    os.kill(first, signal.SIGKILL)
    wait_until("it is gone", lambda: not daemon.answers(), usual_s=MOMENT_S)
    daemon.ensure()
    assert process(daemon) != first
    assert daemon.answers()


def test_a_daemon_that_would_let_everybody_fence_is_ended_at_once(
    ours: MachineLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_groups(topology: Topology, *, uri: str, key_file: str) -> str:
        return virtd_conf(topology, uri=uri, key_file=key_file).partition("groups {")[0]

    monkeypatch.setattr("lab.libvirt_host.fencing.virtd_conf", without_groups)
    daemon = FenceDaemon(host=ours.host, topology=ours.topology)
    with pytest.raises(LabError, match="lets callers fence that are in no group"):
        daemon.ensure(lambda: key_of(ours))
    assert not (daemon.folder / "pid").exists()
    daemon.stop()


def test_a_daemon_that_cannot_read_its_key_is_ended_at_once(ours: MachineLab) -> None:
    # It would go on without asking for one.
    daemon = FenceDaemon(host=ours.host, topology=ours.topology)
    daemon.key_file.mkdir(parents=True)
    with pytest.raises(LabError, match="does not ask for the key"):
        daemon.ensure()
    assert not (daemon.folder / "pid").exists()
    daemon.stop()


def test_nothing_is_left_when_it_is_stopped(ours: MachineLab) -> None:
    daemon = FenceDaemon(host=ours.host, topology=ours.topology)
    daemon.ensure(lambda: key_of(ours))
    first = process(daemon)
    daemon.stop()
    assert not daemon.folder.exists()
    assert (
        not Path(f"/proc/{first}/cmdline").exists()
        or not Path(f"/proc/{first}/cmdline").read_bytes()
    )
    daemon.stop()


def process(daemon: FenceDaemon) -> int:
    return int((daemon.folder / "pid").read_text())
