"""Logging in: the stack's key, the pinned host key, the right machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import Topology, plan
from lab.errors import LabError
from lab.login import find_machine, known_hosts, ssh_words
from lab.planned import planned
from lab.secrets import complete

MACHINES = {
    "lb1": {"address": "10.16.1.11", "port": 22, "user": "lab"},
    "app1": {"address": "10.16.1.21", "port": 2222, "user": "trainer"},
}


def test_host_keys_are_pinned_by_address_and_by_port_where_it_is_another() -> None:
    keys = {"lb1": "ssh-ed25519 AAA", "app1": "ssh-ed25519 BBB"}
    expected = "[10.16.1.21]:2222 ssh-ed25519 BBB\n10.16.1.11 ssh-ed25519 AAA\n"
    assert known_hosts(MACHINES, keys) == expected


def test_only_the_stacks_key_and_the_pinned_host_key_count() -> None:
    words = ssh_words(Path("/k"), Path("/h"), MACHINES["app1"])
    assert words[:5] == ["ssh", "-i", "/k", "-p", "2222"]
    assert {"IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=/h"} < set(words)
    assert words[-1] == "trainer@10.16.1.21"


def test_a_mistyped_machine_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(LabError, match="did you mean 'app1'"):
        find_machine(MACHINES, "ap1", stack="demo")


def lab(**settings: Any) -> tuple[Settings, Topology]:
    loaded = load_settings({"number": 1, "topology": "compact", **settings}, stack="demo")
    return loaded, plan(loaded, stack="demo")


def test_while_up_has_not_ended_the_plan_says_how_to_log_in() -> None:
    settings, topology = lab()
    secrets = complete({}, topology)
    known = planned(settings, topology, secrets, stack="demo")
    assert known["machines"]["node2"]["address"] == "10.16.1.12"
    assert known["credentials"]["sshPrivateKey"] == secrets["ssh"]["private"]
    assert known["credentials"]["hostKeys"]["node2"] == secrets["hostKeys"]["node2.pub"]


def test_a_stack_without_secrets_was_never_up() -> None:
    with pytest.raises(LabError, match="bring it up with `make up STACK=demo`"):
        planned(*lab(), {}, stack="demo")
