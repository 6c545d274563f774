"""Special functions in mpmath, as `exact` has the others."""

from __future__ import annotations

from itertools import product
from typing import Any

import scipy.special as sp

from tests.rules.exact import INF, ROOTS_OF_DIGAMMA, Curve, Surface


def _below(mp: Any, x: Any) -> Any:
    """log(ndtr(x)) without loss above 0."""
    return mp.log(mp.ncdf(x)) if x < 0 else mp.log1p(-mp.ncdf(-x))


def _erfcinv(mp: Any, q: Any) -> Any:
    """By Newton's steps on the logarithm, from a float's value on, with twice the digits each time."""
    if q > 1:
        return -_erfcinv(mp, 2 - q)
    y = mp.mpf(float(sp.erfcinv(float(q)))) if q > mp.mpf(10) ** -300 else mp.sqrt(-mp.log(q))
    bits, target = 40, mp.prec
    while True:
        tail = mp.erfc(y)
        y += (mp.log(tail) - mp.log(q)) * tail / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
        if bits > target:
            return y
        bits *= 2


def _erfinv(mp: Any, x: Any) -> Any:
    return mp.sign(x) * mp.erfinv(abs(x)) if abs(x) < 0.5 else mp.sign(x) * _erfcinv(mp, 1 - abs(x))


def _ndtri(mp: Any, p: Any) -> Any:
    return -mp.sqrt(2) * _erfcinv(mp, 2 * p)


def _third_kind(mp: Any, n: int, x: Any, scaled: bool = False) -> Any:
    """K of order 0 or 1: its series, whose terms cancel, in more digits; far out its expansion for large x."""
    if x > 1000:
        total = term = mp.mpf(1)
        k = 0
        while abs(term) > mp.eps * abs(total):
            k += 1
            term *= (4 * n * n - (2 * k - 1) ** 2) / (8 * k * x)
            total += term
        return mp.sqrt(mp.pi / (2 * x)) * total * (1 if scaled else mp.exp(-x))
    with mp.extraprec(int(3 * x) + 60):
        half, term, total, k = x * x / 4, mp.mpf(1), mp.mpf(0), 0
        harmonic = mp.mpf(0)
        first = mp.mpf(0)
        while k < 2 * x or abs(term) > mp.eps * abs(total):
            level = mp.log(x / 2) + mp.euler - harmonic
            total += -level * term if n == 0 else (level - mp.mpf(1) / (2 * k + 2)) * term / (k + 1)
            first += term
            k += 1
            harmonic += mp.mpf(1) / k
            term *= half / (k * k)
        value = total if n == 0 else 1 / x + x / 2 * total
        return value * mp.exp(x) if scaled else value


BESSEL = [
    Curve(name, getattr(sp, name), function, low, high, ulps=bounds)
    for name, function, low, high, bounds in (
        ("i0", lambda mp, x: mp.besseli(0, x), -700, 700, (16, 32, 32)),
        ("i1", lambda mp, x: mp.besseli(1, x), -700, 700, (16, 32, 64)),
        ("i0e", lambda mp, x: mp.besseli(0, x) * mp.exp(-abs(x)), -1e6, 1e6, (16, 64, 64)),
        ("i1e", lambda mp, x: mp.besseli(1, x) * mp.exp(-abs(x)), -1e6, 1e6, (16, 64, 64)),
        ("k0", lambda mp, x: _third_kind(mp, 0, x), 0, 700, (16, 32, 64)),
        ("k1", lambda mp, x: _third_kind(mp, 1, x), 0, 700, (16, 32, 64)),
        ("k0e", lambda mp, x: _third_kind(mp, 0, x, True), 0, 1e6, (16, 32, 64)),
        ("k1e", lambda mp, x: _third_kind(mp, 1, x, True), 0, 1e6, (16, 32, 64)),
    )
]
CURVES = [
    Curve("expit", sp.expit, lambda mp, x: 1 / (1 + mp.exp(-x)), -700, 700, ulps=(4, 8, INF)),
    Curve("log_expit", sp.log_expit, lambda mp, x: -mp.log1p(mp.exp(-x)), -700, 700),
    Curve("logit", sp.logit, lambda mp, p: mp.log(p / (1 - p)), 0, 1, [1.0], [0.5]),
    Curve("entr", sp.entr, lambda mp, x: -x * mp.log(x), 0, 1e300, [1.0], ulps=(4, 64, 16)),
    Curve("erfcx", sp.erfcx, lambda mp, x: mp.exp(x * x) * mp.erfc(x), -26, 1e6, ulps=(16, 32, 64)),
    Curve("erfinv", sp.erfinv, _erfinv, -1, 1, [1.0, -1.0], ulps=(8, 256, 256)),
    Curve("erfcinv", sp.erfcinv, _erfcinv, 0, 2, [2.0], [1.0], ulps=(8, 4096, 4096)),
    Curve("ndtr", sp.ndtr, lambda mp, x: mp.ncdf(x), -37, 8, ulps=(4, 256, 256)),
    Curve("log_ndtr", sp.log_ndtr, _below, -1e6, 37, ulps=(8, 32, 64)),
    Curve("ndtri", sp.ndtri, _ndtri, 0, 1, [1.0], [0.5], ulps=(8, 4096, 4096)),
    Curve("digamma", sp.psi, lambda mp, x: mp.digamma(x), -20, 1e300, [-1.0], ROOTS_OF_DIGAMMA, False, (64, 64, 64)),
    Curve(
        "polygamma(1, x)",
        (sp.polygamma, 1),
        lambda mp, x: mp.polygamma(1, x),
        -20,
        1e100,
        [-1.0],
        (),
        False,
        (64, 64, 64),
    ),
    *BESSEL,
]

SHARES = [(a, a * r) for a, r in product([1e-3, 0.3, 1.0, 2.5, 9.0, 40.0, 300.0], [1e-5, 0.4, 0.99, 1.01, 1.6, 7.0])]
PARTS = list(product([1e-300, 1e-5, 0.3, 1.0, 2.5, 1e5], [1e-300, 1e-3, 0.31, 1.01, 7.5, 1e8]))
SIDES = list(product([1e-5, 0.3, 2.5, 13.0, 300.0, 1e5], [1e-3, 0.7, 3.0, 40.0, 1e4]))


def _log_beta(mp: Any, a: Any, b: Any) -> Any:
    return mp.log(mp.gamma(a) * mp.gamma(b) / mp.gamma(a + b))


SURFACES = [
    Surface("xlogy", sp.xlogy, lambda mp, x, y: x * mp.log(y), PARTS, (4, 16, 16)),
    Surface("xlog1py", sp.xlog1py, lambda mp, x, y: x * mp.log1p(y), PARTS, (4, 16, 16)),
    Surface("rel_entr", sp.rel_entr, lambda mp, x, y: x * mp.log(x / y), PARTS, (16, 64, 16)),
    Surface("kl_div", sp.kl_div, lambda mp, x, y: x * mp.log(x / y) - x + y, PARTS, (16, 512, 512)),
    Surface("betaln", sp.betaln, _log_beta, SIDES, (512, 16, 64)),
    Surface("beta", sp.beta, lambda mp, a, b: mp.beta(a, b), SIDES, (1024, 1024, 1024)),
]
# by the last argument only
LAST = [
    Surface("gammainc", sp.gammainc, lambda mp, a, x: mp.gammainc(a, 0, x, regularized=True), SHARES, (1e3, 1e3, 1e3)),
    Surface(
        "gammaincc", sp.gammaincc, lambda mp, a, x: mp.gammainc(a, x, mp.inf, regularized=True), SHARES, (1e3, 1e3, 1e3)
    ),
    Surface(
        "zeta",
        sp.zeta,
        lambda mp, x, q: mp.zeta(x, q),
        list(product([1.000001, 1.5, 2.0, 7.5, 40.0], [1e-5, 0.3, 1.0, 7.0, 1e4])),
        (16, 16, 16),
    ),
]
