"""What `lab db` does and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.database.guest.decide import progress
from components.database.guest.model import Seen, State
from lab.database.decide import RefusedError, alarms, promote, switch
from lab.database.model import Promotion
from lab.errors import LabError
from tests.unit.database.states import (
    SEEN,
    a_follower,
    a_picture,
    a_primary,
    a_replica,
    an_orphan,
)

MIB = 2**20


def entry(machine: str, term: int, *, alone: bool = False, at: str = "0/4000000") -> Promotion:
    return Promotion(machine=machine, term=term, alone=alone, position=at)


class TestSwitchover:
    """Both machines are there."""

    def test_primary_and_replica_change_places(self) -> None:
        chosen = switch(a_picture(a_primary(), a_replica()), None)
        assert (chosen.old, chosen.new) == ("db1", "db2")

    def test_to_a_machine_that_is_named(self) -> None:
        assert switch(a_picture(a_primary(), a_replica()), "db2").new == "db2"

    @pytest.mark.parametrize(
        ("primary", "replica"),
        [
            (a_primary(followers=()), a_replica()),
            (a_primary(followers=(a_follower(streaming=False),)), a_replica()),
            (a_primary(), an_orphan()),
            (a_primary(followers=(a_follower(lag_bytes=17 * MIB),)), a_replica()),
            (a_primary(), a_replica(lag_s=11.0)),
        ],
        ids=["unknown to the primary", "catching up", "receives nothing", "far behind", "late"],
    )
    def test_not_to_a_replica_that_lacks_something(self, primary: State, replica: State) -> None:
        with pytest.raises(RefusedError, match="nothing was done"):
            switch(a_picture(primary, replica), None)

    @pytest.mark.parametrize(
        ("states", "silent", "to", "says"),
        [
            ((an_orphan(),), ("db1",), None, r"no primary now \(no answer from db1: "),
            ((a_primary(), a_primary("db2")), (), None, "both say"),
            ((a_primary(),), ("db2",), None, r"found none \(no answer from db2: "),
            ((a_primary(),), ("db2",), "db2", "does not answer"),
            ((a_primary(), a_replica()), (), "db1", "no replica"),
            ((a_primary(), a_replica()), (), "db9", "the machines are db1, db2"),
        ],
        ids=["none", "two", "replica off", "named and off", "the primary", "unknown"],
    )
    def test_not_where_it_is_not_clear_who(
        self, states: tuple[State, ...], silent: tuple[str, ...], to: str | None, says: str
    ) -> None:
        with pytest.raises(LabError, match=says):
            switch(a_picture(*states, silent=silent), to)


class TestPromote:
    """The primary is gone."""

    def test_a_machine_that_does_not_answer_is_fenced(self) -> None:
        chosen = promote(a_picture(an_orphan(), silent=("db1",)), (), None)
        assert (chosen.machine, chosen.fence, chosen.stop) == ("db2", ("db1",), ())
        assert chosen.losses == ()

    @pytest.mark.parametrize("role", ["down", "waiting", "unknown"])
    def test_a_server_that_could_start_meanwhile_is_stopped(self, role: str) -> None:
        old = State("db1", role, term=1, was="primary")
        chosen = promote(a_picture(old, an_orphan()), (), "db2")
        assert (chosen.stop, chosen.fence) == (("db1",), ())

    def test_not_beside_a_primary_that_answers(self) -> None:
        with pytest.raises(RefusedError, match="switchover"):
            promote(a_picture(a_primary(), a_replica()), (), "db2")

    def test_a_primary_is_let_go_on_alone_and_nobody_is_fenced(self) -> None:
        chosen = promote(a_picture(a_primary(followers=()), silent=("db2",)), (), "db1")
        assert (chosen.machine, chosen.fence, chosen.losses) == ("db1", (), ())

    def test_of_two_it_has_to_be_said_which(self) -> None:
        old = State("db1", "waiting", term=1, was="primary")
        with pytest.raises(LabError, match="the primary of postgresql: there is db1"):
            promote(a_picture(old, an_orphan()), (), None)

    @pytest.mark.parametrize(
        ("state", "says"),
        [(State("db2", "absent"), "absent"), (State("db2", "down"), "down")],
    )
    def test_not_what_does_not_run(self, state: State, says: str) -> None:
        with pytest.raises(LabError, match=says):
            promote(a_picture(state, silent=("db1",)), (), "db2")


class TestLosses:
    """When a promotion could lose acknowledged writes."""

    def losses(self, candidate: State, ledger: Any = (), **changes: Any) -> tuple[str, ...]:
        picture = a_picture(candidate, silent=("db1",), **changes)
        return promote(picture, ledger, candidate.machine).losses

    def test_none_where_writes_waited_for_this_replica(self) -> None:
        assert self.losses(an_orphan()) == ()

    def test_without_synchronous_replication_it_is_never_sure(self) -> None:
        assert "do not wait" in self.losses(an_orphan(), synchronous=False)[0]

    def test_too_few_answers_are_no_answer(self) -> None:
        assert "too few machines" in self.losses(an_orphan(), None)[0]

    def test_somebody_else_was_promoted_later(self) -> None:
        assert "promoted later" in self.losses(an_orphan(), [entry("db1", 2)])[0]

    def test_an_earlier_promotion_of_the_lost_primary_is_how_it_should_be(self) -> None:
        assert self.losses(an_orphan(term=2), [entry("db1", 2)], seen=Seen("db1", 2, "on")) == ()

    def test_its_own_promotion_does_not_stand_against_it(self) -> None:
        own = [entry("db2", 3, alone=True)]
        assert self.losses(State("db2", "waiting", term=3, was="primary"), own) == ()

    def test_the_lost_primary_went_on_alone(self) -> None:
        ledger = [entry("db1", 1, alone=True, at="0/5000000")]
        assert "went on alone" in self.losses(an_orphan(), ledger)[0]

    def test_but_the_replica_was_there_again_afterwards(self) -> None:
        assert self.losses(an_orphan(), [entry("db1", 1, alone=True, at="0/4FFFFFF")]) == ()

    def test_of_two_entries_of_one_term_the_later_one_counts(self) -> None:
        ledger = [entry("db1", 1), entry("db1", 1, alone=True, at="0/5000000")]
        assert self.losses(an_orphan(), ledger) != ()
        assert self.losses(an_orphan(), ledger[::-1]) != ()

    @pytest.mark.parametrize(
        ("seen", "says"),
        [
            (None, "never heard"),
            (Seen("db1", 2, "on"), "not yet taken over"),
            (Seen("db1", 1, "alone"), "did not wait"),
            (Seen("db1", 1, "off"), "did not wait"),
        ],
    )
    def test_what_the_replica_saw_last_counts_too(self, seen: Seen | None, says: str) -> None:
        assert says in self.losses(an_orphan(), (), seen=seen)[0]

    def test_a_primary_that_waits_needs_nobody_to_have_been_promoted(self) -> None:
        waiting = State("db2", "waiting", term=1, was="primary")
        assert self.losses(waiting, ()) == ()
        assert self.losses(waiting, [entry("db1", 2)]) != ()


class TestAlarms:
    """What `lab db status` says is wrong."""

    def texts(self, *states: State, **changes: Any) -> str:
        return "; ".join(alarm.text for alarm in alarms(a_picture(*states, **changes)))

    def test_nothing_where_all_is_well(self) -> None:
        assert self.texts(a_primary(), a_replica()) == ""

    def test_a_machine_alone_by_settings_has_no_replica_to_miss(self) -> None:
        assert self.texts(a_primary(followers=(), synchronous="off")) == ""

    @pytest.mark.parametrize(
        ("states", "silent", "says"),
        [
            ((a_primary(followers=()),), ("db2",), "writes wait"),
            ((a_primary(followers=(), synchronous="alone"),), ("db2",), "goes on alone"),
            ((a_primary(followers=(), synchronous="off"),), ("db2",), "has no replica"),
            ((a_primary(),), ("db2",), "db2 does not answer"),
            ((an_orphan(),), ("db1",), "no primary is seen, unless it is db1"),
            ((an_orphan(), State("db1", "down")), (), "no primary, nobody can write"),
            ((a_primary(), a_primary("db2")), (), "two primaries: db1 and db2"),
            ((a_primary(followers=()), an_orphan()), (), "db2 receives nothing"),
            ((a_primary(), State("db2", "down")), (), "db2 is down"),
            ((a_primary(followers=(a_follower(lag_bytes=20 * MIB),)), a_replica()), (), "20 MiB"),
            ((a_primary(), a_replica(lag_s=12.0)), (), "db2 is 12 s behind"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_something_where_it_is_not(
        self, states: tuple[State, ...], silent: tuple[str, ...], says: str
    ) -> None:
        assert says in self.texts(*states, silent=silent)

    def test_a_machine_without_power_is_surely_no_primary(self) -> None:
        picture = a_picture(an_orphan(), silent=("db1",))
        off = replace(picture.looks["db1"], is_off=True, why="it is off")
        texts = [a.text for a in alarms(replace(picture, looks={**picture.looks, "db1": off}))]
        assert any("no primary, nobody can write" in text for text in texts), texts


def test_positions_grow_and_nothing_is_the_least() -> None:
    positions = ["", "0/1", "0/FFFFFFFF", "1/0"]
    numbers = [progress("postgresql", position) for position in positions]
    assert numbers == sorted(set(numbers))


def test_what_was_seen_is_of_the_samples_primary() -> None:
    """The samples agree with each other."""
    assert a_primary(term=SEEN.term).machine == SEEN.machine


class TestInCluster:
    """The cluster decides who is primary."""

    def test_nobody_promotes_by_hand(self) -> None:
        picture = replace(a_picture(an_orphan(), silent=("db1",)), failover="pacemaker")
        with pytest.raises(RefusedError, match="the cluster decides"):
            promote(picture, (), "db2")

    def test_alarms_do_not_advise_it(self) -> None:
        lost = replace(a_picture(an_orphan(), silent=("db1",)), failover="pacemaker")
        waits = replace(a_picture(a_primary(followers=()), an_orphan()), failover="pacemaker")
        texts = [alarm.text for picture in (lost, waits) for alarm in alarms(picture)]
        assert any("no primary" in text for text in texts)
        assert not any("db promote" in text for text in texts)
