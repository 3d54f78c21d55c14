"""The components `pulumi` and `plugins`: the first way that works, once for all clones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain import gobuild, installed, official, paths, store, versions
from toolchain.errors import UnavailableError
from toolchain.progress import Progress
from toolchain.versions import Plugin
from toolchain.ways import Way, refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where a program is, and how it came there."""

    directory: Path
    way: Way
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How to fill a directory of the cache. `make` raises UnavailableError where it cannot."""

    target: Path
    make: Callable[[Path, Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something that can be got in several ways."""

    title: str
    installed: Callable[[], Path]
    made: Mapping[Way, Making]


def cli() -> Program:
    """Pulumi itself with its Python language host."""
    name = f"pulumi-{versions.PULUMI}"
    keys = f"{gobuild.CLI.key()}-{gobuild.PYTHON_HOST.key()}"
    return Program(
        title=f"pulumi {versions.PULUMI}",
        installed=installed.cli,
        made={
            Way.OFFICIAL: Making(target=paths.cache() / f"{name}-official", make=_download_cli),
            Way.SOURCE: Making(target=paths.cache() / f"{name}-source-{keys}", make=_build_cli),
        },
    )


def plugin(wanted: Plugin) -> Program:
    """A resource plugin."""
    what = gobuild.plugin_build(wanted)
    name = f"plugin-{wanted.name}-{wanted.version}"

    def download(into: Path, progress: Progress) -> None:
        _fetch(official.plugin_release(wanted), into, progress)

    def build(into: Path, progress: Progress) -> None:
        gobuild.build(what, into, progress)

    return Program(
        title=f"{wanted.name} plugin {wanted.version}",
        installed=lambda: installed.plugin(wanted),
        made={
            Way.OFFICIAL: Making(target=paths.cache() / f"{name}-official", make=download),
            Way.SOURCE: Making(target=paths.cache() / f"{name}-source-{what.key()}", make=build),
        },
    )


def ensure(program: Program, order: tuple[Way, ...], progress: Progress) -> Result:
    """The program by the first way that is open. What an earlier run has made needs no network."""
    reasons: dict[Way, str] = {}
    if Way.INSTALLED in order:
        try:
            directory = program.installed()
            text = f"{program.title}: installed in {directory}"
            return Result(directory=directory, way=Way.INSTALLED, text=text)
        except UnavailableError as error:
            reasons[Way.INSTALLED] = str(error)
    made = {way: program.made[way] for way in order if way in program.made}
    for way, making in made.items():
        if store.is_complete(making.target):
            text = f"{program.title}: {way}, made earlier"
            return Result(directory=_programs(making.target), way=way, text=text)
    for way, making in made.items():
        if way is Way.SOURCE and reasons:
            why = "; ".join(f"{other}: {reason}" for other, reason in reasons.items())
            progress.tell(f"{program.title} will be built from source, because {why}")
        try:
            store.ensure(making.target, making.make, progress)
            text = f"{program.title}: {way}"
            return Result(directory=_programs(making.target), way=way, text=text)
        except UnavailableError as error:
            reasons[way] = str(error)
    raise refusals(program.title, reasons)


def ensure_home(plugins: dict[Plugin, Result], progress: Progress) -> Path | None:
    """A PULUMI_HOME that has the plugins; None if the user's own has them all.

    Pulumi only takes real directories for plugins, so the files in them are linked.
    """
    if all(result.way is Way.INSTALLED for result in plugins.values()):
        return None
    key = store.content_key((), *(str(result.directory) for result in plugins.values()))

    def make(home: Path, _: Progress) -> None:
        for wanted, result in plugins.items():
            target = home / "plugins" / wanted.directory
            target.mkdir(parents=True)
            for file in result.directory.iterdir():
                if not file.name.startswith("."):
                    (target / file.name).symlink_to(file)

    return store.ensure(paths.cache() / f"home-{key}", make, progress)


def _programs(directory: Path) -> Path:
    """Where in a made directory the programs are: the CLI's archive has a folder of its own."""
    inner = directory / "pulumi"
    return inner if inner.is_dir() else directory


def _download_cli(into: Path, progress: Progress) -> None:
    release = official.cli_release()
    _fetch(release, into, progress)
    if not os.access(into / "pulumi" / "pulumi", os.X_OK):
        raise UnavailableError(f"{release.file} does not contain pulumi/pulumi")


def _build_cli(into: Path, progress: Progress) -> None:
    gobuild.build(gobuild.CLI, into, progress)
    gobuild.build(gobuild.PYTHON_HOST, into, progress)
    gobuild.install_python_exec(into)


def _fetch(release: official.Release, into: Path, progress: Progress) -> None:
    official.require_reachable()
    with progress.step(f"downloading {release.file}"):
        official.fetch(release, into)
