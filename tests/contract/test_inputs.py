"""Check and Diff: defaults, refused inputs, and which change does what."""

from __future__ import annotations

import pytest

from tests.contract.plugin import (
    COPY_TO_REMOTE,
    LOCAL_COMMAND,
    REMOTE_COMMAND,
    Plugin,
    Properties,
    file_asset,
    plain,
    secret,
    text_asset,
)
from toolchain.versions import COMMAND

CONNECTION = {"host": "192.0.2.1"}
OLD: Properties = {
    "connection": CONNECTION,
    "create": "true",
    "update": "true",
    "delete": "true",
    "stdin": "x",
    "triggers": ["a", {"b": 1}],
    "environment": {"LAB_A": "a"},
    "logging": "none",
}
CHANGES: dict[str, object] = {
    "connection": {"host": "192.0.2.2"},
    "create": "false",
    "update": "false",
    "delete": "false",
    "stdin": "y",
    "environment": {"LAB_A": "b"},
    "logging": "stderr",
    "addPreviousOutputInEnv": False,
}


def test_it_has_the_version_of_the_sdk(plugin: Plugin) -> None:
    assert plugin.version().lstrip("v") == COMMAND.version


def test_defaults_are_filled_in(plugin: Plugin) -> None:
    checked, failures = plugin.check(REMOTE_COMMAND, {"connection": CONNECTION})
    assert not failures
    assert plain(checked) == {
        "addPreviousOutputInEnv": True,
        "connection": {
            "host": "192.0.2.1",
            "port": 22,
            "user": "root",
            "dialErrorLimit": 10,
            "perDialTimeout": 15,
        },
    }


def test_the_defaults_of_a_proxy_are_filled_in(plugin: Plugin) -> None:
    inputs = {"connection": {**CONNECTION, "proxy": {"host": "192.0.2.9"}}}
    checked, _ = plugin.check(REMOTE_COMMAND, inputs)
    assert plain(checked)["connection"]["proxy"]["port"] == 22


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"create": "true"}, "connection"),
        ({"connection": {"port": 22}}, "host"),
        ({"connection": CONNECTION, "creat": "true"}, "creat"),
        ({"connection": CONNECTION, "create": 5}, "create"),
        ({"connection": {**CONNECTION, "port": "ssh"}}, "port"),
    ],
)
def test_a_wrong_input_is_refused_by_name(plugin: Plugin, inputs: Properties, name: str) -> None:
    _, failures = plugin.check(REMOTE_COMMAND, inputs)
    assert any(name in failure for failure in failures)


def test_a_refusal_does_not_show_the_private_key(plugin: Plugin) -> None:
    connection = secret({**CONNECTION, "privateKye": "KEY MATERIAL"})
    _, failures = plugin.check(REMOTE_COMMAND, {"connection": connection})
    assert failures
    assert "KEY MATERIAL" not in " ".join(failures)


def test_no_change_is_no_diff(plugin: Plugin) -> None:
    state = {**plugin.check(REMOTE_COMMAND, OLD)[0], "stdout": "", "stderr": ""}
    assert not plugin.diff(REMOTE_COMMAND, state, OLD, OLD).changed


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_an_input_is_an_update(plugin: Plugin, name: str) -> None:
    state = {**plugin.check(REMOTE_COMMAND, OLD)[0], "stdout": "", "stderr": ""}
    diff = plugin.diff(REMOTE_COMMAND, state, OLD, {**OLD, name: CHANGES[name]})
    assert diff.changed
    assert diff.inputs == {name}
    assert not diff.replaces


@pytest.mark.parametrize("triggers", [["b", {"b": 1}], ["a", {"b": 2}], ["a"], [], None])
def test_a_change_of_triggers_is_seen_at_any_depth(
    plugin: Plugin, triggers: list[object] | None
) -> None:
    """That it replaces is the SDK's part (replaceOnChanges); test_with_the_engine.py shows that."""
    state = {**plugin.check(REMOTE_COMMAND, OLD)[0], "stdout": "", "stderr": ""}
    new = {**OLD, "triggers": triggers}
    if triggers is None:
        del new["triggers"]
    diff = plugin.diff(REMOTE_COMMAND, state, OLD, new)
    assert diff.changed
    assert diff.inputs == {"triggers"}


def test_local_commands_differ_in_the_same_way(plugin: Plugin) -> None:
    old: Properties = {"create": "true", "triggers": [1], "dir": "/"}
    state = {**plugin.check(LOCAL_COMMAND, old)[0], "stdout": "", "stderr": ""}
    assert not plugin.diff(LOCAL_COMMAND, state, old, old).changed
    assert plugin.diff(LOCAL_COMMAND, state, old, {**old, "triggers": [2]}).inputs == {"triggers"}
    assert not plugin.diff(LOCAL_COMMAND, state, old, {**old, "dir": "/tmp"}).replaces


def test_a_copy_differs_by_content(plugin: Plugin) -> None:
    old = {"connection": CONNECTION, "remotePath": "/x", "source": text_asset("a", "a" * 64)}
    state = plugin.check(COPY_TO_REMOTE, old)[0]
    assert not plugin.diff(COPY_TO_REMOTE, state, old, old).changed
    diff = plugin.diff(COPY_TO_REMOTE, state, old, {**old, "source": text_asset("b", "b" * 64)})
    assert diff.changed
    assert not diff.replaces


def test_a_copy_needs_something_to_copy(plugin: Plugin) -> None:
    source = {**file_asset("", "a" * 64), "uri": "https://example.com/file"}
    inputs = {"connection": CONNECTION, "remotePath": "/x", "source": source}
    _, failures = plugin.check(COPY_TO_REMOTE, inputs)
    assert failures
