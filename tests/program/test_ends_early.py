"""The program says what is wrong and ends, before anything is registered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.settings.load import load_settings
from components.topology import plan
from lab.secrets import complete
from tests.program.conftest import LABS
from tests.program.recorder import run_program

pytestmark = pytest.mark.usefixtures("libvirt_host")


def secrets_for(settings: dict[str, Any]) -> dict[str, dict[str, str]]:
    return complete({}, plan(load_settings(settings, stack="demo"), stack="demo"))


def test_wrong_settings_end_it_with_one_message_that_has_them_all() -> None:
    settings = {"number": 1, "tmers": "fast", "network": {"vip": "10.99.0.1"}}

    run = run_program(settings, secrets="{}")

    assert run.exit_status == 1
    assert run.registered == []
    (message,) = run.errors
    assert message.startswith("2 problems in the stack configuration:")
    assert "tmers: unknown key (did you mean 'timers'?)" in message
    assert "network.vip: 10.99.0.1 is outside of the lab's network" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("secrets", [None, ""], ids=["none", "Pulumi.yaml's default"])
def test_a_stack_without_secrets_says_how_they_are_made(secrets: str | None) -> None:
    run = run_program(LABS["compact-libvirt"], secrets=secrets)

    assert run.exit_status == 1
    assert run.registered == []
    assert run.errors == [
        (
            "the stack 'demo' has no secrets. Make what is missing with `lab setup demo`"
            " (`make up STACK=demo` does it too), then try again."
        )
    ]


@pytest.mark.parametrize(
    ("group", "name"),
    [("ssh", "private"), ("ssh", "public"), ("hostKeys", "node3"), ("tls", "pem")],
)
def test_a_stack_that_lacks_a_secret_says_which_and_how_it_is_made(group: str, name: str) -> None:
    settings = LABS["compact-libvirt"]
    secrets = secrets_for(settings)
    del secrets[group][name]

    run = run_program(settings, secrets=json.dumps(secrets))

    assert run.exit_status == 1
    (message,) = run.errors
    assert f"the stack 'demo' has no secret {group}.{name}." in message
    assert "`lab setup demo`" in message


def test_secrets_that_are_no_json_are_not_shown() -> None:
    run = run_program(LABS["compact-libvirt"], secrets="hunter2 is no JSON")

    assert run.exit_status == 1
    (message,) = run.errors
    assert "hunter2" not in message
    assert "`lab setup demo`" in message


def test_a_supplied_certificate_is_used_and_stays_secret(tmp_path: Path) -> None:
    pem = tmp_path / "site.pem"
    text = "-----BEGIN CERTIFICATE-----\nmine\n-----END CERTIFICATE-----\n"
    text += text.replace("CERTIFICATE", "PRIVATE KEY")
    pem.write_text(text, encoding="utf-8")
    settings = {
        **LABS["compact-libvirt"],
        "loadBalancer": {"tls": {"certificateFile": str(pem)}},
    }

    run = run_program(settings, secrets=json.dumps(secrets_for(settings)))
    command = run.by_name("lb-node1-tls")
    (file,) = json.loads(command.inputs["stdin"])["files"].values()

    assert run.errors == []
    assert "\n".join(file["lines"]) == text
    assert "stdin" in command.secret
