"""Commands on the machines of a finished lab, over SSH with the stack's key and pinned host keys.

One connection a machine, kept open and made again when it broke: a command costs milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import asyncssh

from lab.errors import LabError
from lab.netns import inside

CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 30.0
COMMANDS_AT_ONCE = 6
"""On one connection. sshd refuses the eleventh session (MaxSessions 10), and streams need some."""


class Login(Protocol):
    """How to reach one machine."""

    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What a command on a machine gave."""

    machine: str
    status: int
    out: str
    err: str

    def ok(self) -> str:
        """Its standard output. Raises LabError where it failed."""
        if self.status != 0:
            said = (self.err.strip() or self.out.strip())[-2000:]
            msg = f"{self.machine}: the command ended with status {self.status}: {said}"
            raise LabError(msg)
        return self.out


class Machines:
    """The machines of one lab; use it as an async context, which closes the connections."""

    def __init__(
        self,
        logins: Mapping[str, Login],
        *,
        private_key: str,
        host_keys: Mapping[str, str],
        namespace: str | None,
        patience: int = 1,
    ) -> None:
        """`patience`: how many times longer every answer may take, as emulated machines need it."""
        self._logins = logins
        self._key = asyncssh.import_private_key(private_key)
        self._host_keys = host_keys
        self._namespace = namespace
        self._patience = patience
        self._open: dict[str, asyncssh.SSHClientConnection] = {}
        self._doubted: list[asyncssh.SSHClientConnection] = []
        self._locks = {name: asyncio.Lock() for name in logins}
        self._room = {name: asyncio.Semaphore(COMMANDS_AT_ONCE) for name in logins}

    async def __aenter__(self) -> Machines:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.forget(*self._open)
        for connection in self._doubted:
            connection.abort()

    def forget(self, *machines: str) -> None:
        """Close the connections to these machines: after a power cut they only cost a timeout."""
        for machine in machines:
            connection = self._open.pop(machine, None)
            if connection is not None:
                connection.abort()

    async def run(
        self, machine: str, script: str, *, timeout_s: float = COMMAND_TIMEOUT_S, stdin: str = ""
    ) -> Result:
        """Run a shell script as root. Raises LabError where the machine does not answer in time.

        The script is an argument of a shell and visible on the machine: secrets go in by `stdin`.
        """
        timeout_s *= self._patience
        try:
            async with asyncio.timeout(timeout_s), self._room[machine]:
                connection = await self.connection(machine)
                # An empty `input` would leave the command's standard input open.
                given = {"input": stdin} if stdin else {"stdin": asyncssh.DEVNULL}
                done = await connection.run(as_root(script), check=False, **given)
        except (OSError, asyncssh.Error, TimeoutError) as error:
            self._doubt(machine)
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            msg = f"{machine} did not answer over SSH within {timeout_s:g} s ({reason})"
            raise LabError(msg) from None
        if done.exit_status is None:
            # The connection ended before the command: the machine lost power, or was cut off.
            self._doubt(machine)
            msg = f"{machine} was lost while a command was running on it"
            raise LabError(msg)
        return Result(machine, done.exit_status, _text(done.stdout), _text(done.stderr))

    def _doubt(self, machine: str) -> None:
        """The next command gets a new connection; others may still be busy on this one."""
        connection = self._open.pop(machine, None)
        if connection is not None:
            self._doubted.append(connection)

    async def connection(self, machine: str) -> asyncssh.SSHClientConnection:
        """The open connection to a machine, for what must stream."""
        async with self._locks[machine]:
            connection = self._open.get(machine)
            if connection is None or connection.is_closed():
                connection = await self.connect(machine)
                self._open[machine] = connection
            return connection

    async def connect(self, machine: str) -> asyncssh.SSHClientConnection:
        """A new connection of the caller's own, who closes it; `forget` leaves it alone."""
        async with asyncio.timeout(CONNECT_TIMEOUT_S * self._patience):
            return await self._connect(machine)

    async def _connect(self, machine: str) -> asyncssh.SSHClientConnection:
        login = self._logins[machine]
        with inside(self._namespace):
            # A socket stays in the namespace in which it was made.
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            address = (login.address, login.port)
            await asyncio.get_running_loop().sock_connect(sock, address)
            pinned = asyncssh.import_known_hosts(f"pinned {self._host_keys[machine]}\n")
            return await asyncssh.connect(
                sock=sock,
                host="pinned",
                username=login.user,
                client_keys=[self._key],
                known_hosts=pinned,
                agent_path=None,
                config=None,
            )
        except BaseException:
            with contextlib.suppress(OSError):
                sock.close()
            raise


def as_root(script: str) -> str:
    """The command line that runs a script as root, whoever is logged in."""
    import shlex

    return f"sudo -n bash -c {shlex.quote(script)}"


def _text(data: object) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else str(data or "")
