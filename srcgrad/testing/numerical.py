"""Numerical derivatives that know how far they can be trusted.

Central differences at a ladder of step sizes, improved by Richardson's extrapolation; of all neighbouring estimates the
two that agree best count, and their gap says what the estimate is worth. On the edge of the domain one-sided
differences take their place; where differences grow without bound the derivative is infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srcgrad.testing.entries import Vector

RATIO = 4.0  # between one step size and the next
RUNGS = 7
GROWTH = 1.2  # differences that grow by more at every rung have no limit
Rows = NDArray[np.float64]  # one row a step size, one column an output
Mask = NDArray[np.bool_]
Outputs = Callable[[float], Vector]


@dataclass(frozen=True)
class Estimate:
    """A derivative of each output, the gap between the best two estimates, and what rounding may have added to it.

    Where the differences do not settle, `gap` is infinite.
    """

    value: Vector
    gap: Vector
    noise: Vector

    def where(self, mask: Mask, other: Estimate) -> Estimate:
        """`other` where the mask is true, else this."""
        pairs = (other.value, self.value), (other.gap, self.gap), (other.noise, self.noise)
        return Estimate(*(np.where(mask, yes, no) for yes, no in pairs))


@dataclass(frozen=True)
class Samples:
    """A function at a point and on both sides of it, one row a distance."""

    at: Vector
    right: Rows
    left: Rows
    above: Rows
    below: Rows

    def central(self) -> Rows:
        return (self.right - self.left) / (self.above + self.below)

    def noise(self) -> Rows:
        """What rounding of the function's own values may add to a difference."""
        size = np.maximum(np.abs(self.right), np.abs(self.left))
        return 4 * np.finfo(np.float64).eps * np.fmax(size, np.abs(self.at)) / self.above


def derivative(outputs: Outputs, x: float) -> Estimate:
    """The derivatives at x of a function of one number that gives a vector."""
    with np.errstate(all="ignore"):
        at = outputs(x)
        ladders = [_sample(outputs, x, at, scale) for scale in _scales(x)]
        near = ladders[-1]
        inner = _settle([pair for s in ladders for pair in _pairs(s.central(), s.noise(), power=2)])
        right = _limit((near.right - near.at) / near.above, near.noise())
        left = _limit((near.at - near.left) / near.below, near.noise())
        edge = left.where(np.isfinite(right.gap), right)
        inner = inner.where(np.isinf(inner.gap), edge).where(*_unbounded(near.central()))
        return inner.where(np.isinf(at), edge).where(np.isnan(at), _exactly(at))


def _scales(x: float) -> list[float]:
    """What steps are fractions of: the size of x, and first of all 1 where x is much smaller."""
    size = abs(x)
    return [1.0] if size == 0 else [size] if size > 1 / 64 else [1.0, size]


def _sample(outputs: Outputs, x: float, at: Vector, scale: float) -> Samples:
    steps = scale * RATIO ** -np.arange(1.0, RUNGS + 1)
    above, below = x + steps, x - steps
    right, left = (np.stack([outputs(float(t)) for t in points]) for points in (above, below))
    return Samples(at, right, left, (above - x)[:, None], (x - below)[:, None])


def _pairs(rows: Rows, noise: Rows, power: int) -> Iterator[tuple[Rows, Rows, Rows]]:
    """(value, gap, noise) of neighbours in Richardson's table, for an error in powers of `power`."""
    factor = RATIO**power
    for _ in range(3):
        yield rows[1:], np.abs(rows[1:] - rows[:-1]), noise[-len(rows) + 1 :]
        rows = (factor * rows[1:] - rows[:-1]) / (factor - 1)
        factor *= RATIO**power


def _settle(pairs: list[tuple[Rows, Rows, Rows]]) -> Estimate:
    """The estimate of least gap and noise, for each output by itself."""
    value, gap, noise = (np.concatenate(rows) for rows in zip(*pairs, strict=True))
    gap = np.where(np.isfinite(value) & np.isfinite(gap), gap, np.inf)
    best = np.argmin(np.where(np.isfinite(gap), gap + noise, np.inf), axis=0)[None]
    return Estimate(*(np.take_along_axis(rows, best, axis=0)[0] for rows in (value, gap, noise)))


def _limit(rows: Rows, noise: Rows) -> Estimate:
    """The limit of one-sided differences."""
    return _settle(list(_pairs(rows, noise, power=1))).where(*_unbounded(rows))


def _unbounded(rows: Rows) -> tuple[Mask, Estimate]:
    """Where differences grow at every rung, or are infinite; and the infinity that they go to."""
    size, sign = np.abs(rows), np.sign(rows[-1])
    growing = np.isinf(size).all(axis=0) | (size[1:] > GROWTH * size[:-1]).all(axis=0)
    return growing & (np.sign(rows) == sign).all(axis=0), _exactly(sign * np.inf)


def _exactly(value: Vector) -> Estimate:
    return Estimate(value, np.zeros(value.shape), np.zeros(value.shape))
