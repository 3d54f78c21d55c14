"""The `lab` command: examples in its help, errors without tracebacks, no secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from lab import cli

Write = Callable[[str, str], Path]
COMMANDS = [
    *((name,) for name in ("setup", "up", "preview", "down", "outputs", "plan", "ssh", "unlock")),
    *((name,) for name in ("drill", "check", "reapply", "watch", "exercise")),
    ("rig", "up"),
    ("rig", "down"),
    *(("storage", name) for name in ("status", "heal", "replace")),
    *(("db", name) for name in ("status", "switchover", "promote", "rejoin")),
    *(
        ("cluster", name)
        for name in ("status", "standby", "unstandby", "move", "clear", "maintenance")
    ),
]


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a `lab` command."""
    monkeypatch.setattr("sys.argv", ["lab", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, " ".join(said.err.split())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli.app, [*words, "--help"], terminal_width=200)

    assert shown.exit_code == 0
    said = " ".join(shown.output.replace("`", "").split())
    assert re.search(rf"Examples?: lab {' '.join(words)}\b", said)


def test_every_command_is_known_to_these_tests() -> None:
    root = get_command(cli.app)
    names = set(root.commands)  # type: ignore[attr-defined]

    assert names == {words[0] for words in COMMANDS}


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("command", ["setup", "up", "preview", "down", "outputs", "plan"])
def test_an_unknown_stack_is_one_message_and_status_2(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, errors = run(monkeypatch, capsys, command, "nosuch")

    assert status == 2
    assert said == ""
    assert errors.startswith("ha-lab: there is no stack file stacks/Pulumi.nosuch.yaml.")
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["setup", "plan"])
def test_wrong_settings_are_one_message_and_status_2(
    command: str,
    write_stack: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_stack("demo", "config:\n  ha-lab:timers: '[red]quick[/]'\n  ha-lab:number: [red]\n")

    status, said, errors = run(monkeypatch, capsys, command, "demo")

    assert (status, said) == (2, "")
    assert errors.startswith("ha-lab: 2 problems in the stack configuration:")
    assert "number: expected a whole number, got ['red']" in errors
    assert "got '[red]quick[/]'" in errors, "brackets are no markup"


def test_the_plan_needs_no_pulumi_and_shows_machines_and_firewall(
    write_stack: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack("demo", "config:\n  ha-lab:number: 1\n  ha-lab:topology: full\n")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("COLUMNS", "200")

    status, said, errors = run(monkeypatch, capsys, "plan", "demo")

    assert (status, errors) == (0, "")
    for word in ("ha-lab-demo", "10.16.1.0/24", "10.16.1.100", "lb2", "gluster3", "VRRP"):
        assert word in said


def test_outputs_as_json_have_no_secrets(
    write_stack: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack("demo", "config:\n  ha-lab:number: 1\n")

    class Opened:
        prefix = ()

        def outputs(self) -> dict[str, object]:
            return {"vip": "10.16.1.100", "credentials": {"sshPrivateKey": "hunter2"}}

    monkeypatch.setattr("lab.prepare.open_stack", lambda _stack: Opened())

    status, said, errors = run(monkeypatch, capsys, "outputs", "demo", "--json")

    assert (status, errors) == (0, "")
    assert "10.16.1.100" in said
    assert "hunter2" not in said
    assert "credentials" not in said
