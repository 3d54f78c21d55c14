"""The plugin, the Python SDK and the engine together: what only the three of them decide."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.sshd import Sshd
from tests.support.waiting import MOMENT_S, WHOLE_S, wait_until
from toolchain import environment, stamp
from toolchain.versions import COMMAND

PASSWORD = "correct-horse-battery-staple"

PROGRAM = """
import os
import pulumi
from pulumi_command import remote

connection = remote.ConnectionArgs(
    host="127.0.0.1",
    port=int(os.environ["LAB_PORT"]),
    user=os.environ["LAB_USER"],
    private_key=open(os.environ["LAB_KEY"]).read(),
    host_key=os.environ["LAB_HOST_KEY"],
    dial_error_limit=0,
)
log = os.environ["LAB_LOG"]
remote.Command(
    "command",
    connection=connection,
    create=f"cat >/dev/null; echo create >> {log}",
    update=f"cat >/dev/null; echo update >> {log}",
    delete=f"cat >/dev/null; echo delete >> {log}",
    stdin=pulumi.Output.secret(os.environ["LAB_STDIN"]),
    triggers=[os.environ["LAB_TRIGGER"]],
    logging=remote.Logging.NONE,
)
"""


@dataclass(slots=True, kw_only=True)
class Stack:
    """A stack with one command, on a backend of its own."""

    directory: Path
    environ: dict[str, str]

    def pulumi(self, *arguments: str, **changes: str) -> str:
        """Run pulumi; its output. Fails the test if it fails."""
        result = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.directory,
            env={**self.environ, **changes},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def ran(self) -> list[str]:
        """The commands that have run so far."""
        return (self.directory / "log").read_text().split()


@pytest.fixture
def stack(tmp_path: Path, machine: Sshd, plugin_executable: Path) -> Stack:
    known = stamp.load()
    if known is None:
        pytest.fail("no Pulumi to test with: run toolchain/setup first")
    home = tmp_path / "home" / "plugins" / COMMAND.directory
    home.mkdir(parents=True)
    (home / COMMAND.executable).symlink_to(plugin_executable)
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: contract\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    environ = environment.apply(known.toolchain, os.environ) | {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "LAB_PORT": str(machine.port),
        "LAB_USER": machine.user,
        "LAB_KEY": str(machine.user_key),
        "LAB_HOST_KEY": machine.host_key,
        "LAB_LOG": str(tmp_path / "log"),
        "LAB_STDIN": PASSWORD,
        "LAB_TRIGGER": "one",
    }
    made = Stack(directory=tmp_path, environ=environ)
    made.pulumi("stack", "init", "test")
    return made


def test_commands_end_when_pulumi_is_killed(stack: Stack, is_ours: bool, tmp_path: Path) -> None:
    """The project's plugin only; the official one looks for the engine every five minutes."""
    if not is_ours:
        pytest.skip("the official plugin runs on; test the project's own")
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 300"
    program = PROGRAM.replace("cat >/dev/null; echo create >> {log}", script)
    (stack.directory / "__main__.py").write_text(program)
    up = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=stack.directory,
        env=stack.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until("the command begins", pid_file.exists, usual_s=WHOLE_S)
    finally:
        up.kill()
        up.wait()
    command = Path("/proc") / pid_file.read_text().strip()
    wait_until("the command has ended", lambda: not command.exists(), usual_s=MOMENT_S)


def test_a_life_from_create_to_delete(stack: Stack, machine: Sshd) -> None:
    up = ("up", "--yes", "--skip-preview")
    output = stack.pulumi(*up)
    assert stack.ran() == ["create"]
    stack.pulumi("preview", "--expect-no-changes")

    output += stack.pulumi(*up, LAB_STDIN=f"{PASSWORD}-2")
    assert stack.ran() == ["create", "update"], "a change of an input is an update in place"

    output += stack.pulumi(*up, LAB_STDIN=f"{PASSWORD}-2", LAB_TRIGGER="two")
    expected = ["create", "update", "create", "delete"]
    assert stack.ran() == expected, "a change of triggers replaces, new before old"

    output += stack.pulumi("stack", "export")
    output += stack.pulumi("destroy", "--yes", "--skip-preview")
    assert stack.ran() == [*expected, "delete"]

    key = machine.user_key.read_text().splitlines()[1]
    for secret in (PASSWORD, key):
        assert secret not in output
        for file in (stack.directory / "state").rglob("*"):
            assert not file.is_file() or secret not in file.read_text(), file
