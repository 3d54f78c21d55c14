"""A real OpenSSH server on loopback with its own keys, port and configuration."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.waiting import MOMENT_S, deadline_s


def make_key(file: Path, *, kind: str = "ed25519", password: str = "") -> Path:
    """Make a key pair `file`, `file`.pub; gives `file`."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", password, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True)
    return file


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True, kw_only=True)
class Sshd:
    """An SSH server for the current user. Use it as a context manager."""

    directory: Path
    user_key: Path
    """The private key that may log in."""
    settings: tuple[str, ...] = ()
    """More lines of sshd_config; for a keyword that is there twice, these win."""
    port: int = field(default_factory=free_port)
    user: str = field(default_factory=lambda: pwd.getpwuid(os.getuid()).pw_name)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def host_key(self) -> str:
        """The public host key, as a line of authorized_keys."""
        return (self.directory / "host.pub").read_text().strip()

    def connection(self, **changes: Any) -> dict[str, Any]:
        """The `connection` input that reaches this server; a change of None leaves a key out."""
        values = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "privateKey": self.user_key.read_text(),
            "hostKey": self.host_key,
            "dialErrorLimit": 0,
            **changes,
        }
        return {key: value for key, value in values.items() if value is not None}

    def __enter__(self) -> Sshd:
        self.prepare()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def prepare(self) -> None:
        """Make the keys and the configuration, without starting."""
        self.directory.mkdir(parents=True, exist_ok=True)
        make_key(self.directory / "host")
        shutil.copy(self.user_key.with_suffix(".pub"), self.directory / "authorized_keys")
        lines = [
            *self.settings,
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.directory / 'host'}",
            f"AuthorizedKeysFile {self.directory / 'authorized_keys'}",
            "StrictModes no",
            "PermitRootLogin yes",
            "UsePAM no",
            "AcceptEnv LAB_* PULUMI_COMMAND_*",
            "PidFile none",
            "MaxStartups 100",
            "Subsystem sftp internal-sftp",
        ]
        (self.directory / "sshd_config").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start and wait until it answers."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or "sshd"
        log = self.directory / "log"
        config = str(self.directory / "sshd_config")
        self._process = subprocess.Popen([sshd, "-D", "-f", config, "-E", str(log)])
        deadline = time.monotonic() + deadline_s(MOMENT_S)
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"sshd does not answer; its log: {log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server; sessions that are open stay."""
        if self._process:
            self._process.terminate()
            self._process.wait(deadline_s(MOMENT_S))
            self._process = None


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
