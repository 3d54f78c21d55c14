"""The applier: packages, checks, readiness, and where it must be able to run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.remote.guest import apply
from tests.unit.remote.guest import Guest, as_text, specification

SOURCE = Path(apply.__file__).read_text(encoding="utf-8")
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

    def test_a_policy_that_a_killed_run_left_is_removed(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        policy = guest.root / "policy-rc.d"
        policy.write_text(apply.POLICY_TEXT, encoding="utf-8")

        guest.apply(monkeypatch, with_packages("nginx"))

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
        begin = time.monotonic()

        outcome = guest.apply(
            monkeypatch, specification(checks=["sleep 60 | sleep 60"], check_within_s=0.1)
        )

        assert outcome.status == 1
        assert "it ended last with 124: no answer within 1 s" in outcome.err
        assert time.monotonic() - begin < 20


class TestReadiness:
    """The first thing that is asked of a machine."""

    def test_a_clock_that_was_never_set_is_refused(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr("components.remote.guest.apply.time.time", lambda: 1_000_000.0)

        with pytest.raises(apply.ApplyError, match=r"the clock says .* 1970; expected today"):
            apply.await_ready(1)

    @pytest.mark.parametrize(("status", "accepted"), [(0, True), (2, True), (1, False)])
    def test_cloud_init_may_end_well_or_with_warnings(
        self, guest: Guest, monkeypatch: Patch, *, status: int, accepted: bool
    ) -> None:
        tool = guest.root / "bin" / "cloud-init"
        tool.write_text(f"#!/bin/sh\necho status: error\nexit {status}\n", encoding="utf-8")
        tool.chmod(0o700)
        del monkeypatch
        if accepted:
            apply.await_cloud_init(5)
            assert "waiting for cloud-init" in guest.capture.readouterr().err
        else:
            with pytest.raises(apply.ApplyError, match=r"cloud-init: status: error \(status 1\)"):
                apply.await_cloud_init(5)


class TestWhereItRuns:
    """On guests, with nothing but their own Python."""

    def test_its_syntax_is_that_of_the_oldest_supported_python(self) -> None:
        ast.parse(SOURCE, feature_version=(3, 9))

    def test_it_imports_nothing_but_the_standard_library(self) -> None:
        imported = {
            ((isinstance(node, ast.ImportFrom) and node.module) or alias.name).partition(".")[0]
            for node in ast.walk(ast.parse(SOURCE))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }

        assert imported <= set(sys.stdlib_module_names)

    def test_annotations_that_older_pythons_would_evaluate_are_old_fashioned(self) -> None:
        # `from __future__ import annotations` covers annotations, not aliases such as Json.
        outside = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.Assign)]

        assert "from __future__ import annotations" in SOURCE
        assert not any(
            isinstance(node.value, ast.BinOp) and "|" in ast.dump(node) for node in outside
        )

    def test_it_runs_as_a_program_and_says_what_it_did(self, guest: Guest) -> None:
        program = guest.root / "apply.py"
        moved = SOURCE.replace('"/var/lib/ha-lab/applied"', f'"{guest.root}/applied"')
        moved = moved.replace('"/run/ha-lab-apply.lock"', f'"{guest.root}/lock"')
        program.write_text(moved, encoding="utf-8")
        file = guest.file("a.conf", "x\n")
        spec = specification(files=[file])
        done = subprocess.run(
            [sys.executable, "-I", str(program)],
            input=as_text(spec),
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"wrote {file['path']}\n"

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
            apply.say("installing nginx")
        del guest

    def test_another_version_of_the_specification_is_refused(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        outcome = guest.apply(monkeypatch, specification(version=2))

        assert outcome.status == 1
        assert "knows specification version 1, got 2" in outcome.err
