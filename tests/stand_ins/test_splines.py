"""Interpolants of `scipy.interpolate` inside functions: values, and derivatives by the points and by the places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import (
    Akima1DInterpolator,
    CubicSpline,
    InterpolatedUnivariateSpline,
    PchipInterpolator,
    interp1d,
    make_interp_spline,
)

import srcgrad as sg


def not_a_knot(y: Any, x: Any) -> float:
    return np.sum(CubicSpline(x, y)(np.linspace(-1.0, 4.0, 9)) ** 2)


def with_ends(y: Any, x: Any) -> float:
    made = CubicSpline(x, y, bc_type=((1, y[0]), (2, 0.5)))
    whole = made(1.3, 1) + made.derivative()(0.7) ** 2 + made(0.2, 2) + made.integrate(0.1, 1.2)
    return whole + CubicSpline(x, y, bc_type="natural")(1.3) * CubicSpline(x, y, bc_type="clamped")(0.3)


def monotone(y: Any, x: Any) -> float:
    return np.sum(PchipInterpolator(x, y)(np.linspace(0.2, 1.2, 9)) ** 2)


def periodic(y: Any, x: Any) -> float:
    made = CubicSpline(x, np.concatenate((y[:-1], y[:1])), bc_type="periodic")
    return made(1.3) + made(5.7) ** 2


def akima(y: Any, x: Any) -> float:
    return np.sum(Akima1DInterpolator(x, y)(np.linspace(x[0], x[-1], 9)[1:-1]) ** 2)


def others(y: Any, x: Any) -> float:
    total = make_interp_spline(x, y)(0.4) ** 2 + make_interp_spline(x, y, k=1)(0.4)
    total += InterpolatedUnivariateSpline(x, y)(0.1) + interp1d(x, y)(0.5 * (x[0] + x[1]))
    total += interp1d(x, y, kind="cubic", fill_value="extrapolate")(-3.0)
    return total + interp1d(x, y, bounds_error=False, fill_value=0.5)(x[0] - 1.0)


def of_rows(y: Any, x: Any) -> float:
    made = CubicSpline(x, np.stack((y, y**2, np.sin(y)), axis=1))
    return np.sum(made(np.linspace(0.1, 1.0, 4)) ** 2) + np.sum(made(0.4)) + np.sum(made(np.array([[0.1, 0.5]])))


PROGRAMS = [not_a_knot, with_ends, monotone, of_rows, akima, periodic, others]


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_right(fun: Callable[..., Any]) -> None:
    """Of several numbers of points, as few as there may be, beside differences of SciPy's own function."""
    few = {of_rows: 3, akima: 3, periodic: 5, others: 5}.get(fun, 2)
    derivative = sg.value_and_grad(fun, (0, 1), jit=False)
    for n in (few, few + 1, 8):
        rng = np.random.default_rng(n)
        y, x = rng.normal(size=n), np.cumsum(0.2 + rng.random(n)) - 0.5
        dy, dx, h = rng.normal(size=n), rng.normal(size=n), 1e-6
        value, (by_y, by_x) = derivative(y, x)
        assert value == pytest.approx(fun(y, x), rel=1e-11)
        slope = (fun(y + h * dy, x + h * dx) - fun(y - h * dy, x - h * dx)) / (2.0 * h)
        assert by_y @ dy + by_x @ dx == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_by_the_place_and_twice() -> None:
    """The slope by the place is the spline's own derivative."""
    x, y = np.array([0.0, 0.4, 1.1, 1.5, 2.3]), np.array([1.0, 0.2, -0.3, 0.9, 1.1])
    fun = lambda t, y: CubicSpline(x, y)(t) + PchipInterpolator(x, y)(t)  # noqa: E731
    exact = [CubicSpline(x, y)(0.7, k) + PchipInterpolator(x, y)(0.7, k) for k in (1, 2)]
    first = sg.grad(fun, jit=False)
    assert first(0.7, y) == pytest.approx(exact[0], rel=1e-12)
    assert sg.grad(first, jit=False)(0.7, y) == pytest.approx(exact[1], rel=1e-11)
    tangent = sg.jvp(fun, (0.7, y), (0.3, y), jit=False)[1]
    assert tangent == pytest.approx(0.3 * exact[0] + fun(0.7, y), rel=1e-11)


TABLE = CubicSpline(np.arange(4.0), np.array([1.0, 2.0, 0.0, 1.0]))
OTHER = PchipInterpolator(np.arange(4.0), np.array([0.0, 1.0, 1.5, 1.7]))


def of_tables(t: float) -> float:
    slope = OTHER.derivative()
    return TABLE(t) ** 2 + TABLE.integrate(0.2, t) + TABLE(t, 1) + OTHER(t) * slope(t)


def test_made_outside() -> None:
    """A spline of data is read at each call."""
    derivative = sg.value_and_grad(of_tables, jit=False)
    for factor in (1.0, 3.0):
        TABLE.c *= factor
        value, slope = derivative(1.3)
        assert value == pytest.approx(of_tables(1.3), rel=1e-13)
        h = 1e-5
        difference = (of_tables(1.3 + h) - of_tables(1.3 - h)) / (2.0 * h)
        assert slope == pytest.approx(difference, rel=1e-7)
    with pytest.raises(sg.UnsupportedError, match="close over it"):
        sg.grad(lambda t, spline: spline(t), jit=False)(1.3, TABLE)


def test_as_scipy_raises() -> None:
    by_spline = sg.grad(lambda y: CubicSpline(np.array([0.0, 1.0, 1.0]), y)(0.5), jit=False)
    with pytest.raises(ValueError, match="strictly increasing"):
        by_spline(np.ones(3))
    outside = sg.grad(lambda y: interp1d(np.arange(3.0), y)(5.0), jit=False)
    with pytest.raises(ValueError, match="interpolation range"):
        outside(np.ones(3))


def test_compiled() -> None:
    y, x = np.array([1.0, 0.2, -0.3, 0.9, 1.1]), np.array([0.0, 0.4, 1.1, 1.5, 2.3])
    slope = sg.grad(monotone)(y, x)
    np.testing.assert_allclose(slope, sg.grad(monotone, jit=False)(y, x), rtol=1e-10)
