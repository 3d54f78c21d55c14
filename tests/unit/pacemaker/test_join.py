"""When the members are one cluster, and how pcs is let in."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.pacemaker.guest import join
from components.pacemaker.guest.system import ToolError

MEMBERS = {"db1": "10.16.1.51", "db2": "10.16.1.52"}
LOGIN = "hacluster:a secret: with colons\n"


def seen(*, quorum: str = "true", **nodes: str) -> ET.Element:
    """What crm_mon says; a node's state is `online`, `pending` or `offline`."""
    said = "".join(
        f'<node name="{name}" online="{str(state != "offline").lower()}"'
        f' pending="{str(state == "pending").lower()}"/>'
        for name, state in nodes.items()
    )
    leader = f'<current_dc present="true" with_quorum="{quorum}"/>'
    return ET.fromstring(f"<r><summary>{leader}</summary><nodes>{said}</nodes></r>")


def test_all_members_online_with_a_majority_is_a_cluster() -> None:
    assert join.who_is_missing(seen(db1="online", db2="online"), MEMBERS) == ""


@pytest.mark.parametrize("state", ["pending", "offline"])
def test_a_member_that_is_not_there_is_named(state: str) -> None:
    missing = join.who_is_missing(seen(db1="online", db2=state), MEMBERS)

    assert missing.startswith("not online: db2; ")


def test_a_member_that_is_not_known_is_named() -> None:
    assert "db2" in join.who_is_missing(seen(db1="online"), MEMBERS)


def test_without_a_majority_or_an_answer_there_is_no_cluster() -> None:
    both = {"db1": "online", "db2": "online"}

    assert "majority" in join.who_is_missing(seen(quorum="false", **both), MEMBERS)
    assert "cannot be asked" in join.who_is_missing(None, MEMBERS)


def test_who_was_a_member_before_is_left_over() -> None:
    nodes = {"db1": "online", "db2": "online", "gluster1": "offline"}

    assert join.left_over(seen(**nodes), MEMBERS) == ["gluster1"]


class Pcs:
    """pcs, and the file with its tokens."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.status, self.answer = home, "", 0
        self.calls: list[tuple[list[str], str]] = []
        monkeypatch.setattr(join, "KNOWN_HOSTS", home / "known-hosts")
        monkeypatch.setattr(join, "run", self.run)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", **_: object
    ) -> subprocess.CompletedProcess[str]:
        self.calls.append((list(argv), stdin))
        if list(argv[1:3]) == ["status", "pcsd"]:
            return subprocess.CompletedProcess(argv, 0, self.status, "")
        return subprocess.CompletedProcess(argv, self.answer, "", "Unable to authenticate")

    def knows(self, **addresses: str) -> None:
        hosts = {
            name: {"dest_list": [{"addr": addr, "port": 2224}]} for name, addr in addresses.items()
        }
        (self.home / "known-hosts").write_text(json.dumps({"known_hosts": hosts}))

    @property
    def logins(self) -> list[tuple[list[str], str]]:
        return [call for call in self.calls if call[0][1] == "host"]

    def log_in(self) -> None:
        login = self.home / "login"
        login.write_text(LOGIN)
        join.log_in(MEMBERS, login)


@pytest.fixture
def pcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pcs:
    return Pcs(tmp_path, monkeypatch)


def test_the_password_goes_in_by_standard_input_alone(pcs: Pcs) -> None:
    pcs.log_in()

    ((argv, stdin),) = pcs.logins
    assert stdin == "a secret: with colons\n"
    assert not any("secret" in word for word in argv)
    assert argv[-4:] == ["db1", "addr=10.16.1.51", "db2", "addr=10.16.1.52"]


def test_nobody_logs_in_twice(pcs: Pcs) -> None:
    pcs.knows(**MEMBERS)
    pcs.status = "  db1: Online\n  db2: Online\n"

    pcs.log_in()

    assert pcs.logins == []


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"db1": "10.16.1.51"}, "  db1: Online\n  db2: Online\n"),
        ({**MEMBERS, "db2": "10.16.1.99"}, "  db1: Online\n  db2: Online\n"),
        (MEMBERS, "  db1: Online\n  db2: Unable to authenticate\n"),
    ],
)
def test_a_member_that_is_new_moved_or_made_anew_is_logged_in_to(
    pcs: Pcs, known: dict[str, str], status: str
) -> None:
    pcs.knows(**known)
    pcs.status = status

    pcs.log_in()

    assert len(pcs.logins) == 1


def test_a_refused_login_is_said_without_the_password(pcs: Pcs) -> None:
    pcs.answer = 1

    with pytest.raises(ToolError, match="Unable to authenticate") as caught:
        pcs.log_in()
    assert "secret" not in str(caught.value)
