"""Fixtures: the plugin to test, and a machine (an sshd on loopback) for it to act on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.plugin import Plugin, Properties
from tests.contract.sshd import Sshd, make_key
from toolchain import stamp
from toolchain.versions import COMMAND

CHOSEN = "HALAB_COMMAND_PLUGIN"


@pytest.fixture(scope="session")
def plugin_executable() -> Path:
    """The executable in HALAB_COMMAND_PLUGIN; else the one that toolchain/setup has got."""
    if chosen := os.environ.get(CHOSEN):
        return Path(chosen)
    known = stamp.load()
    if known is None:
        pytest.fail(f"no plugin to test: run toolchain/setup first, or set {CHOSEN}")
    home = known.toolchain.pulumi_home or known.toolchain.user_home
    return home / "plugins" / COMMAND.directory / COMMAND.executable


@pytest.fixture(scope="session")
def is_ours(plugin_executable: Path) -> bool:
    """Whether the plugin is the project's own, which improves on the official one in places."""
    return b"ha-lab/toolchain/command-plugin" in plugin_executable.read_bytes()


@pytest.fixture(scope="session")
def plugin_process(plugin_executable: Path) -> Iterator[Plugin]:
    with Plugin(plugin_executable, _environ()) as running:
        yield running


@pytest.fixture
def plugin(plugin_process: Plugin) -> Plugin:
    """A running plugin whose log is empty."""
    plugin_process.engine.lines.clear()
    return plugin_process


@pytest.fixture
def own_plugin(plugin_executable: Path) -> Iterator[Plugin]:
    """A plugin for this test alone, because the test cancels it."""
    with Plugin(plugin_executable, _environ()) as running:
        yield running


def _environ() -> dict[str, str]:
    """The environment of a plugin: without the user's own SSH agent, which might log in too."""
    return {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}


@pytest.fixture(scope="session")
def user_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key of the user who logs in."""
    return make_key(tmp_path_factory.mktemp("user") / "key")


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, user_key: Path) -> Iterator[Sshd]:
    """The machine that commands run on; in truth this one, by SSH."""
    if not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.fail("sshd is not installed: toolchain/setup system-test")
    with Sshd(directory=tmp_path_factory.mktemp("machine"), user_key=user_key) as running:
        yield running


@pytest.fixture
def connection(machine: Sshd) -> Properties:
    """The input that reaches the machine."""
    return machine.connection()
