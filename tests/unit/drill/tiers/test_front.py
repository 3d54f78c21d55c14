"""The front that makes pages late: the configuration, and the process behind it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.app_server import AppServerArgs, app_server_files
from components.app_server.render import CONFIG_PATH
from lab.drill.tiers import front, guests
from lab.drill.tiers.front import ports_of, with_front
from lab.errors import LabError
from tests.support.waiting import MOMENT_S, deadline_s, wait_until

CONF = next(
    f.content for f in app_server_files(AppServerArgs(name="app1")) if f.path == CONFIG_PATH
)
PORTS = ("8080", "3000", "8081", "8082")
PROGRAM = Path(guests.__file__).parent / "guest" / "front.py"


def test_the_ports_are_those_of_the_courses_web_server() -> None:
    assert ports_of(CONF) == PORTS


def test_every_port_gets_a_front_and_its_server_a_socket() -> None:
    conf = with_front(CONF)
    for port in PORTS:
        assert conf.count(f"listen {port} default_server;") == 1
        assert conf.count(f"listen unix:{front.FOLDER}/whole-{port}.sock default_server;") == 1
        assert conf.count(f"proxy_pass http://unix:{front.FOLDER}/whole-{port}.sock;") == 1
        assert conf.count(f"proxy_pass http://unix:{front.FOLDER}/late-{port}.sock;") == 1
    assert conf.count("{") == conf.count("}")
    assert conf.count("proxy_hide_header X-Served-By;") == len(PORTS), "it would be said twice"


def test_nothing_else_of_the_configuration_changes() -> None:
    kept = with_front(CONF).splitlines()
    lost = [line for line in CONF.splitlines() if line not in kept]
    assert lost == []


def test_a_configuration_that_has_its_front_gets_no_second_one_inside() -> None:
    once = with_front(CONF)
    assert ports_of(once) == PORTS, "the inner servers listen on no port any more"


@pytest.mark.parametrize("conf", ["", "http {\n    server {\n        listen 80;\n    }\n}\n"])
def test_another_web_server_is_refused(conf: str) -> None:
    with pytest.raises(LabError, match="not that of the course's web server"):
        with_front(conf)


@contextmanager
def running(folder: Path, delay: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(PROGRAM), str(folder), delay, "8080"])
    try:
        wait_until("its socket", (folder / "late-8080.sock").exists, usual_s=MOMENT_S)
        yield process
    finally:
        process.kill()
        process.wait()


async def upstream(folder: Path) -> asyncio.Server:
    """What nginx is in the lab: says `page` to whoever asks."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"page\n")
        writer.close()

    return await asyncio.start_unix_server(answer, folder / "whole-8080.sock")


async def ask(folder: Path, *, timeout_s: float = 30.0) -> bytes:
    reader, writer = await asyncio.open_unix_connection(folder / "late-8080.sock")
    try:
        writer.write(b"GET\n")
        async with asyncio.timeout(timeout_s):
            return await reader.read()
    finally:
        writer.close()


def test_a_slow_front_gives_the_page_after_its_delay(tmp_path: Path) -> None:
    async def main() -> None:
        await upstream(tmp_path)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await ask(tmp_path) == b"page\n"
        assert loop.time() - begun >= 0.2

    with running(tmp_path, "0.2"):
        asyncio.run(main())


def test_pages_on_their_way_arrive_when_it_ends_and_nginx_has_taken_its_socket_away(
    tmp_path: Path,
) -> None:
    async def main(process: subprocess.Popen[bytes]) -> None:
        await upstream(tmp_path)
        assert await ask(tmp_path) == b"page\n"
        # As front-up.sh does, and then nginx.
        (tmp_path / "whole-8080.kept").hardlink_to(tmp_path / "whole-8080.sock")
        (tmp_path / "whole-8080.sock").unlink()
        process.terminate()
        assert await ask(tmp_path) == b"page\n"

    with running(tmp_path, "0.2") as process:
        asyncio.run(main(process))
        assert process.wait(deadline_s(MOMENT_S)) == 0


def test_a_hanging_front_says_nothing_and_ends_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        await upstream(tmp_path)
        with pytest.raises(TimeoutError):
            await ask(tmp_path, timeout_s=0.5)

    with running(tmp_path, "never") as process:
        asyncio.run(main())
        process.terminate()
        assert process.wait(deadline_s(MOMENT_S)) == 0


def test_programs_for_the_machines_need_nothing_newer_than_python_3_9() -> None:
    import ast

    for path in PROGRAM.parent.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))


@pytest.mark.parametrize("path", sorted(PROGRAM.parent.glob("*.sh")), ids=lambda p: p.name)
def test_scripts_for_the_machines_are_valid(path: Path) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
