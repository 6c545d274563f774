"""The scalar functions in mpmath: what they are, where they are defined, and where they are delicate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

INF = math.inf


@dataclass(frozen=True)
class Curve:
    """A function of one number. exact(mp, x); low < x < high; special: poles, zeros, branch points but 0.

    delicate: zeros about which relative accuracy is lost. whole: whether it is tried at integers. ulps: the bounds.
    """

    name: str
    function: Any
    exact: Callable[..., Any]
    low: float = -INF
    high: float = INF
    special: Sequence[float] = ()
    delicate: Sequence[float] = ()
    whole: bool = True
    ulps: tuple[float, float, float] = (4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Surface:
    """A function of two numbers. exact(mp, a, b). ulps: the bounds."""

    name: str
    function: Any
    exact: Callable[..., Any]
    points: Sequence[tuple[float, float]]
    ulps: tuple[float, float, float] = (4.0, 8.0, 16.0)


ROOTS_OF_DIGAMMA = [1.4616321449683622, -0.504083008264455409, -1.5734984731623905, -2.6107208684441448]


def _gamma(mp: Any, x: Any) -> Any:
    return mp.gamma(x)


def _lgamma(mp: Any, x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


CURVES = [
    Curve("exp", np.exp, lambda mp, x: mp.exp(x), -740, 710),
    Curve("exp2", np.exp2, lambda mp, x: mp.mpf(2) ** x, -1070, 1024),
    Curve("expm1", np.expm1, lambda mp, x: mp.expm1(x), -745, 710),
    Curve("log", np.log, lambda mp, x: mp.log(x), 0, special=[1.0]),
    Curve("log2", np.log2, lambda mp, x: mp.log(x) / mp.log(2), 0, special=[1.0]),
    Curve("log10", np.log10, lambda mp, x: mp.log(x) / mp.log(10), 0, special=[1.0]),
    Curve("log1p", np.log1p, lambda mp, x: mp.log1p(x), -1, special=[-1.0]),
    Curve("sqrt", np.sqrt, lambda mp, x: mp.sqrt(x), 0),
    Curve("cbrt", np.cbrt, lambda mp, x: mp.sign(x) * mp.cbrt(abs(x))),
    Curve("square", np.square, lambda mp, x: x * x),
    Curve("reciprocal", np.reciprocal, lambda mp, x: 1 / x, -1e100, 1e100),
    Curve("sin", np.sin, lambda mp, x: mp.sin(x), special=[math.pi, math.pi / 2]),
    Curve("cos", np.cos, lambda mp, x: mp.cos(x), special=[math.pi, math.pi / 2]),
    Curve("tan", np.tan, lambda mp, x: mp.tan(x), special=[math.pi, math.pi / 2]),
    Curve("arcsin", np.arcsin, lambda mp, x: mp.asin(x), -1, 1, [1.0, -1.0]),
    Curve("arccos", np.arccos, lambda mp, x: mp.acos(x), -1, 1, [1.0, -1.0]),
    Curve("arctan", np.arctan, lambda mp, x: mp.atan(x), -1e75, 1e75, [1.0]),
    Curve("sinh", np.sinh, lambda mp, x: mp.sinh(x), -711, 711),
    Curve("cosh", np.cosh, lambda mp, x: mp.cosh(x), -711, 711),
    Curve("tanh", np.tanh, lambda mp, x: mp.tanh(x), -353, 353),
    Curve("arcsinh", np.arcsinh, lambda mp, x: mp.asinh(x)),
    Curve("arccosh", np.arccosh, lambda mp, x: mp.acosh(x), 1, special=[1.0]),
    Curve("arctanh", np.arctanh, lambda mp, x: mp.atanh(x), -1, 1, [1.0, -1.0]),
    Curve("degrees", np.degrees, lambda mp, x: x * 180 / mp.pi, -1e306, 1e306),
    Curve("radians", np.radians, lambda mp, x: x * mp.pi / 180),
    Curve("sinc", np.sinc, lambda mp, x: mp.sinc(mp.pi * x), -1e8, 1e8, [0.5], whole=False, ulps=(16, 64, 128)),
    Curve("erf", math.erf, lambda mp, x: mp.erf(x), -6, 6),
    Curve("erfc", math.erfc, lambda mp, x: mp.erfc(x), -6, 26.5),
    Curve("gamma", math.gamma, _gamma, -20, 171, [-1.0, -2.0], ROOTS_OF_DIGAMMA, False, (16, 64, 64)),
    Curve("lgamma", math.lgamma, _lgamma, -1e3, 1e300, (), [1.0, 2.0, *ROOTS_OF_DIGAMMA], False, (64, 64, 64)),
]

SIZES = [1e-300, 1e-20, 1e-3, 0.7, 1.0, 1.3, 40.0, 1e8, 1e150, 1e300]
FACTORS = [1.0, 1.0 + 1e-10, 0.9, 3.0, 1e-9, 1e9, 1e-30]
PAIRS = [(a * s, b * a) for a, b in product(SIZES, FACTORS) for s in (1, -1) if 1e-305 < b * a < 1e305]
MODERATE = [
    (a, s * b)
    for a, b in product([1e-300, 1e-5, 0.3, 0.999999, 1.000001, 3.0, 1e5], [0.3, 2.0, 7.5, 1e-5])
    for s in (1, -1)
]
LOGS = [(a, a + d) for a in (-700.0, -3.0, 1e-5, 2.0, 1e5) for d in (0.0, 1e-9, -0.3, 2.0, 35.0, -80.0, 700.0)]

SURFACES = [
    Surface("divide", np.divide, lambda mp, a, b: a / b, PAIRS),
    Surface("hypot", np.hypot, lambda mp, a, b: mp.hypot(a, b), PAIRS, (4, 8, INF)),
    Surface("arctan2", np.arctan2, lambda mp, a, b: mp.atan2(a, b), PAIRS),
    Surface("power", np.power, lambda mp, a, b: a**b, MODERATE, (4, 1024, 1024)),
    Surface("logaddexp", np.logaddexp, lambda mp, a, b: mp.log(mp.exp(a) + mp.exp(b)), LOGS, (4, 512, 512)),
    Surface("logaddexp2", np.logaddexp2, lambda mp, a, b: mp.log(2**a + 2**b) / mp.log(2), LOGS, (4, 512, 512)),
]
