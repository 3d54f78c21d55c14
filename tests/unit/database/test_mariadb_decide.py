"""MariaDB's positions and terms, and what an old primary's data may do."""

from __future__ import annotations

import pytest

from components.database.guest.decide import (
    WAIT,
    Fork,
    Start,
    fork_from,
    gtid_sequence,
    progress,
    terms_of,
)
from components.database.guest.mariadb_replica import first_after
from components.database.guest.mariadb_seed import state_at
from components.database.guest.mariadb_start import may_follow, rows_of
from components.database.guest.model import REPLICA
from components.database.guest.shell import run
from tests.unit.database.states import a_primary

STARTED = Start(REPLICA, "db2 is the primary")


def test_a_position_is_its_number_whoever_wrote_it() -> None:
    assert [gtid_sequence(gtid) for gtid in ("", "0-1-7", "0-2-8")] == [0, 7, 8]
    assert progress("mariadb", "0-1-100") > progress("mariadb", "0-2-99")


@pytest.mark.parametrize("position", ["7", "1-1-7", "0-1-7,1-1-3", "0-1-x"])
def test_what_is_no_gtid_of_the_one_domain_is_an_error(position: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        gtid_sequence(position)


def test_a_term_ends_where_the_next_one_began() -> None:
    forks = terms_of([(3, "0-2-40"), (1, ""), (2, "0-1-17")])
    assert forks == (Fork(1, 17), Fork(2, 40))
    assert fork_from(1, forks) == 17
    assert fork_from(3, forks) is None, "it has not ended"


def test_terms_are_read_from_the_clients_output() -> None:
    assert rows_of("2\t0-1-17\n1\t\n") == [(1, ""), (2, "0-1-17")]


def test_the_first_term_alone_is_read_too() -> None:
    """It began after nothing: the row ends with an empty column, and so does the whole output."""
    _, output = run(["printf", "1\\t\\n"])
    assert rows_of(output) == [(1, "")]


@pytest.mark.parametrize(("term", "role"), [(1, REPLICA), (2, WAIT), (3, WAIT)])
def test_only_older_data_is_compared_with_a_primarys(term: int, role: str) -> None:
    assert may_follow(term, a_primary("db2", term=2), STARTED).role == role


EVENTS = """\
mariadb-relay-bin.000002\t4\tFormat_desc\t2\t256\tServer ver: 10.11.19-MariaDB, Binlog ver: 4
mariadb-relay-bin.000002\t631\tGtid_list\t1\t1324\t[0-1-6]
mariadb-relay-bin.000002\t674\tGtid\t1\t1366\tBEGIN GTID 0-1-7
mariadb-relay-bin.000002\t716\tAnnotate_rows\t1\t1415\tinsert into t values('Gtid\t1\tGTID 0-1-99')
mariadb-relay-bin.000002\t844\tXid\t1\t1525\tCOMMIT /* xid=39 */
mariadb-relay-bin.000002\t875\tGtid\t1\t1567\tGTID 0-1-8
mariadb-relay-bin.000002\t917\tQuery\t1\t1700\tCREATE TABLE u (n int)
ERROR 1220 (HY000): Error when executing command SHOW RELAYLOG EVENTS: Wrong offset or I/O error
"""


@pytest.mark.parametrize(("applied", "position"), [(0, 674), (6, 674), (7, 875), (8, None)])
def test_received_and_not_applied_begins_after_what_is_applied(
    applied: int, position: int | None
) -> None:
    assert first_after(EVENTS, applied) == position


@pytest.mark.parametrize(
    ("position", "later", "state"),
    [
        ("0-1-20", "0-1-25", "0-1-20"),
        ("0-2-20", "0-1-17,0-2-25", "0-1-17,0-2-20"),
        ("0-1-20", "0-2-30,0-1-29", "0-1-20"),
        ("0-1-20", "", "0-1-20"),
    ],
    ids=["one writer", "an earlier writer", "a later writer", "nothing known"],
)
def test_a_copy_knows_the_writers_before_it(position: str, later: str, state: str) -> None:
    assert state_at(position, later) == state
