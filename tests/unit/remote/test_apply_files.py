"""The applier and files: written when they differ, validated before, put back on failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.remote.guest import Guest, specification, unit

SECRET = "correct-horse-battery-staple"
Patch = pytest.MonkeyPatch


def test_a_new_file_is_written_with_its_mode_and_an_unchanged_one_is_left_alone(
    guest: Guest, monkeypatch: Patch
) -> None:
    spec = specification(files=[guest.file("web/site.conf", "listen 80\n", mode="0640")])
    first = guest.apply(monkeypatch, spec)
    path = guest.path("web/site.conf")
    written = path.stat()
    second = guest.apply(monkeypatch, spec)

    assert (first.status, first.out) == (0, f"wrote {path}")
    assert path.read_text(encoding="utf-8") == "listen 80\n"
    assert written.st_mode & 0o7777 == 0o640
    assert (second.status, second.out, second.err) == (0, "nothing to do", "")
    assert path.stat().st_mtime_ns == written.st_mtime_ns, "it was written again"
    assert path.stat().st_ino == written.st_ino


def test_missing_directories_are_made_for_everybody_to_read_whatever_the_umask(
    guest: Guest, monkeypatch: Patch
) -> None:
    before = os.umask(0o077)
    try:
        guest.apply(monkeypatch, specification(files=[guest.file("a/b/c", "x\n")]))
    finally:
        os.umask(before)

    assert guest.path("a/b").stat().st_mode & 0o777 == 0o755
    assert guest.path("a").stat().st_mode & 0o777 == 0o755


def test_a_wrong_mode_is_corrected_without_writing_the_file_again(
    guest: Guest, monkeypatch: Patch
) -> None:
    spec = specification(files=[guest.file("key", "k\n", mode="0600")])
    guest.apply(monkeypatch, spec)
    path = guest.path("key")
    inode = path.stat().st_ino
    path.chmod(0o666)

    outcome = guest.apply(monkeypatch, spec)

    assert outcome.out == f"wrote {path}"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert path.stat().st_ino == inode


def test_line_ends_and_a_missing_newline_are_kept_as_given(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.apply(monkeypatch, specification(files=[guest.file("page", "HTTP/1.1 503\r\n\r\nend")]))

    assert guest.path("page").read_bytes() == b"HTTP/1.1 503\r\n\r\nend"


def test_the_validator_sees_the_staged_copy_and_never_the_old_file(
    guest: Guest, monkeypatch: Patch
) -> None:
    path = guest.path("site.conf")
    path.write_text("old\n", encoding="utf-8")
    seen = guest.root / "seen"
    check = f"cat {{staged}} {path} > {seen}; test {{staged}} != {path}"

    outcome = guest.apply(
        monkeypatch, specification(files=[guest.file("site.conf", "new\n", validate=check)])
    )

    assert outcome.status == 0
    assert seen.read_text(encoding="utf-8") == "new\nold\n"
    assert path.read_text(encoding="utf-8") == "new\n"


class TestRefusedFile:
    """A validator says no."""

    def test_the_old_content_stays_and_the_message_has_file_and_validators_words(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        path = guest.path("site.conf")
        path.write_text("old\n", encoding="utf-8")
        check = "echo \"{staged}:1: unknown word 'lisen'\" >&2; false"

        outcome = guest.apply(
            monkeypatch,
            specification(files=[guest.file("site.conf", "lisen 80\n", validate=check)]),
        )

        assert outcome.status == 1
        assert path.read_text(encoding="utf-8") == "old\n"
        assert outcome.err.startswith(f"web: {path} was refused by ")
        assert f".{path.name}." not in outcome.err, "the staged copy means nothing to people"
        assert f"{path}:1: unknown word 'lisen'" in outcome.err, "the name of the real file"
        assert "the old one is kept" in outcome.err
        assert guest.leftovers() == []

    def test_every_earlier_file_is_put_back_with_mode_and_owner_and_new_ones_go(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        changed, gone = guest.path("a.conf"), guest.path("old.conf")
        for path in (changed, gone):
            path.write_text("old\n", encoding="utf-8")
            path.chmod(0o604)
        link = guest.path("default")
        link.symlink_to("old.conf")
        chmodded = guest.path("script")
        chmodded.write_text("same\n", encoding="utf-8")
        chmodded.chmod(0o600)
        files = [
            guest.file("a.conf", "new\n"),
            guest.file("b.conf", "new\n"),
            guest.file("script", "same\n", mode="0755"),
            guest.file("default", "no link any more\n"),
            guest.file("c.conf", "bad\n", validate="false {staged}"),
        ]

        outcome = guest.apply(monkeypatch, specification(files=files))

        assert outcome.status == 1
        assert changed.read_text(encoding="utf-8") == "old\n"
        assert changed.stat().st_mode & 0o7777 == 0o604
        assert chmodded.stat().st_mode & 0o7777 == 0o600
        assert link.is_symlink()
        assert not guest.path("b.conf").exists()
        assert not guest.path("c.conf").exists()
        assert guest.leftovers() == []

    def test_units_are_not_touched(self, guest: Guest, monkeypatch: Patch) -> None:
        guest.unit("web.service")
        file = guest.file("a.conf", "bad\n", validate="false {staged}")

        guest.apply(
            monkeypatch,
            specification(files=[file], units=[unit(reload_on=(file["path"],))]),
        )

        assert guest.calls() == []

    def test_of_a_private_file_the_validator_may_not_repeat_a_line(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        file = guest.file(
            "secret.conf",
            f"user lab\npassword {SECRET}\n",
            mode="0600",
            validate="echo 'error in line 2:'; cat {staged}; false",
        )

        outcome = guest.apply(monkeypatch, specification(files=[file]))

        assert SECRET not in outcome.err + outcome.out
        assert "error in line 2:" in outcome.err
        assert "(line 2)" in outcome.err


class TestThen:
    """What runs once a changed file is in place."""

    def test_it_runs_when_the_file_changed_and_only_then(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        mark = guest.root / "mark"
        command = f"cat {guest.path('users.conf')} >> {mark}"
        spec = specification(files=[guest.file("users.conf", "one\n", then=command)])
        guest.apply(monkeypatch, spec)
        guest.apply(monkeypatch, spec)

        assert mark.read_text(encoding="utf-8") == "one\n", "it runs after the rename, once"

    def test_it_comes_before_the_next_file_is_looked_at(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        mark = guest.root / "made-by-then"
        files = [
            guest.file("first", "1\n", then=f"touch {mark}"),
            guest.file("second", "2\n", validate=f"test -e {mark} # {{staged}}"),
        ]

        assert guest.apply(monkeypatch, specification(files=files)).status == 0

    def test_its_failure_puts_the_file_back_and_names_it(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        path = guest.path("users.conf")
        path.write_text("old\n", encoding="utf-8")
        file = guest.file("users.conf", "new\n", then="echo no such group; exit 3")

        outcome = guest.apply(monkeypatch, specification(files=[file]))

        assert outcome.status == 1
        assert path.read_text(encoding="utf-8") == "old\n"
        assert f"taking over {path} failed" in outcome.err
        assert "ended with 3" in outcome.err
        assert "no such group" in outcome.err


class TestAbsent:
    """Files that must not be there."""

    def test_they_are_removed_once_links_that_lead_nowhere_too(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        default, dangling = guest.path("default"), guest.path("dangling")
        default.write_text("x", encoding="utf-8")
        dangling.symlink_to("nowhere")
        spec = specification(absent=[str(default), str(dangling), str(guest.path("never"))])

        first, second = guest.apply(monkeypatch, spec), guest.apply(monkeypatch, spec)

        assert first.out == f"wrote {default}; wrote {dangling}"
        assert not default.exists()
        assert not dangling.is_symlink()
        assert second.out == "nothing to do"

    def test_they_come_back_as_they_were_when_a_unit_fails(
        self, guest: Guest, monkeypatch: Patch
    ) -> None:
        guest.unit("web.service", active=False)
        guest.fail_once("start", "web.service")
        default, target = guest.path("default"), guest.path("real")
        target.write_text("x", encoding="utf-8")
        default.symlink_to("real")
        guest.apply(monkeypatch, specification(absent=[str(default)], units=[unit()]))

        assert default.is_symlink()
        assert default.readlink() == Path("real")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"owner": "nobody-has-this-name"}, "there is no user 'nobody-has-this-name'"),
        ({"group": "no-such-group"}, "there is no group 'no-such-group'"),
    ],
)
def test_an_unknown_owner_is_an_error_that_says_where_it_should_come_from(
    guest: Guest, monkeypatch: Patch, changes: dict[str, str], words: str
) -> None:
    outcome = guest.apply(monkeypatch, specification(files=[guest.file("f", "x\n", **changes)]))

    assert outcome.status == 1
    assert words in outcome.err
    assert "its package should have made it" in outcome.err


def test_what_the_system_refuses_is_one_message_and_everything_is_put_back(
    guest: Guest, monkeypatch: Patch
) -> None:
    guest.path("directory").mkdir()
    files = [guest.file("first", "new\n"), guest.file("directory", f"{SECRET}\n")]

    outcome = guest.apply(monkeypatch, specification(files=files))

    assert outcome.status == 1
    assert "Is a directory" in outcome.err
    assert SECRET not in outcome.err
    assert "Traceback" not in outcome.err
    assert not guest.path("first").exists()
    assert guest.leftovers() == []


def test_no_content_of_a_file_is_ever_said(guest: Guest, monkeypatch: Patch) -> None:
    file = guest.file("key.pem", f"{SECRET}\n", mode="0600", validate="test -s {staged}")
    outcomes = [guest.apply(monkeypatch, specification(files=[file])) for _ in range(2)]
    outcomes.append(
        guest.apply(monkeypatch, specification(files=[file], checks=["false"], check_within_s=0.1))
    )
    record = (guest.root / "applied" / "web.json").read_text(encoding="utf-8")

    assert all(SECRET not in outcome.out + outcome.err for outcome in outcomes)
    assert SECRET not in record
