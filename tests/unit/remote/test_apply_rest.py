"""The applier: packages, checks, readiness."""

from __future__ import annotations

import pytest

from components.remote.guest import packages, ready, system
from tests.unit.remote.guest import Guest, specification

Patch = pytest.MonkeyPatch


def with_packages(*names: str) -> dict[str, object]:
    return specification(packages={"debian": list(names), "redhat": []})


class TestPackages:
    """Installed where they are missing, without starting anything."""

    def test_what_is_installed_is_not_installed_again(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        (guest.root / "packages" / "curl").write_text("installed", encoding="utf-8")

        outcome = guest.apply(monkeypatch, with_packages("curl"))

        assert outcome.out == "nothing to do"
        assert guest.calls() == []

    def test_a_removed_package_whose_configuration_is_left_counts_as_missing(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        (guest.root / "packages" / "curl").write_text("config-files", encoding="utf-8")

        assert guest.apply(monkeypatch, with_packages("curl")).out == "installed curl"

    def test_daemons_do_not_start_while_their_package_is_installed_and_may_again_after(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        outcome = guest.apply(monkeypatch, with_packages("nginx"))

        assert outcome.out == "installed nginx"
        assert "policy in place" in guest.calls()
        assert not (guest.root / "policy-rc.d").exists()

    def test_the_policy_goes_after_a_failure_too(self, guest: Guest, monkeypatch: Patch) -> None:
        (guest.root / "fail-apt").touch()

        outcome = guest.apply(monkeypatch, with_packages("nginx"))

        assert outcome.status == 1
        assert "E: Unable to locate package" in outcome.err
        assert not (guest.root / "policy-rc.d").exists()

    @pytest.mark.parametrize("wanted", [("nginx",), ()], ids=["something", "nothing"])
    def test_a_policy_that_a_killed_run_left_is_removed(
        self, guest: Guest, monkeypatch: Patch, wanted: tuple[str, ...]
    ) -> None:
        """Whatever there is to install: no service of any package would start any more."""
        policy = guest.root / "policy-rc.d"
        policy.write_text(packages.POLICY_TEXT, encoding="utf-8")

        guest.apply(monkeypatch, with_packages(*wanted))

        assert not policy.exists()

    def test_a_policy_of_somebody_else_stays(self, guest: Guest, monkeypatch: Patch) -> None:
        policy = guest.root / "policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")

        guest.apply(monkeypatch, with_packages("nginx"))

        assert policy.read_text(encoding="utf-8") == "#!/bin/sh\nexit 101\n"

    def test_package_lists_are_fetched_only_when_the_first_attempt_fails(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.apply(monkeypatch, with_packages("nginx"))
        fetched = [line for line in guest.calls() if line.endswith("update")]
        (guest.root / "fail-apt").touch()
        guest.apply(monkeypatch, with_packages("haproxy"))

        assert fetched == []
        assert [line for line in guest.calls() if line.endswith(" update")] != []


class TestChecks:
    """What must answer at the end."""

    def test_a_check_is_asked_until_it_succeeds(self, guest: Guest, monkeypatch: Patch) -> None:
        tries = guest.root / "tries"
        check = f"echo x >> {tries}; test $(wc -l < {tries}) -ge 3"

        outcome = guest.apply(monkeypatch, specification(checks=[check]))

        assert outcome.status == 0
        assert tries.read_text(encoding="utf-8").count("x") == 3

    def test_after_the_deadline_the_check_and_its_last_words_are_shown(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        check = "echo 'HTTP 503 from 127.0.0.1'; exit 7"

        outcome = guest.apply(monkeypatch, specification(checks=[check], check_within_s=0.2))

        assert outcome.status == 1
        assert f"expected to succeed within 0 s: `{check}`" in outcome.err
        assert "it ended last with 7: HTTP 503 from 127.0.0.1" in outcome.err

    def test_a_check_that_hangs_is_ended_with_its_children(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        endless = "sleep infinity | sleep infinity"

        # A child that was left would hold the pipe open: this would never return.
        outcome = guest.apply(monkeypatch, specification(checks=[endless], check_within_s=0.1))

        assert outcome.status == 1
        assert "it ended last with 124: no answer within 1 s" in outcome.err


class TestReadiness:
    """The first thing that is asked of a machine."""

    def test_a_clock_that_was_never_set_is_refused(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr("components.remote.guest.ready.time.time", lambda: 1_000_000.0)

        with pytest.raises(system.ApplyError, match=r"the clock says .* 1970; expected today"):
            ready.await_ready(1)

    @pytest.mark.parametrize(("status", "accepted"), [(0, True), (2, True), (1, False)])
    def test_cloud_init_may_end_well_or_with_warnings(
        self, guest: Guest, monkeypatch: Patch, *, status: int, accepted: bool
    ) -> None:
        tool = guest.root / "bin" / "cloud-init"
        tool.write_text(f"#!/bin/sh\necho status: error\nexit {status}\n", encoding="utf-8")
        tool.chmod(0o700)
        del monkeypatch
        if accepted:
            ready.await_cloud_init(5)
            assert "waiting for cloud-init" in guest.capture.readouterr().err
        else:
            with pytest.raises(system.ApplyError, match=r"cloud-init: status: error \(status 1\)"):
                ready.await_cloud_init(5)


class TestOddities:
    """What the program that starts it may do."""

    def test_nobody_listening_is_no_reason_to_stop_half_way(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        class Closed:
            def write(self, _text: str) -> int:
                raise BrokenPipeError

            def flush(self) -> None:
                raise BrokenPipeError

        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr", Closed())
            system.say("installing nginx")
        del guest

    def test_another_version_of_the_specification_is_refused(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        outcome = guest.apply(monkeypatch, specification(version=2))

        assert outcome.status == 1
        assert "knows specification version 1, got 2" in outcome.err
