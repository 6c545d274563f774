"""sin and cos for loops over arrays, of numbers up to a size."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.numeric.vector.bits import bits_of


def rest_of_quarters(a: float) -> tuple[int, float, float]:  # inlined
    # q, r and c of a = q * pi/2 + r + c, for 0 <= a < 2**20: pi/2 in parts of 33 bits, so that products are exact
    nearest = a * 0.6366197723675814 + 1.5 * 2.0**52
    k = nearest - 1.5 * 2.0**52
    first = a - k * 1.5707963267341256
    part = k * 6.077100506303966e-11
    second = first - part
    back = first - second
    lost = (first - (second + back)) + (back - part)
    part = k * 2.0222662487111665e-21
    r = second - part
    back = second - r
    lost += (second - (r + back)) + (back - part) - k * 8.478427660368899e-32
    return bits_of(nearest), r, lost


def turned(sine: float, cosine: float, quarters: int) -> float:  # inlined
    # sin(r + quarters * pi/2) of sin(r) and cos(r)
    y = sine if quarters & 1 == 0 else cosine
    return y if quarters & 2 == 0 else -y


def wave(a: float, quarters: int) -> float:  # inlined
    # sin(a + quarters * pi/2) for 0 <= a <= 2**20
    q, r, c = rest_of_quarters(a)
    z = r * r
    p = 1.5896842681960077e-10 * z - 2.5050759078547026e-08
    p = p * z + 2.755731369916224e-06
    p = p * z - 0.00019841269829832026
    p = p * z + 0.008333333333322448
    p = p * z - 0.16666666666666632
    half = 0.5 * z
    sine = r + (r * z * p + c * (1.0 - half))
    p = -1.1359663383122119e-11 * z + 2.0875723592889347e-09
    p = p * z - 2.7557314354788457e-07
    p = p * z + 2.480158728949076e-05
    p = p * z - 0.0013888888888874138
    p = p * z + 0.0416666666666666
    lead = 1.0 - half
    cosine = lead + (((1.0 - lead) - half) + (z * z * p - r * c))
    return turned(sine, cosine, q + quarters) if a <= 2.0**20 else np.nan


def vector_sin(x: float) -> float:  # inlined
    # NaN beyond 2**20
    y = wave(abs(x), 0)
    return -y if x < 0.0 else (y if x != 0.0 else x)


def vector_cos(x: float) -> float:  # inlined
    # NaN beyond 2**20
    return wave(abs(x), 1)
