"""The applier on a machine: put in place as a whole, run by the machine's own Python alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.remote.ready import GUEST, INSTALLER, installer
from tests.unit.remote.guest import Guest, as_text, specification

SOURCES = sorted(GUEST.glob("*.py"))
OLD_APPLIER = "#!/usr/bin/env python3\nprint('the applier of an older release')\n"


def install(root: Path, source: str = "") -> subprocess.CompletedProcess[str]:
    """Run the installer as the ready step does, with its directories below `root`."""
    text = source or installer()
    for place in ("/usr/local/lib/ha-lab", "/var/lib/ha-lab/applied", "/run/ha-lab-apply.lock"):
        text = text.replace(f'"{place}"', f'"{root}{place}"').replace(
            f'\\"{place}\\"', f'\\"{root}{place}\\"'
        )
    (root / "run").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-I", "-", "5"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def lib(root: Path) -> Path:
    return root / "usr/local/lib/ha-lab"


def versions(root: Path) -> list[Path]:
    return sorted(lib(root).glob("applier_*"))


class TestInstall:
    """What the ready step does first."""

    def test_it_ends_as_the_readiness_check_of_the_new_applier(self, tmp_path: Path) -> None:
        done = install(tmp_path)

        assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
        (package,) = versions(tmp_path)
        assert {path.name for path in package.glob("*.py")} == {
            path.name for path in SOURCES if path.name != INSTALLER
        }
        assert lib(tmp_path).stat().st_mode & 0o777 == 0o755
        assert (lib(tmp_path) / "apply.py").stat().st_mode & 0o777 == 0o755

    def test_the_installed_program_does_its_work(self, guest: Guest) -> None:
        install(guest.root).check_returncode()
        file = guest.file("a.conf", "x\n")
        done = subprocess.run(
            [str(lib(guest.root) / "apply.py")],
            input=as_text(specification(files=[file])),
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {file['path']}\n", "")

    def test_the_single_file_of_older_releases_is_replaced(self, tmp_path: Path) -> None:
        lib(tmp_path).mkdir(parents=True)
        (lib(tmp_path) / "apply.py").write_text(OLD_APPLIER, encoding="utf-8")
        (lib(tmp_path) / "check-http").write_text("a helper script", encoding="utf-8")

        assert install(tmp_path).stdout == "ready\n"
        assert "older release" not in (lib(tmp_path) / "apply.py").read_text(encoding="utf-8")
        assert (lib(tmp_path) / "check-http").exists()

    def test_another_version_gets_its_own_directory_and_the_old_one_goes(
        self, tmp_path: Path
    ) -> None:
        install(tmp_path).check_returncode()
        old = versions(tmp_path)
        changed = installer().replace('print(\\"ready\\")', 'print(\\"ready, and newer\\")')

        assert install(tmp_path, changed).stdout == "ready, and newer\n"
        assert len(versions(tmp_path)) == 1
        assert versions(tmp_path) != old

    def test_a_damaged_installation_is_put_right(self, tmp_path: Path) -> None:
        install(tmp_path).check_returncode()
        (package,) = versions(tmp_path)
        (package / "files.py").write_text("raise SystemExit('edited by hand')\n", encoding="utf-8")
        (package / "units.py").unlink()

        assert install(tmp_path).stdout == "ready\n"

    def test_while_it_is_written_the_old_one_stays_whole(self, tmp_path: Path) -> None:
        """Cut off before the last rename: what runs is the old program with the old modules."""
        install(tmp_path).check_returncode()
        cut_off = (
            installer()
            .replace('print(\\"ready\\")', 'print(\\"ready, and newer\\")')
            .replace('    program = lib / "apply.py"\n', '    sys.exit("power cut")\n')
        )
        assert install(tmp_path, cut_off).stderr == "power cut\n"

        done = subprocess.run(
            [str(lib(tmp_path) / "apply.py"), "--ready", "5"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "ready\n")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
class TestWhereItRuns:
    """On guests, with nothing but their own Python."""

    def test_its_syntax_is_that_of_the_oldest_supported_python(self, path: Path) -> None:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))

    def test_it_imports_nothing_but_itself_and_the_standard_library(self, path: Path) -> None:
        names = {source.stem for source in SOURCES}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1
                assert node.module in names
            elif isinstance(node, ast.ImportFrom):
                assert str(node.module).partition(".")[0] in sys.stdlib_module_names
            elif isinstance(node, ast.Import):
                found = {alias.name.partition(".")[0] for alias in node.names}
                assert found <= set(sys.stdlib_module_names)

    def test_annotations_that_older_pythons_would_evaluate_are_old_fashioned(
        self, path: Path
    ) -> None:
        # `from __future__ import annotations` covers annotations, not aliases such as Json.
        text = path.read_text(encoding="utf-8")
        outside = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]

        assert len(ast.parse(text).body) == 1 or "from __future__ import annotations" in text
        assert not any(
            isinstance(node.value, ast.BinOp) and "|" in ast.dump(node) for node in outside
        )
