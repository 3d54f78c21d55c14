"""What a machine says, in our time; and what is held back until its clock is known (again)."""

from __future__ import annotations

from typing import Any

import pytest

from lab.drill.probes.address_session import (
    LATE_S,
    MOST_QUESTIONS,
    QUESTIONS,
    AddressSession,
)

AHEAD = 1000.0
"""By so many seconds the machine's clock is ahead of ours."""


class Talk:
    """A session with a machine that answers after a millisecond, and what came of it."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, bool]] = []
        self.notes: list[str] = []
        self.session = AddressSession(self._hear, self.notes.append)
        self.ahead = AHEAD
        self._number = 0

    def _hear(self, t: float, has: bool) -> None:
        self.heard.append((round(t, 3), has))

    def meet(self, now: float) -> None:
        """The first questions."""
        for number in range(QUESTIONS):
            self.ask(now + number / 100)

    def ask(self, now: float, *, way: float = 0.0005) -> None:
        """A question that takes so long there, and its answer as long back."""
        self.session.asked(self._number, now)
        said = now + way + self.ahead
        self.session.take({"t": said, "pong": self._number}, now + 2 * way)
        self._number += 1

    def say(self, then: float, *, has: bool, delay: float = 0.001) -> None:
        """A word of this moment that arrives `delay` seconds later."""
        self.session.take({"t": then + self.ahead, "has": has}, then + delay)


def test_a_word_is_told_in_our_time() -> None:
    talk = Talk()
    talk.meet(1.0)
    talk.say(2.0, has=True)
    talk.say(3.0, has=False)
    assert talk.heard == [(2.0, True), (3.0, False)]
    assert talk.session.heard_at == 3.001


def test_words_before_the_clock_is_known_are_told_once_it_is() -> None:
    talk = Talk()
    talk.say(0.9, has=True)
    assert talk.heard == []
    talk.meet(1.0)
    assert talk.heard == [(0.9, True)]


def test_a_word_that_the_network_kept_has_the_time_at_which_it_was_true() -> None:
    talk = Talk()
    talk.meet(1.0)
    talk.say(2.0, has=True, delay=3.0)
    assert talk.heard == []
    talk.meet(5.1)
    assert talk.heard == [(2.0, True)]


def test_the_words_of_a_machine_that_was_paused_are_not_put_into_its_pause() -> None:
    talk = Talk()
    talk.meet(1.0)
    talk.ahead -= 4.0  # its clock stood still for four seconds
    talk.say(6.0, has=True)
    talk.say(6.1, has=False)
    assert talk.heard == []
    talk.meet(6.2)
    talk.say(6.3, has=True)
    assert talk.heard == [(6.0, True), (6.1, False), (6.3, True)]
    assert any("moved by -4.000 s" in note for note in talk.notes)


def test_answers_to_questions_from_before_the_doubt_do_not_end_it() -> None:
    talk = Talk()
    talk.meet(1.0)
    for number in range(QUESTIONS):
        talk.session.asked(100 + number, 1.5)
    talk.say(2.0, has=True, delay=LATE_S + 0.1)
    for number in range(QUESTIONS):
        talk.session.take({"t": 1.6 + AHEAD, "pong": 100 + number}, 2.4)
    assert talk.heard == []
    talk.meet(2.5)
    assert talk.heard == [(2.0, True)]


def test_a_word_from_the_future_is_doubted_too() -> None:
    talk = Talk()
    talk.meet(1.0)
    talk.session.take({"t": 9.0 + AHEAD, "has": True}, 2.0)
    assert talk.heard == []


def test_how_well_the_clock_is_known_is_noted() -> None:
    talk = Talk()
    talk.meet(1.0)
    (note,) = talk.notes
    assert "its clock is 1000.000000 s ahead of ours, give or take 0.000500 s" in note


def test_nothing_is_told_by_a_single_answer_that_may_have_been_slow() -> None:
    talk = Talk()
    talk.say(0.9, has=True)
    talk.ask(1.0)
    assert talk.heard == []


def test_slow_answers_alone_are_waited_for_until_there_are_enough() -> None:
    talk = Talk()
    talk.say(0.9, has=True)
    for number in range(MOST_QUESTIONS):
        assert talk.heard == []
        talk.ask(1.0 + number, way=0.05)
    assert talk.heard == [(0.9, True)]


@pytest.mark.parametrize("word", [{"pong": 1}, {"t": 1.0}, {"t": 1.0, "pong": 7}])
def test_what_makes_no_sense_ends_the_conversation(word: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        Talk().session.take(word, 1.0)
