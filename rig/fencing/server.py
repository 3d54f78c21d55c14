"""The fence service itself: callers that hold the rig's key cut and give power of its machines.

It listens on the rig's gateway address, inside the rig's network namespace; the process itself
stays in the host's, because starting a machine needs the host's view of cgroups and namespaces.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from images.spec import ImageError
from rig import lifecycle, network, state
from rig.fencing import requests
from rig.fencing.guest.agent import PORT, FenceError, read_key
from rig.fencing.requests import Answer, RefusedError, Request
from rig.model import Rig, RigError

_log = logging.getLogger("rig.fencing")
REQUEST_DEADLINE_S = 3.0
"""A caller that has not sent its request by then is disconnected."""
CALLERS = 64
"""At the same time; more are disconnected at once."""
PATIENCE_S = 20.0
"""So long a request waits for another change of the rig; the agents wait a little longer. What was
given up must not happen later, when the machine may be back and well."""


class FenceService:
    """Answers callers: `do` is called, in a thread, for each request of who holds the key."""

    def __init__(self, key_file: Path, do: Callable[[Request], Answer]) -> None:
        self._key_file = key_file
        self._do = do
        self._callers = 0
        self._workers = ThreadPoolExecutor(max_workers=CALLERS)

    async def serve(self, listener: socket.socket) -> None:
        """Answer until cancelled."""
        limit = requests.MAX_REQUEST
        server = await asyncio.start_server(self._connected, sock=listener, limit=limit)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._callers >= CALLERS:
            writer.transport.abort()
            return
        self._callers += 1
        try:
            await self._converse(reader, writer)
        except OSError as problem:
            _log.info("a caller is gone: %s", problem)
        finally:
            self._callers -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonce = secrets.token_hex(32)
        peer = str(writer.get_extra_info("peername", ("?",))[0])
        try:
            # Read at each request: a key that was changed holds from then on.
            key = read_key(str(self._key_file))
            writer.write(requests.greeting(nonce))
            line = await asyncio.wait_for(reader.readline(), REQUEST_DEADLINE_S)
            request = requests.proven(line, key=key, nonce=nonce)
        except (RefusedError, FenceError, ValueError, TimeoutError) as problem:
            reason = problem if isinstance(problem, RefusedError) else RefusedError("not a request")
            _log.warning("refused %s: %s", peer, str(problem) or "nothing was asked in time")
            writer.write(requests.refused(reason))
            await writer.drain()
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._workers, self._do, request)
        _log.log(
            logging.INFO if request.action in ("status", "list") else logging.WARNING,
            "%s %s for %s: %s",
            request.action,
            request.machine,
            peer,
            answer.error or answer.power,
        )
        writer.write(requests.answered(answer, key=key, request=request))
        await writer.drain()


def answer_to(name: str, request: Request) -> Answer:
    """Do what a proven request asks of the rig called `name`; problems are part of the answer."""
    try:
        rig = state.load(name)
        if request.action == "list":
            powers = tuple(
                (machine, power) for machine, (power, _) in lifecycle.status(rig).items()
            )
            return Answer(machines=powers)
        return Answer(power=_changed(rig, request))
    except (RigError, ImageError, OSError) as problem:
        return Answer(error=f"{request.action} {request.machine}: {problem}")


def _changed(rig: Rig, request: Request) -> str:
    """The machine's power after the action. Raises RigError where it is not as asked for."""
    machine = rig.machine(request.machine).name
    before = lifecycle.power(rig, machine)
    if request.action == "status":
        return before
    if request.action == "on":
        lifecycle.start(rig.name, machine, patience=PATIENCE_S)
        return lifecycle.power(rig, machine)
    # What is off stays off when it is rebooted, as with fence_virt: a drill's power cut lasts.
    if before != "off":
        lifecycle.power_off(rig.name, machine, patience=PATIENCE_S)
        if request.action == "reboot":
            _power_on_again(rig, machine)
    return "off" if request.action == "off" else lifecycle.power(rig, machine)


def _power_on_again(rig: Rig, machine: str) -> None:
    """A cluster waits for the power cut, which is done: that it does not start is no failure."""
    try:
        lifecycle.start(rig.name, machine, patience=PATIENCE_S)
    except (RigError, OSError) as problem:
        _log.error("%s was cut off but does not start again: %s", machine, problem)


def listener(rig: Rig) -> socket.socket:
    """A listening socket on the rig's gateway address, in the rig's network namespace.

    The calling thread stays in that namespace: call it in a thread of its own.
    """
    network.enter(rig.namespace)
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((rig.gateway, PORT))
    made.listen(CALLERS)
    return made


def run(name: str, key_file: Path) -> None:
    """Serve the rig called `name` until this process is ended. Raises RigError."""
    rig = state.load(name)
    with ThreadPoolExecutor(max_workers=1) as apart:
        try:
            socket_ = apart.submit(listener, rig).result()
        except OSError as problem:
            raise RigError(
                f"the fence service cannot listen on {rig.gateway}:{PORT}: {problem}"
            ) from None
    _log.warning("fence service of rig %s on %s:%d", name, rig.gateway, PORT)
    service = FenceService(key_file, lambda request: answer_to(name, request))
    asyncio.run(service.serve(socket_))
