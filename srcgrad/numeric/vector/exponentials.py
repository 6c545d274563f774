"""exp and its like for loops over arrays."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from srcgrad.numeric.vector.bits import power_of_two, with_sign_of


def exp_parts(x: float) -> tuple[float, float, float]:  # inlined
    # k, r and c of x = k * log(2) + r + c, where k is an integer and c below the last place of r
    k = (x * 1.4426950408889634 + 1.5 * 2.0**52) - 1.5 * 2.0**52
    high = x - k * 0.6931471803691238
    low = k * 1.9082149292705877e-10
    r = high - low
    return k, r, (high - r) - low


def exp_excess(r: float) -> float:  # inlined
    # exp(r) - 1 - r for |r| < 0.3466
    p = 2.5117164603237034e-08 * r + 2.7631279454059775e-07
    p = p * r + 2.755721868293148e-06
    p = p * r + 2.4801489958395523e-05
    p = p * r + 0.000198412699144908
    p = p * r + 0.0013888888946986253
    p = p * r + 0.008333333333308653
    p = p * r + 0.04166666666651557
    p = p * r + 0.16666666666666696
    p = p * r + 0.5000000000000012
    return r * r * p


def times_power_of_two(x: float, k: float) -> float:  # inlined
    # x * 2**k of an x near 1, rounded once, where 2**k itself has no float
    half = (0.5 * k + 1.5 * 2.0**52) - 1.5 * 2.0**52
    return x * power_of_two(half) * power_of_two(k - half)


def scaled_exp(x: float, power: float) -> float:  # inlined
    # exp(x) * 2**power
    x = 750.0 if x > 750.0 else x
    x = -750.0 if x < -750.0 else x
    k, r, c = exp_parts(x)
    return times_power_of_two(1.0 + (r + (exp_excess(r) + c)), k + power)


def vector_exp(x: float) -> float:  # inlined
    return scaled_exp(x, 0.0)


def vector_expm1(x: float) -> float:  # inlined
    # 2**k * (1 - 2**-k + (exp(r) - 1)), the leading sum with its rounding error
    y = 750.0 if x > 750.0 else x
    y = -40.0 if y < -40.0 else y
    k, r, c = exp_parts(y)
    one = 1.0 - power_of_two(-(100.0 if k > 100.0 else k))
    lead = one + r
    rest = (one - lead) + r + (exp_excess(r) + c)
    return times_power_of_two(lead + rest, k) if x != 0.0 else x


def vector_tanh(x: float) -> float:  # inlined
    a = abs(x)
    a = 25.0 if a > 25.0 else a
    t = vector_expm1(2.0 * a)
    return with_sign_of(t / (t + 2.0), x)


def vector_sinh(x: float) -> float:  # inlined
    a = abs(x)
    half = scaled_exp(a, -1.0)
    z = a * a
    p = 7.759316631616396e-13 * z + 1.6057240342571718e-10
    p = p * z + 2.5052123396217083e-08
    p = p * z + 2.7557319155369062e-06
    p = p * z + 0.00019841269841437516
    p = p * z + 0.008333333333333139
    p = p * z + 0.16666666666666669
    small = a + a * (z * p)
    return with_sign_of(small if a < 1.0 else half - 0.25 / half, x)


def vector_cosh(x: float) -> float:  # inlined
    half = scaled_exp(abs(x), -1.0)
    return half + 0.25 / half


def vector_sech(x: float) -> float:  # inlined
    return 1.0 / vector_cosh(x)


def vector_sigmoid(x: float) -> float:  # inlined
    tail = scaled_exp(-abs(x), 0.0)
    return (1.0 if x >= 0.0 else tail) / (1.0 + tail)
