"""The program of `lab watch` on the machines: what it reads there, and that it ends."""

from __future__ import annotations

import ast
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import load_balancer
from components.load_balancer import nginx as nginx_files
from lab.watch.guest import observe
from lab.watch.sights import OBSERVER
from tests.support.waiting import MOMENT_S, deadline_s

Patch = pytest.MonkeyPatch
FIB_TRIE = """\
Main:
  +-- 10.16.1.0/24 2 0 2
     |-- 10.16.1.11
        /32 host LOCAL
     |-- 10.16.1.100
        /32 host LOCAL
     |-- 10.16.1.200
        /32 link UNICAST
"""
STAT = """\
# pxname,svname,scur,status,bck,
http_back,FRONTEND,4,OPEN,,
http_back,app1,3,UP,0,
http_back,app3,,UP 1/2,1,
http_back,BACKEND,3,UP,0,

"""


class TestAddress:
    """Whether the VIP is on this machine."""

    @pytest.mark.parametrize(
        ("address", "expected"),
        [("10.16.1.100", True), ("10.16.1.10", False), ("10.16.1.200", False)],
    )
    def test_only_an_address_of_its_own_counts(
        self, tmp_path: Path, monkeypatch: Patch, address: str, *, expected: bool
    ) -> None:
        (tmp_path / "fib_trie").write_text(FIB_TRIE)
        monkeypatch.setattr(observe, "ROUTES", tmp_path / "fib_trie")

        assert observe.has_address(address) is expected

    def test_the_kernels_own_table_is_understood(self) -> None:
        assert observe.has_address("127.0.0.1")
        assert not observe.has_address("192.0.2.77")


@pytest.fixture
def haproxy(tmp_path: Path, monkeypatch: Patch) -> Iterator[list[bytes]]:
    """An admin socket that answers `show stat` once; what it was asked."""
    asked: list[bytes] = []
    path = tmp_path / "admin.sock"
    monkeypatch.setattr(observe, "HAPROXY", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(1000))
                connection.sendall(STAT.encode())

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield asked
        thread.join(deadline_s(MOMENT_S))


class TestServers:
    """What HAProxy says."""

    def test_servers_without_front_ends_and_totals(self, haproxy: list[bytes]) -> None:
        assert observe.servers() == [
            {"backend": "http_back", "name": "app1", "status": "UP", "backup": False,
             "sessions": 3},
            {"backend": "http_back", "name": "app3", "status": "UP 1/2", "backup": True,
             "sessions": 0},
        ]  # fmt: skip
        assert haproxy == [b"show stat\n"]

    def test_a_machine_without_haproxy(self, tmp_path: Path, monkeypatch: Patch) -> None:
        monkeypatch.setattr(observe, "HAPROXY", tmp_path / "none")

        assert observe.servers() is None

    def test_a_haproxy_that_is_dead_or_hangs(self, tmp_path: Path, monkeypatch: Patch) -> None:
        path = tmp_path / "admin.sock"
        monkeypatch.setattr(observe, "HAPROXY", path)
        monkeypatch.setattr(observe, "ANSWER_S", 0.05)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            assert "refused" in str(observe.servers())
            listener.listen()
            assert "timed out" in str(observe.servers())


@pytest.fixture
def nginx(tmp_path: Path, monkeypatch: Patch) -> Iterator[socket.socket]:
    """The program that a load balancer with nginx has; app1 listens, app3's port is closed."""
    source = Path(load_balancer.__file__).parent / "templates" / "nginx-lb-servers"
    known = tmp_path / "servers.json"
    program = tmp_path / "nginx-lb-servers"
    program.write_text(source.read_text().replace(nginx_files.SERVERS_PATH, str(known)))
    monkeypatch.setattr(observe, "NGINX", program)
    observe.looker.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = {"app1": listener.getsockname()[1], "app3": closed.getsockname()[1]}
        rows = [
            {"backend": "http_back", "name": name, "address": "127.0.0.1", "port": port,
             "weight": 1, "backup": name == "app3"}
            for name, port in ports.items()
        ]  # fmt: skip
        known.write_text(json.dumps(rows))
        yield listener
    observe.looker.cache_clear()


class TestNginx:
    """What accepts connections from a machine whose load balancer is nginx."""

    def test_servers_that_accept_are_up(self, nginx: socket.socket) -> None:
        del nginx
        assert observe.nginx_servers() == [
            {"backend": "http_back", "name": "app1", "status": "UP", "backup": False,
             "sessions": None},
            {"backend": "http_back", "name": "app3", "status": "DOWN", "backup": True,
             "sessions": None},
        ]  # fmt: skip

    def test_a_list_that_cannot_be_read_is_said(self, nginx: socket.socket, tmp_path: Path) -> None:
        del nginx
        (tmp_path / "servers.json").write_text("{")
        assert "nginx's servers cannot be asked" in str(observe.nginx_servers())

    def test_a_machine_without_it(self, tmp_path: Path, monkeypatch: Patch) -> None:
        monkeypatch.setattr(observe, "NGINX", tmp_path / "none")
        assert observe.nginx_servers() is None


class TestUnits:
    """What must run here, and whether it does."""

    def test_those_that_were_applied_as_running(self, tmp_path: Path, monkeypatch: Patch) -> None:
        monkeypatch.setattr(observe, "RECORDS", tmp_path)
        (tmp_path / "web.json").write_text(
            json.dumps({"units": {"nginx.service": True, "apt-daily.timer": False}})
        )
        (tmp_path / "base.json").write_text(json.dumps({"units": {"chrony.service": True}}))
        (tmp_path / "damaged.json").write_text("{")
        (tmp_path / "web.unfinished").touch()
        tool = tmp_path / "systemctl"
        tool.write_text("#!/bin/sh\necho active\necho\necho failed\n")
        tool.chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        assert observe.units() == {"chrony": "active", "nginx": "failed"}

    def test_a_machine_on_which_nothing_was_applied(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        monkeypatch.setattr(observe, "RECORDS", tmp_path / "none")

        assert observe.units() == {}


class TestProgram:
    """As it runs on a machine."""

    def test_it_says_a_line_at_once_and_ends_when_nobody_listens(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-", "127.0.0.1", "haproxy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(OBSERVER.read_text(encoding="utf-8"))
            process.stdin.close()
            said = json.loads(process.stdout.readline())
            process.stdout.close()
            status = process.wait(deadline_s(MOMENT_S))
            complaint = process.stderr.read()

        assert set(said) == {"vip", "units", "servers"}
        assert said["vip"] is True
        assert (status, complaint) == (0, "")

    def test_its_syntax_is_that_of_the_oldest_supported_python(self) -> None:
        ast.parse(OBSERVER.read_text(encoding="utf-8"), feature_version=(3, 9))
