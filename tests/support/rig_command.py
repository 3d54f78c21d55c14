"""Real rigs, made by the command line as a user does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CIDR = "10.99.0.0/24"


@dataclass(frozen=True, slots=True, kw_only=True)
class RigCommand:
    """`python -m rig` for one rig. `environment` replaces the caller's."""

    name: str
    key: Path
    environment: dict[str, str]

    def run(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Words from "--" on are a command that the rig runs."""
        split = words.index("--") if "--" in words else len(words)
        command = [sys.executable, "-m", "rig", verb, *words[:split], "--name", self.name]
        return subprocess.run(
            [*command, *words[split:]],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def __call__(self, verb: str, *words: str) -> str:
        """What it prints; it must succeed."""
        done = self.run(verb, *words)
        assert done.returncode == 0, f"rig {verb} {words}: {done.stderr}"
        return done.stdout

    def inside(self, machine: str, command: str) -> str:
        """What a command prints that root runs in a machine, without SSH."""
        return self("exec", machine, "--", *shlex.split(command))

    def up(self, *words: str) -> None:
        self("up", *words, "--authorized-key", f"{self.key}.pub")

    def machine(self, name: str) -> dict[str, Any]:
        machines: list[dict[str, Any]] = json.loads(self("list", "--json"))["machines"]
        return next(m for m in machines if m["name"] == name)

    def ssh(self, name: str, command: str) -> subprocess.CompletedProcess[str]:
        """A command over SSH, accepting only the host key that the rig shows."""
        machine = self.machine(name)
        known = self.key.with_suffix(".known")
        known.write_text(f"{machine['address']} {machine['host_key']}\n")
        options = [
            "-i",
            str(self.key),
            "-o",
            f"UserKnownHostsFile={known}",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=30",
            "-o",
            "StrictHostKeyChecking=yes",
        ]
        login = f"{machine['user']}@{machine['address']}"
        return subprocess.run(
            ["ip", "netns", "exec", f"ha-lab-rig-{self.name}", "ssh", *options, login, command],
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="session")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def make_rig(private_key: Path) -> Iterator[Callable[[str], RigCommand]]:
    """Gives rigs by a short suffix (a rig's name has at most 15 characters); all are removed at the
    end of the module."""
    if os.geteuid() != 0:
        pytest.skip("needs root: rigs are made of namespaces and mounts")
    made: list[RigCommand] = []

    def make(suffix: str) -> RigCommand:
        rig = RigCommand(name=f"test-{suffix}", key=private_key, environment=dict(os.environ))
        made.append(rig)
        return rig

    yield make
    for rig in made:
        rig("down")
