"""Floats taken apart and put together by their bits, without a branch."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def power_of_two(k: float) -> float:
    # of an integer from -1022 to 1023; the sum holds the biased exponent in its low bits
    return np.int64(np.float64(k + (1.5 * 2.0**52 + 1023.0)).view(np.int64) << 52).view(np.float64)


def whole_part(i: int) -> float:
    # an integer below 2**51 as a float
    return np.int64(i + 0x4338000000000000).view(np.float64) - 1.5 * 2.0**52


def with_sign_of(size: float, x: float) -> float:
    # a size that is not negative, with the sign of x
    sign = np.float64(x).view(np.int64) & -(1 << 63)
    return np.int64(np.float64(size).view(np.int64) | sign).view(np.float64)


def leading_bits(x: float) -> float:
    # the first 26 of 53: products of two such numbers are exact
    return np.int64(np.float64(x).view(np.int64) & -(1 << 27)).view(np.float64)


def binary_parts(x: float) -> tuple[float, float]:
    # m and k of a positive x = m * 2**k, where sqrt(1/2) <= m < sqrt(2)
    tiny = x < 2.0**-1022
    bits = np.float64(x * 2.0**54 if tiny else x).view(np.int64)
    k = (bits - 0x3FE6A09E667F3BCD) >> 52
    m = np.int64(bits - (k << 52)).view(np.float64)
    return m, whole_part(k) - (54.0 if tiny else 0.0)
