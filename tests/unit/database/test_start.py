"""In which role a server may start, and how an old primary's data joins again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.database.guest.decide import (
    Fork,
    fork_from,
    history_of,
    lsn,
    lsn_text,
    rejoin,
    start_as,
)
from components.database.guest.model import State
from tests.unit.database.states import a_primary, a_replica, an_orphan

ABSENT = State("db2", "absent")
DOWN_REPLICA = State("db2", "down", term=1, was="replica")
DOWN_PRIMARY = State("db2", "down", term=1, was="primary")
DOWN = State("db2", "down")
UNKNOWN = State("db2", "unknown")


def waiting(term: int) -> State:
    return State("db2", "waiting", term=term, was="primary", detail="db1 does not answer")


@pytest.mark.parametrize(
    ("peer", "role"),
    [
        (a_replica(), "primary"),
        (an_orphan(), "primary"),
        (ABSENT, "primary"),
        (DOWN_REPLICA, "primary"),
        (waiting(0), "primary"),
        (a_primary("db2", term=2), "replica"),
        (a_primary("db2", term=1), "replica"),
        (an_orphan(term=2), "replica"),
        (waiting(2), "replica"),
        (None, "wait"),
        (DOWN, "wait"),
        (DOWN_PRIMARY, "wait"),
        (UNKNOWN, "wait"),
        (waiting(1), "wait"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value and value.role}",
)
def test_a_primary_starts_as_one_only_where_no_other_can_be(peer: State | None, role: str) -> None:
    assert start_as("primary", 1, {"db2": peer}).role == role


@pytest.mark.parametrize("peer", [None, a_primary("db2"), ABSENT, DOWN])
def test_a_replica_starts_as_a_replica_whatever_the_others_are(peer: State | None) -> None:
    assert start_as("replica", 1, {"db2": peer}).role == "replica"


def test_a_machine_without_others_starts_as_what_it_was() -> None:
    assert start_as("primary", 1, {}).role == "primary"


def test_one_of_several_that_does_not_answer_is_enough_to_wait() -> None:
    answers = {"db2": a_replica(), "db3": None}
    assert start_as("primary", 1, answers).role == "wait"


def test_it_says_whom_it_waits_for() -> None:
    assert "db2 does not answer" in start_as("primary", 1, {"db2": None}).why


def test_two_that_both_were_primary_never_both_start_as_one() -> None:
    """Whatever the terms: each sees the other as waiting, or already as what it became."""
    for mine, theirs in itertools.product(range(1, 4), repeat=2):
        one = start_as("primary", mine, {"db2": waiting(theirs)}).role
        other = start_as("primary", theirs, {"db2": waiting(mine)}).role
        assert [one, other].count("primary") <= 1


class TestRejoin:
    """What becomes of the log that an old primary wrote alone."""

    @pytest.mark.parametrize("synchronous", [True, False])
    def test_with_nothing_of_its_own_it_follows(self, synchronous: bool) -> None:
        assert rejoin(records=0, commits=0, synchronous=synchronous).how == "follow"

    @pytest.mark.parametrize("synchronous", [True, False])
    def test_a_log_without_transactions_is_rewound(self, synchronous: bool) -> None:
        assert rejoin(records=7, commits=0, synchronous=synchronous).how == "rewind"

    def test_transactions_that_nobody_acknowledged_are_rewound(self) -> None:
        found = rejoin(records=9, commits=3, synchronous=True)
        assert (found.how, "3 transactions" in found.why) == ("rewind", True)

    def test_transactions_that_may_have_been_acknowledged_are_not_given_up(self) -> None:
        assert rejoin(records=9, commits=1, synchronous=False).how == "refuse"

    def test_unless_somebody_asks_for_that(self) -> None:
        assert rejoin(records=9, commits=1, synchronous=False, may_discard=True).how == "rewind"


HISTORY = """1\t0/A000198\tno recovery target specified

2\t1/C0000A0\tbefore 2026-11-23 20:01:02+00 # not a comment of the format
"""


def test_a_history_names_where_each_term_ended() -> None:
    assert history_of(HISTORY) == (Fork(1, 0xA000198), Fork(2, 0x10C0000A0))


def test_a_term_that_is_not_in_a_history_has_no_fork() -> None:
    assert fork_from(1, history_of(HISTORY)) == 0xA000198
    assert fork_from(3, history_of(HISTORY)) is None


@given(st.integers(0, 2**64 - 1))
def test_a_position_is_the_same_after_a_round_trip(position: int) -> None:
    assert lsn(lsn_text(position)) == position
