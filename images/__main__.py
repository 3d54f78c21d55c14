"""Golden Debian images: built once, cached by content. Prints the path of the result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from images import cache
from images.disk import build_disk
from images.spec import DiskSpec, ImageError, TreeSpec, tree_spec
from images.tree import build_tree

#: Kernel arguments that spare an emulated processor half of its work.
EMULATION = ("mitigations=off", "apparmor=0", "quiet")

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_err = Console(stderr=True)

Release = Annotated[str, typer.Option(help="Debian release: bookworm or trixie.")]
Mirror = Annotated[
    list[str] | None,
    typer.Option(
        envvar="HA_LAB_APT_MIRROR",
        help="Mirror URL or complete 'deb ...' line; may be repeated. Default: this host's own.",
    ),
]
Snapshot = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="packages.lock to reproduce, NAME=VERSION."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything about the result.")]


@app.command()
def tree(
    release: Release = "bookworm",
    bare: Annotated[bool, typer.Option(help="Minimal system without HA packages.")] = False,
    mirror: Mirror = None,
    snapshot: Snapshot = None,
    as_json: AsJson = False,
) -> None:
    """Build the root tree (about a minute, once) and print its path.

    Example: sudo python -m images tree
    """
    spec = _spec(release, snapshot, bare=bare)
    folder = _report(f"root tree of {release}", lambda: build_tree(spec, mirror or ()))
    root, lock = str(folder / "root"), str(folder / "packages.lock")
    typer.echo(json.dumps({"tree": root, "packages": lock}) if as_json else root)


@app.command()
def qcow2(
    release: Release = "bookworm",
    size: Annotated[int, typer.Option(min=3, max=64, help="Virtual size in GiB, sparse.")] = 4,
    emulation: Annotated[
        bool, typer.Option(help=f"Tune for hosts without KVM: {' '.join(EMULATION)}.")
    ] = False,
    kernel_arg: Annotated[list[str] | None, typer.Option(help="Further kernel argument.")] = None,
    mirror: Mirror = None,
    snapshot: Snapshot = None,
    as_json: AsJson = False,
) -> None:
    """Build the bootable disk image and print its path.

    Example: sudo python -m images qcow2 --emulation --json
    """
    args = (*(EMULATION if emulation else ()), *(kernel_arg or ()))
    spec = DiskSpec(tree=_spec(release, snapshot), size_gib=size, kernel_args=args)
    folder = _report(f"disk image of {release}", lambda: build_disk(spec, mirror or ()))
    image = folder / "image.qcow2"
    sha512 = (folder / "image.qcow2.sha512").read_text(encoding="ascii").split()[0]
    packages = str(folder / "packages.lock")
    result = {"image": str(image), "sha512": sha512, "packages": packages}
    typer.echo(json.dumps(result) if as_json else image)


@app.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="Unused for at least so long.")] = 30,
) -> None:
    """Remove cached images that nothing asked for lately; those under a rig's disks stay."""
    for folder in cache.prune(days):
        typer.echo(f"removed {folder}")


def _spec(release: str, snapshot: Path | None, *, bare: bool = False) -> TreeSpec:
    text = snapshot.read_text(encoding="utf-8") if snapshot else ""
    return tree_spec(release, "bare" if bare else "golden", text)


def _report(what: str, build: Callable[[], Path]) -> Path:
    with _err.status(f"{what}: looking in the cache, building if it is not there"):
        return build()


def main() -> int:
    """Run; a problem is one message on stderr and status 1, never a traceback."""
    try:
        app(standalone_mode=True)
    except ImageError as problem:
        _err.print(f"[red]error:[/red] {problem}", highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
