"""command:remote:Command: what it runs when, what it returns, and what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.plugin import (
    REMOTE_COMMAND,
    Plugin,
    PluginError,
    Properties,
    is_secret,
    plain,
    secret,
)

PASSWORD = "correct horse battery staple"


def test_create_returns_both_streams_without_their_last_newline(
    plugin: Plugin, connection: Properties
) -> None:
    inputs = {"connection": connection, "create": "echo out; echo err >&2"}
    identifier, state = plugin.create(REMOTE_COMMAND, inputs)
    assert identifier.startswith("name")
    assert (state["stdout"], state["stderr"]) == ("out", "err")


def test_only_one_newline_is_removed(plugin: Plugin, connection: Properties) -> None:
    _, state = plugin.create(
        REMOTE_COMMAND, {"connection": connection, "create": r"printf ' a\n\n'"}
    )
    assert state["stdout"] == " a\n"


def test_stdin_reaches_the_command(plugin: Plugin, connection: Properties) -> None:
    inputs = {"connection": connection, "create": "bash -s", "stdin": "echo from the script"}
    assert plugin.create(REMOTE_COMMAND, inputs)[1]["stdout"] == "from the script"


def test_a_command_that_does_not_read_a_large_stdin_succeeds(
    plugin: Plugin, connection: Properties, is_ours: bool
) -> None:
    """The project's plugin only; the official one calls it an error (EOF)."""
    if not is_ours:
        pytest.skip("the official plugin fails with EOF; test the project's own")
    inputs = {"connection": connection, "create": "echo done", "stdin": "x" * (8 << 20)}
    assert plugin.create(REMOTE_COMMAND, inputs)[1]["stdout"] == "done"


def test_without_create_nothing_is_dialled(plugin: Plugin) -> None:
    nowhere = {"host": "127.0.0.1", "port": 1, "dialErrorLimit": 0}
    _, state = plugin.create(REMOTE_COMMAND, {"connection": nowhere, "delete": "true"})
    assert (state["stdout"], state["stderr"]) == ("", "")


def test_a_preview_runs_nothing(plugin: Plugin, connection: Properties, tmp_path: Path) -> None:
    inputs = {"connection": connection, "create": f"touch {tmp_path}/ran"}
    plugin.create(REMOTE_COMMAND, inputs, preview=True)
    assert not (tmp_path / "ran").exists()


def test_an_error_tells_the_exit_status_the_command_and_its_output(
    plugin: Plugin, connection: Properties
) -> None:
    inputs = {"connection": connection, "create": "echo before; echo why >&2; exit 7"}
    with pytest.raises(PluginError) as caught:
        plugin.create(REMOTE_COMMAND, inputs)
    text = str(caught.value)
    assert "status 7" in text
    assert "exit 7" in text
    assert "before" in text
    assert "why" in text


def test_an_error_does_not_contain_stdin(plugin: Plugin, connection: Properties) -> None:
    inputs = {
        "connection": connection,
        "create": "cat >/dev/null; exit 1",
        "stdin": secret(PASSWORD),
    }
    with pytest.raises(PluginError) as caught:
        plugin.create(REMOTE_COMMAND, inputs)
    assert PASSWORD not in str(caught.value)


def test_an_error_masks_stdin_that_the_command_printed(
    plugin: Plugin, connection: Properties, is_ours: bool
) -> None:
    """The project's plugin only; with the official one the engine masks the secrets it knows."""
    if not is_ours:
        pytest.skip("the official plugin shows what the command printed; test the project's own")
    inputs = {"connection": connection, "create": "cat >&2; exit 1", "stdin": f"{PASSWORD}\n"}
    with pytest.raises(PluginError) as caught:
        plugin.create(REMOTE_COMMAND, inputs)
    assert PASSWORD not in str(caught.value)
    assert "[stdin]" in str(caught.value)


def test_update_runs_if_there_is_one(plugin: Plugin, connection: Properties) -> None:
    old = {"connection": connection, "create": "echo created", "update": "echo updated"}
    _, state = plugin.create(REMOTE_COMMAND, old)
    new = {**old, "stdin": "changed"}
    assert plugin.update(REMOTE_COMMAND, state, old, new)["stdout"] == "updated"


def test_create_runs_again_if_there_is_no_update(plugin: Plugin, connection: Properties) -> None:
    old = {"connection": connection, "create": "cat", "stdin": "one"}
    _, state = plugin.create(REMOTE_COMMAND, old)
    new = {**old, "stdin": "two"}
    assert plugin.update(REMOTE_COMMAND, state, old, new)["stdout"] == "two"


def test_a_failed_update_is_an_error(plugin: Plugin, connection: Properties) -> None:
    old = {"connection": connection, "create": "true"}
    _, state = plugin.create(REMOTE_COMMAND, old)
    with pytest.raises(PluginError, match="status 3"):
        plugin.update(REMOTE_COMMAND, state, old, {**old, "update": "exit 3"})


def test_delete_runs_over_the_connection_of_the_state(
    plugin: Plugin, connection: Properties, tmp_path: Path
) -> None:
    inputs = {"connection": connection, "create": "true", "delete": f"touch {tmp_path}/deleted"}
    _, state = plugin.create(REMOTE_COMMAND, inputs)
    plugin.delete(REMOTE_COMMAND, state, inputs)
    assert (tmp_path / "deleted").exists()


def test_a_failed_delete_is_an_error(plugin: Plugin, connection: Properties) -> None:
    inputs = {"connection": connection, "create": "true", "delete": "exit 4"}
    _, state = plugin.create(REMOTE_COMMAND, inputs)
    with pytest.raises(PluginError, match="status 4"):
        plugin.delete(REMOTE_COMMAND, state, inputs)


def test_without_delete_nothing_is_dialled(plugin: Plugin, connection: Properties) -> None:
    inputs = {"connection": connection, "create": "true"}
    _, state = plugin.create(REMOTE_COMMAND, inputs)
    state["connection"] = {"host": "127.0.0.1", "port": 1, "dialErrorLimit": 0}
    plugin.delete(REMOTE_COMMAND, state, inputs)


def test_previous_outputs_are_in_the_environment(plugin: Plugin, connection: Properties) -> None:
    show = 'echo "$PULUMI_COMMAND_STDOUT+$PULUMI_COMMAND_STDERR"'
    old = {"connection": connection, "create": "echo a; echo b >&2", "update": show}
    _, state = plugin.create(REMOTE_COMMAND, old)
    assert plugin.update(REMOTE_COMMAND, state, old, {**old, "stdin": "x"})["stdout"] == "a+b"


def test_previous_outputs_stay_out_of_the_environment_on_request(
    plugin: Plugin, connection: Properties
) -> None:
    show = 'echo "$PULUMI_COMMAND_STDOUT+"'
    old = {
        "connection": connection,
        "create": "echo a",
        "update": show,
        "addPreviousOutputInEnv": False,
    }
    _, state = plugin.create(REMOTE_COMMAND, old)
    assert plugin.update(REMOTE_COMMAND, state, old, {**old, "stdin": "x"})["stdout"] == "+"


def test_environment_reaches_the_command(plugin: Plugin, connection: Properties) -> None:
    inputs = {"connection": connection, "create": "echo $LAB_A", "environment": {"LAB_A": "a b"}}
    assert plugin.create(REMOTE_COMMAND, inputs)[1]["stdout"] == "a b"


def test_a_variable_that_the_server_refuses_is_an_error(
    plugin: Plugin, connection: Properties
) -> None:
    inputs = {"connection": connection, "create": "true", "environment": {"REFUSED": PASSWORD}}
    with pytest.raises(PluginError, match="REFUSED") as caught:
        plugin.create(REMOTE_COMMAND, inputs)
    assert PASSWORD not in str(caught.value)


def test_secrets_stay_secret_and_outputs_are_plain(plugin: Plugin, connection: Properties) -> None:
    inputs = {"connection": connection, "create": "cat", "stdin": secret(PASSWORD)}
    checked, _ = plugin.check(REMOTE_COMMAND, inputs)
    _, state = plugin.create(REMOTE_COMMAND, inputs)
    for properties in (checked, state):
        assert is_secret(properties["connection"])
        assert is_secret(properties["stdin"])
    assert plain(state["connection"])["privateKey"] == connection["privateKey"]
    assert state["stdout"] == PASSWORD
