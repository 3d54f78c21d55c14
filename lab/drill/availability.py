"""What a failover time means over a year: the course's table of availability levels. Pure.

A year has 365 days, and a month is a twelfth of it. The course's "7.2 hours a month" for 99 % is of
a month of 30 days; its other lines are of a twelfth of a year, like this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

YEAR_S = 365 * 24 * 3600
MONTH_S = YEAR_S / 12


@dataclass(frozen=True, slots=True)
class Level:
    """One line of the table: a share of the time in which the service must answer."""

    percent: str
    """As it is written: `99.9`."""

    @property
    def missing(self) -> Fraction:
        """The share that may be missing; exact, so that no allowed failure is lost to rounding."""
        return 1 - Fraction(self.percent) / 100

    @property
    def downtime_year_s(self) -> float:
        """Seconds without service that are allowed in a year."""
        return float(self.missing * YEAR_S)

    @property
    def downtime_month_s(self) -> float:
        return self.downtime_year_s / 12


LEVELS = (Level("99"), Level("99.9"), Level("99.99"), Level("99.999"))
"""The course's levels, from the easiest to the hardest."""


def failures_per_year(level: Level, outage_s: float) -> int | None:
    """How many failures of this length a level allows in a year; None: any number (they cost
    nothing)."""
    if outage_s <= 0:
        return None
    return math.floor(level.missing * YEAR_S / Fraction(repr(outage_s)))


def availability(failures: float, outage_s: float) -> float:
    """The share of the year with service, at so many failures of this length; never below 0."""
    return max(0.0, 1 - failures * outage_s / YEAR_S)


def availability_of_times(mtbf_s: float, mttr_s: float) -> float:
    """MTBF / (MTBF + MTTR): mean time between a repair and the next failure, mean time to repair.

    Raises ValueError where both are 0 or one is negative.
    """
    if mtbf_s < 0 or mttr_s < 0 or mtbf_s + mttr_s == 0:
        msg = f"MTBF {mtbf_s} s and MTTR {mttr_s} s; expected times of 0 or more, not both 0"
        raise ValueError(msg)
    return mtbf_s / (mtbf_s + mttr_s)


def mtbf_s(failures: float, outage_s: float) -> float:
    """Mean time between the end of an outage and the next failure, at so many failures a year.

    Raises ValueError for no failures at all, or more than fit into a year.
    """
    if failures <= 0 or failures * outage_s > YEAR_S:
        msg = f"{failures} failures of {outage_s} s a year; expected more than 0, and that they fit"
        raise ValueError(msg)
    return YEAR_S / failures - outage_s


def level_reached(share: float) -> Level | None:
    """The hardest level that this availability still keeps; None: not even the easiest."""
    # 1 - 0.999 is a little more than a thousandth in binary.
    kept = [level for level in LEVELS if 1 - share <= float(level.missing) + 1e-12]
    return kept[-1] if kept else None
