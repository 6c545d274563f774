"""Floats taken apart and put together by their bits, without a branch."""

# mypy: disable-error-code="no-any-return, return-value"
from __future__ import annotations

import numpy as np


def bits_of(x: float) -> int:  # inlined
    return np.float64(x).view(np.int64)


def from_bits(bits: int) -> float:  # inlined
    return np.int64(bits).view(np.float64)


def power_of_two(k: float) -> float:  # inlined
    # of an integer from -1022 to 1023; the sum holds the biased exponent in its low bits
    return from_bits(bits_of(k + (1.5 * 2.0**52 + 1023.0)) << 52)


def whole_part(i: int) -> float:  # inlined
    # an integer below 2**51 as a float
    return from_bits(i + 0x4338000000000000) - 1.5 * 2.0**52


def with_sign_of(size: float, x: float) -> float:  # inlined
    # a size that is not negative, with the sign of x
    return from_bits(bits_of(size) | (bits_of(x) & -(1 << 63)))


def leading_bits(x: float) -> float:  # inlined
    # the first 26 of 53: products of two such numbers are exact
    return from_bits(bits_of(x) & -(1 << 27))


def binary_parts(x: float) -> tuple[float, float]:  # inlined
    # m and k of a positive x = m * 2**k, where sqrt(1/2) <= m < sqrt(2)
    tiny = x < 2.0**-1022
    bits = bits_of(x * 2.0**54 if tiny else x)
    k = (bits - 0x3FE6A09E667F3BCD) >> 52
    m = from_bits(bits - (k << 52))
    return m, whole_part(k) - (54.0 if tiny else 0.0)
