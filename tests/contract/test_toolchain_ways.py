"""Which way a program is got, and whether what is installed will do."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from toolchain import paths, pulumi, system, versions, ways
from toolchain.errors import SetupError, UnavailableError
from toolchain.progress import Progress
from toolchain.pulumi import Making, Program
from toolchain.ways import Way

QUIET = Progress(quiet=True)


def test_installed_comes_before_official_and_that_before_source() -> None:
    assert ways.ways(None) == ways.ways("") == (Way.INSTALLED, Way.OFFICIAL, Way.SOURCE)


def test_a_way_can_be_forced() -> None:
    assert ways.ways("source") == (Way.SOURCE,)


def test_a_way_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SetupError, match=r"HALAB_TOOLCHAIN=sauce.*installed, official, source"):
        ways.ways("sauce")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("3.260.0-alpha.1+dirty", (3, 260, 0)),
        ("warning: x\nv3.150.2\n", (3, 150, 2)),
        ("", None),
        ("dev", None),
    ],
)
def test_versions_are_parsed(text: str, version: tuple[int, int, int] | None) -> None:
    assert ways.parse_version(text) == version


@pytest.mark.parametrize(
    ("line", "host", "reason"),
    [
        ("v3.150.0", True, None),
        ("v3.259.0", True, None),
        ("v3.149.9", True, "3.150.0"),
        ("v4.0.0", True, "version 3"),
        ("v3.259.0", False, "pulumi-language-python"),
        ("?", True, "not understood"),
    ],
)
def test_an_installed_cli_must_be_new_enough_and_run_python(
    line: str, host: bool, reason: str | None
) -> None:
    found = ways.unsuitable_cli(line, host)
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("found", "needed", "old"),
    [
        ("go1.26.8", "1.25.11", False),
        ("go1.25.11", "1.25.11", False),
        ("go1.25.9", "1.25.11", True),
        ("go1.19", "1.21", True),
        ("go1.22rc1", "1.21", False),
        ("", "1.21", True),
    ],
)
def test_an_old_go_is_recognised(found: str, needed: str, old: bool) -> None:
    assert ways.too_old_go(found, needed) is old


def _program(tmp_path: Path, log: list[str], *, official: str | None) -> Program:
    """A program that is not installed; `official` is why that way is closed, if it is."""

    def missing() -> Path:
        raise UnavailableError("nowhere on PATH")

    def download(into: Path, progress: Progress) -> None:
        del progress
        log.append("download")
        (into / "half").touch()
        if official:
            raise UnavailableError(official)

    def build(into: Path, progress: Progress) -> None:
        del into, progress
        log.append("build")

    made = {
        Way.OFFICIAL: Making(target=tmp_path / "official", make=download),
        Way.SOURCE: Making(target=tmp_path / "source", make=build),
    }
    return Program(title="it 1.0", installed=missing, made=made)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_first_open_way_is_taken(tmp_path: Path) -> None:
    log: list[str] = []
    result = pulumi.ensure(_program(tmp_path, log, official=None), ways.ways(None), QUIET)
    assert (result.way, log) == (Way.OFFICIAL, ["download"])


def test_a_closed_way_leads_to_the_next_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log: list[str] = []
    program = _program(tmp_path, log, official="no answer")
    result = pulumi.ensure(program, ways.ways(None), QUIET)
    assert (result.way, log) == (Way.SOURCE, ["download", "build"])
    assert not (tmp_path / "official").exists()
    said = capsys.readouterr().err
    assert "nowhere on PATH" in said
    assert "no answer" in said


def test_what_was_made_earlier_is_taken_without_trying_a_better_way(tmp_path: Path) -> None:
    log: list[str] = []
    program = _program(tmp_path, log, official="no answer")
    pulumi.ensure(program, (Way.SOURCE,), QUIET)
    assert pulumi.ensure(program, ways.ways(None), QUIET).way is Way.SOURCE
    assert log == ["build"]


def test_if_no_way_is_open_every_reason_is_told(tmp_path: Path) -> None:
    program = _program(tmp_path, [], official="no answer")
    with pytest.raises(SetupError) as caught:
        pulumi.ensure(program, (Way.INSTALLED, Way.OFFICIAL), QUIET)
    assert "installed: nowhere on PATH" in str(caught.value)
    assert "official: no answer" in str(caught.value)


def test_the_pins_are_those_of_the_python_packages() -> None:
    project = tomllib.loads((paths.CLONE / "pyproject.toml").read_text())
    pins = project["project"]["dependencies"]
    expected = {f"pulumi-{plugin.name}=={plugin.version}" for plugin in versions.PLUGINS}
    assert {*expected, f"pulumi=={versions.PULUMI}"} <= set(pins)


def test_missing_packages_are_those_not_completely_installed() -> None:
    listing = "installed curl\nnot-installed nginx\nconfig-files haproxy\n"
    wanted = ("curl", "nginx", "haproxy", "unknown")
    assert system.missing_from(listing, wanted) == ["nginx", "haproxy", "unknown"]
