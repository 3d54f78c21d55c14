"""Values that a cluster cannot have are refused where they are made."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from components.pacemaker.args import Member, Order
from components.pacemaker.corosync import corosync_conf
from tests.unit.pacemaker.samples import an_args, settings_with


def test_node_ids_stay_when_another_member_comes() -> None:
    three = {m.name: m.node_id for m in an_args().members}
    chosen = ["db1", "db2", "gluster1", "gluster2", "app1"]
    five = {m.name: m.node_id for m in an_args(settings_with(members=chosen)).members}

    assert three == {"db1": 51, "db2": 52, "gluster1": 61}
    assert {name: five[name] for name in three} == three


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"members": ()}, "needs two members"),
        ({"two_node": True}, "two votes"),
        ({"name": "two words"}, "cluster name"),
        ({"orders": (Order(first="vip", then="nobody"),)}, "no resource nobody"),
    ],
)
def test_a_contradiction_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(an_args(), **changes)  # type: ignore[arg-type]


def test_two_votes_need_their_rule() -> None:
    args = an_args()

    with pytest.raises(ValueError, match="two votes"):
        replace(args, members=args.members[:2])
    assert replace(args, members=args.members[:2], two_node=True).two_node


@pytest.mark.parametrize("what", ["name", "address", "node_id"])
def test_members_are_different(what: str) -> None:
    args = an_args()
    first, second, third = args.members
    same = replace(second, **{what: getattr(first, what)})

    with pytest.raises(ValueError, match="twice"):
        replace(args, members=(first, same, third))


def test_a_node_id_is_a_positive_number() -> None:
    with pytest.raises(ValueError, match="node id 0 of db1"):
        Member(name="db1", address=IPv4Address("10.0.0.1"), node_id=0)


class TestCorosync:
    """corosync.conf, beyond its golden files."""

    def test_traffic_is_encrypted_and_authenticated(self) -> None:
        text = corosync_conf(an_args())

        assert "crypto_cipher: aes256" in text
        assert "crypto_hash: sha256" in text

    @pytest.mark.parametrize("timers", ["course", "relaxed", "standard", "fast"])
    def test_the_token_is_that_of_the_timers(self, timers: str) -> None:
        args = an_args({**settings_with(), "timers": timers})
        own = args.timers.corosync
        lines = [line.strip() for line in corosync_conf(args).splitlines()]

        assert f"token: {own.token_ms}" in lines
        assert f"token_coefficient: {own.token_coefficient_ms}" in lines

    def test_two_members_have_a_rule_of_their_own(self) -> None:
        two = settings_with(members=["db1", "db2"], twoNode=True)

        assert "two_node: 1" in corosync_conf(an_args(two))
        assert "two_node" not in corosync_conf(an_args())

    def test_a_quorum_device_is_asked_for_a_third_vote(self) -> None:
        args = an_args(settings_with(members=["db1", "db2"], twoNode=True))
        device = Member(name="app1", address=IPv4Address("10.16.1.21"), node_id=21)
        text = corosync_conf(replace(args, two_node=False, quorum_device=device))

        assert "host: 10.16.1.21" in text
        assert "two_node" not in text
        assert "device" not in corosync_conf(an_args())
