"""Every fault has its effect on the deployed lab, and its undoing cures it; clients are not timed.

`test_drill` runs whole drills; here is what they are made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from lab.drill.control.choose import control_for
from lab.drill.control.ssh import SshControl
from lab.drill.model import Fault, Victims
from lab.drill.scene import Scene
from lab.drill.target import Target, target_from
from lab.drill.tiers import app_server, load_balancer, machines
from lab.drill.tiers.registry import fault_named
from lab.drill.tiers.roles import vip_owner
from lab.errors import LabError
from lab.machines import Machines
from lab.netns import inside
from lab.pulumi_cli import PulumiCli
from rig import lifecycle
from tests.support.requests import TIMEOUT_S, Loop
from tests.support.rig_lab import RigLab
from tests.support.waiting import TAKEOVER_S, WHOLE_S, deadline_s, wait_until

TIERS = (machines.TIER, load_balancer.TIER, app_server.TIER)
AUDITS = tuple(audit for tier in TIERS for audit in tier.audits)
PAGE = (
    "curl --silent --max-time {limit} --output /dev/null --write-out '%{{time_total}}' "
    "{address}:8080{path}"
)


@pytest.fixture(scope="module")
def target(lab: RigLab) -> Target:
    outputs = PulumiCli(stack=lab.stack, environment=lab.environment).outputs(secrets=True)
    return target_from(outputs, stack=lab.stack)


@asynccontextmanager
async def opened(lab: RigLab, target: Target) -> AsyncIterator[Scene]:
    async with Machines(
        target.machines,
        private_key=target.credentials.ssh_private_key,
        host_keys=target.credentials.host_keys,
        namespace=lab.namespace,
    ) as machines:
        control = control_for(target, lab.namespace, machines)
        yield Scene(target=target, machines=machines, control=control, namespace=lab.namespace)


@dataclass(frozen=True)
class Breaker:
    """Carries faults out on one lab."""

    lab: RigLab
    target: Target

    def carry_out(
        self, fault: Fault, *, seen: Callable[[str], object], before: Callable[[str], None]
    ) -> str:
        """Inject it, wait until its effect is `seen`, undo it twice; the lab is whole after it."""

        async def main() -> str:
            async with opened(self.lab, self.target) as scene:
                victims = await fault.resolve(scene)
                before(victims[0])
                try:
                    await fault.inject(scene, victims)
                    await asyncio.to_thread(self._see, fault.name, victims[0], seen)
                finally:
                    await fault.undo(scene, victims)
                    await fault.undo(scene, victims)
                await whole(scene)
                return victims[0]

        return asyncio.run(main())

    def run(self, act: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            async with opened(self.lab, self.target) as scene:
                await act(scene)

        asyncio.run(main())

    @staticmethod
    def _see(name: str, victim: str, seen: Callable[[str], object]) -> None:
        wait_until(f"{name} of {victim} has its effect", lambda: seen(victim), usual_s=TAKEOVER_S)


async def whole(scene: Scene) -> None:
    """Every audit passes."""
    loop = asyncio.get_running_loop()
    for audit in AUDITS:
        deadline = loop.time() + deadline_s(WHOLE_S)
        while True:
            found = await audit.check(scene)
            if found.outcome == "pass":
                break
            assert loop.time() < deadline, f"{audit.name}: {found}"
            await asyncio.sleep(0.1)


@pytest.fixture
def breaker(lab: RigLab, target: Target) -> Iterator[Breaker]:
    """Each test leaves the lab whole, or it has failed: only then is it put right here."""
    breaker = Breaker(lab, target)
    yield breaker
    try:
        breaker.run(whole)
    except AssertionError:
        lab.put_right()


class Effects:
    """What each fault looks like from outside and from inside."""

    def __init__(self, lab: RigLab) -> None:
        self.lab = lab
        self.pids: dict[str, set[str]] = {}

    def note(self, victim: str) -> None:
        self.pids = {unit: self._pids(victim, unit) for unit in ("haproxy", "keepalived")}

    def _pids(self, victim: str, unit: str) -> set[str]:
        return set(self.lab.try_run(victim, "pgrep", "-x", unit).stdout.split())

    def _new(self, victim: str, unit: str) -> bool:
        """It runs, and none of its processes is one of before."""
        now = self._pids(victim, unit)
        return bool(now) and not now & self.pids[unit]

    def _state(self, victim: str, unit: str) -> str:
        return self.lab.try_run(victim, "systemctl", "is-active", unit).stdout.strip()

    def _moved(self, victim: str) -> bool:
        return self.lab.owners() == [self.lab.other(victim)]

    def _link(self, victim: str) -> str:
        return lifecycle.status(self.lab.rig)[victim][1]

    def _turned_away(self, victim: str) -> bool:
        return f"http_back/{victim}" in self.lab.down_servers(self.lab.owner())

    def page_s(self, victim: str, path: str, *, limit: float = 2.0) -> float | None:
        """Seconds that a page of this app server takes on itself; None: it does not come.

        A page that hangs is found by the limit alone: this is asked until it says what is expected.
        """
        address = str(self.lab.topology.machine(victim).address)
        line = PAGE.format(limit=limit, address=address, path=path)
        done = self.lab.try_run(victim, "bash", "-c", line)
        return float(done.stdout) if done.returncode == 0 else None

    def seen(self, fault: str, victim: str) -> bool:
        """Whether the effect of this fault is there."""
        looks: dict[str, Callable[[str], bool]] = {
            "vip-owner-power-off": lambda v: self.lab.power(v) == "off" and self._moved(v),
            "vip-owner-cut": lambda v: self._link(v) == "down" and self._moved(v),
            "vip-owner-freeze": lambda v: self.lab.power(v) == "frozen" and self._moved(v),
            "haproxy-killed": lambda v: self._new(v, "haproxy"),
            "haproxy-stopped": lambda v: self._state(v, "haproxy") == "inactive" and self._moved(v),
            "keepalived-killed": lambda v: self._new(v, "keepalived"),
            "vip-owner-stop": lambda v: (
                self._state(v, "keepalived") == "inactive" and self._moved(v)
            ),
            "config-reload": lambda v: self._pids(v, "haproxy") != self.pids["haproxy"],
            "app-server-killed": lambda v: (
                self._state(v, "nginx") == "failed" and self._turned_away(v)
            ),
            "app-server-hung": lambda v: (
                self.page_s(v, "/health") is not None and self.page_s(v, "/") is None
            ),
            "app-server-slow": lambda v: (self.page_s(v, "/") or 0.0) >= 0.1,
            "app-server-power-off": lambda v: self.lab.power(v) == "off" and self._turned_away(v),
            "app-server-cut": lambda v: self._link(v) == "down" and self._turned_away(v),
            "app-server-unhealthy": self._turned_away,
        }
        return looks[fault](victim)


FAULTS = [
    fault.name
    for tier in TIERS
    for fault in tier.faults
    # The other engine's, which test_lb_nginx kills and stops.
    if not fault.name.startswith("nginx-")
]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_effect_and_its_undoing_cures_it(breaker: Breaker, name: str) -> None:
    effects = Effects(breaker.lab)
    victim = breaker.carry_out(
        fault_named(name), seen=lambda v: effects.seen(name, v), before=effects.note
    )
    # The control: what was seen is not simply always so.
    if name not in ("haproxy-killed", "keepalived-killed", "config-reload"):
        wait_until(
            f"{name} of {victim} has no effect any more",
            lambda: not effects.seen(name, victim),
            usual_s=TAKEOVER_S,
        )


def test_no_request_fails_while_the_configuration_is_reloaded(breaker: Breaker) -> None:
    async def reload(scene: Scene) -> None:
        fault = fault_named("config-reload")
        await fault.inject(scene, await fault.resolve(scene))

    with Loop(breaker.lab.url(), breaker.lab.namespace) as loop:
        wait_until("requests flow", lambda: len(loop.answers) > 20, usual_s=TAKEOVER_S)
        breaker.run(reload)
    assert loop.failed == []


def test_no_request_fails_when_a_slow_app_server_is_cured(breaker: Breaker) -> None:
    async def slow(scene: Scene) -> None:
        fault = fault_named("app-server-slow")
        victims = await fault.resolve(scene)
        try:
            await fault.inject(scene, victims)
        finally:
            await fault.undo(scene, victims)

    with Loop(breaker.lab.url(), breaker.lab.namespace, pause_s=0.001) as loop:
        wait_until("requests flow", lambda: len(loop.answers) > 20, usual_s=TAKEOVER_S)
        breaker.run(slow)
    assert loop.failed == []
    assert any(answer.took_s >= 0.1 for answer in loop.answers), "it was slow meanwhile"


@pytest.mark.parametrize(
    ("name", "begun"),
    [
        ("app-server-hung", "test -e /run/ha-lab-drill"),
        ("app-server-hung", "systemctl -q is-active ha-lab-drill-front"),
        ("app-server-killed", "ls /run/systemd/system/*.d/zz-ha-lab-drill.conf"),
    ],
)
def test_an_undoing_cures_a_fault_that_was_interrupted_half_way(
    breaker: Breaker, name: str, begun: str
) -> None:
    async def interrupted(scene: Scene) -> None:
        fault = fault_named(name)
        victims = await fault.resolve(scene)
        task = asyncio.create_task(_inject(fault, scene, victims))
        try:
            await asyncio.to_thread(
                wait_until,
                "it has begun",
                lambda: breaker.lab.try_run(victims[0], "bash", "-c", begun).returncode == 0,
                usual_s=TAKEOVER_S,
            )
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        finally:
            await fault.undo(scene, victims)
        await whole(scene)
        left = breaker.lab.try_run(victims[0], "bash", "-c", begun)
        assert left.returncode != 0, "nothing of it is left"

    breaker.run(interrupted)


async def _inject(fault: Fault, scene: Scene, victims: Victims) -> None:
    await fault.inject(scene, victims)


def test_a_planned_stop_serves_open_connections_while_new_ones_wait(breaker: Breaker) -> None:
    """What `systemctl stop keepalived` does first, held still."""
    lab, drain = breaker.lab, "/usr/local/lib/ha-lab/drain-vip"
    owner, vip = lab.owner(), str(lab.topology.vip)
    with inside(lab.namespace), httpx.Client(verify=False, timeout=TIMEOUT_S) as client:  # noqa: S501
        client.get(lab.url()).raise_for_status()
        lab.run(owner, drain, vip)
        try:
            assert client.get(lab.url()).status_code == 200, "its connection is open"
            # Its packets are dropped: no answer would come later either.
            assert lab.ask(timeout_s=0.5).status == 0, "a new one is not let in"
        finally:
            lab.run(owner, drain)
        assert lab.ask().status == 200
    lab.run(lab.other(owner), drain, vip)
    assert "ha_lab_drain" not in lab.run(lab.other(owner), "nft", "list", "tables")


def test_audits_of_a_broken_lab_fail(breaker: Breaker) -> None:
    """The negative control: each of them can say no."""

    async def look(scene: Scene) -> None:
        (owner,) = await vip_owner(scene)
        other = breaker.lab.other(owner)
        vip = f"{scene.target.vip}/24 dev eth0"
        await scene.machines.run(other, f"ip addr add {vip}; systemd-run --wait -q false; true")
        await scene.machines.run("app3", "lab-health off; systemctl stop nginx")
        try:
            found = {audit.name: await audit.check(scene) for audit in AUDITS}
        finally:
            await scene.machines.run("app3", "lab-health on; systemctl start nginx")
            await scene.machines.run(other, f"ip addr del {vip}; systemctl reset-failed")
        assert found["one-vip-owner"].outcome == "fail"
        assert found["machines-answer"].outcome == "fail"
        assert found["app-servers-healthy"].outcome == "fail"
        assert "app3" in found["app-servers-healthy"].detail
        await whole(scene)

    breaker.run(look)


def test_machines_reached_by_ssh_alone_are_cut_and_joined_and_not_crashed_in_a_container(
    breaker: Breaker,
) -> None:
    async def act(scene: Scene) -> None:
        ssh = replace(scene, control=SshControl(scene.machines))
        fault = fault_named("vip-owner-cut")
        victims = await fault.resolve(ssh)
        with pytest.raises(LabError, match="container: the crash would be that of its host"):
            await ssh.control.power_off(victims[0])
        try:
            await fault.inject(ssh, victims)
            other = breaker.lab.other(victims[0])
            await asyncio.to_thread(
                wait_until,
                "the VIP answers through the other one",
                lambda: breaker.lab.ask("/").status == 200 and other in breaker.lab.owners(),
                usual_s=TAKEOVER_S,
            )
            assert await ssh.control.is_on(victims[0]), "the cut leaves this SSH alone"
            ping = f"ping -c 1 -W 1 {scene.target.machines[other].address}"
            assert (await scene.machines.run(victims[0], ping)).status != 0
        finally:
            await fault.undo(ssh, victims)
            await fault.undo(ssh, victims)
        await whole(ssh)

    breaker.run(act)


def test_a_cut_machine_joins_by_itself(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the one who cut it."""
    monkeypatch.setattr("lab.drill.control.ssh.CUT_AT_MOST_S", 1)
    tables = ("nft", "list", "tables")

    async def act(scene: Scene) -> None:
        await SshControl(scene.machines).cut("app3")
        assert "ha_lab_drill" in breaker.lab.run("app3", *tables)
        await asyncio.to_thread(
            wait_until,
            "its tables are gone",
            lambda: "ha_lab_drill" not in breaker.lab.run("app3", *tables),
            usual_s=TAKEOVER_S,
        )
        await whole(scene)

    breaker.run(act)
