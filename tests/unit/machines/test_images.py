"""Downloads of cloud images: verified, resumed, never trusted."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.libvirt_host.images import CLOUD_IMAGES, download

CONTENT = bytes(range(256)) * 4096
SHA512 = hashlib.sha512(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; may cut connections and may ignore ranges. Keeps the ranges asked for."""

    ranges: list[str | None]
    cut_after: int | None = None
    knows_ranges: bool = True
    status: int = 200


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked or "")
        start = int(match[1]) if match and self.server.knows_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut, self.server.cut_after = self.server.cut_after, None
        self.wfile.write(body[:cut])

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Server(("127.0.0.1", 0), Handler) as running:
        running.ranges = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/image.qcow2"


def fetch(server: Server, sha512: str = SHA512) -> Path:
    return download(url(server), sha512, print)


def test_a_verified_image_is_in_the_cache_and_is_asked_for_once(server: Server) -> None:
    assert fetch(server).read_bytes() == CONTENT
    assert fetch(server).name.startswith(SHA512[:16])
    assert server.ranges == [None]


def test_a_cut_download_goes_on_where_it_stopped(server: Server) -> None:
    server.cut_after = 100_000
    assert fetch(server).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_of_several_labs_at_once_one_downloads_for_all(server: Server) -> None:
    with ThreadPoolExecutor(8) as labs:
        paths = list(labs.map(lambda _: fetch(server), range(8)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert server.ranges == [None]


def test_a_server_without_ranges_starts_anew(server: Server) -> None:
    server.cut_after, server.knows_ranges = 100_000, False
    assert fetch(server).read_bytes() == CONTENT


def test_another_image_than_the_pinned_one_is_refused_and_removed(server: Server) -> None:
    for _ in range(2):
        with pytest.raises(LabError, match="is not the image that the stack pins"):
            fetch(server, "0" * 128)
    assert server.ranges == [None, None], "what was refused must not be resumed"


def test_a_missing_image_says_what_the_server_says(server: Server) -> None:
    server.status = 404
    with pytest.raises(LabError, match="the server answers 404"):
        fetch(server)
    assert len(server.ranges) == 1, "a 404 does not get better by asking again"


def test_no_server_is_an_error_with_the_address() -> None:
    with pytest.raises(LabError, match=r"cannot download http://127\.0\.0\.1:9/"):
        download("http://127.0.0.1:9/x.qcow2", SHA512, print)


@pytest.mark.parametrize("name", sorted(CLOUD_IMAGES))
def test_listed_images_are_fetched_and_verified_over_tls(name: str) -> None:
    image = CLOUD_IMAGES[name]
    assert image.url.startswith("https://")
    assert image.checksums.startswith("https://")
