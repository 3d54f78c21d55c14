"""An SSH server that asks for a password; OpenSSH could only check those of real users."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

import asyncssh

from tests.support.waiting import MOMENT_S, deadline_s


@dataclass(slots=True, kw_only=True)
class PasswordServer:
    """Answers every command with "ran: COMMAND". Use it as a context manager."""

    user: str
    password: str
    method: str
    """"password" or "keyboard-interactive"."""
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def __enter__(self) -> PasswordServer:
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.port = listening.result(deadline_s(MOMENT_S))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(deadline_s(MOMENT_S))
        self._loop.close()

    async def _listen(self) -> int:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Server(self),
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=_answer,
        )
        return acceptor.get_port()


class _Server(asyncssh.SSHServer):
    def __init__(self, settings: PasswordServer) -> None:
        self._settings = settings

    def password_auth_supported(self) -> bool:
        return self._settings.method == "password"

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._settings.user, self._settings.password)

    def kbdint_auth_supported(self) -> bool:
        return self._settings.method == "keyboard-interactive"

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        del username, lang, submethods
        return "", "", "", [("Password:", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return (username, list(responses)) == (self._settings.user, [self._settings.password])


def _answer(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write(f"ran: {process.command}\n")
    process.exit(0)
