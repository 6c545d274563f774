"""The same for single precision: computed in double with polynomials as short as that allows, and rounded once."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.numeric.vector.bits import binary_parts, bits_of, power_of_two
from srcgrad.numeric.vector.circular import turned
from srcgrad.numeric.vector.logarithms import log_of_parts, log_or_end
from srcgrad.numeric.vector.powers import limited_exponent, power_or_end


def vector_exp_single(x: float) -> float:  # inlined
    x = 200.0 if x > 200.0 else x
    x = -200.0 if x < -200.0 else x
    k = (x * 1.4426950408889634 + 1.5 * 2.0**52) - 1.5 * 2.0**52
    r = x - k * 0.6931471805599453
    p = 0.0013950849418644328 * r + 0.008368890775017705
    p = p * r + 0.041666199196263826
    p = p * r + 0.16666518829540658
    p = p * r + 0.5000000097950543
    return (1.0 + (r + r * r * p)) * power_of_two(k)


def vector_log_single(x: float) -> float:  # inlined
    m, k = binary_parts(abs(x))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.29961467074238735 * z + 0.3997360028736517
    p = p * z + 0.6666681664406059
    return log_or_end(x, k * 0.6931471805599453 + (2.0 * s + s * (z * p)))


def single_wave(a: float, quarters: int) -> float:  # inlined
    # sin(a + quarters * pi/2) for 0 <= a <= 2**26
    nearest = a * 0.6366197723675814 + 1.5 * 2.0**52
    k = nearest - 1.5 * 2.0**52
    r = (a - k * 1.5707963109016418) - k * 1.5893254773528196e-08
    z = r * r
    p = -0.0001951716670448549 * z + 0.008332177114308574
    sine = r + r * z * (p * z - 0.16666654926729324)
    p = 2.4438411606125704e-05 * z - 0.0013887367127282664
    cosine = 1.0 - z * (0.5 - z * (p * z + 0.04166664685604954))
    return turned(sine, cosine, bits_of(nearest) + quarters) if a <= 2.0**26 else np.nan


def vector_sin_single(x: float) -> float:  # inlined
    # NaN beyond 2**26
    y = single_wave(abs(x), 0)
    return -y if x < 0.0 else (y if x != 0.0 else x)


def vector_cos_single(x: float) -> float:  # inlined
    # NaN beyond 2**26
    return single_wave(abs(x), 1)


def vector_power_single(x: float, y: float) -> float:  # inlined
    m, k = binary_parts(abs(x))
    log = log_of_parts(m - 1.0, k, 0.0)
    return power_or_end(x, y, vector_exp_single(limited_exponent(y) * log))
