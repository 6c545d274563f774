"""Reductions and scans over every axis, beside NumPy and SciPy; ties, zeros, infinities and NaN."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

from srcgrad.core.run import run
from srcgrad.rules.language.registry import FUNCTIONS
from srcgrad.transform.reverse import reverse
from tests.rules.array_programs import check, program
from tests.rules.test_arrays import AXES, call

normal = np.random.default_rng(7).standard_normal
INF, NAN = math.inf, math.nan
SHAPES = {1: (4,), 2: (3, 2), 3: (2, 4, 3)}
KEPT = [{"axis": axis, "keepdims": keep} for axis in (None, 0, -1, (0, 1), (1, 0), (0, 2)) for keep in (False, True)]


def gradient(function: Any, x: Any, **options: Any) -> Any:
    """The adjoint of the sum of what function gives."""
    made = program(call(function, **options), [x])
    (y,) = run(made, x)
    return run(reverse(made, frozenset({0})), x, np.ones_like(y) if np.ndim(y) else 1.0)[1]


REDUCED = [
    np.prod, np.median, np.ptp, np.any, np.all, np.count_nonzero, np.nansum, np.nanmean, np.nanmax, np.nanmin,
    np.nanvar, np.nanstd, np.nanprod, np.average, np.argmax, np.argmin, scipy.special.logsumexp, np.linalg.vector_norm,
]  # fmt: skip


@pytest.mark.parametrize("function", REDUCED, ids=lambda f: f.__name__)
def test_over_axes(function: Any) -> None:
    for shape in SHAPES.values():
        for options in KEPT:
            axis = options["axis"]
            least = 1 if not isinstance(axis, tuple) else 1 + max(axis)
            if len(shape) >= least and not (isinstance(axis, tuple) and function in (np.argmax, np.argmin)):
                check(call(function, **options), [normal(shape)], lambda x, o=options: function(x, **o), order=1)


ONE_AXIS = [
    np.cumprod,
    np.cumsum,
    np.diff,
    np.trapezoid,
    np.nancumsum,
    np.nancumprod,
    scipy.special.softmax,
    scipy.special.log_softmax,
]


@pytest.mark.parametrize("function", ONE_AXIS, ids=lambda f: f.__name__)
def test_along_an_axis(function: Any) -> None:
    for rank, shape in SHAPES.items():
        for axis in range(-1, rank):
            check(call(function, axis=axis), [normal(shape)], lambda x, k=axis: function(x, axis=k), order=1)
    check(call(function), [normal(4)], function)


def test_with_more_arguments() -> None:
    grid, row, column = normal((3, 4)), normal(4), normal(3)
    for axis, weights in ((None, grid), (0, grid), (0, column), (1, row), (-1, row)):
        options = {"axis": axis}
        check(
            lambda b, x, w, o=options: FUNCTIONS[np.average](b, x, weights=w, **o),
            [grid, np.exp(weights)],
            lambda x, w, o=options: np.average(x, weights=w, **o),
        )
    for axis, places in ((0, column), (1, row), (1, grid)):
        check(call(np.trapezoid, axis=axis), [grid, places], lambda y, x, k=axis: np.trapezoid(y, x, axis=k))
    check(call(np.trapezoid), [grid, None, 0.3][:1], np.trapezoid)
    check(call(np.diff, n=2, axis=0), [grid], lambda x: np.diff(x, 2, 0))
    check(call(np.ediff1d), [grid], np.ediff1d)
    check(call(np.quantile, axis=0), [grid, 0.3], lambda x, q: np.quantile(x, q, axis=0))
    check(call(np.percentile), [grid, 70.0], np.percentile)
    check(call(np.var, ddof=2), [row], lambda x: np.var(x, ddof=2), order=1)
    check(call(np.sum, initial=2.0), [row], lambda x: np.sum(x, initial=2.0))
    check(call(np.max, initial=0.5, axis=0), [grid], lambda x: np.max(x, initial=0.5, axis=0), order=1)
    mask = grid > 0.0
    for function in (np.sum, np.prod):
        check(call(function, where=mask.tolist(), axis=0), [grid], lambda x, f=function: f(x, where=mask, axis=0))


@pytest.mark.parametrize("order", [None, 1, 2, INF, -INF, 0, 3, 2.5, -1, "fro"], ids=str)
def test_orders_of_norms(order: Any) -> None:
    for rank, shape in SHAPES.items():
        for axis in AXES[rank]:
            for keepdims in (False, True):
                options = {"ord": order, "axis": axis, "keepdims": keepdims}
                x = normal(shape)
                try:
                    np.linalg.norm(x, **options)
                except ValueError:
                    continue
                over = rank if axis is None else len(axis) if isinstance(axis, tuple) else 1
                if order != 2 or over == 1:
                    check(call(np.linalg.norm, **options), [x], lambda x, o=options: np.linalg.norm(x, **o), order=1)


@pytest.mark.parametrize("order", [1, 2, INF, -INF, 3, 1.5])
def test_norms_of_zeros_have_no_slope(order: float) -> None:
    for axis in (0, 1):
        assert not gradient(np.linalg.norm, np.zeros((2, 3)), ord=order, axis=axis).any()


@pytest.mark.parametrize("function", [np.prod, np.cumprod])
@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros(function: Any, zeros: int) -> None:
    """Beside differences, which are right there, to second order: of lines of either axis."""
    x = np.array([[0.7, -1.3, 2.0], [1.1, 0.4, -0.6], [0.3, 0.9, 1.2]])
    x[:zeros, 1] = 0.0
    for axis in (0, 1):
        check(call(function, axis=axis), [x], lambda x, k=axis: function(x, axis=k))


TIED: list[tuple[Callable[..., Any], list[float], list[float]]] = [
    (np.median, [2.0, 2.0, 1.0, 5.0], [0.5, 0.5, 0.0, 0.0]),
    (np.median, [2.0, 2.0, 2.0, 5.0], [1 / 3, 1 / 3, 1 / 3, 0.0]),
    (np.median, [1.0, 2.0, 2.0, 5.0, 0.0], [0.0, 0.5, 0.5, 0.0, 0.0]),
    (np.ptp, [1.0, 3.0, 3.0, 1.0], [-0.5, 0.5, 0.5, -0.5]),
    (np.nanmax, [1.0, 3.0, NAN, 3.0], [0.0, 0.5, 0.0, 0.5]),
    (np.nanmin, [-INF, NAN], [1.0, 0.0]),
    (scipy.special.logsumexp, [-INF, 0.0, 0.0], [0.0, 0.5, 0.5]),
    (scipy.special.logsumexp, [-INF, -INF], [0.5, 0.5]),
    (scipy.special.logsumexp, [INF, 1.0, INF], [0.5, 0.0, 0.5]),
    (np.std, [0.25, 0.25, 0.25], [0.0, 0.0, 0.0]),
    (np.nanstd, [0.25, NAN, 0.25], [0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(("function", "x", "slopes"), TIED, ids=lambda given: getattr(given, "__name__", str(given)))
def test_ties_and_infinities(function: Any, x: list[float], slopes: list[float]) -> None:
    np.testing.assert_allclose(gradient(function, np.array(x)), slopes, rtol=1e-15)
    np.testing.assert_allclose(gradient(function, np.array([x, x]), axis=1), [slopes, slopes], rtol=1e-15)


@pytest.mark.parametrize(
    "function", [np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanprod, np.nancumsum, np.nancumprod]
)
def test_nan_is_left_out(function: Any) -> None:
    x = normal((3, 4))
    x[0, 1] = x[2, 2] = NAN
    for axis in (0, 1):
        (y,) = run(program(call(function, axis=axis), [x]), x)
        np.testing.assert_allclose(y, function(x, axis=axis), rtol=1e-13)
        slopes = gradient(function, x, axis=axis)
        assert np.isfinite(slopes).all() and not slopes[np.isnan(x)].any()
    with warnings.catch_warnings(action="ignore"):
        for nothing in (np.full(2, NAN), np.zeros(0)):
            (y,) = run(program(call(function), [nothing]), nothing)
            np.testing.assert_equal(y, function(nothing))


def test_nan_decides_a_median() -> None:
    x = np.array([1.0, NAN, 3.0])
    assert np.isnan(run(program(call(np.median), [x]), x)[0])
    np.testing.assert_array_equal(gradient(np.median, x), [0.0, 1.0, 0.0])


@pytest.mark.parametrize("q", [-0.1, 1.1, NAN])
def test_quantiles_outside_are_refused(q: float) -> None:
    x = normal(3)
    with pytest.raises(AssertionError, match=r"q of np.quantile must be from 0 to 1"):
        run(program(call(np.quantile), [x, q]), x, q)


def test_the_tail_of_a_sum_of_exponentials() -> None:
    x = np.array([0.0, -50.0])
    (y,) = run(program(call(scipy.special.logsumexp), [x]), x)
    (logs,) = run(program(call(scipy.special.log_softmax), [x]), x)
    assert y == -logs[0] == math.exp(-50.0)
    np.testing.assert_array_equal(gradient(scipy.special.logsumexp, x), [1.0, math.exp(-50.0)])
    big = np.array([1000.0, 1000.0])
    np.testing.assert_array_equal(gradient(scipy.special.logsumexp, big), [0.5, 0.5])


def test_functions_of_sequences() -> None:
    x, y = normal(3), normal(3)
    check(call(math.prod), [x], math.prod)
    check(call(math.fsum), [x], math.fsum)
    check(call(math.dist), [x, y], math.dist)
    check(lambda b, u, v: FUNCTIONS[math.dist](b, (u, v), (v, 2.0)), [1.5, 2.5], lambda u, v: math.hypot(u - v, v - 2))
    check(lambda b, u, v: FUNCTIONS[math.prod](b, [u, v, u]), [1.5, 2.5], lambda u, v: u * v * u)
    check(lambda b, u, v: FUNCTIONS[math.fsum](b, (u, v, u)), [1.5, 2.5], lambda u, v: math.fsum((u, v, u)))
    hard = np.array([1e100, 1.0, -1e100, 1e-3])
    assert run(program(call(math.fsum), [hard]), hard) == (math.fsum(hard),)


@pytest.mark.parametrize("ufunc, plain", [(np.add, np.sum), (np.multiply, np.prod), (np.maximum, np.max)])
def test_methods_of_ufuncs(ufunc: Any, plain: Any) -> None:
    x = normal((2, 3))
    check(call(ufunc.reduce), [x], ufunc.reduce, order=1)
    check(call(ufunc.reduce, axis=1), [x], lambda x: ufunc.reduce(x, axis=1), order=1)
    if plain is not np.max:
        check(call(ufunc.accumulate, axis=1), [x], lambda x: ufunc.accumulate(x, axis=1), order=1)
