#!/usr/bin/env python3
"""Carry out one specification on this machine: packages, files, units, checks.

Installed as /usr/local/lib/ha-lab/apply.py and run by root with a JSON specification on stdin (see
components/remote/spec.py). Standard library only, Python 3.9 or later (Rocky Linux 9).

It is idempotent: what is already right is left alone, and only a file that really changed reloads
or restarts a unit. It is careful: a file is written beside the old one and validated there; when a
validation or a reload fails, every file of the specification gets its old content back. What it did
is recorded under /var/lib/ha-lab/applied, so that drift can be told from intent, and that what a
killed run had begun is finished by the next one.

Exit status 0: as specified. 1: not possible, the reason is on stderr. It prints no file contents.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

RECORD_DIR = Path("/var/lib/ha-lab/applied")
LOCK = Path("/run/ha-lab-apply.lock")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Written by ha-lab while it installs packages.\nexit 101\n"
UNIT_FILES = "/etc/systemd/"
COMMAND_TIMEOUT_S = 600
CHECK_INTERVAL_S = 0.2
APT = (
    "apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold"
    " -o Acquire::Retries=3"
)
QUIET = {
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
    # Enabling a unit that has an init script too runs update-rc.d for it, a second of Perl on an
    # emulated machine; no init script is used here.
    "SYSTEMCTL_SKIP_SYSV": "1",
}
APT_STRICT = ("-o", "APT::Update::Error-Mode=any")
"""Without it, apt takes lists that cannot be fetched for a warning and ends with 0."""

Json = Dict[str, Any]


class ApplyError(Exception):
    """The specification cannot be carried out; the text says what was found and expected."""


def say(text: str) -> None:
    """One line of progress; Pulumi shows it beside the machine's name."""
    with contextlib.suppress(OSError):  # nobody listens any more: no reason to stop half-way
        print(text, file=sys.stderr, flush=True)


def run(argv: Sequence[str], timeout_s: float = COMMAND_TIMEOUT_S) -> Tuple[int, str]:
    """Exit status and output (both streams) of a command; never waits on a terminal."""
    env = {**os.environ, **QUIET}
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    except FileNotFoundError:
        return 127, f"{argv[0]}: not found"
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        # With its children: one that lives on would keep the pipe open.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, f"no answer within {timeout_s:.0f} s"
    return process.returncode, output.decode("utf-8", "replace").strip()


def must(argv: Sequence[str], what: str) -> str:
    """Run a command that has to succeed."""
    status, output = run(argv)
    if status != 0:
        raise ApplyError(
            f"{what} failed: `{shlex.join(argv)}` ended with {status}:\n{tail(output)}"
        )
    return output


def tail(text: str, lines: int = 25) -> str:
    return "\n".join(text.splitlines()[-lines:])


# -- packages ------------------------------------------------------------------------------------


def ensure_packages(by_family: Json) -> List[str]:
    """Install what is missing with the distribution's package manager."""
    family = distribution_family()
    wanted = by_family[family]
    there = installed(family, wanted)
    missing = [name for name in wanted if name not in there]
    if missing:
        say(f"installing {', '.join(missing)}")
        with services_do_not_start():
            install(family, missing)
    return missing


def distribution_family() -> str:
    """`debian` or `redhat`, by the package manager that is there."""
    if Path("/usr/bin/dpkg-query").exists():
        return "debian"
    if Path("/usr/bin/rpm").exists():
        return "redhat"
    raise ApplyError("expected a Debian or Red Hat family system (dpkg or rpm); found neither")


def installed(family: str, packages: Sequence[str]) -> List[str]:
    """Which of these packages are there, asked with one command: each is a fork."""
    if not packages:
        return []
    if family == "redhat":
        return [name for name in packages if run(["rpm", "-q", "--quiet", name])[0] == 0]
    _, output = run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\\n", *packages])
    lines = (line.split() for line in output.splitlines())
    return [words[1] for words in lines if len(words) == 2 and words[0] == "installed"]


def install(family: str, packages: List[str]) -> None:
    if family == "redhat":
        must(["dnf", "-q", "-y", "install", *packages], "installing packages")
        return
    command = [*APT.split(), "--no-install-recommends", "install", *packages]
    if run(command)[0] != 0:  # most often: the package lists were never fetched, or are old
        run(["dpkg", "--configure", "-a"])  # an installation that was cut off
        must([*APT.split(), *APT_STRICT, "update"], "fetching the package lists")
        must(command, "installing packages")


@contextlib.contextmanager
def services_do_not_start() -> Iterator[None]:
    """Debian starts a daemon when its package is installed, with a configuration nobody chose."""
    if POLICY.exists() and POLICY.read_text(errors="replace") != POLICY_TEXT:
        yield
        return
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


# -- files ---------------------------------------------------------------------------------------


class Files:
    """The files of a specification: staged, validated, swapped in, and put back on failure."""

    def __init__(self, pending: Sequence[str] = ()) -> None:
        self._pending = pending
        self._undo: List[Callable[[], None]] = []
        self.changed: List[str] = []

    def put(self, spec: Json) -> None:
        """Bring one file to its specified content, mode and owner."""
        path = Path(spec["path"])
        content = "\n".join(spec["lines"]).encode()
        mode = int(spec["mode"], 8)
        owner, group = user_id(spec["owner"]), group_id(spec["group"])
        if path.is_file() and path.read_bytes() == content:
            self._access(path, mode, owner, group)
            if spec["path"] not in self._pending:
                return
        else:
            self._swap(path, content, (mode, owner, group), spec["validate"])
        if spec["then"]:
            must(["/bin/sh", "-c", spec["then"]], f"taking over {path}")

    def _swap(
        self, path: Path, content: bytes, access: Tuple[int, int, int], validator: Optional[str]
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = stage(path, content, *access)
        try:
            validate(validator, staged, path, content if not access[0] & 0o077 else b"")
            undo = how_to_restore(path)
            os.replace(staged, path)
        finally:
            if staged.exists():
                staged.unlink()
        self._did(path, undo)

    def _access(self, path: Path, mode: int, owner: int, group: int) -> None:
        found = path.stat()
        if (found.st_mode & 0o7777, found.st_uid, found.st_gid) != (mode, owner, group):
            undo = how_to_restore(path)
            os.chown(path, owner, group)
            path.chmod(mode)
            self._did(path, undo)

    def remove(self, name: str) -> None:
        path = Path(name)
        if os.path.lexists(path):
            undo = how_to_restore(path)
            path.unlink()
            self._did(path, undo)

    def _did(self, path: Path, undo: Callable[[], None]) -> None:
        self._undo.append(undo)
        self.changed.append(str(path))

    def put_back(self) -> None:
        """Give every changed file its old content and owner; remove those that were new."""
        for undo in reversed(self._undo):
            undo()


def how_to_restore(path: Path) -> Callable[[], None]:
    """What makes this path again what it is now."""
    if path.is_symlink():
        target = path.readlink()

        def link_again() -> None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            path.symlink_to(target)

        return link_again
    if not path.exists():
        return path.unlink
    content, found = path.read_bytes(), path.stat()
    mode = found.st_mode & 0o7777
    return lambda: os.replace(stage(path, content, mode, found.st_uid, found.st_gid), path)


def stage(path: Path, content: bytes, mode: int, owner: int, group: int) -> Path:
    """A file with this content beside its destination, so that the swap is one rename."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fchown(out.fileno(), owner, group)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def validate(command: Optional[str], staged: Path, path: Path, secret: bytes) -> None:
    """Ask the validator; of a `secret` content it may repeat no line."""
    if not command:
        return
    status, output = run(["/bin/sh", "-c", command.replace("{staged}", shlex.quote(str(staged)))])
    if status != 0:
        shown = tail(without_lines(output.replace(str(staged), str(path)), secret.decode()))
        checker = command.replace("{staged}", str(path))
        raise ApplyError(f"{path} was refused by `{checker}`; the old one is kept:\n{shown}")


def without_lines(output: str, secret: str) -> str:
    """The output with the number of a secret's line in place of its text."""
    for number, line in enumerate(secret.splitlines(), start=1):
        if len(line.strip()) >= 6:
            output = output.replace(line.strip(), f"(line {number})")
    return output


def user_id(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ApplyError(f"there is no user {name!r}; its package should have made it") from None


def group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ApplyError(f"there is no group {name!r}; its package should have made it") from None


# -- units ---------------------------------------------------------------------------------------


def settle_unit(unit: Json, changed: List[str], were_active: Dict[str, bool]) -> Optional[str]:
    """Bring a unit to its state; says what was done, or None. Notes whether it was active."""
    name = unit_name(unit)
    state = unit_state(name)
    were_active[name] = state.get("ActiveState") == "active"
    if not unit["running"]:
        if state.get("LoadState") != "not-found" and (
            state.get("ActiveState") in ("active", "activating", "failed")
            or state.get("UnitFileState") == "enabled"
        ):
            must(["systemctl", "disable", "--now", name], f"stopping {name}")
            return f"stopped {name}"
        return None
    if state.get("UnitFileState") not in ("enabled", "enabled-runtime", "static", "generated"):
        # Without a reload of all units: it costs seconds on an emulated machine, and `start` finds
        # a unit that is there by itself.
        must(["systemctl", "enable", "--quiet", "--no-reload", name], f"enabling {name}")
    if state.get("ActiveState") != "active":
        start(name)
        return f"started {name}"
    if touched(unit["restart_on"], changed):
        must(["systemctl", "restart", name], f"restarting {name}")
        return f"restarted {name}"
    if touched(unit["reload_on"], changed):
        must(["systemctl", "reload", name], f"reloading {name}")
        return f"reloaded {name}"
    return None


def revive(units: Sequence[Json], changed: List[str], were_active: Dict[str, bool]) -> None:
    """After old files were put back: what ran before runs with them again."""
    if any(path.startswith(UNIT_FILES) for path in changed):
        run(["systemctl", "daemon-reload"])
    for unit in units:
        name, must_restart = unit_name(unit), touched(unit["restart_on"], changed)
        if not unit["running"] or not (must_restart or touched(unit["reload_on"], changed)):
            continue
        is_active = unit_state(name).get("ActiveState") == "active"
        if not were_active.get(name, is_active):
            continue
        if is_active and not must_restart:
            run(["systemctl", "reload", name])
        else:
            run(["systemctl", "reset-failed", name])
            run(["systemctl", "restart", name])


def start(name: str) -> None:
    """Start a unit; a unit that gave up restarting is forgiven first."""
    run(["systemctl", "reset-failed", name])
    status, output = run(["systemctl", "start", name])
    if status != 0:
        _, log = run(["journalctl", "-u", name, "-n", "15", "--no-pager", "-o", "cat"])
        raise ApplyError(f"{name} did not start: {output}\n{tail(log)}")


def unit_name(unit: Json) -> str:
    """The unit's name on this distribution."""
    return str(unit["name"][distribution_family()])


def unit_state(name: str) -> Dict[str, str]:
    wanted = "LoadState,ActiveState,UnitFileState"
    _, output = run(["systemctl", "show", "-p", wanted, name])
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def touched(paths: Sequence[str], changed: List[str]) -> bool:
    return any(path in changed for path in paths)


# -- checks --------------------------------------------------------------------------------------


def await_check(command: str, within_s: float) -> None:
    """Wait until a shell command succeeds; says what it said last when it does not."""
    deadline = time.monotonic() + within_s
    while True:
        left = deadline - time.monotonic()
        status, output = run(["/bin/sh", "-c", command], timeout_s=max(1.0, min(left, 30.0)))
        if status == 0:
            return
        if time.monotonic() >= deadline:
            raise ApplyError(
                f"expected to succeed within {within_s:.0f} s: `{command}`;"
                f" it ended last with {status}: {tail(output, 8)}"
            )
        time.sleep(CHECK_INTERVAL_S)


# -- readiness -----------------------------------------------------------------------------------

OLDEST_SANE_CLOCK = 1767225600
"""2026-01-01: a machine that believes in an earlier day has no clock; TLS and databases mind."""


def await_ready(timeout_s: float) -> None:
    """Wait for the end of cloud-init and check the clock; says what it waits for."""
    if Path("/usr/bin/cloud-init").exists() and Path("/run/cloud-init").exists():
        await_cloud_init(timeout_s)
    now = time.time()
    if now < OLDEST_SANE_CLOCK:
        said = f"the clock says {time.ctime(now)}; expected today"
        raise ApplyError(f"{said}: set it, or enable chrony")


def await_cloud_init(timeout_s: float) -> None:
    """Status 0 is success, 2 success with warnings (since 23.4); anything else is shown."""
    say("waiting for cloud-init")
    status, output = run(["cloud-init", "status", "--wait"], timeout_s=timeout_s)
    if status == 2:
        say(f"cloud-init ended with warnings:\n{cloud_init_errors()}")
    elif status != 0:
        raise ApplyError(
            f"cloud-init: {output.strip('.')} (status {status})\n{cloud_init_errors()}"
        )


def cloud_init_errors() -> str:
    """The errors that cloud-init recorded, one a line."""
    try:
        result = json.loads(Path("/run/cloud-init/result.json").read_text())["v1"]
    except (OSError, ValueError, KeyError):
        return "(no result recorded; see /var/log/cloud-init.log)"
    errors = [*result.get("errors", ()), *result.get("recoverable_errors", {}).get("WARNING", ())]
    return "\n".join(str(error) for error in errors) or "(see /var/log/cloud-init.log)"


# -- the whole -----------------------------------------------------------------------------------


def carry_out(spec: Json) -> List[str]:
    """Everything of a specification, in order; returns what was changed."""
    if spec["version"] != 1:
        raise ApplyError(f"this applier knows specification version 1, got {spec['version']}")
    done = [f"installed {name}" for name in ensure_packages(spec["packages"])]
    unfinished = pending(spec)
    files = Files(unfinished)
    were_active: Dict[str, bool] = {}
    try:
        for file in spec["files"]:
            files.put(file)
        for path in spec["absent"]:
            files.remove(path)
        fresh = files.changed + unfinished
        if any(path.startswith(UNIT_FILES) for path in fresh):
            must(["systemctl", "daemon-reload"], "reading the unit files")
        done += [f"wrote {path}" for path in files.changed]
        for unit in spec["units"]:
            happened = settle_unit(unit, fresh, were_active)
            done += [happened] if happened else []
    except (ApplyError, OSError):
        files.put_back()
        revive(spec["units"], files.changed, were_active)
        raise
    for command in spec["checks"]:
        await_check(command, spec["check_within_s"])
    return done


def record_path(spec: Json) -> Path:
    return RECORD_DIR / f"{spec['service']}.json"


def pending(spec: Json) -> List[str]:
    """Files that an earlier, interrupted run wrote without reaching the units.

    The record is written last. A file that stands as specified but is not in the record with this
    digest was written by a run that was cut off: its units have not taken it over yet. Without a
    record, that may be any file.
    """
    try:
        recorded = json.loads(record_path(spec).read_text())["files"]
    except (OSError, ValueError, KeyError):
        recorded = {}
    return [f["path"] for f in spec["files"] if recorded.get(f["path"]) != digest(f)]


def digest(file: Json) -> str:
    return hashlib.sha256("\n".join(file["lines"]).encode()).hexdigest()


def record(spec: Json) -> None:
    """Remember what was applied, for `lab check` and for runs after an interrupted one."""
    RECORD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    applied = {
        "files": {file["path"]: digest(file) for file in spec["files"]},
        "units": {unit_name(unit): unit["running"] for unit in spec["units"]},
    }
    path = record_path(spec)
    content = (json.dumps(applied, indent=1, sort_keys=True) + "\n").encode()
    os.replace(stage(path, content, 0o600, 0, 0), path)


def ready(timeout_s: float) -> int:
    """Exit status of the readiness gate."""
    try:
        await_ready(timeout_s)
    except ApplyError as failure:
        say(str(failure))
        return 1
    print("ready")
    return 0


def read_specification(text: str) -> Json:
    """The specification, its files as a list in the order in which they are written."""
    spec: Json = json.loads(text)
    spec["files"] = [{"path": path, **file} for path, file in spec["files"].items()]
    return spec


def main() -> int:
    """Read the specification, carry it out, print what changed."""
    os.umask(0o022)
    if sys.argv[1:2] == ["--ready"]:
        return ready(float(sys.argv[2]))
    spec = read_specification(sys.stdin.read())
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time: packages and units are not to be shared
        try:
            done = carry_out(spec)
            record(spec)
        except (ApplyError, OSError) as failure:
            say(f"{spec['service']}: {failure}")
            return 1
    print("; ".join(done) or "nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
