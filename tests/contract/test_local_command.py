"""command:local:Command: what it runs when, where and with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.plugin import LOCAL_COMMAND, Plugin, PluginError, is_secret, secret


def _run(plugin: Plugin, create: str, **inputs: Any) -> str:
    return str(plugin.create(LOCAL_COMMAND, {"create": create, **inputs})[1]["stdout"])


def test_stdin_environment_and_directory_reach_the_command(plugin: Plugin, tmp_path: Path) -> None:
    text = _run(
        plugin,
        'cat; echo " $A $HOME"; pwd',
        stdin="in",
        environment={"A": "a b"},
        dir=str(tmp_path),
    )
    assert text.splitlines()[0].startswith("in a b /")
    assert text.splitlines()[1] == str(tmp_path)


def test_another_interpreter_runs_the_command(plugin: Plugin) -> None:
    assert _run(plugin, "print(6 * 7)", interpreter=["python3", "-c"]) == "42"


def test_an_error_tells_the_exit_status_and_the_output(plugin: Plugin) -> None:
    with pytest.raises(PluginError, match=r"exit status 5(.|\n)*why"):
        _run(plugin, "echo why >&2; exit 5")


def test_an_error_does_not_contain_stdin(plugin: Plugin) -> None:
    with pytest.raises(PluginError) as caught:
        _run(plugin, "cat >/dev/null; exit 1", stdin=secret("correct horse"))
    assert "correct horse" not in str(caught.value)


def test_a_preview_runs_nothing(plugin: Plugin, tmp_path: Path) -> None:
    plugin.create(LOCAL_COMMAND, {"create": f"touch {tmp_path}/ran"}, preview=True)
    assert not (tmp_path / "ran").exists()


def test_update_else_create_runs_on_a_change(plugin: Plugin) -> None:
    old: dict[str, Any] = {"create": "echo create $PULUMI_COMMAND_STDOUT", "stdin": "1"}
    _, state = plugin.create(LOCAL_COMMAND, old)
    state = plugin.update(LOCAL_COMMAND, state, old, {**old, "stdin": "2"})
    assert state["stdout"] == "create create"
    new = {**old, "stdin": "2", "update": "echo update $PULUMI_COMMAND_STDOUT"}
    assert plugin.update(LOCAL_COMMAND, state, old, new)["stdout"] == "update create create"


def test_delete_runs_on_delete(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {"create": "echo it", "delete": f"echo $PULUMI_COMMAND_STDOUT > {tmp_path}/gone"}
    _, state = plugin.create(LOCAL_COMMAND, inputs)
    plugin.delete(LOCAL_COMMAND, state, inputs)
    assert (tmp_path / "gone").read_text() == "it\n"


def test_secrets_stay_secret(plugin: Plugin) -> None:
    _, state = plugin.create(LOCAL_COMMAND, {"create": "true", "stdin": secret("correct horse")})
    assert is_secret(state["stdin"])


def test_files_come_back_as_assets_and_as_an_archive(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {
        "create": "mkdir sub; echo 1 > one.txt; echo 2 > sub/two.txt; echo 3 > sub/not.txt",
        "dir": str(tmp_path),
        "assetPaths": ["**.txt", "!**not*"],
        "archivePaths": ["*.txt"],
    }
    _, state = plugin.create(LOCAL_COMMAND, inputs)
    assert set(state["assets"]) == {"one.txt", "sub/two.txt"}
    assert state["assets"]["one.txt"]["path"] == str(tmp_path / "one.txt")
    assert set(state["archive"]["assets"]) == {"one.txt"}
