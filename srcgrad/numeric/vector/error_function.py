"""The error function for loops over arrays."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from srcgrad.numeric.vector.bits import with_sign_of
from srcgrad.numeric.vector.exponentials import scaled_exp


def erf_near_zero(x: float) -> float:  # inlined
    # |x| <= 1
    z = x * x
    p = -7.801188874097751e-10 * z + 1.3722976265924504e-08
    p = p * z - 1.6209175911748696e-07
    p = p * z + 1.6447517677871873e-06
    p = p * z - 1.4924744663335489e-05
    p = p * z + 0.00012055295320494294
    p = p * z - 0.0008548325989696758
    p = p * z + 0.005223977607423468
    p = p * z - 0.02686617064327622
    p = p * z + 0.11283791670945253
    p = p * z - 0.3761263890318355
    return x * (p * z + 1.1283791670955126)


def scaled_erfc(a: float) -> float:  # inlined
    # exp(a * a) * erfc(a) for 1 <= a <= 6, so exact as 1 - erfc(a) asks
    t = (a - 2.0) / (a + 2.0)
    p = -1.2644871642369728e-05 * t - 2.661242117001298e-05
    p = p * t + 2.762283473571685e-05
    p = p * t + 0.00017428847543731667
    p = p * t + 4.353619285543643e-05
    p = p * t - 0.000981976473373925
    p = p * t - 0.0008471425908938418
    p = p * t + 0.006997461785463552
    p = p * t + 0.003732892398529116
    p = p * t - 0.07897858101641433
    p = p * t + 0.2416581942424689
    p = p * t - 0.4271858474139568
    return p * t + 0.25539567631050575


def vector_erf(x: float) -> float:  # inlined
    a = abs(x)
    a = 6.0 if a > 6.0 else a
    far = 1.0 - scaled_exp(-(a * a), 0.0) * scaled_erfc(a)
    return with_sign_of(erf_near_zero(a) if a < 1.0 else far, x)
