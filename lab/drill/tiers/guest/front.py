"""usage: front.py FOLDER DELAY_S|never PORT... - what a drill puts between nginx and its pages.

For each port it accepts connections on FOLDER/late-PORT.sock and passes them on to
FOLDER/whole-PORT.sock after the delay; or never, and then says nothing at all.
"""

import asyncio
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path

NEVER = "never"
LINGER_S = 0.5
"""nginx takes up a configuration in its own time: for so long after the end, and for as long as
pages are on their way, connections are still passed on."""


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes, until the other side ends."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def there(whole: Path) -> Path:
    """nginx's socket, by the name that stays: at the end nginx deletes its own while its workers
    still use it."""
    link = whole.with_suffix(".kept")
    return link if link.exists() else whole


async def pass_on(
    whole: Path, delay: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection."""
    if delay == NEVER:
        # Until the client gives up.
        while await reader.read(65536):
            pass
        writer.close()
        return
    try:
        inner_reader, inner_writer = await asyncio.open_unix_connection(there(whole))
    except OSError:
        writer.close()
        return
    # The answer is late and not the request: nginx ends what it has taken on, and takes no more.
    request = asyncio.create_task(pipe(reader, inner_writer))
    await asyncio.sleep(float(delay))
    await pipe(inner_reader, writer)
    await request


def tell_systemd() -> None:
    """The sockets are there (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", "\0" + address[1:] if address[0] == "@" else address)


async def main(folder: Path, delay: str, ports: "list[str]") -> None:
    # nginx's workers are of another user.
    os.umask(0)
    servers = []
    for port in ports:
        late, whole = folder / f"late-{port}.sock", folder / f"whole-{port}.sock"
        late.unlink(missing_ok=True)
        servers.append(await asyncio.start_unix_server(partial(pass_on, whole, delay), late))
    tell_systemd()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    if delay != NEVER:
        await asyncio.sleep(LINGER_S + float(delay))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
