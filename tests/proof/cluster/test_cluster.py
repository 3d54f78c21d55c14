"""The Pacemaker cluster on three machines that carry every role: used, changed, broken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import Any

import pytest

from components.timers import TIMERS, predict
from rig import lifecycle
from rig.model import RigError
from tests.support.requests import ask, get
from tests.support.rig_lab import RigLab
from tests.support.rig_module import deployed_rig
from tests.support.waiting import COLD_START_S, TAKEOVER_S, WHOLE_S, wait_until

STACK, TIMERS_NAME = "test-cluster", "relaxed"
MEMBERS = ("node1", "node2", "node3")
CLUSTER: dict[str, Any] = {"enabled": True}
DRILLED = (
    "cluster-member-power-off",
    "cluster-web-killed",
    "cluster-member-standby",
    "cluster-fencing-broken",
)
TWO = ("two-owners", "two-answer-arp")
COURSE = {
    "vip": {
        "agent": "ocf:heartbeat:IPaddr2",
        "parameters": {"ip": "{vip}", "cidr_netmask": "{prefix}", "nic": "{interface}"},
    },
    "webserver": {
        "agent": "ocf:heartbeat:apache",
        "parameters": {
            "configfile": "/etc/apache2/ha-lab.conf",
            "statusurl": "http://127.0.0.1/server-status",
        },
    },
}


class ClusterLab(RigLab):
    """A lab with a cluster: who runs what, and does it answer."""

    @property
    def page(self) -> str:
        return f"http://{self.topology.cluster_vip}/"

    def answering(self) -> str:
        """The member whose page is at the cluster's VIP; empty where nothing answers."""
        answer = ask(self.page, namespace=self.namespace)
        return answer.machine if answer.status == 200 else ""

    def owners_of_vip(self) -> list[str]:
        """The members that have the cluster's VIP on an interface, of those that run."""
        vip = str(self.topology.cluster_vip)
        return [
            member
            for member in MEMBERS
            if self.power(member) == "on" and f" {vip}/" in self.run(member, "ip", "-4", "addr")
        ]

    def runs_on(self, asked: str, resource: str) -> str:
        """Where a resource runs, as the cluster says on one member."""
        return self.run(asked, "crm_resource", "--locate", "--quiet", "-r", resource).strip()

    def await_cluster(self, *, usual_s: float = WHOLE_S) -> str:
        """The page answers and one member has the VIP; that member."""

        def one_owner() -> str:
            member, owners = self.answering(), self.owners_of_vip()
            return member if owners == [member] else ""

        return wait_until("the cluster's page answers", one_owner, usual_s=usual_s)

    def await_members(self) -> None:
        """Every member is online, whoever is asked."""

        def all_online() -> bool:
            done = self.try_run("node1", "crm_mon", "--one-shot", "--output-as", "xml")
            return done.returncode == 0 and done.stdout.count('online="true"') == len(MEMBERS)

        wait_until("every member is online", all_online, usual_s=COLD_START_S)


class OwnerWatch:
    """Asks one member after the other whether it has the cluster's VIP, over and over."""

    def __init__(self, lab: ClusterLab) -> None:
        self._lab = lab
        self._said: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in MEMBERS}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> OwnerWatch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def words(self) -> int:
        return sum(len(said) for said in self._said.values())

    def at_once(self) -> list[tuple[str, str]]:
        """Pairs of members of which one had it for certain (before and after) as the other did."""
        return [
            (one, other)
            for one, other in permutations(MEMBERS, 2)
            for before, after in pairwise(self._said[one])
            if before[2] and after[2]
            for begun, ended, has in self._said[other]
            if has and before[1] <= begun and ended <= after[0]
        ]

    def _watch(self) -> None:
        vip = str(self._lab.topology.cluster_vip)
        while not self._stop.is_set():
            for member in MEMBERS:
                begun = time.monotonic()
                try:
                    has = f" {vip}/" in self._lab.run(member, "ip", "-4", "addr")
                except (AssertionError, RigError):
                    has = False  # it has no power
                self._said[member].append((begun, time.monotonic(), has))


SETTINGS = {
    "topology": "compact",
    "timers": TIMERS_NAME,
    "cluster": CLUSTER,
    # These timers alone would have its clients ask twice a second.
    "drill": {"allowed": True, "intervalMs": 50},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterLab]:
    """Three machines, deployed once for this module."""
    with deployed_rig(ClusterLab, STACK, SETTINGS, tmp_path_factory) as deployed:
        yield deployed


def apache_pid(lab: ClusterLab, member: str) -> str:
    return lab.run(member, "cat", "/var/run/apache2/ha-lab.pid").strip()


def test_vip_and_web_server_are_together_on_one_member(lab: ClusterLab) -> None:
    member = lab.await_cluster()
    assert lab.runs_on("node1", "vip") == lab.runs_on("node2", "webserver") == member


def test_the_page_is_reached_through_the_load_balancers_too(lab: ClusterLab) -> None:
    member = lab.await_cluster()
    url = f"https://{lab.topology.vip}/cluster"
    wait_until(
        "the load balancers see the cluster",
        lambda: get(url, namespace=lab.namespace).status_code == 200,
        usual_s=TAKEOVER_S,
    )
    assert f">{member}<" in get(url, namespace=lab.namespace).text


def test_pcs_knows_the_cluster_on_every_member(lab: ClusterLab) -> None:
    for member in MEMBERS:
        text = lab.run(member, "pcs", "cluster", "status")
        assert all(f"{name}: Online" in text for name in MEMBERS), text


def test_a_second_preview_finds_nothing_to_do(lab: ClusterLab) -> None:
    lab.preview_clean().ok()


def test_the_outputs_say_where_the_cluster_is(lab: ClusterLab) -> None:
    assert lab.outputs()["cluster"] == {
        "vip": str(lab.topology.cluster_vip),
        "url": lab.page,
        "members": list(MEMBERS),
        "publicUrl": f"https://{lab.topology.vip}/cluster",
        "fencing": "rig",
    }


def test_an_agent_that_is_not_there_is_refused_before_anything_is_touched(lab: ClusterLab) -> None:
    before = lab.run("node1", "cibadmin", "--query", "--scope", "configuration")
    wrong = {**COURSE, "extra": {"agent": "ocf:pacemaker:Dumy"}}
    wrong["vip"] = {**COURSE["vip"], "parameters": {"nic": "eth0"}}
    lab.change("cluster", {**CLUSTER, "resources": wrong})
    try:
        done = lab.up()
    finally:
        lab.change("cluster", CLUSTER)
    assert done.status != 0
    assert "extra: there is no agent ocf:pacemaker:Dumy" in done.text
    assert "vip: ocf:heartbeat:IPaddr2 needs the parameter ip" in done.text
    assert lab.run("node1", "cibadmin", "--query", "--scope", "configuration") == before


def test_a_new_resource_touches_only_itself_and_what_was_done_by_hand_stays(
    lab: ClusterLab,
) -> None:
    member = lab.await_cluster()
    pid = apache_pid(lab, member)
    other = next(name for name in MEMBERS if name != member)
    lab.run("node1", "pcs", "node", "standby", other)
    lab.change(
        "cluster",
        {**CLUSTER, "resources": {**COURSE, "extra": {"agent": "ocf:pacemaker:Dummy"}}},
    )
    try:
        text = lab.up().ok().text
        assert f"by hand, left as it is: {other} is in standby" in text
        assert lab.runs_on("node1", "extra") not in ("", other)
        assert (lab.await_cluster(), apache_pid(lab, member)) == (member, pid)
    finally:
        lab.change("cluster", CLUSTER)
        lab.run("node1", "pcs", "node", "unstandby", other)
    lab.up().ok()
    gone = lab.try_run("node1", "crm_resource", "--locate", "--quiet", "-r", "extra")
    assert gone.returncode != 0, "what the settings have no more is gone"
    assert (lab.await_cluster(), apache_pid(lab, member)) == (member, pid)


def test_a_member_that_comes_back_gets_no_resources_back(lab: ClusterLab) -> None:
    """And was fenced before they went elsewhere."""
    member = lab.await_cluster()
    lab.power_off(member)
    try:
        taken_over = lab.await_cluster()
        history = lab.run(taken_over, "stonith_admin", "--history", member)
    finally:
        lab.power_on(member)
    assert taken_over != member
    assert f"reboot of {member} successful" in history
    lab.await_members()
    assert lab.await_cluster() == taken_over


def test_a_member_that_is_cut_off_never_has_the_vip_beside_another(lab: ClusterLab) -> None:
    """Asked past its network, as nobody in the cluster can."""
    member = lab.await_cluster()
    with OwnerWatch(lab) as watch:
        lifecycle.cut(STACK, member)
        try:
            assert lab.await_cluster() != member
        finally:
            if lab.power(member) != "off":
                lifecycle.join(STACK, member)
        lab.await_members()
    assert watch.words > 3 * len(MEMBERS)
    assert watch.at_once() == []


@pytest.fixture(scope="module")
def verdicts(lab: ClusterLab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Four drills, by fault. How long they took is for the bench."""
    lab.await_cluster()
    folder = tmp_path_factory.mktemp("drills")
    words = [word for fault in DRILLED for word in ("--fault", fault)]
    done = lab.lab("drill", STACK, *words, "--report", str(folder))
    assert done.status in (0, 1, 3), done.text[-4000:]
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))["verdicts"]
    return {verdict["fault"]: verdict for verdict in found}


@pytest.mark.parametrize("fault", DRILLED)
def test_a_drill_never_shows_two_owners_and_leaves_the_cluster_whole(
    verdicts: dict[str, Any], fault: str
) -> None:
    verdict = verdicts[fault]
    problems = [s for s in verdict["sentences"] if s["code"] in TWO and "cluster's" in s["en"]]
    audits = {a["audit"]: a for a in verdict["audits"] if "cluster" in a["audit"]}
    assert problems == []
    assert {a["outcome"] for a in audits.values()} == {"pass"}, audits
    assert len(verdict["vip"]["sources"]) == len(MEMBERS) + 1, "each member and the wire"
    assert verdict["clients"]["cluster-http"]["outage_s"] > 0, "clients saw it"


@pytest.mark.parametrize("fault", ["cluster-member-power-off", "cluster-member-standby"])
def test_another_member_takes_over(verdicts: dict[str, Any], fault: str) -> None:
    verdict = verdicts[fault]
    assert verdict["vip"]["new_owner"] not in (None, *verdict["victims"])
    assert verdict["clients"]["cluster-http"]["servers_after"] == [verdict["vip"]["new_owner"]]


def test_a_killed_apache_is_started_again_where_it_was(verdicts: dict[str, Any]) -> None:
    verdict = verdicts["cluster-web-killed"]
    assert verdict["vip"]["new_owner"] is None
    assert verdict["clients"]["cluster-http"]["servers_after"] == verdict["victims"]


def test_what_cannot_be_fenced_starts_nowhere_else(verdicts: dict[str, Any]) -> None:
    """The member has no power, a majority is there, and still nobody may be sure."""
    verdict = verdicts["cluster-fencing-broken"]
    undo = verdict["steps"]["undo"]
    (longest,) = [
        outage for outage in verdict["clients"]["cluster-http"]["outages"] if outage["end"] > undo
    ]
    assert verdict["vip"]["new_owner"] is None, "before it was put right"
    unsafe_s = predict(TIMERS[TIMERS_NAME])["cluster_member_unfenced"]
    assert undo - longest["begin"] > unsafe_s, "it had the time to start elsewhere"


def test_after_a_power_failure_of_all_it_comes_back(lab: ClusterLab) -> None:
    for member in MEMBERS:
        lab.power_off(member)
    for member in MEMBERS:
        lab.power_on(member)
    lab.await_cluster(usual_s=COLD_START_S)
    lab.await_members()
    configuration = json.loads(lab.run("node1", "/usr/local/lib/ha-lab/cluster-tool", "by-hand"))
    assert configuration == {"kept": [], "changed": []}
