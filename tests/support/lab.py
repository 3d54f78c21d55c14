"""A lab under test: its stack file, its state and the `lab` command, apart from the user's own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.stack_file import PROJECT, ROOT, path_of

COMMAND_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Done:
    """What a command gave."""

    status: int
    text: str
    """Standard output and error together."""

    def ok(self) -> Done:
        """This result; fails with the end of the text where the command failed."""
        assert self.status == 0, f"ended with {self.status}:\n{self.text[-6000:]}"
        return self


@dataclass
class LabUnderTest:
    """One stack named `test-...`; every command runs as a user would run it."""

    stack: str
    state: Path
    """Directory for Pulumi's backend and passphrase of this test alone."""
    namespace: str | None = None
    """Network namespace in which the lab's machines are reached."""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.stack.startswith("test-"), "only stacks of tests are made and destroyed here"
        (self.state / "backend").mkdir(parents=True, exist_ok=True)
        passphrase = self.state / "passphrase"
        if not passphrase.exists():
            passphrase.write_text(secrets.token_urlsafe(16))
        self.environment = {
            "PULUMI_BACKEND_URL": f"file://{self.state / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            **self.environment,
        }

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lab", *words]

    def lab(self, *words: str) -> Done:
        """Run `lab WORDS` to its end."""
        done = subprocess.run(
            self.argv(*words),
            cwd=ROOT,
            env=self.env,
            text=True,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_TIMEOUT_S,
        )
        return Done(done.returncode, done.stdout)

    def up(self) -> Done:
        return self.lab("up", self.stack)

    def preview_clean(self) -> Done:
        """A preview that fails when anything would change."""
        return self.lab("preview", self.stack, "--expect-no-changes")

    def down(self) -> Done:
        return self.lab("down", self.stack)

    def start_up(self) -> subprocess.Popen[str]:
        """`lab up` in a process group of its own, to be killed in the middle."""
        return subprocess.Popen(
            self.argv("up", self.stack),
            cwd=ROOT,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @staticmethod
    def kill(process: subprocess.Popen[str]) -> None:
        """End the whole process group at once, as a crash or a closed laptop would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def outputs(self) -> dict[str, Any]:
        text = self.lab("outputs", self.stack, "--json").ok().text
        loaded: dict[str, Any] = json.loads(text[text.index("{") :])
        return loaded

    def check(self) -> tuple[int, dict[str, Any]]:
        """Exit status and report of `lab check`."""
        done = self.lab("check", self.stack, "--json")
        text = done.text[done.text.index("{") : done.text.rindex("}") + 1]
        report: dict[str, Any] = json.loads(text)
        return done.status, report

    def audited(self) -> dict[str, str]:
        """By audit, what `lab check` finds."""
        _, report = self.check()
        return {audit["audit"]: audit["outcome"] for audit in report["audits"]}

    def all_pass(self, *expected: str) -> bool:
        """Whether every audit of `lab check` passes, these among them; fails with what it says of
        those that do not."""
        _, report = self.check()
        wrong = [
            f"{audit['audit']}: {audit['outcome']}: {audit['detail']}"
            for audit in report["audits"]
            if audit["outcome"] != "pass"
        ]
        assert not wrong, "\n".join(wrong)
        # What is not there cannot fail.
        missing = set(expected) - {audit["audit"] for audit in report["audits"]}
        assert not missing, f"lab check does not look at {sorted(missing)}"
        return True

    # -- the stack file ---------------------------------------------------------------------------

    @property
    def file(self) -> Path:
        return path_of(self.stack)

    def write(self, settings: dict[str, Any]) -> None:
        """A new stack file with these settings."""
        config = {f"{PROJECT}:{key}": value for key, value in settings.items()}
        self.file.write_text(yaml.safe_dump({"config": config}))

    def change(self, key: str, value: object) -> None:
        """Set one top-level setting; None removes it."""
        content = yaml.safe_load(self.file.read_text())
        name = f"{PROJECT}:{key}"
        if value is None:
            content["config"].pop(name, None)
        else:
            content["config"][name] = value
        self.file.write_text(yaml.safe_dump(content))

    def forget(self) -> None:
        """Remove the stack file and what set-up remembers of it."""
        self.file.unlink(missing_ok=True)
        (ROOT / ".state" / f"{self.stack}.setup").unlink(missing_ok=True)
        # A drill that was killed in a run before this one broke another lab of this name.
        shutil.rmtree(ROOT / ".state" / "drills" / self.stack, ignore_errors=True)
