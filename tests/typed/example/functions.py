"""Functions as users write them, with annotations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Single = NDArray[np.float32]


class Line(NamedTuple):
    """The parameters of a line."""

    slope: float
    offset: float


def wave(x: float, n: int = 3) -> float:
    """sin(x) ... sin(x), n times."""
    for _ in range(n):
        x = np.sin(x) + 0.1 * x
    return x


def loss(w: Vector, x: float, *, scale: float = 1.0) -> float:
    return scale * float(np.sum(w**2)) * x


def loss_and_text(w: Vector, x: float) -> tuple[float, str]:
    return float(np.sum(w**2)) * x, "squares"


def moved(x: Single, by: Single) -> Single:
    return x * x * by


def spread(t: float, x: Vector) -> Vector:
    return x * t


def misfit(line: Line, t: Vector, y: Vector) -> float:
    return float(np.sum((line.slope * t + line.offset - y) ** 2))


def untyped(x: Any, y: Any) -> Any:
    return x * y
