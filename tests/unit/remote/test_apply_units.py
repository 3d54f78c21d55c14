"""The applier and units: started, stopped, reloaded or restarted, and revived after a failure."""

from __future__ import annotations

import json

import pytest

from tests.unit.remote.guest import Guest, specification, unit

WEB = "web.service"
Patch = pytest.MonkeyPatch


def test_a_unit_that_runs_with_unchanged_files_is_left_alone(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.unit(WEB)
    file = guest.file("site.conf", "a\n")
    spec = specification(files=[file], units=[unit(reload_on=(file["path"],))])
    guest.apply(monkeypatch, spec)
    guest.calls()

    outcome = guest.apply(monkeypatch, spec)

    assert outcome.out == "nothing to do"
    assert guest.calls() == []


def test_a_unit_that_does_not_run_is_enabled_and_started(guest: Guest, monkeypatch: Patch) -> None:
    guest.unit(WEB, active=False, enabled=False)

    outcome = guest.apply(monkeypatch, specification(units=[unit()]))

    assert outcome.out == f"started {WEB}"
    assert guest.calls() == [
        f"systemctl enable --quiet --no-reload {WEB}",
        f"systemctl reset-failed {WEB}",
        f"systemctl start {WEB}",
    ]


def test_a_unit_that_runs_but_is_not_enabled_is_enabled_without_a_restart(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.unit(WEB, enabled=False)

    guest.apply(monkeypatch, specification(units=[unit()]))

    assert guest.calls() == [f"systemctl enable --quiet --no-reload {WEB}"]


@pytest.mark.parametrize(
    ("on_reload", "on_restart", "expected"),
    [
        (("a.conf",), (), ["reload"]),
        ((), ("a.conf",), ["restart"]),
        (("a.conf",), ("a.conf",), ["restart"]),
        (("b.conf",), (), []),
    ],
)
def test_a_changed_file_means_what_the_unit_says_it_means(
    guest: Guest,
    monkeypatch: Patch,
    on_reload: tuple[str, ...],
    on_restart: tuple[str, ...],
    expected: list[str],
) -> None:
    guest.unit(WEB)
    wanted = unit(
        reload_on=tuple(str(guest.path(name)) for name in on_reload),
        restart_on=tuple(str(guest.path(name)) for name in on_restart),
    )
    b = guest.file("b.conf", "b\n")
    guest.apply(monkeypatch, specification(files=[guest.file("a.conf", "1\n"), b], units=[wanted]))
    guest.calls()

    guest.apply(monkeypatch, specification(files=[guest.file("a.conf", "2\n"), b], units=[wanted]))

    assert guest.calls() == [f"systemctl {verb} {WEB}" for verb in expected]


def test_changed_unit_files_are_read_before_units_are_touched(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.unit(WEB, active=False)
    drop_in = guest.file("drop-in.conf", "[Service]\n")
    monkeypatch.setattr(
        "components.remote.guest.main.UNIT_FILES", str(guest.path("")), raising=True
    )

    guest.apply(monkeypatch, specification(files=[drop_in], units=[unit()]))

    assert guest.calls()[0] == "systemctl daemon-reload"


class TestNotRunning:
    """Units that must not run, such as automatic updates."""

    def test_a_running_one_is_stopped_and_disabled_once(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        spec = specification(units=[unit(running=False)])
        first = guest.apply(monkeypatch, spec)
        calls = guest.calls()
        second = guest.apply(monkeypatch, spec)

        assert first.out == f"stopped {WEB}"
        assert calls == [f"systemctl disable --now {WEB}"]
        assert second.out == "nothing to do"
        assert guest.calls() == []

    def test_one_that_the_machine_does_not_have_is_no_problem(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        outcome = guest.apply(monkeypatch, specification(units=[unit(running=False)]))

        assert (outcome.status, outcome.out) == (0, "nothing to do")
        assert guest.calls() == []


class TestFailure:
    """A unit does not take the new files."""

    def test_a_unit_that_does_not_start_says_its_own_last_words(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB, active=False)
        guest.fail_once("start", WEB)

        outcome = guest.apply(monkeypatch, specification(units=[unit()]))

        assert outcome.status == 1
        assert f"web: {WEB} did not start: Job for {WEB} failed." in outcome.err
        assert "the unit's own last words" in outcome.err

    def test_a_failed_restart_puts_the_old_file_back_and_runs_with_it(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        old, new = guest.file("a.conf", "old\n"), guest.file("a.conf", "new\n")
        units = [unit(restart_on=(old["path"],))]
        guest.apply(monkeypatch, specification(files=[old], units=units))
        guest.calls()
        guest.fail_once("restart", WEB)

        outcome = guest.apply(monkeypatch, specification(files=[new], units=units))

        assert outcome.status == 1
        assert f"restarting {WEB} failed" in outcome.err
        assert guest.path("a.conf").read_text(encoding="utf-8") == "old\n"
        assert "ActiveState=active" in guest.unit_is(WEB)
        assert guest.calls() == [
            f"systemctl restart {WEB}",
            f"systemctl reset-failed {WEB}",
            f"systemctl restart {WEB}",
        ]

    def test_an_earlier_unit_that_took_the_new_file_takes_the_old_one_again(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit("lb.service")
        guest.unit(WEB)
        paths = (str(guest.path("lb.conf")), str(guest.path("a.conf")))
        units = [unit("lb.service", reload_on=paths[:1]), unit(reload_on=paths[1:])]
        old = [guest.file("lb.conf", "old\n"), guest.file("a.conf", "old\n")]
        new = [guest.file("lb.conf", "new\n"), guest.file("a.conf", "new\n")]
        guest.apply(monkeypatch, specification(files=old, units=units))
        guest.calls()
        guest.fail_once("reload", WEB)

        guest.apply(monkeypatch, specification(files=new, units=units))

        assert guest.calls() == [
            "systemctl reload lb.service",
            f"systemctl reload {WEB}",
            "systemctl reload lb.service",
            f"systemctl reload {WEB}",
        ]

    def test_a_unit_that_did_not_run_before_is_not_started_by_a_failure(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB, active=False)
        files = [
            guest.file("page.html", "new\n"),
            guest.file("a.conf", "bad\n", validate="false {staged}"),
        ]
        wanted = unit(reload_on=tuple(file["path"] for file in files))

        guest.apply(monkeypatch, specification(files=files, units=[wanted]))

        assert guest.calls() == []
        assert "ActiveState=inactive" in guest.unit_is(WEB)


class TestInEffect:
    """A daemon that says that all is well, and serves on with what it had."""

    @staticmethod
    def asked(guest: Guest, *, runs_with: str = "running") -> str:
        """A command that compares what the unit `runs_with` with its file."""
        file, running = guest.path("a.conf"), guest.path(runs_with)
        return f"cmp -s {file} {running} || {{ echo it runs with $(cat {running}); false; }}"

    def test_a_reload_that_did_not_happen_is_a_failure_and_the_old_file_returns(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        old, new = guest.file("a.conf", "old\n"), guest.file("a.conf", "new\n")
        units = [unit(reload_on=(old["path"],), in_effect=self.asked(guest))]
        guest.path("running").write_text("old\n", encoding="utf-8")
        assert guest.apply(monkeypatch, specification(files=[old], units=units)).status == 0
        guest.calls()

        changed = specification(files=[new], units=units, check_within_s=0.05)
        outcome = guest.apply(monkeypatch, changed)

        assert outcome.status == 1
        assert f"{WEB} runs, but not with the files that were written" in outcome.err
        assert "it runs with old" in outcome.err
        assert "the unit's own last words" in outcome.err
        assert "either" not in outcome.err
        assert guest.path("a.conf").read_text(encoding="utf-8") == "old\n"
        assert guest.calls() == [f"systemctl reload {WEB}"] * 2
        assert guest.verify(monkeypatch)["findings"] == []

    def test_it_is_waited_for(self, guest: Guest, monkeypatch: Patch) -> None:
        guest.unit(WEB, active=False)
        tries = guest.root / "tries"
        late = f"echo >> {tries}; test $(wc -l < {tries}) -ge 3"
        outcome = guest.apply(monkeypatch, specification(units=[unit(in_effect=late)]))
        assert (outcome.status, outcome.out) == (0, f"started {WEB}")
        assert len(tries.read_text(encoding="utf-8")) == 3

    def test_a_machine_whose_old_state_does_not_return_says_so(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        file = guest.file("a.conf", "new\n")
        never = unit(reload_on=(file["path"],), in_effect="echo stuck; false")
        outcome = guest.apply(
            monkeypatch, specification(files=[file], units=[never], check_within_s=0.05)
        )
        assert f"{WEB} does not run with its old files either: stuck" in outcome.err

    @pytest.mark.parametrize(("has_reload", "verb"), [(True, "reload"), (False, "restart")])
    def test_what_another_hand_changed_at_run_time_is_found_and_put_right(
        self, guest: Guest, monkeypatch: Patch, has_reload: bool, verb: str
    ) -> None:
        guest.unit(WEB)
        file = guest.file("a.conf", "a\n")
        runtime = guest.path("runtime")
        asked = f"test ! -e {runtime} || {{ rm {runtime}; echo another weight; false; }}"
        own = unit(reload_on=(file["path"],) if has_reload else (), in_effect=asked)
        spec = specification(files=[file], units=[own])
        guest.apply(monkeypatch, spec)
        guest.calls()

        runtime.touch()
        (finding,) = guest.verify(monkeypatch)["findings"]
        runtime.touch()
        outcome = guest.apply(monkeypatch, spec)

        assert (finding["kind"], finding["subject"]) == ("unit", WEB)
        assert finding["found"] == "another weight"
        assert outcome.out == f"{verb}ed {WEB}"
        assert guest.calls() == [f"systemctl {verb} {WEB}"]

    def test_a_unit_that_does_not_run_is_not_asked(self, guest: Guest, monkeypatch: Patch) -> None:
        guest.unit(WEB)
        asked = guest.root / "asked"
        spec = specification(units=[unit(in_effect=f"touch {asked}")])
        guest.apply(monkeypatch, spec)
        asked.unlink()
        guest.unit(WEB, active=False)
        assert [one["found"] for one in guest.verify(monkeypatch)["findings"]] == ["inactive"]
        assert not asked.exists()


class TestReplacedUnit:
    """One unit takes another's place, and does not start."""

    def test_the_old_one_runs_again_and_the_new_one_does_not(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit("old.service")
        guest.unit("new.service", active=False, enabled=False)
        guest.unit("watch.service", active=False)
        units = [unit("old.service", running=False), unit("new.service"), unit("watch.service")]
        guest.fail_once("start", "new.service")

        outcome = guest.apply(monkeypatch, specification(units=units))

        assert outcome.status == 1
        assert "ActiveState=active" in guest.unit_is("watch.service"), "it had not had its turn"
        assert guest.calls() == [
            "systemctl disable --now old.service",
            "systemctl enable --quiet --no-reload new.service",
            "systemctl reset-failed new.service",
            "systemctl start new.service",
            "systemctl disable --now --quiet new.service",
            "systemctl enable --now --quiet old.service",
            "systemctl start watch.service",
        ]

    def test_nothing_is_started_where_nothing_was_stopped(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit("old.service", active=False, enabled=False)
        guest.unit("new.service", active=False, enabled=False)
        guest.unit("watch.service", active=False)
        units = [unit("old.service", running=False), unit("new.service"), unit("watch.service")]
        guest.fail_once("start", "new.service")

        guest.apply(monkeypatch, specification(units=units))

        assert guest.calls()[-1] == "systemctl start new.service"


class TestInterruptedRun:
    """A run was killed after it wrote files; the next one finishes its work."""

    def test_the_next_run_reloads_although_the_files_stand_already(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        old, new = guest.file("a.conf", "old\n"), guest.file("a.conf", "new\n")
        units = [unit(reload_on=(old["path"],))]
        guest.apply(monkeypatch, specification(files=[old], units=units))
        guest.path("a.conf").write_text("new\n", encoding="utf-8")  # ... and then it was killed
        guest.calls()

        outcome = guest.apply(monkeypatch, specification(files=[new], units=units))
        again = guest.apply(monkeypatch, specification(files=[new], units=units))

        assert outcome.out == f"reloaded {WEB}"
        assert guest.calls() == [f"systemctl reload {WEB}"]
        assert again.out == "nothing to do"

    def test_the_very_first_run_may_be_the_one_that_was_killed(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)  # the distribution starts it with its own configuration
        file = guest.file("a.conf", "new\n")
        guest.path("a.conf").write_text("new\n", encoding="utf-8")

        guest.apply(
            monkeypatch, specification(files=[file], units=[unit(reload_on=(file["path"],))])
        )

        assert guest.calls() == [f"systemctl reload {WEB}"]

    def test_what_comes_after_a_file_is_done_again(self, guest: Guest, monkeypatch: Patch) -> None:
        mark = guest.root / "mark"
        file = guest.file("users.conf", "new\n", then=f"echo ran >> {mark}")
        guest.path("users.conf").write_text("new\n", encoding="utf-8")

        for _ in range(2):
            guest.apply(monkeypatch, specification(files=[file]))

        assert mark.read_text(encoding="utf-8") == "ran\n"

    def test_a_check_that_failed_means_another_reload_next_time(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        file = guest.file("a.conf", "new\n")
        spec = specification(files=[file], units=[unit(reload_on=(file["path"],))])
        failing = spec | {"checks": ["false"], "check_within_s": 0.05}

        assert guest.apply(monkeypatch, failing).status == 1
        guest.calls()
        guest.apply(monkeypatch, spec)

        assert guest.calls() == [f"systemctl reload {WEB}"]

    def test_a_record_that_cannot_be_read_is_no_record(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit(WEB)
        file = guest.file("a.conf", "new\n")
        spec = specification(files=[file], units=[unit(reload_on=(file["path"],))])
        guest.apply(monkeypatch, spec)
        (guest.root / "applied" / "web.json").write_text("{ half", encoding="utf-8")
        guest.calls()

        assert guest.apply(monkeypatch, spec).status == 0
        assert guest.calls() == [f"systemctl reload {WEB}"]


def test_the_record_says_what_was_applied_and_is_for_root_alone(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.unit(WEB)
    file = guest.file("a.conf", "x\n")
    guest.apply(monkeypatch, specification(files=[file], units=[unit()]))
    path = guest.root / "applied" / "web.json"
    record = json.loads(path.read_text(encoding="utf-8"))

    assert list(record["files"]) == [file["path"]]
    assert record["units"] == {WEB: True}
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_services_of_a_machine_have_records_of_their_own(
    guest: Guest, monkeypatch: Patch
) -> None:
    for service in ("web", "balancer"):
        guest.apply(monkeypatch, specification(service=service))

    assert {path.name for path in (guest.root / "applied").iterdir()} == {
        "web.json",
        "balancer.json",
    }
