"""What a person types while the tool watches, on a terminal of the test's own."""

from __future__ import annotations

import asyncio
import io
import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from lab.exercise.keyboard import Keyboard
from lab.exercise.progress import Ending
from lab.exercise.watching import wait_for
from tests.support.waiting import MOMENT_S, deadline_s


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """The side of the person, and that of the program."""
    person, program = pty.openpty()
    with os.fdopen(program, "r", encoding="utf-8") as stream:
        yield person, stream
    os.close(person)


async def ended(keyboard: Keyboard, within_s: float | None = None) -> Ending:
    soon_s = deadline_s(MOMENT_S) if within_s is None else within_s
    with keyboard.reading():
        return await wait_for(lambda: False, keyboard, within_s=soon_s)


@pytest.mark.parametrize(
    ("typed", "end"), [("s\n", Ending.SKIP), ("Q\n", Ending.QUIT), ("hm\ns\n", Ending.SKIP)]
)
def test_a_key_ends_a_wait(terminal: tuple[int, TextIO], typed: str, end: Ending) -> None:
    person, stream = terminal
    os.write(person, typed.encode())
    assert asyncio.run(ended(Keyboard(stream))) is end


def test_other_words_are_kept_for_the_report(terminal: tuple[int, TextIO]) -> None:
    person, stream = terminal
    keyboard = Keyboard(stream)
    os.write(person, "stopped it, été\n\nVIP moved\nq\n".encode())
    asyncio.run(ended(keyboard))
    assert keyboard.notes() == "stopped it, été VIP moved"
    assert keyboard.notes() == ""


def test_a_line_is_waited_for(terminal: tuple[int, TextIO]) -> None:
    person, stream = terminal
    keyboard = Keyboard(stream)

    async def asked() -> str:
        with keyboard.reading():
            asyncio.get_running_loop().call_later(0.1, os.write, person, b"the answer\n")
            return await keyboard.line(within_s=deadline_s(MOMENT_S))

    assert asyncio.run(asked()) == "the answer"


def test_nobody_is_waited_for_without_a_terminal() -> None:
    keyboard = Keyboard(io.StringIO("s\n"))

    async def asked() -> str:
        with keyboard.reading():
            return await keyboard.line(within_s=deadline_s(MOMENT_S))

    assert asyncio.run(asked()) == ""
    assert asyncio.run(ended(keyboard, within_s=0.05)) is Ending.LATE


def test_the_end_of_the_input_is_that_of_the_person(terminal: tuple[int, TextIO]) -> None:
    person, stream = terminal
    keyboard = Keyboard(stream)
    os.write(person, b"\x04")

    async def asked() -> str:
        with keyboard.reading():
            return await keyboard.line(within_s=deadline_s(MOMENT_S))

    assert asyncio.run(asked()) == ""
    assert not keyboard.is_there
