"""Missing programs are named with the command that brings them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.libvirt_host import packages


@pytest.fixture
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian host with apt-get and nothing else, on which we are not root."""
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packages, "DAEMON_PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def have(host: Path, programs: list[str]) -> None:
    for name in programs:
        (host / name).touch(mode=0o755)


@pytest.mark.usefixtures("bare_host")
def test_without_root_the_exact_command_is_told() -> None:
    with pytest.raises(LabError, match=r"run `sudo apt-get install --yes .*xsltproc") as error:
        packages.ensure_packages(print, golden=False)
    assert "genisoimage" in str(error.value), "it brings mkisofs"


def test_only_what_is_missing_is_asked_for(bare_host: Path) -> None:
    have(bare_host, [name for name in packages.DEBIAN if name != "xsltproc"])
    with pytest.raises(LabError, match=r"xsltproc not found; .* --yes xsltproc`"):
        packages.ensure_packages(print, golden=False)


def test_a_complete_host_is_left_alone(bare_host: Path) -> None:
    have(bare_host, list(packages.DEBIAN))
    packages.ensure_packages(print, golden=False)


def test_building_the_image_takes_more(bare_host: Path) -> None:
    have(bare_host, list(packages.DEBIAN))
    with pytest.raises(LabError, match=r"mmdebstrap not found|mmdebstrap, "):
        packages.ensure_packages(print, golden=True)


def test_elsewhere_than_on_debian_the_command_is_dnf(bare_host: Path) -> None:
    (bare_host / "apt-get").unlink()
    with pytest.raises(LabError, match="sudo dnf install"):
        packages.ensure_packages(print, golden=True)
