"""Two members and a quorum device: a majority without a third member, and without a race."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.requests import ask
from tests.support.rig_lab import RigLab
from tests.support.rig_module import deployed_rig
from tests.support.waiting import WHOLE_S, wait_until

STACK = "test-quorum"
MEMBERS, DEVICE = ("db1", "db2"), "app1"
COUNTS = {"loadBalancer": 2, "app": 1, "database": 2, "storage": 0}


SETTINGS = {
    "topology": "full",
    "timers": "relaxed",
    "machines": {"counts": COUNTS},
    "cluster": {"enabled": True, "members": list(MEMBERS), "quorumDevice": DEVICE},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """Five machines, deployed once for this module."""
    with deployed_rig(RigLab, STACK, SETTINGS, tmp_path_factory) as deployed:
        yield deployed


def votes(lab: RigLab, member: str) -> tuple[int, bool]:
    """How many votes a member counts, and whether they are a majority."""
    said = lab.try_run(member, "corosync-quorumtool", "-s").stdout
    found = re.search(r"^Total votes:\s+(\d+)", said, re.MULTILINE)
    return int(found[1]) if found else 0, bool(re.search(r"^Quorate:\s+Yes", said, re.MULTILINE))


def await_votes(lab: RigLab, member: str, count: int) -> None:
    wait_until(
        f"{member} counts {count} votes, and they are a majority",
        lambda: votes(lab, member) == (count, True),
        usual_s=WHOLE_S,
    )


def owner(lab: RigLab) -> str:
    """The member whose page is at the cluster's VIP."""

    def answering() -> str:
        url = f"http://{lab.topology.cluster_vip}/"
        answer = ask(url, namespace=lab.namespace)
        return answer.machine if answer.status == 200 else ""

    return wait_until("the cluster's page answers", answering, usual_s=WHOLE_S)


def test_the_device_is_the_third_vote_of_both(lab: RigLab) -> None:
    for member in MEMBERS:
        await_votes(lab, member, 3)
    listed = lab.run(DEVICE, "corosync-qnetd-tool", "-l")
    assert f'Cluster "{lab.topology.prefix}"' in listed
    assert len(re.findall(r"Node ID", listed)) == len(MEMBERS)


def test_they_talk_by_certificates_alone(lab: RigLab) -> None:
    status = lab.run(DEVICE, "corosync-qnetd-tool", "-s")
    assert re.search(r"TLS:\s+Required \(client certificate required\)", status), status
    assert re.search(r"TLS active:\s+Yes", lab.run("db1", "corosync-qdevice-tool", "-sv"))


def test_a_second_preview_finds_nothing_to_do(lab: RigLab) -> None:
    lab.preview_clean().ok()
    assert lab.outputs()["cluster"]["quorumDevice"] == DEVICE


def test_without_the_device_two_members_go_on(lab: RigLab) -> None:
    before = owner(lab)
    lab.run(DEVICE, "systemctl", "stop", "corosync-qnetd")
    try:
        for member in MEMBERS:
            await_votes(lab, member, 2)
        assert owner(lab) == before
    finally:
        lab.run(DEVICE, "systemctl", "start", "corosync-qnetd")
    for member in MEMBERS:
        await_votes(lab, member, 3)


def test_one_member_alone_goes_on_with_the_device(lab: RigLab) -> None:
    lost = owner(lab)
    (left,) = set(MEMBERS) - {lost}
    lab.power_off(lost)
    try:
        await_votes(lab, left, 2)
        wait_until("the page moved", lambda: owner(lab) == left, usual_s=WHOLE_S)
        history = lab.run(left, "stonith_admin", "--history", lost)
    finally:
        lab.power_on(lost)
    assert f"reboot of {lost} successful" in history, "it was fenced before"
    for member in MEMBERS:
        await_votes(lab, member, 3)
