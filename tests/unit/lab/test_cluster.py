"""`lab cluster`: what it reads of a cluster, which words it gives to pcs, what it says of names."""

from __future__ import annotations

import pytest

from lab.cluster import operate
from lab.cluster.show import remarks
from lab.cluster.state import ClusterState, cluster_state
from lab.errors import LabError

CRM_MON = """<pacemaker-result api-version="2.25" request="crm_mon">
  <summary>
    <current_dc present="true" name="node1" with_quorum="true"/>
    <cluster_options stonith-enabled="true" maintenance-mode="false"/>
  </summary>
  <nodes>
    <node name="node1" online="true" standby="false" maintenance="false" pending="false"
          unclean="false" is_dc="true"/>
    <node name="node2" online="true" standby="true" maintenance="false" pending="false"
          unclean="false" is_dc="false"/>
    <node name="node3" online="false" standby="false" maintenance="false" pending="false"
          unclean="true" is_dc="false"/>
  </nodes>
  <resources>
    <resource id="vip" role="Started" active="true"><node name="node1" id="1"/></resource>
    <group id="web"><resource id="webserver" role="Started" active="true">
      <node name="node1" id="1"/></resource></group>
    <clone id="db-clone"><resource id="db" role="Promoted" active="true">
      <node name="node2" id="2"/></resource></clone>
    <resource id="extra" role="Stopped" active="false"/>
  </resources>
  <failures><failure op_key="extra_start_0" node="node1" exitreason="no such file"/></failures>
</pacemaker-result>
"""


def state(text: str = CRM_MON) -> ClusterState:
    return cluster_state(text, asked="node1")


def test_members_their_state_and_what_they_run() -> None:
    found = {m.name: (m.state, m.leads, m.resources) for m in state().members}

    assert found == {
        "node1": ("online", True, ("vip", "webserver")),
        "node2": ("standby", False, ("db (Promoted)",)),
        "node3": ("unclean", False, ()),
    }


def test_what_runs_nowhere_and_what_failed() -> None:
    assert state().stopped == ("extra",)
    assert state().failures == ("extra_start_0 on node1: no such file",)


def test_an_instance_that_no_member_is_to_run_is_not_missing() -> None:
    orphan = '<resource id="db" role="Stopped" active="false" orphaned="true"/>'
    missing = orphan.replace("true", "false")
    assert "db" not in state(CRM_MON.replace("</clone>", f"{orphan}</clone>")).stopped
    assert "db" in state(CRM_MON.replace("</clone>", f"{missing}</clone>")).stopped


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('with_quorum="true"', 'with_quorum="false"'),
        ('unclean="false" is_dc="false"', 'unclean="true" is_dc="false"'),
        ("<failures>", '<failures><failure op_key="a" node="b"/>'),
    ],
)
def test_a_cluster_is_well_with_a_majority_all_members_and_no_failure(old: str, new: str) -> None:
    well = CRM_MON.replace('unclean="true"', 'unclean="false"').replace(
        'online="false"', 'online="true"'
    )
    well = well[: well.index("<failures>")] + "<failures></failures></pacemaker-result>"

    assert state(well).is_well, "standby is meant so"
    assert old in well
    assert not state(well.replace(old, new)).is_well


def test_text_that_is_none_of_pacemakers_is_an_error() -> None:
    with pytest.raises(LabError, match="node1 said nothing that can be read"):
        state("crm_mon: Error: cluster is not available")


def test_what_a_table_does_not_say_is_said_below_it() -> None:
    text = CRM_MON.replace('with_quorum="true"', 'with_quorum="false"')
    text = text.replace('stonith-enabled="true"', 'stonith-enabled="false"')
    text = text.replace('maintenance-mode="false"', 'maintenance-mode="true"')
    said = " ".join(remarks(state(text)))

    for word in ("no majority", "maintenance", "no fencing", "stopped: extra", "extra_start_0"):
        assert word in said
    assert "no majority" not in " ".join(remarks(state()))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (operate.standby("node1", on=True), "node standby node1 --wait=120"),
        (operate.standby("node1", on=False), "node unstandby node1 --wait=120"),
        (operate.move("vip", "node2"), "resource move vip node2 --wait=120"),
        (operate.move("vip", None), "resource move vip --wait=120"),
        (operate.clear("vip"), "resource clear vip --wait=120"),
        (operate.maintenance(None, on=True), "property set maintenance-mode=true"),
        (operate.maintenance(None, on=False), "property set maintenance-mode=false"),
        (operate.maintenance("node1", on=True), "node maintenance node1"),
        (operate.maintenance("node1", on=False), "node unmaintenance node1"),
    ],
)
def test_the_words_are_those_of_pcs(words: list[str], expected: str) -> None:
    assert " ".join(words) == expected


def test_a_misspelled_name_is_answered_with_the_one_that_was_meant() -> None:
    known = operate.resources_of(state())
    assert known == {"vip", "webserver", "db", "extra"}

    operate.must_be_known("resource", "vip", known)
    with pytest.raises(LabError, match="there is no resource 'vp' in this cluster; did you mean"):
        operate.must_be_known("resource", "vp", known)
    with pytest.raises(LabError, match="there are: db, extra, vip, webserver"):
        operate.must_be_known("resource", "zzz", known)
