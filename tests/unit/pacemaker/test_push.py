"""The tool asks Pacemaker in the right order, and stops before it has done harm."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.pacemaker.guest import push
from components.pacemaker.guest.merge import merged
from components.pacemaker.guest.system import ToolError
from tests.unit.pacemaker.samples import LIVE, live, wanted

PATCH = "<diff/>"


def crm_mon(*active: str, failure: str = "") -> ET.Element:
    """A cluster in which these resources run."""
    running = "".join(f'<resource id="{name}" active="true" failed="false"/>' for name in active)
    failed = (
        f'<failure op_key="{failure}" node="db1" exitreason="no such file"/>' if failure else ""
    )
    return ET.fromstring(f"<r><resources>{running}</resources><failures>{failed}</failures></r>")


class Pacemaker:
    """Pacemaker's commands: what they say, and what they were asked."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cib, self.valid, self.differs, self.settles = LIVE, 0, 1, 0
        self.seen, self.said = crm_mon("vip", "webserver"), "Errors found during check"
        self.asked: list[str] = []
        self.patched: list[str] = []
        self.file = home / "wanted.xml"
        self.pushed = home / "state" / "pushed.xml"
        self.want()
        monkeypatch.setattr(push, "run", self.run)
        monkeypatch.setattr(push, "must", lambda argv, **how: self.run(argv, **how).stdout)
        monkeypatch.setattr(push, "status", lambda: self.seen)
        monkeypatch.setattr(push, "PUSHED", self.pushed)

    def want(self, **changes: object) -> None:
        self.file.write_bytes(ET.tostring(wanted(**changes)))

    def run(
        self, argv: Sequence[str], *, stdin: str = "", **_: object
    ) -> subprocess.CompletedProcess[str]:
        words = " ".join(argv[:2])
        self.asked.append(words)
        status, out = 0, ""
        match words:
            case "cibadmin --query":
                out = self.cib
            case "cibadmin --patch":
                self.patched.append(stdin)
            case "crm_verify --xml-file":
                status = self.valid
            case "crm_diff --no-version":
                status, out = self.differs, PATCH
            case "crm_resource --wait":
                status = self.settles
        return subprocess.CompletedProcess(list(argv), status, out, self.said)

    def push(self) -> None:
        push.push(self.file, within_s=5)


@pytest.fixture
def pacemaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pacemaker:
    return Pacemaker(tmp_path, monkeypatch)


def test_a_difference_is_verified_and_pushed_once(pacemaker: Pacemaker) -> None:
    pacemaker.push()

    assert pacemaker.asked[:5] == [
        "cibadmin --query",
        "crm_verify --xml-file",
        "crm_diff --no-version",
        "cibadmin --patch",
        "crm_resource --wait",
    ]
    assert pacemaker.patched == [PATCH]
    assert pacemaker.pushed.read_bytes() == pacemaker.file.read_bytes()


def test_where_nothing_differs_nothing_is_pushed(pacemaker: Pacemaker) -> None:
    pacemaker.differs = 0

    pacemaker.push()

    assert pacemaker.patched == []


def test_what_pacemaker_refuses_is_not_pushed(pacemaker: Pacemaker) -> None:
    pacemaker.valid = 78

    with pytest.raises(ToolError, match="nothing was pushed"):
        pacemaker.push()
    assert pacemaker.patched == []
    assert not pacemaker.pushed.exists()


def test_what_pacemaker_only_warns_of_is_pushed(pacemaker: Pacemaker) -> None:
    pacemaker.valid = 78
    pacemaker.said = "crm_verify: Warnings found during check: config may not be valid"

    pacemaker.push()

    assert pacemaker.patched == [PATCH]


def test_a_cluster_that_is_not_done_in_time_is_an_error(pacemaker: Pacemaker) -> None:
    pacemaker.settles = 124

    with pytest.raises(ToolError, match="not done after 5 s"):
        pacemaker.push()


def test_a_resource_that_failed_gets_another_chance(pacemaker: Pacemaker) -> None:
    pacemaker.seen = crm_mon("vip", failure="webserver_start_0")

    with pytest.raises(ToolError) as caught:
        pacemaker.push()

    assert "crm_resource --cleanup" in pacemaker.asked
    assert "do not run: webserver" in str(caught.value)
    assert "webserver_start_0 on db1: no such file" in str(caught.value)


def test_resources_that_run_are_not_cleaned_up(pacemaker: Pacemaker) -> None:
    pacemaker.push()

    assert "crm_resource --cleanup" not in pacemaker.asked


def test_what_somebody_stopped_need_not_run(
    pacemaker: Pacemaker, capsys: pytest.CaptureFixture[str]
) -> None:
    cib = merged(live(), wanted(), None)
    mark = (
        '<meta_attributes id="m"><nvpair id="n" name="target-role" value="Stopped"/>'
        "</meta_attributes>"
    )
    webserver = cib.find(".//primitive[@id='webserver']")
    assert webserver is not None
    webserver.append(ET.fromstring(mark))
    pacemaker.cib = ET.tostring(cib, encoding="unicode")
    pacemaker.seen = crm_mon("vip")

    pacemaker.push()

    said = capsys.readouterr().out
    assert "note: by hand, left as it is: webserver has target-role=Stopped" in said
    assert "note: not running, for what was done by hand: webserver" in said


def test_what_is_put_back_is_said(pacemaker: Pacemaker, capsys: pytest.CaptureFixture[str]) -> None:
    pacemaker.push()
    cib = merged(live(), wanted(), None)
    operation = cib.find(".//primitive[@id='vip']/operations/op")
    assert operation is not None
    operation.set("interval", "99s")
    pacemaker.cib = ET.tostring(cib, encoding="unicode")

    pacemaker.push()

    assert "note: changed by hand, put back: vip was changed\n" in capsys.readouterr().out
