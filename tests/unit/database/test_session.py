"""A conversation with a command line client: the client here is a small shell script."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from components.database.guest.session import DONE, Session, SilentError
from tests.support.waiting import MOMENT_S, deadline_s

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
        print("LATE", flush=True)
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
    answers = [session.ask(word, within_s=deadline_s(MOMENT_S)) for word in ("one", "two", "three")]
    session.close()

    assert answers == ["ONE", "TWO", "THREE"]
    assert starts(log) == 1


def test_a_client_that_dies_says_why_and_is_started_again(session: Session, log: Path) -> None:
    with pytest.raises(SilentError, match="FATAL: terminating connection"):
        session.ask("die", within_s=deadline_s(MOMENT_S))
    assert not session.is_open

    assert session.ask("again", within_s=deadline_s(MOMENT_S)) == "AGAIN"
    session.close()
    assert starts(log) == 2


def test_a_client_that_hangs_is_not_waited_for_longer_than_was_given(session: Session) -> None:
    session.ask("first", within_s=deadline_s(MOMENT_S))
    with pytest.raises(SilentError, match="in time"):
        session.ask("hang", within_s=0.2)

    answer = session.ask("next", within_s=deadline_s(MOMENT_S))
    assert answer == "NEXT", "a late answer is not taken for the next"
    session.close()


def test_a_client_that_is_not_there_is_silent() -> None:
    with pytest.raises(SilentError, match="No such file"):
        Session(["/nonexistent/psql"], "end").ask("anything", within_s=1)
