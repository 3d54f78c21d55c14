"""Commands on machines over SSH, against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh
import pytest

from lab.errors import LabError
from lab.machines import COMMANDS_AT_ONCE, Machines

ADMINISTRATOR = asyncssh.generate_private_key("ssh-ed25519")
RUNNING: list[str] = []
MOST: list[int] = []
"""Commands that run on the server now, and how many ran each time that one began."""
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")


def text_of(key: asyncssh.SSHKey, *, public: bool = False) -> str:
    data = key.export_public_key() if public else key.export_private_key()
    return data.decode().strip()


@dataclass(frozen=True)
class Login:
    port: int
    address: str = "127.0.0.1"
    user: str = "lab"


class Server(asyncssh.SSHServer):
    """Lets the administrator's key in, nobody else."""

    def begin_auth(self, username: str) -> bool:
        return username == "lab"

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "lab" and key == ADMINISTRATOR.convert_to_public()


async def answer(process: asyncssh.SSHServerProcess[str]) -> None:
    """What a machine would do with a few commands."""
    command = process.command or ""
    if "busy" in command:
        RUNNING.append(command)
        MOST.append(len(RUNNING))
        await asyncio.sleep(0.05)
        RUNNING.remove(command)
        process.exit(0)
    elif "hang" in command:
        await asyncio.sleep(60)
    elif "fail" in command:
        process.stderr.write("no such thing\n")
        process.exit(4)
    elif "drop" in command:
        process.get_extra_info("connection").abort()
    else:
        process.stdout.write(f"{command}|{await process.stdin.read()}")
        process.exit(0)


@asynccontextmanager
async def machines(
    *, pinned: asyncssh.SSHKey = HOST_KEY, patience: int = 1
) -> AsyncIterator[Machines]:
    server = await asyncssh.create_server(
        Server, "127.0.0.1", 0, server_host_keys=[HOST_KEY], process_factory=answer
    )
    try:
        async with Machines(
            {"lb1": Login(server.get_port())},
            private_key=text_of(ADMINISTRATOR),
            host_keys={"lb1": text_of(pinned, public=True)},
            namespace=None,
            patience=patience,
        ) as made:
            yield made
    finally:
        server.close()


def test_a_script_runs_as_root_with_its_input() -> None:
    async def work() -> str:
        async with machines() as lab:
            return (await lab.run("lb1", "cat 'a b'", stdin="secret")).ok()

    assert asyncio.run(work()) == "sudo -n bash -c 'cat '\"'\"'a b'\"'\"''|secret"


def test_a_failure_says_machine_status_and_reason() -> None:
    async def work() -> None:
        async with machines() as lab:
            (await lab.run("lb1", "fail")).ok()

    with pytest.raises(LabError, match="lb1: the command ended with status 4: no such thing"):
        asyncio.run(work())


def test_a_machine_that_does_not_answer_in_time() -> None:
    async def work() -> None:
        async with machines() as lab:
            await lab.run("lb1", "hang", timeout_s=0.3)

    with pytest.raises(LabError, match=r"lb1 did not answer over SSH within 0\.3 s"):
        asyncio.run(work())


def test_emulated_machines_have_more_time_for_every_answer() -> None:
    async def work() -> None:
        async with machines(patience=3) as lab:
            await lab.run("lb1", "hang", timeout_s=0.1)

    with pytest.raises(LabError, match=r"within 0\.3 s"):
        asyncio.run(work())


def test_another_host_key_is_refused() -> None:
    async def work() -> None:
        async with machines(pinned=asyncssh.generate_private_key("ssh-ed25519")) as lab:
            await lab.run("lb1", "true")

    with pytest.raises(LabError, match="HostKeyNotVerifiable"):
        asyncio.run(work())


def test_a_connection_that_broke_is_made_again() -> None:
    async def work() -> str:
        async with machines() as lab:
            first = await lab.connection("lb1")
            assert await lab.connection("lb1") is first, "it is kept"
            # The server may end it before or after its status: both are a broken connection.
            with pytest.raises(LabError, match="lb1"):
                (await lab.run("lb1", "drop")).ok()
            return (await lab.run("lb1", "true")).ok()

    assert "true" in asyncio.run(work())


def test_a_machine_is_asked_only_so_much_at_once() -> None:
    """sshd refuses the eleventh session of a connection."""

    async def work() -> None:
        async with machines() as lab:
            await asyncio.gather(*(lab.run("lb1", "busy") for _ in range(30)))

    asyncio.run(work())
    assert len(MOST) == 30
    assert 1 < max(MOST) <= COMMANDS_AT_ONCE


def test_a_command_that_takes_too_long_does_not_end_the_others() -> None:
    async def work() -> int:
        async with machines() as lab:
            busy = asyncio.create_task(lab.run("lb1", "busy"))
            await asyncio.sleep(0)
            with pytest.raises(LabError):
                await lab.run("lb1", "hang", timeout_s=0.02)
            return (await busy).status

    assert asyncio.run(work()) == 0
