"""The whole program: what holds for every resource of every lab (our policy pack)."""

from __future__ import annotations

import json
from typing import Any

from components.outputs import OUTPUTS_VERSION, public_outputs
from components.settings.load import load_settings
from components.timers import timers_named
from components.topology import Role
from tests.program.conftest import Built
from tests.program.recorder import Registered


def test_every_custom_resource_has_a_component_for_its_parent(built: Built) -> None:
    components = {found.urn for found in built.run.registered if not found.custom}
    strays = [f.name for f in built.run.registered if f.custom and f.parent not in components]

    assert strays == []


def test_everything_is_inside_of_the_lab(built: Built) -> None:
    (lab,) = built.run.of_type("halab:index:Lab")
    by_urn = {found.urn: found for found in built.run.registered}

    for found in built.run.registered:
        top = found
        while top.parent in by_urn:
            top = by_urn[top.parent]
        assert top == lab, f"{found.name} is not inside of the lab"


def test_names_of_one_type_are_unique(built: Built) -> None:
    names = [(found.type, found.name) for found in built.run.registered]

    assert len(names) == len(set(names))


class TestCommands:
    """Every command on a machine."""

    def test_the_host_key_is_pinned_and_dialling_is_bounded(self, built: Built) -> None:
        assert built.run.commands
        for command in built.run.commands:
            connection = command.inputs["connection"]

            assert connection["hostKey"].startswith("ssh-ed25519 "), command.name
            assert connection["perDialTimeout"] > 0, command.name
            assert "dialErrorLimit" in connection, command.name
            unlimited = connection["dialErrorLimit"] == -1
            assert unlimited == command.name.endswith("-ready"), (
                f"{command.name}: only the gate may dial for ever, the timeout ends it"
            )
            assert command.timeouts["create"], f"{command.name} can hang for ever"

    def test_the_private_key_is_secret_in_every_connection(self, built: Built) -> None:
        for command in built.run.commands:
            assert "connection" in command.secret, command.name

    def test_a_machine_that_is_made_anew_is_configured_again(self, built: Built) -> None:
        for command in built.run.commands:
            assert len(command.inputs["triggers"]) == 1, command.name
        per_machine = {
            machine.name: {
                json.dumps(command.inputs["triggers"])
                for command in built.run.commands
                if command.inputs["connection"]["host"] == str(machine.address)
            }
            for machine in built.topology.machines
        }
        assert all(len(triggers) == 1 for triggers in per_machine.values()), per_machine

    def test_nothing_is_run_when_a_command_goes(self, built: Built) -> None:
        """A replaced command is deleted after its successor was made, and would undo its work."""
        assert [c.name for c in built.run.commands if "delete" in c.inputs] == []

    def test_an_update_is_the_same_command_again(self, built: Built) -> None:
        assert [c.name for c in built.run.commands if "update" in c.inputs] == []

    def test_what_reads_a_secret_hides_what_it_says(self, built: Built) -> None:
        hidden = {"stdout", "stderr"}
        for command in built.run.commands:
            if "stdin" in command.secret:
                assert hidden <= command.additional_secret_outputs, command.name

    def test_the_certificate_is_secret_on_its_way(self, built: Built) -> None:
        carrying = [c for c in built.run.commands if "PRIVATE KEY" in str(c.inputs["stdin"])]

        assert [c.name for c in carrying if "stdin" not in c.secret] == []
        assert len(carrying) == len(built.topology.with_role(Role.LOAD_BALANCER))

    def test_the_clusters_keys_and_login_are_secret_on_their_way(self, built: Built) -> None:
        texts = (built.secrets["cluster"]["authkey"], built.secrets["passwords"]["hacluster"])
        carrying = [
            c for c in built.run.commands if any(t in str(c.inputs["stdin"]) for t in texts)
        ]

        assert [c.name for c in carrying if "stdin" not in c.secret] == []
        assert len(carrying) == len(built.topology.with_role(Role.CLUSTER))

    def test_the_text_that_errors_show_is_short_and_has_no_content(self, built: Built) -> None:
        for command in built.run.commands:
            assert len(command.inputs["create"]) < 300, command.name
            assert command.inputs["logging"] == "stderr", command.name

    def test_root_is_reached_through_sudo_that_never_asks(self, built: Built) -> None:
        for command in built.run.commands:
            assert command.inputs["connection"]["user"] == "lab"
            assert command.inputs["create"].startswith("sudo -n ")


def test_no_secret_is_in_clear_in_any_input(built: Built) -> None:
    for found in built.run.registered:
        leaked = [text for text in built.secret_texts if text in found.plain]

        assert leaked == [], f"{found.name} ({found.type}) shows a secret"


class TestOrder:
    """What waits for what."""

    def test_every_machine_is_ready_before_anything_else_is_done_on_it(self, built: Built) -> None:
        for command in built.run.commands:
            machine = machine_of(built, command)
            if command.name != f"{machine}-ready":
                ready = built.run.by_name(f"{machine}-ready")
                assert ready.urn in built.run.waits_for(command), command.name

    def test_every_service_waits_for_its_machines_baseline(self, built: Built) -> None:
        for command in built.run.commands:
            machine = machine_of(built, command)
            if command.name not in (f"{machine}-ready", f"{machine}-baseline"):
                baseline = built.run.by_name(f"{machine}-baseline")
                assert baseline.urn in built.run.waits_for(command), command.name

    def test_the_load_balancers_are_changed_one_after_the_other(self, built: Built) -> None:
        first, second = built.topology.with_role(Role.LOAD_BALANCER)
        one = built.run.by_name(f"lb-{first.name}")
        other = built.run.by_name(f"lb-{second.name}")

        assert one.urn in built.run.waits_for(other)
        assert other.urn not in built.run.waits_for(one)

    def test_the_certificate_is_there_before_the_configuration_that_needs_it(
        self, built: Built
    ) -> None:
        for machine in built.topology.with_role(Role.LOAD_BALANCER):
            whole = built.run.by_name(f"lb-{machine.name}")
            assert built.run.by_name(f"lb-{machine.name}-tls").urn in built.run.waits_for(whole)

    def test_the_machines_do_not_wait_for_each_other(self, built: Built) -> None:
        for machine in built.topology.machines:
            baseline = built.run.by_name(f"{machine.name}-baseline")
            reached = {
                machine_of(built, command)
                for command in built.run.commands
                if command.urn in built.run.waits_for(baseline)
            }
            assert reached <= {machine.name}

    def test_the_cluster_is_built_step_by_step_and_its_resources_come_last(
        self, built: Built
    ) -> None:
        members = [machine.name for machine in built.topology.with_role(Role.CLUSTER)]
        for first in members[:1]:
            check, join, push = (
                built.run.by_name(f"cluster-{first}-{step}")
                for step in ("check", "join", "resources")
            )
            for name in members:
                keys = built.run.by_name(f"cluster-{name}-keys")
                member = built.run.by_name(f"cluster-{name}-member")
                assert check.urn in built.run.waits_for(keys)
                assert keys.urn in built.run.waits_for(member)
                assert member.urn in built.run.waits_for(join)
            assert join.urn in built.run.waits_for(push)

    def test_members_ask_a_quorum_device_once_it_runs_and_all_have_read_of_it(
        self, built: Built
    ) -> None:
        device = built.settings.get("cluster", {}).get("quorumDevice")
        if device is None:
            return
        first, *_ = members = [m.name for m in built.topology.with_role(Role.CLUSTER)]
        runs = built.run.by_name(f"cluster-{device}-quorum-device")
        join = built.run.by_name(f"cluster-{first}-join")
        push = built.run.by_name(f"cluster-{first}-resources")
        for name in members:
            asks = built.run.by_name(f"cluster-{name}-quorum")
            assert {runs.urn, join.urn} <= set(built.run.waits_for(asks))
            assert asks.urn in built.run.waits_for(push)

    def test_the_quorum_devices_keys_are_secret_on_their_way(self, built: Built) -> None:
        keys = [c for c in built.run.commands if "keys.p12.base64" in str(c.inputs["stdin"])]

        assert [c.name for c in keys if "stdin" not in c.secret] == []
        assert len(keys) == (3 if "quorumDevice" in built.settings.get("cluster", {}) else 0)

    def test_a_machine_that_leaves_does_so_before_the_others_go_on(self, built: Built) -> None:
        for first in built.topology.with_role(Role.CLUSTER)[:1]:
            before = built.run.waits_for(built.run.by_name(f"cluster-{first.name}-join"))
            for machine in built.topology.machines:
                assert built.run.by_name(f"{machine.name}-baseline").urn in before

    def test_the_proof_comes_after_load_balancers_and_app_servers(self, built: Built) -> None:
        (proof,) = [c for c in built.run.commands if c.name.startswith("proof-")]
        before = built.run.waits_for(proof)
        services = [c for c in built.run.commands if c.name.startswith(("lb-", "app-"))]

        assert len(services) >= 5
        assert [c.name for c in services if c.urn not in before] == []

    def test_the_proof_asks_the_vip_again_when_the_load_balancers_change(
        self, built: Built
    ) -> None:
        (proof,) = [c for c in built.run.commands if c.name.startswith("proof-")]
        check, *_ = json.loads(proof.inputs["stdin"])["checks"]

        assert f"https://{built.topology.vip}/" in check
        assert "# with settings " in check


class TestMachines:
    """Which machine gets what."""

    def test_every_machine_has_a_gate_a_baseline_and_the_services_of_its_roles(
        self, built: Built
    ) -> None:
        expected = set()
        for machine in built.topology.machines:
            expected |= {f"{machine.name}-ready", f"{machine.name}-baseline"}
            if machine.has(Role.APP):
                expected.add(f"app-{machine.name}")
            if machine.has(Role.APP) and "database" in built.settings:
                expected |= {f"visits-{machine.name}", f"visits-{machine.name}-password"}
            if machine.has(Role.LOAD_BALANCER):
                expected |= {f"lb-{machine.name}", f"lb-{machine.name}-tls"}
            if machine.has(Role.DATABASE) and "database" in built.settings:
                expected.add(f"database-{machine.name}")
                for engine in ("mariadb", "postgresql"):
                    name = f"{engine}-{machine.name}"
                    expected |= {name, f"{name}-passwords"}
            if machine.has(Role.CLUSTER):
                expected |= {f"cluster-{machine.name}-keys", f"cluster-{machine.name}-member"}
        for first in built.topology.with_role(Role.CLUSTER)[:1]:
            expected |= {f"cluster-{first.name}-{step}" for step in ("check", "join", "resources")}
        if device := built.settings.get("cluster", {}).get("quorumDevice"):
            expected |= {f"cluster-{device}-quorum-device{end}" for end in ("", "-keys")}
            voters = built.topology.with_role(Role.CLUSTER)
            expected |= {f"cluster-{m.name}-quorum{end}" for m in voters for end in ("", "-keys")}
        (proof,) = [c.name for c in built.run.commands if c.name.startswith("proof-")]

        assert {c.name for c in built.run.commands} == expected | {proof}

    def test_each_is_a_complete_specification_for_the_applier(self, built: Built) -> None:
        for command in built.run.commands:
            if command.name.endswith("-ready"):
                assert "def carry_out(" in command.inputs["stdin"], "the applier itself"
                continue
            specification = json.loads(command.inputs["stdin"])
            assert specification["version"] == 1
            assert command.inputs["create"].endswith("/usr/local/lib/ha-lab/apply.py")


class TestOutputs:
    """The interface of the `lab` command and of scripts."""

    def test_their_names_and_values_are_those_of_the_plan(self, built: Built) -> None:
        settings = load_settings(built.settings, stack="demo")
        expected = public_outputs(settings, built.topology, timers_named(settings.timers))
        given = {key: value for key, value in built.run.outputs.items() if key != "credentials"}

        assert given == json.loads(json.dumps(expected))
        assert given["version"] == OUTPUTS_VERSION
        assert set(given) >= {"vip", "urls", "machines", "timers"}

    def test_secrets_are_in_credentials_only_and_that_is_secret(self, built: Built) -> None:
        assert built.run.secret_outputs == {"credentials"}
        key = built.run.outputs["credentials"]["sshPrivateKey"]
        assert key == built.secrets["ssh"]["private"]
        leaked = [text for text in built.secret_texts if text in built.run.plain_outputs]
        assert leaked == []


def machine_of(built: Built, command: Registered) -> str:
    """The machine that a command runs on."""
    connection: dict[str, Any] = command.inputs["connection"]
    address = connection["host"]
    return next(m.name for m in built.topology.machines if str(m.address) == address)
