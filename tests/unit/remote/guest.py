"""A guest in a directory: the real applier, and stand-ins for the system's own tools."""

from __future__ import annotations

import grp
import json
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.remote.guest import checks, effect, main, packages, record, units, verify

QUESTIONS = ("systemctl show", "systemctl list-unit-files")
USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name

SYSTEMCTL = """#!/bin/sh
# Keeps the units' states in files, and says what it was asked.
state="$FAKE_GUEST/units"
echo "systemctl $*" >> "$FAKE_GUEST/calls"
case "$1" in
show)
    shift 3
    for name; do
        test -e "$state/$name" && cat "$state/$name" || printf 'LoadState=not-found\\n'
        echo
    done
    exit 0;;
list-unit-files)
    shift 4
    for name; do
        test -e "$state/$name" || continue
        # The links on disk; what `show` says may be older.
        disk=$(cat "$state/$name.disk" 2>/dev/null || sed -n s/UnitFileState=//p "$state/$name")
        echo "$name $disk enabled"
    done
    exit 0;;
daemon-reload)
    for disk in "$state"/*.disk; do
        test -e "$disk" || continue
        sed -i "s/UnitFileState=.*/UnitFileState=$(cat "$disk")/" "${disk%.disk}"
        rm "$disk"
    done
    exit 0;;
esac
for name; do :; done
if test -e "$FAKE_GUEST/fail-$1-$name"; then
    echo "Job for $name failed."
    test "$1" = reload || sed -i s/ActiveState=.*/ActiveState=failed/ "$state/$name"
    rm "$FAKE_GUEST/fail-$1-$name"
    exit 1
fi
case "$1" in
start|restart) sed -i s/ActiveState=.*/ActiveState=active/ "$state/$name";;
enable) echo enabled > "$state/$name.disk";;
disable) sed -i 's/UnitFileState=.*/UnitFileState=disabled/;s/ActiveState=.*/ActiveState=inactive/'\
 "$state/$name";;
esac
"""
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$FAKE_GUEST/calls"
"""
DPKG_QUERY = """#!/bin/sh
shift 2
status=0
for name; do
  if test -e "$FAKE_GUEST/packages/$name"; then
    echo "$(cat "$FAKE_GUEST/packages/$name") $name"
  else
    echo "dpkg-query: no packages found matching $name" >&2; status=1
  fi
done
exit $status
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$FAKE_GUEST/calls"
for name; do :; done
test -e "$FAKE_GUEST/policy-rc.d" && echo "policy in place" >> "$FAKE_GUEST/calls"
if test -e "$FAKE_GUEST/fail-apt"; then echo "E: Unable to locate package $name"; exit 100; fi
case " $* " in *" install "*)
    words="$*"
    for name in ${words##* install }; do printf installed > "$FAKE_GUEST/packages/$name"; done;;
esac
"""
JOURNALCTL = """#!/bin/sh
echo "the unit's own last words"
"""


def as_text(spec: dict[str, Any]) -> str:
    """A specification as the applier gets it: files under their paths."""
    files = {
        file["path"]: {key: value for key, value in file.items() if key != "path"}
        for file in spec["files"]
    }
    return json.dumps({**spec, "files": files})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A machine of which only the applier is real."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def path(self, name: str) -> Path:
        return self.root / "etc" / name

    def file(self, name: str, text: str, **changes: Any) -> dict[str, Any]:
        """A file of a specification, owned by whoever runs the tests."""
        spec = {
            "path": str(self.path(name)),
            "mode": "0644",
            "owner": USER,
            "group": GROUP,
            "validate": None,
            "then": None,
            "lines": text.split("\n"),
        }
        return spec | changes

    def unit(self, name: str, *, active: bool = True, enabled: bool = True) -> None:
        """A unit that the guest has, in this state."""
        text = (
            "LoadState=loaded\n"
            f"ActiveState={'active' if active else 'inactive'}\n"
            f"UnitFileState={'enabled' if enabled else 'disabled'}\n"
        )
        (self.root / "units" / name).write_text(text, encoding="utf-8")
        (self.root / "units" / f"{name}.disk").unlink(missing_ok=True)

    def unit_is(self, name: str) -> str:
        return (self.root / "units" / name).read_text(encoding="utf-8")

    def fail_once(self, verb: str, name: str) -> None:
        """Let the next `systemctl VERB NAME` fail."""
        (self.root / f"fail-{verb}-{name}").touch()

    def apply(self, monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any]) -> Outcome:
        """Run the applier's main with this specification on its standard input."""
        source = self.root / "stdin"
        source.write_text(as_text(spec), encoding="utf-8")
        self.capture.readouterr()
        with source.open(encoding="utf-8") as stdin, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", stdin)
            patch.setattr("sys.argv", ["apply.py"])
            status = main.main()
        said = self.capture.readouterr()
        return Outcome(status=status, out=said.out.strip(), err=said.err.strip())

    def verify(self, monkeypatch: pytest.MonkeyPatch, *services: str) -> dict[str, Any]:
        """What the applier says of this guest's drift."""
        outcome = self.run(monkeypatch, "--verify", *services)
        assert (outcome.status, outcome.err) == (0, "")
        drift: dict[str, Any] = json.loads(outcome.out)
        return drift

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Outcome:
        """Run the applier with these arguments and nothing on its standard input."""
        self.capture.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("sys.argv", ["apply.py", *arguments])
            status = main.main()
        said = self.capture.readouterr()
        return Outcome(status=status, out=said.out.strip(), err=said.err.strip())

    def record(self, service: str = "web") -> Path:
        return self.root / "applied" / f"{service}.json"

    def calls(self) -> list[str]:
        """What the tools were asked since the last time, without questions for states."""
        record = self.root / "calls"
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith(QUESTIONS)]

    def leftovers(self) -> list[str]:
        """Staged files that nobody removed."""
        return [str(path) for path in self.root.rglob(".*")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the applier did and said."""

    status: int
    out: str
    err: str


def specification(**changes: Any) -> dict[str, Any]:
    """A specification that asks for nothing but what is given."""
    empty: dict[str, Any] = {
        "version": 1,
        "service": "web",
        "packages": {"debian": [], "redhat": []},
        "files": [],
        "absent": [],
        "units": [],
        "checks": [],
        "check_within_s": 5,
    }
    return empty | changes


def unit(
    name: str = "web.service",
    *,
    reload_on: tuple[str, ...] = (),
    restart_on: tuple[str, ...] = (),
    running: bool = True,
    in_effect: str | None = None,
) -> dict[str, Any]:
    return {
        "name": {"debian": name, "redhat": name},
        "running": running,
        "reload_on": list(reload_on),
        "restart_on": list(restart_on),
        **({"in_effect": in_effect} if in_effect else {}),
    }


def make_guest(
    root: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
) -> Guest:
    tools = root / "bin"
    for directory in (tools, root / "units", root / "packages", root / "etc"):
        directory.mkdir()
    scripts = {
        "systemctl": SYSTEMCTL,
        "dpkg-query": DPKG_QUERY,
        "apt-get": APT_GET,
        "journalctl": JOURNALCTL,
        "dpkg": RECORDER,
    }
    for name, text in scripts.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GUEST", str(root))
    monkeypatch.setattr(record, "RECORD_DIR", root / "applied")
    monkeypatch.setattr(main, "LOCK", root / "lock")
    monkeypatch.setattr(packages, "POLICY", root / "policy-rc.d")
    for module in (effect, packages, record, units, verify):
        monkeypatch.setattr(module, "distribution_family", lambda: "debian")
    monkeypatch.setattr(checks, "CHECK_INTERVAL_S", 0.01)
    monkeypatch.setattr(effect, "ASK_INTERVAL_S", 0.01)
    return Guest(root=root, capture=capture)
