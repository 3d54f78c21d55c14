"""The proof of KVM: a guest's user space on its console, in time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from components.machines import host_facts
from components.machines.host_facts import HostFacts, read_facts, write_facts
from lab.libvirt_host.acceleration import boots


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(host_facts.ACCELERATION_VARIABLE, raising=False)
    monkeypatch.delenv(host_facts.IMAGE_VARIABLE, raising=False)


@pytest.mark.parametrize("line", ["systemd[1]: Started", "node1 login: ", "cloud-init[300]: v. 23"])
def test_a_user_space_on_the_console_is_a_proof(line: str) -> None:
    assert boots(["sh", "-c", 'echo "$0"; exec sleep 60', line])


@pytest.mark.parametrize("script", ["echo SYSLINUX 6.04", "echo Booting; exit 0", "exit 1"])
def test_a_guest_that_ends_before_is_none(script: str) -> None:
    assert not boots(["sh", "-c", script])


def test_a_guest_that_hangs_is_ended_at_the_deadline() -> None:
    late = "import time; print('Decompressing', flush=True); time.sleep(60); print('login:')"
    assert not boots([sys.executable, "-c", late], deadline_s=0.3)


def test_no_qemu_is_no_kvm() -> None:
    assert not boots(["/nonexistent/qemu"])


def test_facts_are_read_as_they_were_written() -> None:
    facts = HostFacts(acceleration="kvm", golden_image="/cache/golden.qcow2")
    write_facts(facts)
    assert read_facts() == facts


def test_a_proof_of_an_earlier_boot_is_worth_nothing() -> None:
    write_facts(HostFacts(acceleration="kvm", golden_image="/cache/golden.qcow2"))
    stored = json.loads(host_facts.facts_file().read_text())
    host_facts.facts_file().write_text(json.dumps({**stored, "boot_id": "another"}))
    assert read_facts() == HostFacts(golden_image="/cache/golden.qcow2")


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write_facts(HostFacts(acceleration="kvm"))
    monkeypatch.setenv(host_facts.ACCELERATION_VARIABLE, "qemu")
    monkeypatch.setenv(host_facts.IMAGE_VARIABLE, "/other.qcow2")
    assert read_facts() == HostFacts(acceleration="qemu", golden_image="/other.qcow2")


def test_a_damaged_file_of_facts_is_no_fact() -> None:
    write_facts(HostFacts(acceleration="kvm"))
    host_facts.facts_file().write_text("{")
    assert read_facts() == HostFacts()
