"""Whom the cluster may promote: the primary says it, before it acknowledges anything else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.database.guest.model import State
from components.database.guest.scores import (
    LEADS,
    MAY_LEAD,
    NEVER,
    TAKES_OVER,
    adopted,
    latest_primary,
    primary_acts,
    promotion,
    score_of,
    score_text,
)
from tests.unit.database.states import a_follower, a_primary, a_replica, an_orphan

MEMBERS = ("db1", "db2", "gluster1")
WHOLE = {"db1": LEADS, "db2": MAY_LEAD}


@given(st.integers(NEVER + 1, -NEVER - 1))
def test_a_score_is_the_same_after_a_round_trip(score: int) -> None:
    assert score_of(score_text(score)) == score


def test_never_is_pacemakers_infinity() -> None:
    assert score_text(NEVER) == "-INFINITY"
    assert score_of("-INFINITY") == NEVER
    assert score_of("+INFINITY") == -NEVER


class TestPromotion:
    """What has to be known to all before a machine becomes primary."""

    def test_the_old_primary_is_gone_and_forgotten_before_anything_is_written(self) -> None:
        found = promotion("db2", WHOLE, {"db1": None}, synchronous=True)
        assert (found.refusal, found.alone) == ("", True)
        assert found.scores == {"db1": NEVER, "db2": LEADS}

    def test_where_both_change_places_no_write_is_ever_on_one_disk_only(self) -> None:
        found = promotion("db2", WHOLE, {"db1": an_orphan("db1")}, synchronous=True)
        assert not found.alone
        assert found.scores == {"db1": MAY_LEAD, "db2": LEADS}

    def test_a_crash_that_is_over_at_once_changes_nothing(self) -> None:
        found = promotion("db1", WHOLE, {"db2": an_orphan()}, synchronous=True)
        assert (found.alone, found.scores) == (False, WHOLE)

    @pytest.mark.parametrize("score", [None, NEVER, -1])
    def test_a_replica_that_may_lack_something_is_refused(self, score: int | None) -> None:
        scores = {"db1": LEADS} | ({} if score is None else {"db2": score})
        assert "may lack" in promotion("db2", scores, {"db1": None}, synchronous=True).refusal

    @pytest.mark.parametrize("role", ["down", "unknown", "waiting", "primary"])
    def test_writes_wait_only_for_a_replica_that_runs(self, role: str) -> None:
        found = promotion("db2", WHOLE, {"db1": State("db1", role)}, synchronous=True)
        assert (found.alone, found.scores["db1"]) == (True, NEVER)

    def test_a_replica_without_a_certificate_is_not_waited_for(self) -> None:
        scores = {"db1": LEADS, "db2": NEVER}
        found = promotion("db1", scores, {"db2": an_orphan()}, synchronous=True)
        assert (found.alone, found.scores["db2"]) == (True, NEVER)

    def test_where_nobody_is_waited_for_there_is_nothing_to_end(self) -> None:
        found = promotion("db2", WHOLE, {"db1": None}, synchronous=False)
        assert (found.alone, found.scores["db1"]) == (False, NEVER)


def acts(
    state: State, scores: Mapping[str, int], *, missed: int = 0, gone: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    members = [name for name in MEMBERS if name not in gone]
    found = primary_acts(state, scores, members, missed=missed, peers=["db2"])
    return [(act.what, act.machine) for act in found]


class TestPrimary:
    """What a running primary puts right."""

    def test_nothing_where_all_is_well(self) -> None:
        assert acts(a_primary(), WHOLE) == []

    def test_a_replica_that_writes_wait_for_again_is_certified(self) -> None:
        assert acts(a_primary(), {"db1": LEADS, "db2": NEVER}) == [("certify", "db2")]

    def test_not_while_the_primary_is_alone(self) -> None:
        assert acts(a_primary(synchronous="alone"), {"db1": LEADS, "db2": NEVER}) == []

    def test_nor_before_the_server_counts_it(self) -> None:
        state = a_primary(followers=(a_follower(synchronous=False),))
        assert acts(state, {"db1": LEADS, "db2": NEVER}) == []

    def test_one_that_is_asked_to_take_over_keeps_the_score_for_it(self) -> None:
        assert acts(a_primary(), {"db1": LEADS, "db2": TAKES_OVER}) == []

    def test_the_old_primarys_score_becomes_a_replicas(self) -> None:
        assert acts(a_primary(), {"db1": LEADS, "db2": LEADS}) == [("certify", "db2")]

    def test_a_replica_that_misses_one_look_is_waited_for(self) -> None:
        assert acts(a_primary(followers=()), WHOLE, missed=1) == []

    def test_then_the_primary_goes_on_alone(self) -> None:
        assert acts(a_primary(followers=()), WHOLE, missed=2) == [("alone", "db1")]

    def test_at_once_where_the_cluster_has_lost_the_machine(self) -> None:
        assert acts(a_primary(), WHOLE, missed=1, gone=("db2",)) == [("alone", "db1")]

    def test_alone_is_asked_for_although_the_score_says_never_here(self) -> None:
        """It may be known on this machine only: to go on alone, others must confirm it."""
        scores = {"db1": LEADS, "db2": NEVER}
        assert acts(a_primary(followers=()), scores, missed=2) == [("alone", "db1")]

    def test_without_synchronous_replication_a_replica_far_behind_is_forgotten(self) -> None:
        far = a_follower(synchronous=False, lag_bytes=17 * 2**20)
        state = a_primary(synchronous="off", followers=(far,))
        assert acts(state, WHOLE, missed=2) == [("forget", "db2")]

    def test_and_one_that_keeps_up_may_lead(self) -> None:
        state = a_primary(synchronous="off", followers=(a_follower(synchronous=False),))
        assert acts(state, {"db1": LEADS, "db2": NEVER}) == [("certify", "db2")]

    def test_a_primary_that_the_cluster_did_not_know_says_so(self) -> None:
        assert acts(a_primary(), {"db2": MAY_LEAD}) == [("lead", "db1")]


def test_what_was_before_the_cluster_does_not_count() -> None:
    assert adopted("db2", {"db1": LEADS}) == {"db1": NEVER, "db2": LEADS}
    assert adopted("db1", {}) == {"db1": LEADS}


def test_the_latest_primary_is_the_one_to_follow() -> None:
    answers = {"db1": a_primary(term=2), "db3": a_primary("db3", term=3), "db4": None}
    assert latest_primary(answers) == a_primary("db3", term=3)
    assert latest_primary({"db1": a_replica("db1"), "db4": None}) is None
