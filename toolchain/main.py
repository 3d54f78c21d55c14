"""The two commands: toolchain/setup and toolchain/run."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from toolchain import (
    environment,
    installed,
    paths,
    pulumi,
    stamp,
    store,
    system,
    venv,
    versions,
    ways,
)
from toolchain.environment import Toolchain
from toolchain.errors import SetupError
from toolchain.progress import Progress, elapsed
from toolchain.stamp import Stamp

USER_COMPONENTS = ("python", "pulumi", "plugins")
"""What needs no root. They are made together: Pulumi without the others runs nothing."""


def setup(arguments: Sequence[str]) -> int:
    """toolchain/setup [--quiet] [COMPONENT...]; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in options.components:
        if name not in _components():
            parser.error(f"unknown component {name}; known: {', '.join(_components())}")
    return _guard(Progress(options.quiet), options.components or USER_COMPONENTS)


def run(arguments: Sequence[str]) -> int:
    """toolchain/run CMD ARGS...; ends as the command does."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stderr.write(
            "usage: toolchain/run CMD ARGS...\nSet up what is missing, then run CMD.\n"
        )
        return 0 if arguments else 2
    status = _guard(Progress(quiet=True), USER_COMPONENTS)
    known = stamp.load()
    if status or known is None:
        return status or 1
    environ = environment.apply(known.toolchain, os.environ)
    program = shutil.which(arguments[0], path=environ["PATH"])
    if program is None:
        sys.stderr.write(f"toolchain: there is no command {arguments[0]}\n")
        return 127
    os.execve(program, list(arguments), environ)  # noqa: S606 (this is what it is for)
    return 126  # not reached; exec either replaces this process or raises


def _guard(progress: Progress, components: Sequence[str]) -> int:
    """Set up; turn what went wrong into a message and an exit status."""
    try:
        _ensure(components, progress)
    except SetupError as error:
        progress.tell(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        progress.tell("interrupted; what was finished is kept")
        return 130
    except OSError as error:
        where = f"{paths.cache()} and {paths.CLONE}"
        progress.tell(f"{error}. Is there space on, and may you write to, {where}?")
        return 1
    return 0


def _ensure(components: Sequence[str], progress: Progress) -> None:
    order = ways.ways(os.environ.get(ways.FORCE))
    for component in components:
        if component in system.PACKAGES:
            system.ensure_packages(component, progress)
    if not set(components) & set(USER_COMPONENTS):
        return
    known = stamp.load()
    if known and known.holds():
        progress.note(f"ready: {'; '.join(known.summary)}")
        return
    start = time.monotonic()
    with store.locked("setup", progress):
        _make(order, progress)
    progress.tell(f"ready after {elapsed(start)}; use it with toolchain/run, or: . {stamp.ENV}")


def _make(order: tuple[ways.Way, ...], progress: Progress) -> None:
    """Make what is missing. pip and the Go builds wait for different things, so they overlap."""
    with ThreadPoolExecutor(1) as background:
        python = background.submit(venv.ensure_venv, progress)
        cli = pulumi.ensure(pulumi.cli(), order, progress)
        plugins = {
            wanted: pulumi.ensure(pulumi.plugin(wanted), order, progress)
            for wanted in versions.PLUGINS
        }
        directory = python.result()
    toolchain = Toolchain(
        path=(directory / "bin", paths.CLONE / "bin", cli.directory),
        pulumi_home=pulumi.ensure_home(plugins, progress),
        user_home=installed.user_home(),
        state=paths.STATE,
    )
    summary = [result.text for result in (cli, *plugins.values())]
    stamp.save(Stamp(key=stamp.inputs(), summary=summary, toolchain=toolchain))
    progress.tell("; ".join(summary))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="toolchain/setup",
        description="Make this machine ready to run the project. Safe to call again and again.",
        epilog=f"components: {', '.join(_components())}. {ways.FORCE}=installed|official|source "
        "forces the way in which Pulumi and its plugins are got.",
    )
    parser.add_argument("--quiet", action="store_true", help="say only what is done")
    parser.add_argument("components", nargs="*", metavar="COMPONENT")
    return parser


def _components() -> tuple[str, ...]:
    return (*USER_COMPONENTS, *system.PACKAGES)
