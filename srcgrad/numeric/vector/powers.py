"""Powers for loops over arrays."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.numeric.vector.bits import binary_parts, bits_of, leading_bits
from srcgrad.numeric.vector.exponentials import exp_excess, times_power_of_two


def precise_log2(x: float) -> tuple[float, float]:  # inlined
    # in two floats, of which the first has 26 bits: log2(m) = 2 / (3 log(2)) * s * (3 + s**2 + ...)
    m, k = binary_parts(x)
    f, d = m - 1.0, m + 1.0
    s = f / d
    s1, d1 = leading_bits(s), leading_bits(d)
    s2 = ((f - s1 * d1) - s1 * (m - (d1 - 1.0))) / d
    z = s * s
    p = 0.197942276575333 * z + 0.19885256566498183
    p = p * z + 0.23080134657548093
    p = p * z + 0.2727267658103711
    p = p * z + 0.33333333779514146
    p = p * z + 0.4285714285515172
    p = p * z + 0.6000000000000337
    rest = z * z * p + s2 * (s1 + s)
    z1 = s1 * s1
    t1 = leading_bits(3.0 + z1 + rest)
    t2 = rest - ((t1 - 3.0) - z1)
    u, v = s1 * t1, s2 * t1 + t2 * s
    p1 = leading_bits(u + v)
    p2 = v - (p1 - u)
    high = p1 * 0.9617966711521149
    low = p1 * 2.2773860736742555e-08 + p2 * 0.9617966939259756
    y1 = leading_bits((high + low) + k)
    return y1, low - ((y1 - k) - high)


def exp2_of_sum(high: float, low: float) -> float:  # inlined
    # 2**(high + low), where high is rounded to 53 bits and low is below its last 26
    z = high + low
    outside = abs(z) > 1100.0
    high = (1100.0 if z > 0.0 else -1100.0) if outside else high
    low = 0.0 if outside else low
    k = ((high + low) + 1.5 * 2.0**52) - 1.5 * 2.0**52
    part = high - k
    t = leading_bits(part + low)
    first = t * 0.6931471675634384
    second = t * 1.2996506893889889e-08 + (low - (t - part)) * 0.6931471805599453
    r = first + second
    c = second - (r - first)
    return times_power_of_two(1.0 + (r + (exp_excess(r) + c)), k)


def limited_exponent(y: float) -> float:  # inlined
    # one that gives 0, 1 or infinity where y does, without infinities of its own
    y = 2.0**70 if y > 2.0**70 else y
    return -(2.0**70) if y < -(2.0**70) else y


def power_or_end(x: float, y: float, power: float) -> float:  # inlined
    # x**y, where abs(x)**y is `power` if x is not 0 nor infinite
    a = abs(x)
    ends = np.inf if (a == 0.0) == (y < 0.0) else 0.0
    power = ends if (a == 0.0) | (a == np.inf) else power
    whole = np.floor(y) == y
    odd = whole & (np.floor(0.5 * y) != 0.5 * y)
    power = -power if odd & (bits_of(x) < 0) else power
    power = np.nan if (x < 0.0) & (a < np.inf) & (not whole) else power
    power = power if (x == x) & (y == y) else x + y
    return 1.0 if (x == 1.0) | (y == 0.0) else power


def vector_power(x: float, y: float) -> float:  # inlined
    log1, log2 = precise_log2(abs(x))
    n = limited_exponent(y)
    n1 = leading_bits(n)
    return power_or_end(x, y, exp2_of_sum(n1 * log1, (n - n1) * log1 + n * log2))
