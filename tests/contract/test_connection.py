"""The `connection` input: who logs in and how, to which machine, waited for how long."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.password_server import PasswordServer
from tests.contract.plugin import REMOTE_COMMAND, Plugin, PluginError, Properties
from tests.contract.sshd import Sshd, free_port, make_key
from tests.support.waiting import MOMENT_S, deadline_s, wait_until


def _run(plugin: Plugin, connection: Properties, command: str = "echo here") -> str:
    state = plugin.create(REMOTE_COMMAND, {"connection": connection, "create": command})[1]
    return str(state["stdout"])


def _error(plugin: Plugin, connection: Properties) -> str:
    with pytest.raises(PluginError) as caught:
        _run(plugin, connection)
    return str(caught.value)


def test_a_private_key_logs_in(plugin: Plugin, machine: Sshd) -> None:
    assert _run(plugin, machine.connection(), "id -un") == machine.user


def test_an_encrypted_private_key_logs_in(plugin: Plugin, machine: Sshd, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    shutil.copy(machine.user_key, locked)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "opensesame", "-f", str(locked)], check=True
    )
    text = locked.read_text()
    connection = machine.connection(privateKey=text, privateKeyPassword="opensesame")
    assert _run(plugin, connection) == "here"
    wrong = _error(plugin, machine.connection(privateKey=text, privateKeyPassword="wrong"))
    assert "opensesame" not in wrong
    assert text.splitlines()[1] not in wrong


def test_a_private_key_that_is_none_is_refused_without_showing_it(
    plugin: Plugin, machine: Sshd
) -> None:
    assert "not a key" not in _error(plugin, machine.connection(privateKey="not a key"))


def test_a_key_that_the_server_does_not_know_is_refused(
    plugin: Plugin, machine: Sshd, tmp_path: Path
) -> None:
    stranger = make_key(tmp_path / "stranger").read_text()
    assert "unable to authenticate" in _error(plugin, machine.connection(privateKey=stranger))


@pytest.fixture
def agent(machine: Sshd, tmp_path: Path) -> Iterator[Path]:
    """The socket of an SSH agent that has the user's key."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        wait_until("the socket of ssh-agent", path.exists, usual_s=MOMENT_S)
        environ = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        subprocess.run(["ssh-add", "-q", str(machine.user_key)], env=environ, check=True)
        yield path
    finally:
        process.terminate()
        process.wait(deadline_s(MOMENT_S))


def test_an_agent_logs_in(plugin: Plugin, machine: Sshd, agent: Path) -> None:
    connection = machine.connection(privateKey=None, agentSocketPath=str(agent))
    assert _run(plugin, connection) == "here"


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_password_logs_in(plugin: Plugin, method: str, is_ours: bool) -> None:
    """For keyboard-interactive the project's plugin only; the official one crashes."""
    if method == "keyboard-interactive" and not is_ours:
        pytest.skip("the official plugin cannot answer questions; test the project's own")
    with PasswordServer(user="lab", password="opensesame", method=method) as server:
        connection = {"host": "127.0.0.1", "port": server.port, "user": "lab", "dialErrorLimit": 0}
        assert _run(plugin, {**connection, "password": "opensesame"}) == "ran: echo here"
        assert "guess" not in _error(plugin, {**connection, "password": "guess"})


def test_a_machine_with_another_host_key_is_refused(
    plugin: Plugin, machine: Sshd, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    connection = machine.connection(hostKey=other)
    inputs = {"connection": connection, "create": f"touch {tmp_path}/ran"}
    with pytest.raises(PluginError, match="host key mismatch"):
        plugin.create(REMOTE_COMMAND, inputs)
    assert not (tmp_path / "ran").exists()


def test_a_machine_without_the_expected_kind_of_host_key_is_refused(
    plugin: Plugin, machine: Sshd, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other", kind="ecdsa").with_suffix(".pub").read_text()
    assert "host key" in _error(plugin, machine.connection(hostKey=other))


def test_without_a_host_key_any_machine_is_accepted(plugin: Plugin, machine: Sshd) -> None:
    assert _run(plugin, machine.connection(hostKey=None)) == "here"


def test_the_pinned_key_is_asked_for_if_the_machine_has_several(
    plugin: Plugin, user_key: Path, tmp_path: Path, is_ours: bool
) -> None:
    """The project's plugin only; the official one gets the key that the server prefers."""
    if not is_ours:
        pytest.skip("the official plugin does not ask for the pinned kind; test the project's own")
    rsa = make_key(tmp_path / "rsa", kind="rsa")
    settings = (f"HostKey {rsa}",)
    with Sshd(directory=tmp_path / "sshd", user_key=user_key, settings=settings) as machine:
        for key in (machine.host_key, rsa.with_suffix(".pub").read_text()):
            assert _run(plugin, machine.connection(hostKey=key)) == "here"


@pytest.fixture(scope="module")
def bastion(
    tmp_path_factory: pytest.TempPathFactory, user_key: Path, machine: Sshd
) -> Iterator[Sshd]:
    """A proxy that lets through to the machine and to nothing else."""
    settings = (f"PermitOpen 127.0.0.1:{machine.port}", "ForceCommand false")
    directory = tmp_path_factory.mktemp("bastion")
    with Sshd(directory=directory, user_key=user_key, settings=settings) as running:
        yield running


def test_a_proxy_leads_to_the_machine(plugin: Plugin, machine: Sshd, bastion: Sshd) -> None:
    command = 'echo "${SSH_CONNECTION##* }"'
    connection = machine.connection(proxy=bastion.connection())
    assert _run(plugin, connection, command) == str(machine.port)


def test_a_proxy_is_really_used(
    plugin: Plugin, bastion: Sshd, user_key: Path, tmp_path: Path
) -> None:
    with Sshd(directory=tmp_path / "forbidden", user_key=user_key) as forbidden:
        assert _run(plugin, forbidden.connection()) == "here"
        text = _error(plugin, forbidden.connection(proxy=bastion.connection()))
    assert "prohibited" in text


def test_a_proxy_with_another_host_key_is_refused(
    plugin: Plugin, machine: Sshd, bastion: Sshd
) -> None:
    proxy = bastion.connection(hostKey=machine.host_key)
    assert "host key mismatch" in _error(plugin, machine.connection(proxy=proxy))


@dataclass
class Unwilling:
    """A port that accepts every connection and closes it."""

    port: int
    dials: int = 0


@pytest.fixture
def unwilling() -> Iterator[Unwilling]:
    """Counts who dials it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Unwilling(listener.getsockname()[1])

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener is closed at the end
                while True:
                    connection, _ = listener.accept()
                    made.dials += 1
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


def test_a_port_that_nobody_listens_on_is_named_as_such(plugin: Plugin, machine: Sshd) -> None:
    text = _error(plugin, machine.connection(port=free_port(), dialErrorLimit=0))
    assert "connection refused" in text


def test_a_dial_limit_of_zero_gives_up_at_once(
    plugin: Plugin, machine: Sshd, unwilling: Unwilling
) -> None:
    _error(plugin, machine.connection(port=unwilling.port, dialErrorLimit=0))
    assert unwilling.dials == 1


def test_a_dial_limit_waits_and_then_gives_up(
    plugin: Plugin, machine: Sshd, unwilling: Unwilling
) -> None:
    """Three retries: at least 0.1 + 0.15 + 0.225 s, which both plugins wait."""
    start = time.monotonic()
    _error(plugin, machine.connection(port=unwilling.port, dialErrorLimit=3))
    assert time.monotonic() - start > 0.4
    assert unwilling.dials >= 4


def test_an_unlimited_dial_waits_for_the_machine(
    plugin: Plugin, user_key: Path, tmp_path: Path, is_ours: bool
) -> None:
    """That it says whom it waits for, and why, is the project's plugin only."""
    late = Sshd(directory=tmp_path / "late", user_key=user_key)
    late.prepare()

    def start_when_missed() -> None:
        seen = plugin.engine.wait_for_line("waiting for", deadline_s(MOMENT_S) if is_ours else 1)
        assert seen or not is_ours
        late.start()

    starter = threading.Thread(target=start_when_missed)
    starter.start()
    try:
        assert _run(plugin, late.connection(dialErrorLimit=-1)) == "here"
        starter.join()
        if is_ours:
            waiting = next(line for line in plugin.engine.lines if "waiting for" in line)
            assert f"127.0.0.1:{late.port}" in waiting
            assert "connection refused" in waiting
    finally:
        starter.join()
        late.stop()


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that accepts connections and says nothing, as a machine does that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_dial_times_out_on_a_machine_that_says_nothing(
    plugin: Plugin, machine: Sshd, mute: int, is_ours: bool
) -> None:
    """The project's plugin only; the official one's timeout covers the TCP connection only."""
    if not is_ours:
        pytest.skip("the official plugin would wait for ever; test the project's own")
    text = _error(plugin, machine.connection(port=mute, perDialTimeout=1))
    assert re.search("no answer within 1s", text)
