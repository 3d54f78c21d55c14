"""The course's table, and what failures of a measured length mean in it."""

from __future__ import annotations

import pytest

from lab.drill.availability import (
    LEVELS,
    YEAR_S,
    Level,
    availability,
    availability_of_times,
    failures_per_year,
    level_reached,
    mtbf_s,
)

DAY, HOUR, MINUTE = 86_400, 3600, 60


@pytest.mark.parametrize(
    ("percent", "year_s", "month_s"),
    [
        ("99", 3.65 * DAY, 7.3 * HOUR),
        ("99.9", 8.76 * HOUR, 43.8 * MINUTE),
        ("99.99", 52.56 * MINUTE, 4.38 * MINUTE),
        ("99.999", 5.256 * MINUTE, 26.28),
    ],
)
def test_the_table_of_the_course(percent: str, year_s: float, month_s: float) -> None:
    level = Level(percent)
    assert level in LEVELS
    assert level.downtime_year_s == pytest.approx(year_s)
    assert level.downtime_month_s == pytest.approx(month_s)


@pytest.mark.parametrize(
    ("outage_s", "allowed"),
    [
        (0.153, [2_061_176, 206_117, 20_611, 2061]),
        (2.89, [109_121, 10_912, 1091, 109]),
        (315.36, [1000, 100, 10, 1]),
        (315.37, [999, 99, 9, 0]),
        (0.001, [315_360_000, 31_536_000, 3_153_600, 315_360]),
    ],
)
def test_how_many_failures_each_level_allows(outage_s: float, allowed: list[int]) -> None:
    assert [failures_per_year(level, outage_s) for level in LEVELS] == allowed


def test_an_outage_of_no_length_is_allowed_at_will() -> None:
    assert failures_per_year(LEVELS[-1], 0.0) is None


@pytest.mark.parametrize(
    ("failures", "outage_s", "share"),
    [(0, 5, 1.0), (12, 262.8, 0.9999), (1, YEAR_S / 2, 0.5), (365, DAY, 0.0), (366, DAY, 0.0)],
)
def test_availability_at_a_failure_rate(failures: float, outage_s: float, share: float) -> None:
    assert availability(failures, outage_s) == pytest.approx(share)
    assert availability(failures, outage_s) >= 0


def test_availability_from_mtbf_and_mttr_is_the_same() -> None:
    assert availability_of_times(999, 1) == pytest.approx(0.999)
    assert availability_of_times(0, 1) == 0
    assert mtbf_s(12, 262.8) == pytest.approx(YEAR_S / 12 - 262.8)
    assert availability_of_times(mtbf_s(12, 262.8), 262.8) == pytest.approx(availability(12, 262.8))


@pytest.mark.parametrize(("mtbf", "mttr"), [(0, 0), (-1, 5), (5, -1)])
def test_impossible_times_are_refused(mtbf: float, mttr: float) -> None:
    with pytest.raises(ValueError, match=r"expected times of 0 or more"):
        availability_of_times(mtbf, mttr)


@pytest.mark.parametrize(("failures", "outage_s"), [(0, 1), (2, YEAR_S), (-1, 1)])
def test_impossible_failure_rates_are_refused(failures: float, outage_s: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0"):
        mtbf_s(failures, outage_s)


@pytest.mark.parametrize(
    ("share", "percent"),
    [
        (1.0, "99.999"),
        (0.99999, "99.999"),
        (0.999, "99.9"),
        (0.99998, "99.99"),
        (0.995, "99"),
        (0.98, None),
    ],
)
def test_which_level_is_reached(share: float, percent: str | None) -> None:
    level = level_reached(share)
    assert (level.percent if level else None) == percent
