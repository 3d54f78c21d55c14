"""Logging in: the stack's key, the pinned host key, the right machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.login import find_machine, known_hosts, ssh_words

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
