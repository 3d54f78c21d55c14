"""A conversation with a command line client: the client here is a small shell script."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from components.database.guest.session import DONE, Session, SilentError

ECHO = f"""
import sys
print("client started", file=open({{log!r}}, "a"))
for line in sys.stdin:
    line = line.strip()
    if line == "end":
        print({DONE!r}, flush=True)
    elif line == "die":
        print("FATAL: terminating connection", flush=True)
        sys.exit(2)
    elif line == "hang":
        import time
        time.sleep(60)
    else:
        print(line.upper(), flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "starts"


@pytest.fixture
def session(log: Path) -> Session:
    return Session([sys.executable, "-c", ECHO.format(log=str(log))], "end")


def starts(log: Path) -> int:
    return len(log.read_text(encoding="utf-8").splitlines())


def test_one_client_answers_every_question(session: Session, log: Path) -> None:
    answers = [session.ask(word, within_s=5) for word in ("one", "two", "three")]
    session.close()

    assert answers == ["ONE", "TWO", "THREE"]
    assert starts(log) == 1


def test_a_client_that_dies_says_why_and_is_started_again(session: Session, log: Path) -> None:
    with pytest.raises(SilentError, match="FATAL: terminating connection"):
        session.ask("die", within_s=5)
    assert not session.is_open

    assert session.ask("again", within_s=5) == "AGAIN"
    session.close()
    assert starts(log) == 2


def test_a_client_that_hangs_costs_no_more_than_was_given(session: Session) -> None:
    session.ask("first", within_s=5)
    begun = time.monotonic()
    with pytest.raises(SilentError, match="in time"):
        session.ask("hang", within_s=0.2)

    assert time.monotonic() - begun < 2
    assert session.ask("next", within_s=5) == "NEXT", "a late answer is not taken for the next"
    session.close()


def test_a_client_that_is_not_there_is_silent() -> None:
    with pytest.raises(SilentError, match="No such file"):
        Session(["/nonexistent/psql"], "end").ask("anything", within_s=1)
