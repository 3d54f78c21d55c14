"""What each fault does to a machine, in which order, and that its undoing may run at any time."""

from __future__ import annotations

import asyncio

import pytest

from lab.drill.model import Ability, Fault
from lab.drill.tiers import acts, app_server, load_balancer
from lab.drill.tiers.registry import TIERS, fault_named, faults_of, tiers_of
from lab.errors import LabError
from lab.machines import Result
from tests.unit.drill.fakes import Fakes, a_target, finish, stat

FAULTS = (*load_balancer.TIER.faults, *app_server.TIER.faults)
NGINX_CONF = "http {\n    server {\n        listen 8080 default_server;\n    }\n}\n"
WAIT = "systemctl is-system-running --wait"
START = "systemctl start haproxy keepalived"
FRONT_DOWN = "set -- "


@pytest.fixture
def fakes() -> Fakes:
    fakes = Fakes(a_target())
    fakes.machines.says("", "show stat", stat(("http_back", "app1", "UP", "")))
    fakes.machines.says("", "cat /etc/nginx/nginx.conf", NGINX_CONF)
    return fakes


def inject(fakes: Fakes, name: str) -> list[str]:
    finish(fault_named(name).inject(fakes.scene, (victim_of(name),)))
    return fakes.done()


def undo(fakes: Fakes, name: str) -> list[str]:
    fakes.journal.clear()
    finish(fault_named(name).undo(fakes.scene, (victim_of(name),)))
    return fakes.done()


def victim_of(name: str) -> str:
    return "app1" if name.startswith("app") else "lb1"


@pytest.mark.parametrize(
    ("name", "injected", "undone"),
    [
        ("vip-owner-power-off", ["power_off lb1"], ["power_on lb1", f"lb1: {WAIT}"]),
        ("vip-owner-cut", ["cut lb1"], ["join lb1"]),
        ("vip-owner-freeze", ["freeze lb1"], ["thaw lb1"]),
        ("haproxy-killed", ["lb1: systemctl kill --signal=KILL haproxy"], [f"lb1: {START}"]),
        ("haproxy-stopped", ["lb1: systemctl stop haproxy"], [f"lb1: {START}"]),
        ("keepalived-killed", ["lb1: systemctl kill --signal=KILL keepalived"], [f"lb1: {START}"]),
        ("vip-owner-stop", ["lb1: systemctl stop keepalived"], [f"lb1: {START}"]),
        ("app-server-power-off", ["power_off app1"], ["power_on app1", f"app1: {WAIT}"]),
        ("app-server-cut", ["cut app1"], ["join app1"]),
    ],
)
def test_a_fault_and_its_undoing(
    fakes: Fakes, name: str, injected: list[str], undone: list[str]
) -> None:
    assert inject(fakes, name) == injected
    assert undo(fakes, name) == undone


@pytest.mark.parametrize("name", ["vip-owner-power-off", "vip-owner-cut", "vip-owner-freeze"])
def test_a_machine_that_was_cut_off_is_asked_over_a_new_connection(fakes: Fakes, name: str) -> None:
    inject(fakes, name)
    assert fakes.journal[-1] == "forget lb1"
    undo(fakes, name)
    answers = [entry for entry in fakes.journal if "boot_id" in entry]
    assert len(answers) == 1, "the undoing is over when the machine answers"


def test_a_command_that_fails_is_an_error_that_names_the_machine(fakes: Fakes) -> None:
    fakes.machines.says("lb1", "systemctl stop haproxy", 5)
    with pytest.raises(LabError, match="lb1: the command ended with status 5"):
        inject(fakes, "haproxy-stopped")


def test_reloads_follow_each_other_while_traffic_flows(fakes: Fakes) -> None:
    (script,) = inject(fakes, "config-reload")
    assert "seq 5" in script
    assert "systemctl reload haproxy" in script


def test_a_killed_app_server_is_found_by_the_port_that_the_load_balancers_use(
    fakes: Fakes,
) -> None:
    *_, script = inject(fakes, "app-server-killed")
    assert script == "app1: set -- 8080"


def test_a_hung_app_server_first_gets_its_process_then_its_configuration(fakes: Fakes) -> None:
    down, conf, program, up = inject(fakes, "app-server-hung")
    assert down == f"app1: {FRONT_DOWN}", "whatever an earlier drill left"
    assert conf == "app1: cat /etc/nginx/nginx.conf"
    assert "start_unix_server" in fakes.machines.inputs[program.removeprefix("app1: ")]
    assert up == "app1: set -- never 8080"
    assert "late-8080.sock" in fakes.machines.inputs["set -- never 8080"]
    assert undo(fakes, "app-server-hung") == [f"app1: {FRONT_DOWN}"]


def test_a_slow_app_server_has_slow_packets(fakes: Fakes) -> None:
    assert inject(fakes, "app-server-slow") == ["app1: set -- 10.16.1.13 50"]


def test_a_slow_app_server_has_slow_pages_where_its_kernel_cannot_slow_packets(
    fakes: Fakes,
) -> None:
    fakes.machines.says("app1", "set -- 10.16.1.13 50", 3)
    assert inject(fakes, "app-server-slow")[-1] == "app1: set -- 0.1 8080"
    assert len(undo(fakes, "app-server-slow")) == 2, "both ways are undone"


def test_a_link_that_cannot_be_slowed_for_another_reason_is_an_error(fakes: Fakes) -> None:
    fakes.machines.says("app1", "set -- 10.16.1.13 50", 1)
    with pytest.raises(LabError, match="app1: the command ended with status 1"):
        inject(fakes, "app-server-slow")


def test_an_app_server_that_is_not_the_courses_is_not_touched(fakes: Fakes) -> None:
    fakes.machines.says("app1", "cat /etc/nginx/nginx.conf", "events {}\n")
    with pytest.raises(LabError, match="not that of the course's web server"):
        inject(fakes, "app-server-hung")
    assert fakes.done()[-1] == "app1: cat /etc/nginx/nginx.conf"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_an_undoing_needs_no_fault_and_may_be_repeated(fault: Fault, fakes: Fakes) -> None:
    once = undo(fakes, fault.name)
    assert once
    assert undo(fakes, fault.name) == once


@pytest.mark.parametrize("action", ["power_off", "cut", "freeze"])
def test_a_fault_that_was_interrupted_half_way_is_undone(fakes: Fakes, action: str) -> None:
    name = f"vip-owner-{action.replace('_', '-')}"
    fakes.control.breaks = action
    with pytest.raises(LabError, match="was interrupted"):
        inject(fakes, name)
    opposite = {"power_off": "power_on", "cut": "join", "freeze": "thaw"}[action]
    assert undo(fakes, name)[0] == f"{opposite} lb1"


def test_a_command_that_was_begun_ends_before_its_undoing_can_begin(fakes: Fakes) -> None:
    """On the machine it goes on when nobody waits for it any more."""

    async def main() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def run(machine: str, script: str, **_: object) -> Result:
            begun.set()
            await go_on.wait()
            fakes.journal.append("the command has ended")
            return Result(machine, 0, "", script)

        fakes.machines.run = run  # type: ignore[method-assign]
        task = asyncio.create_task(acts.command(fakes.scene, "lb1", "systemctl stop haproxy"))
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert fakes.journal == ["the command has ended"]


def test_names_are_unique_say_the_role_and_fit_into_settings_and_file_names() -> None:
    names = [fault.name for tier in TIERS for fault in tier.faults]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and name.replace("-", "").isalpha() for name in names)


def test_a_fault_says_which_ability_it_needs() -> None:
    needs = {fault.name: set(fault.needs) for fault in FAULTS if fault.needs}
    assert needs == {
        "vip-owner-power-off": {Ability.POWER},
        "vip-owner-cut": {Ability.LINK},
        "vip-owner-freeze": {Ability.FREEZE},
        "app-server-power-off": {Ability.POWER},
        "app-server-cut": {Ability.LINK},
    }


def test_a_fault_is_found_by_its_name_or_the_nearest_is_named() -> None:
    assert fault_named("vip-owner-cut").name == "vip-owner-cut"
    with pytest.raises(
        LabError, match=r"no fault 'vip-owner-cutt'; did you mean 'vip-owner-cut'\?"
    ):
        fault_named("vip-owner-cutt")
    with pytest.raises(LabError, match="there are: vip-owner-power-off, "):
        fault_named("???")


def test_a_lab_has_the_faults_of_its_tiers() -> None:
    target = a_target()
    assert [t.name for t in tiers_of(target)][:3] == ["machines", "load_balancer", "app"]
    apps = {name: m for name, m in target.machines.items() if name.startswith("app")}
    only_apps = target.model_copy(update={"machines": apps})
    assert {fault.name.partition("-")[0] for fault in faults_of(only_apps)} == {"app"}


def test_what_needs_a_second_machine_says_so() -> None:
    target = a_target()
    alone = {name: target.machines[name] for name in ("lb1", "app1")}
    small = target.model_copy(update={"machines": alone})
    impossible = {fault.name: fault.why_not(small) for fault in FAULTS}
    assert "nobody could take the VIP" in str(impossible["vip-owner-cut"])
    assert "no other to go on with" in str(impossible["app-server-hung"])
    assert {n for n, why in impossible.items() if why is None} == {
        "haproxy-killed",
        "keepalived-killed",
        "config-reload",
    }
    here = [fault for fault in FAULTS if not fault.name.startswith("nginx")]
    assert all(fault.why_not(target) is None for fault in here)
