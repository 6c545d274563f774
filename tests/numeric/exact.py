"""What numeric functions are compared with: mpmath, to fifty digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 50
EPS = float(np.finfo(float).eps)
INF, NAN = math.inf, math.nan
TINY = [1e-300, 1e-12, 1e-3]


def ulps(got: float, exact: Any, scale: Any = None) -> float:
    """The error in units of the last place of the exact value, or of `scale`."""
    return float(abs(mp.mpf(float(got)) - exact) / abs(exact if scale is None else scale)) / EPS


def scaled_erfc(x: Any, order: int) -> Any:
    """The derivative of this order of exp(x * x) * erfc(x)."""
    with mp.workdps(120):
        before, here = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
        for n in range(1, order + 1):
            before, here = here, (before - 2 * x * here) / (2 * n)
        return (-2) ** order * mp.factorial(order) * here


def gap(a: int, b: Any) -> Any:
    """digamma(a + b) - digamma(a)."""
    with mp.workdps(400):
        return mp.digamma(a + b) - mp.digamma(a)
