"""The search for a length along a direction that meets the strong Wolfe conditions.

Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, as one function that is told of one trial at a
time: so the user's function stands in a solver's loop once.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import math
from typing import NamedTuple

TRIALS = 50

# What is to be done after a trial.
ACCEPT, GO_ON, RETURN, GIVE_UP = range(4)


class Search(NamedTuple):
    """Value and slope at the start, at the best length so far, and at the other end of the interval, if there is one.
    trials: how many there were; lowered: whether the last one is the best length so far."""

    start: float
    slope: float
    low: float
    low_value: float
    low_slope: float
    high: float
    high_value: float
    high_slope: float
    bracketed: bool
    trials: int
    lowered: bool


def begun(value, slope):
    """The search from a point with this value, along a direction with this slope."""
    return Search(value, slope, 0.0, value, slope, 0.0, value, slope, False, 0, False)


def unbegun():
    """What accepts the point at which a solve starts, if its value is finite."""
    return begun(math.inf, 0.0)


def enough(search, length, value, slope):
    """Whether the value is finite and decreases in proportion to the length. Where values differ by no more than their
    rounding, the slope says so (Hager & Zhang, 2005, the approximate Wolfe conditions)."""
    if not (abs(value) < math.inf and abs(slope) < math.inf):
        return False
    if value < search.start and value <= search.start + 1e-4 * length * search.slope:
        return True
    rounding = 1e-15 * abs(search.start)
    return value <= search.start + rounding and 0.9 * search.slope <= slope <= (2e-4 - 1.0) * search.slope


def looked(search, length, value, slope):
    """The search after a trial, the next length, and what is to be done."""
    low, low_value, low_slope = search.low, search.low_value, search.low_slope
    high, high_value, high_slope = search.high, search.high_value, search.high_slope
    bracketed, lowered = search.bracketed, False
    decreased = enough(search, length, value, slope)
    verdict = GO_ON
    if decreased and abs(slope) <= -0.9 * search.slope:
        verdict = ACCEPT
    elif not decreased or value > low_value:
        high, high_value, high_slope, bracketed = length, value, slope, True
    else:
        if slope * (high - low if bracketed else 1.0) >= 0.0:
            high, high_value, high_slope, bracketed = low, low_value, low_slope, True
        low, low_value, low_slope, lowered = length, value, slope, True
    trials = search.trials + 1
    if verdict == GO_ON and (trials >= TRIALS or search.slope == 0.0 or (bracketed and high == low)):
        verdict = RETURN if low > 0.0 else GIVE_UP
    after = Search(
        search.start, search.slope, low, low_value, low_slope, high, high_value, high_slope, bracketed, trials, lowered
    )
    return after, following(after) if verdict == GO_ON else length, verdict


def following(search):
    """The next length: the minimum of a cubic inside of the interval, or a longer one where there is none yet."""
    low, width = search.low, search.high - search.low
    if not search.bracketed:
        if not search.slope < search.low_slope:
            return 5.0 * low
        return low * min(max(search.slope / (search.slope - search.low_slope), 2.0), 5.0)
    part = 0.5
    if not abs(search.high_value) < math.inf:
        part = 0.1
    elif search.trials < 10:
        mean = 3.0 * (search.low_value - search.high_value) / width
        middle = search.low_slope + search.high_slope + mean
        inner = middle * middle - search.low_slope * search.high_slope
        if inner >= 0.0:
            root = math.sqrt(inner) if width > 0.0 else -math.sqrt(inner)
            below = search.high_slope - search.low_slope + 2.0 * root
            part = 1.0 - (search.high_slope + root - middle) / below if below != 0.0 else 0.5
            part = min(max(part, 0.1), 0.9) if abs(part) < math.inf else 0.5
    return low + part * width
