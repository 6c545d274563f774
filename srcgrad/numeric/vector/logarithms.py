"""log and its like for loops over arrays."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.numeric.vector.bits import binary_parts


def log_of_parts(f: float, k: float, c: float) -> float:  # inlined
    # log(1 + f) + k * log(2) + c for sqrt(1/2) <= 1 + f < sqrt(2)
    s = f / (2.0 + f)
    z = s * s
    p = 0.14868116224242972 * z + 0.15306328745760225
    p = p * z + 0.18183891253792686
    p = p * z + 0.2222219164850631
    p = p * z + 0.28571428818434247
    p = p * z + 0.3999999999901479
    p = p * z + 0.666666666666681
    half = 0.5 * f * f
    return k * 0.6931471803691238 - ((half - (s * (half + z * p) + (k * 1.9082149292705877e-10 + c))) - f)


def log_or_end(x: float, log: float) -> float:  # inlined
    # log(x), where that is `log` if x is positive and finite
    log = log if x < np.inf else x
    return log if x > 0.0 else (-np.inf if x == 0.0 else np.nan)


def vector_log(x: float) -> float:  # inlined
    m, k = binary_parts(abs(x))
    return log_or_end(x, log_of_parts(m - 1.0, k, 0.0))


def vector_log1p(x: float) -> float:  # inlined
    # of u = 1 + x, and what the sum lost; where u is near 1, of x itself
    u = 1.0 + x
    m, k = binary_parts(abs(u))
    lost = (x - (u - 1.0)) if u < 4.0 else 1.0 - (u - x)
    near = k == 0.0
    y = log_of_parts(x if near else m - 1.0, k, 0.0 if near else lost / u)
    return log_or_end(u, y) if (x != 0.0) & (x < np.inf) else x
