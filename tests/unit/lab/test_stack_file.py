"""Stack files: what is read of them, and what is said when they cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components.settings.load import SettingsError
from lab.errors import LabError
from lab.stack_file import known_stacks, load_stack, read_config

Write = Callable[[str, str], Path]


def test_only_the_projects_own_keys_are_read_and_never_the_secrets(write_stack: Write) -> None:
    write_stack(
        "demo",
        "encryptionsalt: v1:x\nconfig:\n  ha-lab:number: 7\n  libvirt:uri: qemu:///system\n"
        "  other-ha-lab:number: 3\n  ha-lab:secrets: {secure: v1:abc}\n  5: five\n",
    )

    assert read_config("demo") == {"number": 7}


@pytest.mark.parametrize("text", ["", "config:\n", "# nothing yet\n", "config: {}\n"])
def test_a_file_that_configures_nothing_is_a_lab_of_defaults(write_stack: Write, text: str) -> None:
    write_stack("demo", text)
    settings, topology = load_stack("demo")

    assert settings.topology == "compact"
    assert topology.prefix == "ha-lab-demo"


@pytest.mark.parametrize("text", ["config: [1]\n", "config: text\n", "- ha-lab:number: 1\n", "x"])
def test_a_file_of_another_shape_is_refused(write_stack: Write, text: str) -> None:
    write_stack("demo", text)

    with pytest.raises(LabError, match=r"stacks/Pulumi\.demo\.yaml: expected `config:` with keys"):
        read_config("demo")


def test_a_missing_stack_is_answered_with_the_one_that_was_meant(write_stack: Write) -> None:
    write_stack("demo", "")

    with pytest.raises(LabError) as caught:
        read_config("dmo")

    assert str(caught.value) == (
        "there is no stack file stacks/Pulumi.dmo.yaml. Did you mean 'demo'?"
        " Copy stacks/example.yaml to it and keep what you change."
    )


@pytest.mark.usefixtures("clone")
def test_a_missing_rig_says_what_makes_it() -> None:
    with pytest.raises(LabError, match="`make rig` writes the one of the rig"):
        read_config("rig")


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("name", ["../secrets", "a/b", "", "x" * 300, "demo\n", "dé", "a b"])
def test_what_is_no_name_of_a_stack_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="is no name of a stack"):
        read_config(name)


def test_invalid_yaml_is_refused_with_its_place(write_stack: Write) -> None:
    write_stack("demo", "config:\n  ha-lab:number: [1\n")

    with pytest.raises(LabError, match=r"Pulumi\.demo\.yaml is not valid YAML:(.|\n)*line 3"):
        read_config("demo")


def test_a_file_that_is_no_text_is_refused(write_stack: Write) -> None:
    write_stack("demo", "").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(LabError, match="is not valid YAML"):
        read_config("demo")


def test_a_machine_that_is_given_twice_is_refused(write_stack: Write) -> None:
    """YAML itself would let the second one win."""
    write_stack(
        "demo",
        "config:\n  ha-lab:machines:\n    sizes:\n      node1: {vcpus: 1}\n"
        "      node1: {vcpus: 2}\n",
    )

    with pytest.raises(LabError, match=r"'node1' is given twice; keep one(.|\n)*line 5"):
        read_config("demo")


def test_wrong_settings_are_reported_as_in_the_program(write_stack: Write) -> None:
    write_stack("demo", "config:\n  ha-lab:nmber: 7\n")

    with pytest.raises(SettingsError, match="nmber: unknown key \\(did you mean 'number'"):
        load_stack("demo")


def test_the_known_stacks_are_those_with_a_file(write_stack: Write) -> None:
    for name in ("full", "demo", "a.b"):
        write_stack(name, "")
    write_stack("demo", "").with_name("example.yaml").touch()

    assert known_stacks() == ["a.b", "demo", "full"]
