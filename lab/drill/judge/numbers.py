"""How the numbers of a verdict are rounded and ranked."""

from __future__ import annotations

import math
from collections.abc import Sequence

DIGITS = 6
"""All times of a verdict are whole microseconds: less is noise of floating point."""


def rounded(seconds: float) -> float:
    """Seconds as a verdict has them."""
    return round(seconds, DIGITS)


def rank(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least this share do not exceed.

    It is always a value that was measured; of ten runs the 95th percentile is the slowest.
    """
    ordered = sorted(values)
    # Without the subtraction 0.07 * 100 is 7.000000000000001 on its way up.
    place = math.ceil(share * len(ordered) - 1e-9)
    return ordered[max(place, 1) - 1]
