"""Put the applier in place and let it wait until the machine is ready.

The ready step feeds this program to `python3 -I - TIMEOUT`, followed by one call of `install` with
the applier's modules (`components.remote.ready.installer`). A run of the applier never sees parts
of two versions: every version has a directory of its own, and the program that imports it is
swapped in last, by one rename.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import shutil
import sys
from pathlib import Path

LIB = Path("/usr/local/lib/ha-lab")
PACKAGE = "applier_"
ENTRY = '''#!/usr/bin/env python3
"""Configures this machine as its lab says; the package beside it does the work."""

import sys

from {package}.main import main

sys.exit(main())
'''


def install(modules: dict[str, list[str]]) -> None:
    """Write the modules (lines by file name), and end as the new applier's readiness check."""
    os.umask(0o022)
    program = put_in_place(modules, LIB)
    sys.argv = [str(program), "--ready", *sys.argv[1:]]
    sys.path.insert(0, str(LIB))
    runpy.run_path(str(program), run_name="__main__")


def put_in_place(modules: dict[str, list[str]], lib: Path) -> Path:
    """The program in `lib` that runs these modules; other versions are removed."""
    digest = hashlib.sha256(repr(sorted(modules.items())).encode()).hexdigest()
    package = lib / f"{PACKAGE}{digest[:12]}"
    package.mkdir(parents=True, exist_ok=True)
    for name, lines in modules.items():
        swap_in(package / name, "\n".join(lines), 0o644)
    program = lib / "apply.py"
    swap_in(program, ENTRY.format(package=package.name), 0o755)
    for other in lib.glob(f"{PACKAGE}*"):
        if other != package:
            shutil.rmtree(other)
    return program


def swap_in(path: Path, text: str, mode: int) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)
