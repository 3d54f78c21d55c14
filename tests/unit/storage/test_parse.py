"""What Gluster 10.3 says as XML, and what the tool makes of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from components.storage.guest import ensure, parse, replace
from components.storage.guest.system import ToolError

PEERS = """<cliOutput><opRet>0</opRet><peerStatus>
<peer><uuid>u2</uuid><hostname>gluster2.lab.internal</hostname>
 <hostnames><hostname>gluster2.lab.internal</hostname><hostname>10.16.1.62</hostname></hostnames>
 <connected>1</connected><state>3</state><stateStr>Peer in Cluster</stateStr></peer>
<peer><uuid>u3</uuid><hostname>gluster3</hostname>
 <hostnames><hostname>gluster3</hostname></hostnames>
 <connected>1</connected><state>6</state><stateStr>Peer Rejected</stateStr></peer>
</peerStatus></cliOutput>"""
INFO = """<cliOutput><volInfo><volumes><volume><name>gv0</name><id>id-1</id><status>1</status>
<replicaCount>3</replicaCount><arbiterCount>0</arbiterCount><bricks>
<brick uuid="u1">gluster1:/data/gv0/brick<name>gluster1:/data/gv0/brick</name></brick>
<brick uuid="u2">gluster2:/data/gv0/brick<name>gluster2:/data/gv0/brick</name></brick>
<brick uuid="u3">gluster3:/data/gv0/brick<name>gluster3:/data/gv0/brick</name></brick>
</bricks><options><option><name>nfs.disable</name><value>on</value></option></options>
</volume></volumes></volInfo></cliOutput>"""
STATUS = """<cliOutput><volStatus><volumes><volume>
<node><hostname>gluster1</hostname><path>/data/gv0/brick</path><status>1</status>
 <port>49241</port><ports><tcp>49241</tcp></ports><pid>423</pid></node>
<node><hostname>gluster2</hostname><path>/data/gv0/brick</path><status>0</status>
 <port>N/A</port><ports><tcp>N/A</tcp></ports><pid>-1</pid></node>
<node><hostname>Self-heal Daemon</hostname><path>localhost</path><status>1</status></node>
</volume></volumes></volStatus></cliOutput>"""
HEAL = """<cliOutput><healInfo><bricks>
<brick hostUuid="-"><name>gluster1:/data/gv0/brick</name><status>Connected</status>
 <totalNumberOfEntries>2</totalNumberOfEntries>
 <numberOfEntriesInSplitBrain>1</numberOfEntriesInSplitBrain></brick>
<brick hostUuid="-"><name>gluster2:/data/gv0/brick</name>
 <status>Transport endpoint is not connected</status>
 <totalNumberOfEntries>-</totalNumberOfEntries>
 <numberOfEntriesInSplitBrain>-</numberOfEntriesInSplitBrain></brick>
</bricks></healInfo></cliOutput>"""
VOLUME = parse.volumes(ET.fromstring(INFO))["gv0"]


def brick(number: int) -> str:
    return f"gluster{number}:/data/gv0/brick"


def test_a_peer_is_found_by_its_short_name_and_may_be_rejected() -> None:
    known = parse.peers(ET.fromstring(PEERS))

    assert parse.peer_named(known, "gluster2") == known[0]
    assert (known[0].is_member, known[1].is_member) == (True, False)
    assert parse.peer_named(known, "gluster4") is None


def test_a_brick_of_which_nobody_speaks_is_down() -> None:
    found = parse.bricks(ET.fromstring(STATUS), VOLUME)

    assert [(b.name, b.online, b.pid) for b in found] == [
        (brick(1), True, 423),
        (brick(2), False, -1),
        (brick(3), False, 0),
    ]


def test_what_an_unreached_brick_needs_is_not_known() -> None:
    first, second = parse.heals(ET.fromstring(HEAL))

    assert (first.reached, first.pending, first.split_brain) == (True, 2, 1)
    assert (second.reached, second.pending) == (False, 0)


def wanted(*bricks: str, replica: int = 3, arbiter: bool = False) -> dict[str, object]:
    return {"name": "gv0", "bricks": list(bricks), "replica": replica, "arbiter": arbiter}


def test_a_volume_is_grown_by_what_comes_after_its_bricks() -> None:
    six = [brick(number) for number in range(1, 7)]

    assert ensure.new_bricks(VOLUME, wanted(*six)) == six[3:]
    assert ensure.new_bricks(VOLUME, wanted(*six[:3])) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (wanted(brick(1), brick(2)), "only added"),
        (wanted(brick(2), brick(1), brick(3)), "only added"),
        (wanted(brick(1), brick(2), brick(3), arbiter=True), "cannot be changed"),
        (wanted(brick(1), brick(2), brick(3), replica=5), "cannot be changed"),
    ],
)
def test_a_volume_is_never_made_smaller_or_another(other: dict[str, object], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        ensure.new_bricks(VOLUME, other)


def running(*online: int) -> list[parse.Brick]:
    return [parse.Brick(name=brick(n), online=n in online, pid=0, port="") for n in (1, 2, 3)]


def test_a_lost_brick_is_replaced_only_while_all_other_copies_are_there() -> None:
    assert replace.why_not("gluster2", VOLUME, running(1, 3)) == ""
    assert "gluster3:/data/gv0/brick is down too" in replace.why_not("gluster2", VOLUME, running(1))
