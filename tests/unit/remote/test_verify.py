"""Drift: what `--verify` finds, what it does not, and that the next run puts all of it right."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.remote.guest import GROUP, USER, Guest, specification, unit

WEB, TIMER = "web.service", "apt-daily.timer"
SECRET = "correct-horse-battery-staple"
Patch = pytest.MonkeyPatch


@pytest.fixture
def applied(guest: Guest, monkeypatch: Patch) -> dict[str, Any]:
    """A specification of everything that a plan can have, carried out."""
    guest.unit(WEB, active=False, enabled=False)
    guest.unit(TIMER)
    spec = specification(
        packages={"debian": ["nginx", "curl"], "redhat": ["nginx"]},
        files=[
            guest.file("site.conf", "listen 80\n"),
            guest.file("key", f"{SECRET}\n", mode="0600"),
        ],
        absent=[str(guest.path("default"))],
        units=[unit(WEB, reload_on=(str(guest.path("site.conf")),)), unit(TIMER, running=False)],
    )
    assert guest.apply(monkeypatch, spec).status == 0
    return spec


def found(drift: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (one["kind"], Path(one["subject"]).name, one["found"], one["expected"])
        for one in drift["findings"]
    ]


def edit(guest: Guest) -> None:
    guest.path("site.conf").write_text("listen 81\n", encoding="utf-8")


def remove(guest: Guest) -> None:
    guest.path("site.conf").unlink()


def open_up(guest: Guest) -> None:
    guest.path("key").chmod(0o644)


def put_there(guest: Guest) -> None:
    guest.path("default").symlink_to("nowhere")


def stop(guest: Guest) -> None:
    guest.unit(WEB, active=False)


def disable(guest: Guest) -> None:
    guest.unit(WEB, enabled=False)


def unlink(guest: Guest) -> None:
    """The link is gone, systemd has not noticed."""
    guest.unit(WEB)
    (guest.root / "units" / f"{WEB}.disk").write_text("disabled\n")


def fail(guest: Guest) -> None:
    state = guest.root / "units" / WEB
    state.write_text("LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n")


def start(guest: Guest) -> None:
    guest.unit(TIMER)


def uninstall(guest: Guest) -> None:
    (guest.root / "packages" / "curl").write_text("config-files", encoding="utf-8")


CHANGES = [
    (edit, ("file", "site.conf", "content differs", "as applied")),
    (remove, ("file", "site.conf", "missing", "as applied")),
    (open_up, ("file", "key", "mode 0644", "mode 0600")),
    (put_there, ("file", "default", "there", "absent")),
    (stop, ("unit", WEB, "inactive", "active")),
    (disable, ("unit", WEB, "disabled", "enabled")),
    (unlink, ("unit", WEB, "disabled", "enabled")),
    (fail, ("unit", WEB, "failed", "active")),
    (start, ("unit", TIMER, "active, enabled", "stopped, disabled")),
    (uninstall, ("package", "curl", "not installed", "installed")),
]


def test_a_machine_that_is_as_it_was_applied_has_no_drift(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied
    drift = guest.verify(monkeypatch)

    assert drift == {"version": 1, "plans": ["web"], "findings": [], "unknown": []}


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[c.__name__ for c, _ in CHANGES])
def test_each_change_by_hand_is_named_and_the_next_run_puts_it_right(
    guest: Guest,
    applied: dict[str, Any],
    monkeypatch: Patch,
    change: Callable[[Guest], None],
    expected: tuple[str, str, str, str],
) -> None:
    change(guest)

    drift = guest.verify(monkeypatch)
    assert found(drift) == [expected]
    assert drift["findings"][0]["plan"] == "web"

    assert guest.apply(monkeypatch, applied).status == 0
    assert found(guest.verify(monkeypatch)) == []


def test_a_unit_that_is_not_there_does_not_hide_the_others(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.unit("b.service", enabled=False)
    units = [unit("a.service", running=False), unit("b.service"), unit("c.service", running=False)]
    guest.unit("c.service", active=False, enabled=False)
    assert guest.apply(monkeypatch, specification(units=units)).status == 0
    guest.unit("b.service", enabled=False)

    assert found(guest.verify(monkeypatch)) == [("unit", "b.service", "disabled", "enabled")]


def test_looking_changes_nothing(guest: Guest, applied: dict[str, Any], monkeypatch: Patch) -> None:
    del applied
    edit(guest)
    stop(guest)
    guest.calls()
    before = {path: path.stat().st_mtime_ns for path in sorted(guest.root.rglob("*"))}

    guest.verify(monkeypatch)

    assert guest.calls() == []
    after = {path: path.stat().st_mtime_ns for path in sorted(guest.root.rglob("*"))}
    # The record of the fake tools' calls is the one thing that a question leaves.
    assert {p: t for p, t in after.items() if p != guest.root} == {
        p: t for p, t in before.items() if p != guest.root
    }


def test_every_difference_of_a_file_is_named(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied
    record = json.loads(guest.record().read_text())
    record["access"][str(guest.path("site.conf"))] |= {"owner": "daemon", "group": "daemon"}
    guest.record().write_text(json.dumps(record))
    edit(guest)
    guest.path("site.conf").chmod(0o755)

    assert found(guest.verify(monkeypatch)) == [
        ("file", "site.conf", "content differs", "as applied"),
        ("file", "site.conf", "mode 0755", "mode 0644"),
        ("file", "site.conf", f"owner {USER}:{GROUP}", "owner daemon:daemon"),
    ]


def test_a_directory_in_the_place_of_a_file_is_no_file(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied
    remove(guest)
    guest.path("site.conf").mkdir()

    assert found(guest.verify(monkeypatch)) == [("file", "site.conf", "no file", "as applied")]


def test_nothing_of_a_private_file_is_printed(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied
    guest.path("key").write_text(f"not-{SECRET}\n", encoding="utf-8")
    outcome = guest.run(monkeypatch, "--verify")
    digest = json.loads(guest.record().read_text())["files"][str(guest.path("key"))]

    assert "content differs" in outcome.out
    assert SECRET not in outcome.out + outcome.err
    assert digest[:8] not in outcome.out + outcome.err


def test_only_the_named_services_are_looked_at(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    other = specification(service="other", files=[guest.file("other.conf", "x\n")])
    guest.apply(monkeypatch, other)
    edit(guest)
    guest.path("other.conf").unlink()

    assert found(guest.verify(monkeypatch, "other")) == [
        ("file", "other.conf", "missing", "as applied")
    ]
    assert guest.verify(monkeypatch)["plans"] == ["other", applied["service"]]


def test_a_service_that_should_be_here_and_was_never_applied_is_found(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied
    assert found(guest.verify(monkeypatch, "web", "database")) == [
        ("record", "database", "no record that it was applied", "applied")
    ]


def test_a_machine_on_which_nothing_was_applied_has_no_plans(
    guest: Guest, monkeypatch: Patch
) -> None:
    assert guest.verify(monkeypatch)["plans"] == []
    assert not (guest.root / "applied").exists()


class TestRunsThatDidNotEnd:
    """A mark tells them from those that did."""

    def test_one_that_failed_its_check_is_found_until_one_succeeds(
        self, guest: Guest, applied: dict[str, Any], monkeypatch: Patch
    ) -> None:
        guest.apply(monkeypatch, {**applied, "checks": ["false"], "check_within_s": 0.1})
        expected = ("record", "web", "a run that failed or was cut off", "a finished run")
        assert found(guest.verify(monkeypatch)) == [expected]

        guest.apply(monkeypatch, applied)
        assert found(guest.verify(monkeypatch)) == []

    def test_one_that_put_everything_back_left_nothing_to_finish(
        self, guest: Guest, applied: dict[str, Any], monkeypatch: Patch
    ) -> None:
        refused = guest.file("site.conf", "lisen\n", validate="false {staged}")
        assert guest.apply(monkeypatch, {**applied, "files": [refused]}).status == 1

        assert found(guest.verify(monkeypatch)) == []

    def test_one_that_put_back_what_a_cut_off_run_had_begun_did_not_finish_that(
        self, guest: Guest, applied: dict[str, Any], monkeypatch: Patch
    ) -> None:
        guest.apply(monkeypatch, {**applied, "checks": ["false"], "check_within_s": 0.1})
        refused = guest.file("site.conf", "lisen\n", validate="false {staged}")
        guest.apply(monkeypatch, {**applied, "files": [refused]})

        assert [kind for kind, *_ in found(guest.verify(monkeypatch))] == ["record"]

    def test_a_first_one_that_was_cut_off_is_found_without_a_record(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.apply(monkeypatch, specification(checks=["false"], check_within_s=0.1))

        assert found(guest.verify(monkeypatch)) == [
            ("record", "web", "a run that failed or was cut off", "a finished run")
        ]

    def test_one_that_runs_now_is_none_of_them(self, guest: Guest, monkeypatch: Patch) -> None:
        with (guest.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            outcome = guest.run(monkeypatch, "--verify")

        assert outcome.status == 1
        assert outcome.err == "cannot look: something is being applied at this moment"


class TestOldRecords:
    """What an older release wrote: digests and units, nothing else."""

    @pytest.fixture
    def old(self, guest: Guest, applied: dict[str, Any]) -> Path:
        del applied
        content = json.loads(guest.record().read_text())
        kept = {key: content[key] for key in ("files", "units")}
        guest.record().write_text(json.dumps(kept))
        return guest.record()

    def test_what_they_tell_is_compared_and_what_they_do_not_is_unknown(
        self, guest: Guest, old: Path, monkeypatch: Patch
    ) -> None:
        del old
        edit(guest)
        guest.path("key").chmod(0o666)
        uninstall(guest)
        stop(guest)
        drift = guest.verify(monkeypatch)

        assert found(drift) == [
            ("file", "site.conf", "content differs", "as applied"),
            ("unit", WEB, "inactive", "active"),
        ]
        (unknown,) = drift["unknown"]
        assert unknown["plan"] == "web"
        assert "older release" in unknown["why"]

    def test_the_next_run_makes_them_complete(
        self, guest: Guest, applied: dict[str, Any], old: Path, monkeypatch: Patch
    ) -> None:
        del old
        assert guest.apply(monkeypatch, applied).out == "nothing to do"
        assert guest.verify(monkeypatch)["unknown"] == []

    @pytest.mark.parametrize("text", ["", "{", "[]"])
    def test_a_damaged_one_counts_as_none(
        self, guest: Guest, old: Path, monkeypatch: Patch, text: str
    ) -> None:
        old.write_text(text)

        assert [kind for kind, *_ in found(guest.verify(monkeypatch))] == ["record"]


def test_somebody_who_may_not_look_is_told_so(
    guest: Guest, applied: dict[str, Any], monkeypatch: Patch
) -> None:
    del applied

    def refuse(_path: Path) -> Any:
        raise PermissionError(13, "Permission denied", "/var/lib/ha-lab/applied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    outcome = guest.run(monkeypatch, "--verify")

    assert outcome.status == 1
    assert outcome.err.startswith("cannot look: ")
    assert "Permission denied" in outcome.err
