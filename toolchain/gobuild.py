"""The third way: built with Go from the modules that are pinned in the folders beside this file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from toolchain import paths, store, versions, ways
from toolchain.errors import UnavailableError
from toolchain.progress import Progress, run_logged
from toolchain.versions import Plugin

_SDK = "github.com/pulumi/pulumi/sdk/v3"
_VERSION_VARIABLE = f"{_SDK}/go/common/version.Version"
_TAGS = "osusergo,grpcnotrace"
"""The same for all, so that a package that two of them use is compiled once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One executable to build."""

    folder: str
    """The folder beside this file with its go.mod and go.sum."""
    package: str
    """The package to build, as seen from that folder."""
    executable: str
    variable: str
    """The Go variable that holds the version, and `version`, what it is set to."""
    version: str

    def key(self) -> str:
        """What the result is named after: sources, pins and flags."""
        folder = paths.SOURCES / self.folder
        files = [*folder.rglob("*.go"), *folder.rglob("*.sh"), folder / "go.mod", folder / "go.sum"]
        files += folder.rglob("*.patch")
        sources = [file for file in files if not file.name.endswith("_test.go")]
        return store.content_key(sources, self.package, self.variable, self.version, _TAGS)


CLI = Build(
    folder="pulumi-cli",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    executable="pulumi",
    variable=_VERSION_VARIABLE,
    version=f"v{versions.PULUMI}",
)
PYTHON_HOST = Build(
    folder="language-python",
    package=f"{_SDK}/python/cmd/pulumi-language-python",
    executable="pulumi-language-python",
    variable=_VERSION_VARIABLE,
    version=f"v{versions.PYTHON_HOST}",
)


def plugin_build(plugin: Plugin) -> Build:
    """How to build a plugin: folder NAME-plugin is a main package with a version variable."""
    return Build(
        folder=f"{plugin.name}-plugin",
        package=".",
        executable=plugin.executable,
        variable="main.version",
        version=plugin.version,
    )


def build(what: Build, into: Path, progress: Progress) -> None:
    """Build an executable into the directory `into`. The log of a failed build is kept."""
    go = require_go(what)
    log = paths.cache() / "logs" / f"{what.executable}-{time.strftime('%Y%m%d-%H%M%S')}.log"
    flags = f"-s -w -X {what.variable}={what.version}"
    command = [go, "build", "-trimpath", "-tags", _TAGS, "-ldflags", flags]
    title = f"building {what.executable} {what.version} from source"
    with progress.step(title), tempfile.TemporaryDirectory() as work:
        command += _patched_modules(go, what, Path(work), log)
        run_logged(
            [*command, "-o", str(into / what.executable), what.package],
            log=log,
            cwd=paths.SOURCES / what.folder,
            env=_environment(),
            hint="If a download failed, check GOPROXY (go env GOPROXY) and try again.",
        )
    log.unlink()


def _patched_modules(go: str, what: Build, work: Path, log: Path) -> list[str]:
    """Flags that build with the folder's patches/MODULE.patch applied to copies of the modules."""
    folder = paths.SOURCES / what.folder
    patches = sorted((folder / "patches").rglob("*.patch"))
    if not patches:
        return []
    modfile = work / "go.mod"
    shutil.copyfile(folder / "go.mod", modfile)
    shutil.copyfile(folder / "go.sum", work / "go.sum")
    for patch in patches:
        module = str(patch.relative_to(folder / "patches").with_suffix(""))
        env = _environment()
        run_logged([go, "mod", "download", module], log=log, cwd=folder, env=env)
        found = subprocess.run(
            [go, "list", "-m", "-f", "{{.Dir}}", module],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        copy = work / patch.stem
        shutil.copytree(found.stdout.strip(), copy, copy_function=shutil.copyfile)
        for directory in [copy, *(path for path in copy.rglob("*") if path.is_dir())]:
            directory.chmod(0o755)  # the module cache is read-only
        run_logged(["git", "apply", "--verbose", str(patch)], log=log, cwd=copy, env=env)
        replace = f"-replace={module}={copy}"
        run_logged([go, "mod", "edit", replace, str(modfile)], log=log, cwd=folder, env=env)
    return ["-modfile", str(modfile)]


def install_python_exec(into: Path) -> None:
    """Copy the script that runs a Python program; it is a file in the SDK's module."""
    go = require_go(CLI)
    result = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", _SDK],
        cwd=paths.SOURCES / CLI.folder,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    source = Path(result.stdout.strip()) / "python" / "cmd" / "pulumi-language-python-exec"
    if result.returncode or not source.is_file():
        raise UnavailableError(f"{_SDK} has no {source.name}: {result.stderr.strip()}")
    target = into / source.name
    shutil.copyfile(source, target)
    target.chmod(0o755)


def require_go(what: Build) -> str:
    """The `go` to build with. Raises UnavailableError, with what to install, if there is none."""
    module = (paths.SOURCES / what.folder / "go.mod").read_text()
    match = re.search(r"^go (\S+)$", module, re.MULTILINE)
    needed = match[1] if match else "1.25"
    advice = (
        f"install Go {needed} or newer: https://go.dev/dl/go{needed}.linux-amd64.tar.gz unpacked "
        "into /usr/local, or your distribution's package (golang-go) if it is new enough"
    )
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise UnavailableError(f"there is no Go compiler; {advice}")
    result = subprocess.run(
        [go, "env", "GOVERSION", "GOTOOLCHAIN"], capture_output=True, text=True, cwd="/"
    )
    version, toolchain = [*result.stdout.splitlines(), "", ""][:2]
    # From 1.21 on, Go fetches the version that a module asks for, unless it is told not to.
    fetches = toolchain not in ("local", "") and not ways.too_old_go(version, "1.21")
    if ways.too_old_go(version, needed) and not fetches:
        raise UnavailableError(f"{go} is {version or 'of an unknown version'}; {advice}")
    return go


def _environment() -> dict[str, str]:
    """A build depends on the pins only, not on the user's Go settings or an outer workspace."""
    settings = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    return {**os.environ, **settings}
