"""The storage's audits and faults, and the state that they read."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.timers import TIMERS
from lab.drill.scene import Scene
from lab.drill.target import Target, target_from
from lab.drill.tiers import storage
from lab.errors import LabError
from lab.machines import Result
from lab.storage import operate
from lab.storage.state import storage_state
from tests.unit.drill.fakes import finish
from tests.unit.drill.world import outputs

SERVERS = ("gluster1", "gluster2", "gluster3")
BRICKS = [f"{server}:/data/gv0/brick" for server in SERVERS]


def a_target() -> Target:
    machine = {"user": "lab", "port": 22, "roles": ["storage"]}
    own: dict[str, Any] = outputs()
    own["machines"] |= {
        name: {"address": f"10.16.1.{60 + i}", **machine} for i, name in enumerate(SERVERS, 1)
    }
    own["storage"] = {
        "volume": "gv0",
        "servers": list(SERVERS),
        "volumes": {"gv0": {"mountPoint": "/mnt/gluster", "clients": ["app1"]}},
    }
    return target_from(own, stack="demo")


class Servers:
    """What the storage's program says; None: a machine that does not answer."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.mount = "mounted"
        self.rejected: set[str] = set()
        self.down: set[str] = set()
        self.pending = dict.fromkeys(BRICKS, 0)
        self.split = dict.fromkeys(BRICKS, 0)
        self.asked: list[str] = []

    async def run(self, machine: str, script: str, **_: object) -> Result:
        self.asked.append(f"{machine}: {script.rpartition('/')[2]}")
        if machine in self.silent:
            raise LabError(f"{machine} did not answer")
        if "mount-state" in script:
            return Result(machine, 0, json.dumps(self.mount), "")
        said = self.healing() if script.endswith("healing") else self.status(machine)
        return Result(machine, 0, json.dumps(said), "")

    def status(self, machine: str) -> dict[str, Any]:
        peers = [
            {
                "uuid": f"uuid of {name}",
                "names": [f"{name}.lab.internal"],
                "connected": True,
                "state": "Peer Rejected" if name in self.rejected else "Peer in Cluster",
                "is_member": name not in self.rejected,
            }
            for name in SERVERS
            if name != machine
        ]
        running = [{"name": name, "online": name not in self.down} for name in BRICKS]
        volume = {"name": "gv0", "started": True, "bricks": BRICKS, "running": running}
        return {"machine": machine, "uuid": "mine", "peers": peers, "volumes": [volume]}

    def healing(self) -> list[dict[str, Any]]:
        return [
            {
                "volume": "gv0",
                "brick": name,
                "reached": name not in self.down,
                "pending": self.pending[name],
                "split_brain": self.split[name],
            }
            for name in BRICKS
        ]

    @property
    def scene(self) -> Scene:
        return cast(Scene, SimpleNamespace(target=a_target(), machines=self))


@pytest.fixture
def servers() -> Servers:
    return Servers()


def look(servers: Servers, name: str) -> tuple[str, str]:
    audit = next(audit for audit in storage.TIER.audits if audit.name == name)
    found = finish(audit.check(servers.scene))
    return found.outcome, found.detail


def test_whole_storage_passes_every_audit(servers: Servers) -> None:
    for audit in storage.TIER.audits:
        assert look(servers, audit.name)[0] == "pass", audit.name


def test_what_is_wrong_is_named(servers: Servers) -> None:
    servers.down, servers.rejected = {BRICKS[1]}, {"gluster2"}
    servers.pending[BRICKS[0]] = 3
    servers.split[BRICKS[2]] = 1
    outcome, detail = look(servers, "bricks-up")
    assert outcome == "fail"
    assert "gluster2 is no member of the pool (Peer Rejected)" in detail
    assert "gluster2:/data/gv0/brick is down" in detail
    assert look(servers, "nothing-to-heal") == ("fail", f"{BRICKS[0]}: 3 entries wait to be healed")
    assert look(servers, "no-split-brain")[0] == "fail"


def test_a_brick_that_is_not_reached_may_need_anything(servers: Servers) -> None:
    servers.down = {BRICKS[1]}
    assert look(servers, "nothing-to-heal")[0] == "unknown"
    assert look(servers, "no-split-brain")[0] == "unknown"


def test_a_mount_whose_client_has_ended_is_a_failure(servers: Servers) -> None:
    servers.mount = "dead"
    assert look(servers, "volumes-mounted") == ("fail", "/mnt/gluster on app1 is dead")


def test_another_server_is_asked_where_the_first_is_away(servers: Servers) -> None:
    servers.silent = {"gluster1"}
    assert finish(operate.look(servers.scene)).asked == "gluster2"
    servers.silent = set(SERVERS)
    with pytest.raises(LabError, match="no server says"):
        finish(operate.look(servers.scene))


def test_a_replacement_is_refused_while_another_copy_is_down(servers: Servers) -> None:
    servers.down = {BRICKS[1], BRICKS[2]}
    with pytest.raises(LabError, match="gluster3:/data/gv0/brick is down too"):
        finish(operate.replace(servers.scene, "gluster2", lambda _text: None, within_s=1))
    assert not any("adopt" in asked for asked in servers.asked)


def test_an_unknown_server_is_answered_with_the_nearest(servers: Servers) -> None:
    with pytest.raises(LabError, match="did you mean 'gluster2'"):
        finish(operate.replace(servers.scene, "glustr2", lambda _text: None, within_s=1))


def test_text_that_is_no_state_is_an_error() -> None:
    with pytest.raises(LabError, match="nothing that can be read"):
        storage_state("oops", "[]", asked="gluster1", servers=SERVERS)


@pytest.mark.parametrize("timers", TIMERS.values(), ids=lambda timers: timers.name)
def test_every_fault_has_a_formula_with_numbers(timers: Any) -> None:
    for fault in storage.TIER.faults:
        prediction = fault.predict(timers, a_target())
        assert any(character.isdigit() for character in prediction.formula), fault.name
    lost = next(f for f in storage.TIER.faults if f.name == "storage-server-power-off")
    assert lost.predict(timers, a_target()).seconds == 2 * timers.gluster.ping_timeout_s


def test_the_victims_are_no_clients_and_a_majority_is_two_of_three(servers: Servers) -> None:
    assert finish(storage.one_server(servers.scene)) == ("gluster1",)
    assert finish(storage.two_servers(servers.scene)) == ("gluster1", "gluster2")
    assert storage.why_no_copy(a_target()) is None


def test_a_lab_without_storage_has_none_of_it() -> None:
    assert not storage.TIER.is_present(target_from(outputs(), stack="demo"))
