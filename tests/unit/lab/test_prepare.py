"""What `lab setup` remembers, keeps private, and refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import secrets
from lab.errors import LabError
from lab.prepare import ensure_secrets, fingerprint, namespace_prefix, need_pulumi
from lab.pulumi_cli import PulumiCli, alone, default_environment, ensure_state, explain
from lab.stack_file import load_stack

Write = Callable[[str, str], Path]
HELD = "encryptionsalt: v1:salt\nconfig:\n  ha-lab:secrets:\n    secure: v1:abc\n"


class TestFingerprint:
    """When the secrets are looked at again."""

    def print_of(self, write_stack: Write, text: str) -> str:
        write_stack("demo", text)
        return fingerprint("demo", load_stack("demo")[1])

    def test_it_is_the_same_for_settings_that_no_secret_depends_on(
        self, write_stack: Write
    ) -> None:
        before = self.print_of(write_stack, HELD)

        assert self.print_of(write_stack, HELD + "  ha-lab:timers: fast # quick\n") == before

    @pytest.mark.parametrize(
        "text",
        [
            HELD + "  ha-lab:topology: full\n",
            HELD + "  ha-lab:number: 9\n",
            HELD + "  ha-lab:network: {domain: school.test}\n",
            HELD.replace("v1:abc", "v1:def"),
            HELD.replace("v1:salt", "v1:pepper"),
            "config:\n",
        ],
    )
    def test_it_changes_with_machines_vip_and_what_the_file_holds(
        self, write_stack: Write, text: str
    ) -> None:
        assert self.print_of(write_stack, text) != self.print_of(write_stack, HELD)

    def test_it_changes_when_labs_have_further_kinds_of_secrets(
        self, write_stack: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = self.print_of(write_stack, HELD)
        monkeypatch.setattr(secrets, "KINDS", secrets.KINDS + 1)

        assert self.print_of(write_stack, HELD) != before


def test_the_passphrase_is_made_once_and_for_its_owner_alone(clone: Path) -> None:
    ensure_state()
    passphrase = clone / ".state" / "passphrase"
    first = passphrase.read_text(encoding="utf-8")
    ensure_state()

    assert passphrase.stat().st_mode & 0o777 == 0o600
    assert passphrase.parent.stat().st_mode & 0o777 == 0o700
    assert len(first) >= 40
    assert passphrase.read_text(encoding="utf-8") == first


def test_a_lost_passphrase_is_not_made_anew_while_a_file_holds_secrets_of_it(
    clone: Path, write_stack: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `toolchain/run` names the clone's own file.
    file = clone / ".state" / "passphrase"
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(file))
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    write_stack("plain", "config:\n  ha-lab:number: 1 # secure: no\n")
    write_stack("sealed", HELD)
    with pytest.raises(LabError, match=r"stacks/Pulumi\.sealed\.yaml holds secrets") as caught:
        ensure_state()
    assert "plain" not in str(caught.value)
    assert not file.exists()

    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "my own")
    ensure_state()


def test_many_set_ups_at_once_make_one_passphrase(clone: Path) -> None:
    def set_up(_: int) -> str:
        with alone():
            ensure_state()
            return (clone / ".state" / "passphrase").read_text(encoding="utf-8")

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert len(set(pool.map(set_up, range(40)))) == 1
    assert sorted(path.name for path in (clone / ".state").iterdir()) == [
        "backend",
        "passphrase",
        "setup.lock",
    ]


def test_a_stack_that_was_removed_from_its_backend_is_made_again(
    clone: Path, write_stack: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp is a hint: `pulumi stack rm` does not know of it."""
    write_stack("demo", HELD)
    topology = load_stack("demo")[1]
    asked: list[str] = []

    def read(_: PulumiCli, *words: str, **_stdin: str) -> str:
        asked.append(" ".join(words))
        return "{}"

    monkeypatch.setattr(PulumiCli, "read", read)
    monkeypatch.setattr(PulumiCli, "environ", lambda _: {"PULUMI_BACKEND_URL": f"file://{clone}"})
    (clone / ".state").mkdir()
    (clone / ".state" / "demo.setup").write_text(fingerprint("demo", topology), encoding="utf-8")
    record = clone / ".pulumi" / "stacks" / "ha-lab" / "demo.json"
    record.parent.mkdir(parents=True)

    record.touch()
    ensure_secrets("demo", topology)
    assert asked == []

    record.rename(record.with_name("demo.json.bak"))
    ensure_secrets("demo", topology)
    assert asked[0] == "stack select --create"


def test_the_users_own_backend_and_passphrase_win(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    ours = default_environment()
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://class")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    theirs = default_environment()

    assert set(ours) >= {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"}
    assert not {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(theirs)


def test_a_missing_namespace_says_what_makes_it() -> None:
    with pytest.raises(
        LabError, match="'ha-lab-rig-none' of this stack does not exist; `make rig`"
    ):
        namespace_prefix("ha-lab-rig-none")
    with pytest.raises(LabError, match="make it first"):
        namespace_prefix("nobody-made-this")
    assert namespace_prefix(None) == ()


def test_without_pulumi_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(LabError, match="`pulumi` is not on PATH; `make setup` brings it"):
        need_pulumi()


def test_pulumi_is_run_for_one_stack_from_where_its_machines_are() -> None:
    cli = PulumiCli(stack="rig", prefix=("ip", "netns", "exec", "ha-lab-rig-x"))

    assert cli.argv("up", "--yes") == [
        *("ip", "netns", "exec", "ha-lab-rig-x", "pulumi", "up", "--yes", "--stack", "rig"),
    ]


def test_a_lost_passphrase_is_explained() -> None:
    said = explain("pulumi config", "demo", "error: incorrect passphrase")
    assert "Bring that file back" in said
    assert "Bring that file back" not in explain("pulumi config", "demo", "error: locked")
