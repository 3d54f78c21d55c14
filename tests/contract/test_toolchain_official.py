"""Official releases: verified, and an unreachable site costs little."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from toolchain import official, versions
from toolchain.errors import SetupError, UnavailableError
from toolchain.official import Release


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A download site on loopback: its directory and its URL."""
    root = tmp_path / "site"
    root.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    handler.func.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield root, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def release(site: tuple[Path, str]) -> Release:
    """A release of one program, published with its checksum."""
    root, url = site
    with tarfile.open(root / "it.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("pulumi/pulumi")
        info.size, info.mode = 4, 0o755
        archive.addfile(info, io.BytesIO(b"code"))
    digest = hashlib.sha256((root / "it.tar.gz").read_bytes()).hexdigest()
    (root / "sums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  it.tar.gz\n")
    return Release(archive=f"{url}/it.tar.gz", checksums=f"{url}/sums.txt")


def test_a_release_is_unpacked(release: Release, tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    official.fetch(release, tmp_path / "into")
    program = tmp_path / "into" / "pulumi" / "pulumi"
    assert program.read_text() == "code"
    assert program.stat().st_mode & 0o111
    assert not list((tmp_path / "into").glob("*.tar.gz"))


def test_a_release_with_another_checksum_is_not_unpacked(
    release: Release, site: tuple[Path, str], tmp_path: Path
) -> None:
    (site[0] / "it.tar.gz").write_bytes(b"something else")
    with pytest.raises(SetupError, match="SHA-256"):
        official.fetch(release, tmp_path)
    assert not (tmp_path / "pulumi").exists()


def test_a_release_that_is_not_there_is_a_way_that_is_closed(
    release: Release, site: tuple[Path, str], tmp_path: Path
) -> None:
    (site[0] / "it.tar.gz").unlink()
    with pytest.raises(UnavailableError, match="404"):
        official.fetch(release, tmp_path)


def test_a_release_without_a_published_checksum_is_not_used(
    release: Release, site: tuple[Path, str], tmp_path: Path
) -> None:
    (site[0] / "sums.txt").write_text("")
    with pytest.raises(UnavailableError, match="does not list"):
        official.fetch(release, tmp_path)


def test_checksums_are_found_in_both_forms_of_sha256sum() -> None:
    text = f"# comment\n{'A' * 64}  one\n{'b' * 64} *two\nshort  three\n"
    assert official.find_checksum(text, "one") == "a" * 64
    assert official.find_checksum(text, "two") == "b" * 64
    assert official.find_checksum(text, "three") is None
    assert official.find_checksum(text, "four") is None


def test_an_unreachable_site_is_remembered_for_an_hour(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    assert official.remembered(memory, 1000.0) is None
    memory.write_text(json.dumps({"time": 1000.0, "reason": "why"}))
    assert official.remembered(memory, 1000.0 + 3599) == "why"
    assert official.remembered(memory, 1000.0 + 3601) is None
    assert official.remembered(memory, 999.0) is None, "a clock that was set back"
    memory.write_text("half a fi")
    assert official.remembered(memory, 1000.0) is None


def test_a_site_that_does_not_answer_is_waited_for_once_and_not_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    released = threading.Event()
    asked: list[object] = []

    def hang(*what: object, **_: object) -> None:
        asked.append(what)
        released.wait()
        raise OSError("too late")

    monkeypatch.setattr(urllib.request, "urlopen", hang)
    with pytest.raises(UnavailableError, match=r"no answer from .* in 3 s"):
        official.require_reachable()
    with pytest.raises(UnavailableError, match="less than an hour ago"):
        official.require_reachable()
    released.set()
    assert len(asked) == 1


def test_the_releases_are_the_pinned_ones() -> None:
    assert versions.PULUMI in official.cli_release().archive
    for plugin in versions.PLUGINS:
        assert f"{plugin.name}-v{plugin.version}-" in official.plugin_release(plugin).archive
