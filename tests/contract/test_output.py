"""What a command writes: of any length, shown in the log or not, cut off if it is cancelled."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.contract.plugin import LOCAL_COMMAND, REMOTE_COMMAND, Plugin, PluginError, Properties
from tests.support.waiting import MOMENT_S, TAKEOVER_S, deadline_s, wait_until

BOTH = "echo to-stdout; echo to-stderr >&2"


@pytest.fixture(params=[REMOTE_COMMAND, LOCAL_COMMAND], ids=["remote", "local"])
def kind(request: pytest.FixtureRequest) -> str:
    """Both kinds of command have the same contract here."""
    return str(request.param)


@pytest.fixture
def where(kind: str, connection: Properties) -> Properties:
    """The inputs that a command of the kind needs."""
    return {"connection": connection} if kind == REMOTE_COMMAND else {}


@pytest.mark.parametrize(
    ("logging", "shown"),
    [
        (None, {"to-stdout", "to-stderr"}),
        ("stdoutAndStderr", {"to-stdout", "to-stderr"}),
        ("stdout", {"to-stdout"}),
        ("stderr", {"to-stderr"}),
        ("none", set[str]()),
    ],
)
def test_logging_selects_what_is_shown_and_not_what_is_returned(
    plugin: Plugin, kind: str, where: Properties, logging: str | None, shown: set[str]
) -> None:
    inputs = {**where, "create": BOTH, **({"logging": logging} if logging else {})}
    _, state = plugin.create(kind, inputs)
    assert {line for line in plugin.engine.lines if line.startswith("to-")} == shown
    assert (state["stdout"], state["stderr"]) == ("to-stdout", "to-stderr")


def test_much_output_is_returned_whole(plugin: Plugin, kind: str, where: Properties) -> None:
    inputs = {**where, "create": "seq 1 200000", "logging": "none"}
    _, state = plugin.create(kind, inputs)
    assert state["stdout"].splitlines() == [str(number) for number in range(1, 200001)]


def test_a_line_longer_than_64_kib_is_returned_whole(
    plugin: Plugin, kind: str, where: Properties, is_ours: bool
) -> None:
    """With logging, the project's plugin only: the official one stops reading, for ever."""
    if not is_ours:
        where = {**where, "logging": "none"}
    command = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo after"
    _, state = plugin.create(kind, {**where, "create": command})
    assert state["stdout"] == "x" * 300000 + "\nafter"
    assert not is_ours or "after" in plugin.engine.lines


def test_output_that_is_not_text_is_returned(
    plugin: Plugin, kind: str, where: Properties, is_ours: bool
) -> None:
    """The project's plugin only; with the official one the result is lost on its way."""
    if not is_ours:
        pytest.skip("the official plugin cannot return it; test the project's own")
    _, state = plugin.create(kind, {**where, "create": r"printf 'a\377b'"})
    assert state["stdout"] == "a\N{REPLACEMENT CHARACTER}b"


def test_an_error_shows_the_end_of_much_output(
    plugin: Plugin, kind: str, where: Properties
) -> None:
    with pytest.raises(PluginError, match="the reason"):
        plugin.create(kind, {**where, "create": "seq 1 50000; echo the reason >&2; exit 1"})


def _start(plugin: Plugin, kind: str, inputs: Properties, failures: list[str]) -> threading.Thread:
    """Create in the background; the error is appended to `failures`."""

    def create() -> None:
        try:
            plugin.create(kind, inputs)
        except PluginError as error:
            failures.append(str(error))

    thread = threading.Thread(target=create)
    thread.start()
    return thread


def test_cancelling_ends_the_command(
    own_plugin: Plugin, kind: str, where: Properties, tmp_path: Path, is_ours: bool
) -> None:
    """The project's plugin only; with the official one a remote command runs on."""
    if not is_ours:
        pytest.skip("the official plugin does not end a remote command; test the project's own")
    script = f"trap 'touch {tmp_path}/ended; exit' TERM; touch {tmp_path}/begun; sleep 60 & wait"
    failures: list[str] = []
    thread = _start(own_plugin, kind, {**where, "create": script}, failures)
    wait_until("the command begins", (tmp_path / "begun").exists, usual_s=MOMENT_S)
    own_plugin.cancel()
    thread.join(deadline_s(MOMENT_S))
    assert failures, "it was cut off: at its own end it succeeds"
    wait_until("the command ends", (tmp_path / "ended").exists, usual_s=MOMENT_S)


def test_a_command_that_will_not_end_is_killed(
    own_plugin: Plugin, kind: str, where: Properties, tmp_path: Path, is_ours: bool
) -> None:
    """The project's plugin only."""
    if not is_ours:
        pytest.skip("the official plugin does not end a remote command; test the project's own")
    script = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    failures: list[str] = []
    thread = _start(own_plugin, kind, {**where, "create": script}, failures)
    wait_until("the command begins", lambda: (tmp_path / "pid").exists(), usual_s=MOMENT_S)
    own_plugin.cancel()
    thread.join(deadline_s(TAKEOVER_S))
    assert failures
    pid = wait_until("a pid", (tmp_path / "pid").read_text, usual_s=MOMENT_S).strip()
    process = Path("/proc") / pid
    wait_until("the command is gone", lambda: not process.exists(), usual_s=TAKEOVER_S)


def test_a_timeout_ends_the_command(
    plugin: Plugin, kind: str, where: Properties, is_ours: bool
) -> None:
    """customTimeouts of the resource; for a remote command the project's plugin only."""
    if not is_ours and kind == REMOTE_COMMAND:
        pytest.skip("the official plugin waits for a remote command; test the project's own")
    # At its own end it would succeed.
    with pytest.raises(PluginError):
        plugin.create(kind, {**where, "create": "sleep 60"}, timeout=1)


def test_cancelling_ends_the_waiting_for_a_machine(own_plugin: Plugin, is_ours: bool) -> None:
    nowhere = {"host": "127.0.0.1", "port": 1, "dialErrorLimit": -1, "password": "x"}
    failures: list[str] = []
    inputs = {"connection": nowhere, "create": "true"}
    thread = _start(own_plugin, REMOTE_COMMAND, inputs, failures)
    # The official plugin logs nothing while it waits; then this cancels after a second of it.
    own_plugin.engine.wait_for_line("waiting for", deadline_s(MOMENT_S) if is_ours else 1)
    own_plugin.cancel()
    thread.join(deadline_s(MOMENT_S))
    assert failures


def test_losing_the_machine_is_an_error_that_says_so(
    plugin: Plugin, connection: Properties, is_ours: bool
) -> None:
    """The words are the project's plugin's."""
    inputs = {"connection": connection, "create": "kill -9 $PPID; sleep 60"}
    with pytest.raises(PluginError) as caught:
        plugin.create(REMOTE_COMMAND, inputs)
    assert not is_ours or "connection was lost" in str(caught.value)
