"""The edge to the Pulumi command line: one stack, its environment, its network namespace."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.locks import advice, current_backend, locks_of, remove_stale_locks
from lab.stack_file import PROJECT, ROOT, files_with_secrets
from lab.terminal import note, warn

STATE = ROOT / ".state"
PASSPHRASE = STATE / "passphrase"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulumiCli:
    """`pulumi` for one stack."""

    stack: str
    prefix: tuple[str, ...] = ()
    """Words before `pulumi`, e.g. `ip netns exec NAME`: from where the machines are reached."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where Pulumi runs: the clone."""
        return ROOT

    def argv(self, *words: str) -> list[str]:
        return [*self.prefix, "pulumi", *words, "--stack", self.stack]

    def run(self, *words: str) -> int:
        """Run with the terminal; the exit status is Pulumi's."""
        backend = current_backend(self.environ())
        for lock in remove_stale_locks(backend, self.stack):
            note(f"removed the lock of a Pulumi that is gone ({lock.name})")
        status = subprocess.run(
            self.argv(*words), cwd=self.folder, env=self.environ(), check=False
        ).returncode
        # Pulumi's own advice, `pulumi cancel`, is for the selected stack, which may be another.
        if status != 0 and (held := advice(self.stack, locks_of(backend, self.stack))):
            warn(held)
        return status

    def read(self, *words: str, stdin: str = "") -> str:
        """Standard output of a quiet call. Raises LabError with what Pulumi said."""
        done = subprocess.run(
            self.argv(*words, "--non-interactive"),
            cwd=self.folder,
            env=self.environ(),
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(explain(f"pulumi {' '.join(words)}", self.stack, done.stderr.strip()))
        return done.stdout

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs. With `secrets` those are in clear: never print them whole."""
        # Without, Pulumi derives no key of the passphrase, which takes a quarter of a second.
        text = self.read("stack", "output", "--json", *(["--show-secrets"] if secrets else []))
        loaded: dict[str, Any] = json.loads(text)
        return loaded

    def environ(self) -> dict[str, str]:
        """The environment of every run."""
        return {**os.environ, **default_environment(), **self.environment}


def explain(command: str, stack: str, said: str) -> str:
    """What Pulumi said when it failed, and what to do where that is known."""
    message = f"`{command}` failed for stack {stack}:\n{said}"
    if "incorrect passphrase" in said:
        message += (
            f"\nThe secrets in stacks/Pulumi.{stack}.yaml were made with another passphrase than"
            " .state/passphrase. Bring that file back; or remove `encryptionsalt` and"
            f" `{PROJECT}:secrets` from the stack file: new ones are made, and the machines anew."
        )
    return message


def default_environment() -> dict[str, str]:
    """Backend and passphrase of the clone where the user has chosen none."""
    env = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    if "PULUMI_BACKEND_URL" not in os.environ:
        env["PULUMI_BACKEND_URL"] = f"file://{STATE / 'backend'}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ):
        env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(PASSPHRASE)
    return env


def ensure_state() -> None:
    """The backend's directory and the passphrase file (0600), made once.

    Raises LabError where a stack file has secrets of a passphrase that is gone: with a new one
    nobody could ever read them.
    """
    (STATE / "backend").mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o700)
    if PASSPHRASE.exists():
        return
    environment = {**default_environment(), **os.environ}
    is_used = environment.get("PULUMI_CONFIG_PASSPHRASE_FILE") == str(PASSPHRASE)
    if is_used and "PULUMI_CONFIG_PASSPHRASE" not in environment and (held := files_with_secrets()):
        shown = ", ".join(str(path.relative_to(ROOT)) for path in held)
        msg = (
            f"{PASSPHRASE.relative_to(ROOT)} is gone, and {shown} holds secrets made with it."
            f" Bring the file back; or remove `encryptionsalt` and `{PROJECT}:secrets` there:"
            " new ones are made, and virtual machines anew."
        )
        raise LabError(msg)
    write_private(PASSPHRASE, secrets.token_urlsafe(32))


@contextmanager
def alone() -> Iterator[None]:
    """Only one set-up at a time in this clone; the second one waits."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, from its first byte on; whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
