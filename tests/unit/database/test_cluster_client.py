"""What is asked of Pacemaker and believed of it; its commands are stand-ins here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from components.database.guest import cluster as module
from components.database.guest.cluster import Cluster, scores_in
from components.database.guest.scores import LEADS, NEVER
from components.database.guest.shell import DatabaseError

NODES = """<nodes>
  <node id="51" uname="db1"><instance_attributes id="nodes-51">
    <nvpair id="nodes-51-master-postgresql" name="master-postgresql" value="{db1}"/>
    <nvpair id="nodes-51-standby" name="standby" value="on"/>
  </instance_attributes></node>
  <node id="52" uname="db2"><instance_attributes id="nodes-52">
    <nvpair id="nodes-52-master-postgresql" name="master-postgresql" value="-INFINITY"/>
    <nvpair id="nodes-52-master-mariadb" name="master-mariadb" value="1000"/>
  </instance_attributes></node>
  <node id="61" uname="gluster1"/>
</nodes>
"""


def test_scores_are_of_one_engine_and_of_members_that_have_one() -> None:
    assert scores_in(NODES.format(db1=100), "master-postgresql") == {"db1": 100, "db2": NEVER}


@pytest.mark.parametrize("text", ["", "<nodes", NODES.format(db1="much")])
def test_another_answer_is_no_answer(text: str) -> None:
    with pytest.raises(DatabaseError, match="something else"):
        scores_in(text, "master-postgresql")


class Members:
    """Three members; `quorum` are the answers to the question for it, one after the other."""

    def __init__(self, quorum: str = "11", remote: str | None = None) -> None:
        self.written: list[str] = []
        self._quorum, self._remote = list(quorum), remote
        self._score = "100"

    def __call__(self, argv: Sequence[str], **_: object) -> tuple[int, str]:
        match list(argv[:2]):
            case ["crm_node", "--quorum"]:
                return 0, self._quorum.pop(0) if len(self._quorum) > 1 else self._quorum[0]
            case ["crm_node", "--partition"]:
                return 0, "db1 db2 gluster1"
            case ["crm_attribute", _]:
                self._score = argv[-1].partition("=")[2]
                self.written.append(" ".join(argv))
                return 0, ""
        if "--node" in argv and self._remote is not None:
            return (0, NODES.format(db1=self._remote)) if self._remote else (124, "no answer")
        return 0, NODES.format(db1=self._score)


Make = Callable[..., Members]


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(*given: str, **changes: str) -> Members:
        found = Members(*given, **changes)
        monkeypatch.setattr(module, "run", found)
        monkeypatch.setattr(module, "must", lambda argv, *_, **__: found(argv)[1])
        return found

    return make


def confirm() -> None:
    Cluster("postgresql", "db2").confirm({"db1": NEVER}, within_s=0)


def test_a_score_counts_once_every_other_member_has_it(members: Make) -> None:
    found = members()
    confirm()
    (written,) = found.written
    assert "--node db1 --lifetime forever --name master-postgresql --update=-INFINITY" in written


def test_what_is_so_already_is_asked_of_the_others_all_the_same(members: Make) -> None:
    found = members(remote="100")
    with pytest.raises(DatabaseError, match="has not confirmed"):
        Cluster("postgresql", "db1").confirm({"db1": 100, "db2": LEADS}, within_s=0)
    assert len(found.written) == 1


@pytest.mark.parametrize("remote", ["100", ""], ids=["lacks it", "is silent"])
def test_not_while_another_member_lacks_it(remote: str, members: Make) -> None:
    members(remote=remote)
    with pytest.raises(DatabaseError, match="db1 has not confirmed"):
        confirm()


def test_nothing_is_written_without_the_majority(members: Make) -> None:
    found = members("0")
    with pytest.raises(DatabaseError, match="no majority"):
        confirm()
    assert found.written == []


def test_nor_believed_where_it_is_lost_meanwhile(members: Make) -> None:
    members("10")
    with pytest.raises(DatabaseError, match="no majority"):
        confirm()
