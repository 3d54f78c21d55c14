"""What `lab-database ENGINE WORD` does on a machine, without a server."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from components.database.guest import commands, postgresql_change, postgresql_commands
from components.database.guest.commands import Words
from components.database.guest.model import State
from components.database.guest.shell import DatabaseError
from tests.unit.database.states import a_primary, a_replica, an_orphan


@dataclass
class FakeSite:
    """A server that takes up its settings after so many looks, or never."""

    looks_until_loaded: int | None
    pending: str = ""
    is_prepared: bool = True
    reloads: int = 0
    looks: int = field(default=0, init=False)

    def must_be_prepared(self) -> None:
        if not self.is_prepared:
            raise DatabaseError("no data")

    def systemctl(self, *words: str) -> None:
        assert words == ("reload",)
        self.reloads += 1

    def sql(self, statement: str) -> str:
        if statement != postgresql_commands.LOADED_AT:
            return self.pending
        self.looks += self.reloads
        until = self.looks_until_loaded
        return "new" if until is not None and self.looks >= until else "old"


@pytest.fixture(autouse=True)
def _primary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_change, "role_now", lambda _: a_primary())
    monkeypatch.setattr(postgresql_commands, "RELOADED_WITHIN_S", 0.2)


def test_settings_are_taken_up_when_the_server_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    site = FakeSite(looks_until_loaded=3, pending="shared_buffers")
    postgresql_commands.reload(site, [])  # type: ignore[arg-type]
    assert (site.reloads, site.looks) == (1, 3)
    assert "shared_buffers: taken up at the next start" in capsys.readouterr().out


def test_settings_that_a_server_refuses_are_an_error() -> None:
    with pytest.raises(DatabaseError, match="did not take up its settings"):
        postgresql_commands.reload(FakeSite(looks_until_loaded=None), [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (a_primary(), None),
        (a_replica(), None),
        (an_orphan(), "MariaDB on db2 is replica: it receives nothing"),
        (State("db1", "down"), "MariaDB on db1 is down$"),
        (State("db1", "waiting", detail="it was the primary"), "is waiting: it was the primary"),
    ],
)
def test_what_does_not_serve_is_said(state: State, says: str | None) -> None:
    if says is None:
        commands.must_serve("MariaDB", state)
        return
    with pytest.raises(DatabaseError, match=says):
        commands.must_serve("MariaDB", state)


@pytest.mark.parametrize("words", [[], ["prommote"]])
def test_an_unknown_word_is_answered_with_those_there_are(words: Words) -> None:
    with pytest.raises(DatabaseError, match="expected one of: check, prepare"):
        do(words)


def test_what_needs_data_is_refused_without_it() -> None:
    assert do(["prepare", "x"], is_prepared=False) == ["x"]
    with pytest.raises(DatabaseError, match="no data"):
        do(["check"], is_prepared=False)
    assert do(["check"]) == []


def do(words: Words, *, is_prepared: bool = True) -> object:
    site = FakeSite(looks_until_loaded=1, is_prepared=is_prepared)
    known = {"check": lambda _, words: words, "prepare": lambda _, words: words}
    return commands.carry_out(site, known, words, anytime=("prepare",))
