"""A machine is taken out of the distribution's dummy cluster, and out of no other."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.pacemaker.corosync import corosync_conf
from components.pacemaker.guest import adopt
from components.pacemaker.guest.system import ToolError
from tests.unit.pacemaker.samples import LIVE, an_args

DUMMY = """totem {
	version: 2
	# cluster_name: somebody-elses
	cluster_name: debian
}
nodelist {
	node {
		name: node1
		nodeid: 1
		ring0_addr: 127.0.0.1
	}
}
"""
FOREIGN = DUMMY.replace("cluster_name: debian", "cluster_name: payroll").replace(
    "127.0.0.1", "10.0.0.1"
)
EMPTY = """<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>
"""


class Machine:
    """Files of a machine in a directory, and what was asked of its commands."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conf, self.cib = home / "corosync.conf", home / "cib" / "cib.xml"
        self.cib.parent.mkdir()
        self.new = home / "new.conf"
        self.new.write_text(corosync_conf(an_args()))
        self.asked: list[list[str]] = []
        self.running = ""
        monkeypatch.setattr(adopt, "CONF", self.conf)
        monkeypatch.setattr(adopt, "CIB", self.cib)
        monkeypatch.setattr(adopt, "STATE", (self.cib.parent, home / "nothing"))
        monkeypatch.setattr(adopt, "run", self.run)
        monkeypatch.setattr(adopt, "must", lambda argv, **_: self.run(argv).stdout)
        monkeypatch.setattr("shutil.chown", lambda *_: None)

    def run(self, argv: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.asked.append(list(argv))
        status, out = 0, ""
        if argv[0] == "corosync-cmapctl":
            status, out = (
                (0, f"totem.cluster_name (str) = {self.running}\n") if self.running else (1, "")
            )
        if argv[0] == "cibadmin":
            out = EMPTY
        return subprocess.CompletedProcess(list(argv), status, out, "")

    @property
    def was_stopped(self) -> bool:
        return any(argv[:2] == ["systemctl", "stop"] for argv in self.asked)

    def take_over(self) -> None:
        """The validator has passed: the new file is in place."""
        adopt.must_be_free(self.new)
        self.conf.write_text(self.new.read_text())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("found", [None, "", DUMMY, corosync_conf(an_args())])
def test_nothing_the_dummy_and_our_own_cluster_are_free(
    machine: Machine, found: str | None
) -> None:
    if found is not None:
        machine.conf.write_text(found)

    adopt.must_be_free(machine.new)


@pytest.mark.parametrize(
    "found",
    [
        FOREIGN,
        FOREIGN.replace("payroll", "debian"),
        corosync_conf(an_args(stack="another")),
    ],
)
def test_a_member_of_another_cluster_is_refused(machine: Machine, found: str) -> None:
    machine.conf.write_text(found)

    with pytest.raises(ToolError, match="is a member of the cluster"):
        adopt.must_be_free(machine.new)
    assert machine.asked == [], "nothing was done"


def test_a_dummy_that_runs_something_is_somebodys(machine: Machine) -> None:
    machine.conf.write_text(DUMMY)
    machine.cib.write_text(
        LIVE.replace("<resources/>", '<resources><primitive id="x"/></resources>')
    )

    with pytest.raises(ToolError, match="which runs x, and not of"):
        adopt.must_be_free(machine.new)


def test_a_fresh_machine_is_not_stopped_and_not_seeded(machine: Machine) -> None:
    machine.take_over()

    adopt.adopt(first=False)

    assert not machine.was_stopped
    assert not machine.cib.exists()


def test_the_first_member_of_a_new_cluster_leads_soon(machine: Machine) -> None:
    machine.take_over()

    adopt.adopt(first=True)

    pairs = ET.parse(machine.cib).iter("nvpair")
    assert {pair.get("name"): pair.get("value") for pair in pairs} == {
        "cluster-name": "ha-lab-demo",
        "dc-deadtime": "2s",
    }
    assert machine.cib.stat().st_mode & 0o777 == 0o600


def test_the_dummys_state_is_forgotten(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.conf.write_text(DUMMY)
    machine.cib.write_text(LIVE.replace("ha-lab-demo", "debian"))
    (machine.cib.parent / "cib-1.raw").write_text("x")
    machine.take_over()

    adopt.adopt(first=False)

    assert machine.was_stopped
    assert list(machine.cib.parent.iterdir()) == []
    assert capsys.readouterr().out.startswith("note: removing the cluster of one machine")


def test_a_dummy_that_runs_without_pacemaker_is_stopped_too(machine: Machine) -> None:
    machine.running = "debian"
    machine.take_over()

    adopt.adopt(first=False)

    assert machine.was_stopped


def test_a_running_member_of_our_cluster_is_left_alone(machine: Machine) -> None:
    machine.running = "ha-lab-demo"
    machine.cib.write_text(LIVE)
    machine.take_over()

    adopt.adopt(first=True)

    assert not machine.was_stopped
    assert machine.cib.read_text() == LIVE
