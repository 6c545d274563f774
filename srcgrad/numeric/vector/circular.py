"""sin and cos for loops over arrays, exact for numbers of any size."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from srcgrad.numeric.vector.bits import bits_of, leading_bits, whole_part


def rest_of_moderate(a: float) -> tuple[int, float, float]:  # inlined
    # q, r and c of a = q * pi/2 + r + c, for 0 <= a < 2**20: pi/2 in parts of 33 bits, so that products are exact
    turned = a * 0.6366197723675814 + 1.5 * 2.0**52
    k = turned - 1.5 * 2.0**52
    first = a - k * 1.5707963267341256
    part = k * 6.077100506303966e-11
    second = first - part
    back = first - second
    lost = (first - (second + back)) + (back - part)
    part = k * 2.0222662487111665e-21
    r = second - part
    back = second - r
    lost += (second - (r + back)) + (back - part) - k * 8.478427660368899e-32
    return bits_of(turned), r, lost


def bits_of_two_over_pi(word: int) -> int:  # inlined
    # 60 at a time
    # fmt: off
    words = (
        0, 0xA2F9836E4E44152, 0x9FC2757D1F534DD, 0xC0DB6295993C439, 0x041FE5163ABDEBB,
        0xC561B7246E3A424, 0xDD2E006492EEA09, 0xD1921CFE1DEB1CB, 0x129A73EE88235F5, 0x2EBB4484E99C702,
        0x6B45F7E413991D6, 0x39835339F49C845, 0xF8BBDF9283B1FF8, 0x97FFDE05980FEF2, 0xF118B5A0A6D1F6D,
        0x367ECF27CB09B74, 0xF463F669E5FEA2D, 0x7527BAC7EBE5F17, 0xB3D0739F78A5292, 0xEA6BFB5FB11F8D5,
        0xD0856033046FC7B, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0,
    )
    # fmt: on
    return words[word & 31]


def aligned_word(word: int, shift: int) -> int:  # inlined
    # 60 bits of 2/pi, from this place in a word
    left = (bits_of_two_over_pi(word) << shift) & 0xFFFFFFFFFFFFFFF
    return left | (bits_of_two_over_pi(word + 1) >> (60 - shift))


def quarter_turns(a: float) -> tuple[int, float, float]:  # inlined
    # the integer nearest to a * 2/pi, modulo 4, and what is left, in two floats, for a >= 1: the 53 bits of a times
    # those bits of 2/pi that matter, in digits of 30 bits
    bits = bits_of(a)
    mantissa = (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000
    m0, m1 = mantissa & 0x3FFFFFFF, mantissa >> 30
    place = (bits >> 52) - 1017
    place = place if place > 0 else 0
    word = (place * 34953) >> 21  # place // 60
    shift = place - 60 * word
    w0, w1, w2 = aligned_word(word, shift), aligned_word(word + 1, shift), aligned_word(word + 2, shift)
    d1, d2, d3, d4, d5 = w0 & 0x3FFFFFFF, w1 >> 30, w1 & 0x3FFFFFFF, w2 >> 30, w2 & 0x3FFFFFFF
    s5 = m0 * d5
    s4 = m0 * d4 + m1 * d5 + (s5 >> 30)
    s3 = m0 * d3 + m1 * d4 + (s4 >> 30)
    s2 = m0 * d2 + m1 * d3 + (s3 >> 30)
    s1 = m0 * d1 + m1 * d2 + (s2 >> 30)
    s0 = (m0 * (w0 >> 30) + m1 * d1 + (s1 >> 30)) & 0x3FFFFFFF
    q = (s0 + 0x8000000) >> 28
    top = ((s0 - (q << 28)) << 30) | (s1 & 0x3FFFFFFF)
    high = whole_part(top >> 10) * 2.0**-48
    middle = whole_part(((top & 1023) << 30) | (s2 & 0x3FFFFFFF)) * 2.0**-88
    f = high + middle
    low = whole_part(s3 & 0x3FFFFFFF) * 2.0**-118 + whole_part(s4 & 0x3FFFFFFF) * 2.0**-148
    return q, f, ((high - f) + middle) + low


def rest_of_large(a: float) -> tuple[int, float, float]:  # inlined
    # q, r and c of a = q * pi/2 + r + c, modulo 2*pi
    q, f, low = quarter_turns(a)
    f1 = leading_bits(f)
    high = f1 * 1.5707963109016418
    rest = f1 * 1.5893254773528196e-08 + ((f - f1) + low) * 1.5707963267948966
    r = high + rest
    return q, r, (high - r) + rest


def wave(a: float, quarters: int) -> float:  # inlined
    # sin(a + quarters * pi/2) for a >= 0
    q, r, c = rest_of_moderate(a)
    large_q, large_r, large_c = rest_of_large(a)
    large = a > 2.0**20
    q = (large_q if large else q) + quarters
    r = large_r if large else r
    c = large_c if large else c
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
    y = sine if q & 1 == 0 else cosine
    return (y if q & 2 == 0 else -y) if a < np.inf else a - a


def vector_sin(x: float) -> float:  # inlined
    y = wave(abs(x), 0)
    return y if x > 0.0 else (-y if x < 0.0 else x)


def vector_cos(x: float) -> float:  # inlined
    return wave(abs(x), 1)
