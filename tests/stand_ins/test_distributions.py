"""Distributions of scipy.stats inside functions: SciPy's values, and derivatives beside numerical ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import srcgrad as sg
from srcgrad.scipy import continuous, discrete
from srcgrad.testing import check_grads

TAILS = np.array([-30.0, -3.0, -0.4, 0.0, 0.3, 0.8, 1.0, 2.5, 40.0])
CHANCES = np.array([0.01, 0.3, 0.5, 0.9])
SHAPES: dict[str, tuple[float, ...]] = {
    "norm": (),
    "expon": (),
    "gamma": (2.3,),
    "beta": (1.7, 2.6),
    "t": (3.5,),
    "chi2": (3.0,),
    "lognorm": (0.7,),
    "uniform": (),
    "laplace": (),
    "logistic": (),
    "cauchy": (),
    "poisson": (2.3,),
    "binom": (6, 0.3),
    "nbinom": (2.5, 0.4),
}
OF_X = ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf")
METHODS = [
    (name, method)
    for name in SHAPES
    if hasattr(continuous, name)
    for method in (*OF_X, "ppf", "isf")
    if hasattr(getattr(continuous, name), method)
]
COUNTED = [(name, m) for name in SHAPES if hasattr(discrete, name) for m in ("logpmf", "pmf", *OF_X[2:])]
# derivatives by the parameters of which there are none
BY_X_ONLY = {(name, m) for name in ("gamma", "chi2", "beta", "t") for m in OF_X[2:]}


def made(name: str, method: str) -> Callable[..., Any]:
    """The method as a function of x, its parameters and loc, and scale where it has one."""
    bound = getattr(getattr(stats, name), method)
    count = 1 + len(SHAPES[name]) + (2 if hasattr(continuous, name) else 1)
    by_count: dict[int, Callable[..., Any]] = {
        3: lambda x, a, b: bound(x, a, b),
        4: lambda x, a, b, c: bound(x, a, b, c),
        5: lambda x, a, b, c, d: bound(x, a, b, c, d),
    }
    return by_count[count]


def test_all_are_tried() -> None:
    assert len(METHODS) == 11 * 6 + 2 * 7 and len(COUNTED) == 3 * 6


@pytest.mark.parametrize(("name", "method"), METHODS, ids=lambda part: part)
def test_values_of_scipy(name: str, method: str) -> None:
    fun, shapes = made(name, method), SHAPES[name]
    value = sg.compiled(fun, jit=False)
    for loc, scale in ((0.0, 1.0), (-0.3, 2.5), (0.2, -1.0)):
        x = CHANCES if method in ("ppf", "isf") else TAILS * scale + loc
        with np.errstate(all="ignore"):
            want = fun(x, *shapes, loc, scale)
            assert np.allclose(value(x, *shapes, loc, scale), want, rtol=1e-9, atol=1e-300, equal_nan=True)
            each = [value(float(one), *shapes, loc, scale) for one in x]
        assert np.allclose(each, want, rtol=1e-9, atol=1e-300, equal_nan=True)


@pytest.mark.parametrize("name", [name for name in SHAPES if hasattr(continuous, name)])
def test_derivatives(name: str) -> None:
    """Of densities by all, of the others by what they have derivatives by."""
    args = (0.47, *SHAPES[name], 0.1, 1.3)
    check_grads(made(name, "logpdf"), args, order=2 if name in ("norm", "t") else 1)
    first, second, third, fourth, fifth = [made(name, m) for m in ("pdf", "cdf", "logcdf", "sf", "logsf")]
    by_x_only = (name, "cdf") in BY_X_ONLY
    argnums = (0, len(args) - 2, len(args) - 1) if by_x_only else tuple(range(len(args)))
    check_grads(
        lambda *a: first(*a) + 1.3 * second(*a) + 0.7 * third(*a) + 0.4 * fourth(*a) + 2.1 * fifth(*a),
        args,
        modes=("reverse",),
        argnums=argnums,
    )


@pytest.mark.parametrize("name", [name for name in SHAPES if hasattr(getattr(continuous, name, None), "ppf")])
def test_derivatives_of_inverses(name: str) -> None:
    lower, upper, args = made(name, "ppf"), made(name, "isf"), (0.3, *SHAPES[name], 0.1, 1.3)
    check_grads(lambda *a: lower(*a) + 1.3 * upper(*a), args)


@pytest.mark.parametrize(("name", "method"), COUNTED, ids=lambda part: part)
def test_values_of_discrete(name: str, method: str) -> None:
    fun, shapes = made(name, method), SHAPES[name]
    value = sg.compiled(fun, jit=False)
    k = np.array([-1.0, 0.0, 1.0, 2.0, 2.5, 5.0, 6.0, 7.0])
    with np.errstate(all="ignore"):
        for loc in (0, 1):
            assert np.allclose(value(k, *shapes, loc), fun(k, *shapes, loc), rtol=1e-9, atol=1e-300)
        assert value(3, *shapes, 0) == pytest.approx(fun(3, *shapes, 0), rel=1e-12)
        wrong = (*shapes[:-1], -0.5, 0)
        assert np.isnan(value(3, *wrong)) and np.isnan(fun(3, *wrong))


@pytest.mark.parametrize("name", [name for name in SHAPES if hasattr(discrete, name)])
def test_derivatives_by_the_last_parameter(name: str) -> None:
    (*head, last), (first, second, third) = SHAPES[name], [made(name, m) for m in ("logpmf", "cdf", "logsf")]
    args = (3, *head, last, 0)
    check_grads(lambda *a: first(*a) + 1.3 * second(*a) + 0.4 * third(*a), args, argnums=1 + len(head))


@pytest.mark.parametrize("name", ["gamma", "beta", "t", "lognorm"])
def test_invalid_parameters_are_nan(name: str) -> None:
    shapes = (-1.0, *SHAPES[name][1:])
    with np.errstate(all="ignore"):
        assert np.isnan(sg.compiled(made(name, "logpdf"), jit=False)(0.4, *shapes, 0.0, 1.0))


def test_slope_of_students_at_zero() -> None:
    assert sg.grad(made("t", "cdf"), jit=False)(0.0, 3.0, 0.0, 1.0) == pytest.approx(stats.t.pdf(0.0, 3.0))


def frozen(x: float, m: float, s: float) -> float:
    d = stats.norm(m, scale=s)
    return d.logpdf(x) + d.cdf(x)


def of_two(m: Any, c: Any) -> float:
    x, c = np.array([[1.0, 2.0], [0.3, -0.4]]), 0.5 * (c + c.T)
    return np.sum(stats.multivariate_normal(m, c).logpdf(x))


HELD = stats.gamma(2.0, scale=3.0)


def held(x: float) -> float:
    return HELD.logpdf(x)


def test_frozen() -> None:
    check_grads(frozen, (0.3, 0.1, 2.0), order=2)
    value, slope = sg.value_and_grad(held, jit=False)(1.5)
    assert value == pytest.approx(held(1.5)) and slope == pytest.approx(1.0 / 1.5 - 1.0 / 3.0)


def test_normal_of_vectors() -> None:
    m, c = np.array([0.1, 0.2]), np.array([[2.0, 0.3], [0.3, 1.0]])
    check_grads(of_two, (m, c), modes=("reverse",))
    one = sg.compiled(lambda x, m, c: stats.multivariate_normal.pdf(x, m, c), jit=False)
    assert one(m + 1.0, m, c) == pytest.approx(stats.multivariate_normal.pdf(m + 1.0, m, c))


def regression(p: Any, x: Any, y: Any) -> Any:
    return -np.sum(stats.norm.logpdf(y, p[0] + p[1] * x, np.exp(p[2]))) - np.sum(stats.norm.logpdf(p, 0.0, 10.0))


def test_compiled() -> None:
    rng = np.random.default_rng(3)
    p, x, y = rng.normal(size=3), rng.normal(size=20), rng.normal(size=20)
    value, slope = sg.value_and_grad(regression)(p, x, y)
    plain = sg.value_and_grad(regression, jit=False)(p, x, y)
    assert value == pytest.approx(regression(p, x, y)) and np.allclose(slope, plain[1], rtol=1e-12)


def test_the_source_speaks_of_the_users_line_alone() -> None:
    source = sg.value_and_grad(frozen, jit=False).source
    assert "d = stats.norm(m, scale=s)" in source or "d.logpdf(x) + d.cdf(x)" in source
    assert "continuous" not in source and "_scale" not in source


def unknown(x: float) -> float:
    return stats.skewnorm.pdf(x, 2.0)


def without_inverse(x: float) -> float:
    return stats.gamma.ppf(x, 2.0)


def missing(x: float) -> float:
    return stats.gamma.pdf(x)


def misnamed(x: float) -> float:
    return stats.norm.pdf(x, mu=2.0)


def by_its_shape(x: float) -> float:
    return stats.gamma.cdf(1.0, x)


@pytest.mark.parametrize(
    ("fun", "text"),
    [
        (unknown, "there is no rule"),
        (without_inverse, "there are logpdf, pdf"),
        (missing, "missing argument `a`"),
        (misnamed, "it takes x, loc and scale"),
        (by_its_shape, "differentiated by x only"),
    ],
)
def test_refusals_show_the_users_line(fun: Callable[..., float], text: str) -> None:
    with pytest.raises(sg.SrcgradError, match=text) as caught:
        sg.grad(fun, jit=False)(0.5)
    assert "test_distributions.py" in str(caught.value) and "continuous.py" not in str(caught.value)
