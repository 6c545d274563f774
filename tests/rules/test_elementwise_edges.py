"""What derivatives are where functions have corners, poles and ends: the table of edges in the documentation."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import srcgrad.rules  # noqa: F401
from srcgrad.core.run import run
from srcgrad.testing.straight import tangent
from tests.rules.core_functions import backward, call, forward, program

POW = operator.pow
INF = math.inf


def power(n: Any) -> Any:
    return call(POW, ..., n)


@pytest.mark.parametrize(
    ("n", "x", "derivatives"),
    [
        (0, 0.0, (0, 0, 0)),
        (1, 0.0, (1, 0, 0)),
        (2, 0.0, (0, 2, 0)),
        (3, 0.0, (0, 0, 6)),
        (4, 0.0, (0, 0, 0)),
        (2, -1.5, (-3, 2, 0)),
        (3, -2.0, (12, -12, 6)),
        (-1, -2.0, (-0.25, -0.25, -0.375)),
        (-2, 2.0, (-0.25, 0.375, -0.75)),
        (0, -3.0, (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("kind", [int, float])
def test_whole_powers(n: int, x: float, derivatives: tuple[float, ...], kind: Any) -> None:
    """Right to third order at 0 and for negative bases: the exponent written as an integer and as a float."""
    for order, expected in enumerate(derivatives, 1):
        assert forward(power(kind(n)), x, order=order) == expected
    assert backward(power(kind(n)), x) == (derivatives[0],)
    assert backward(power(kind(n)), x, order=2) == (derivatives[1],)


@pytest.mark.parametrize(
    ("n", "x", "derivatives"),
    [(0, 0.0, (0, 0)), (1, 0.0, (1, 0)), (2, 0.0, (0, 2)), (3, -2.0, (12, -12)), (-1, -2.0, (-0.25, -0.25))],
)
def test_a_variable_integer_exponent(n: int, x: float, derivatives: tuple[float, ...]) -> None:
    from_variable = call(POW, ..., ...)
    assert backward(from_variable, x, n) == (derivatives[0],)
    for order, expected in enumerate(derivatives, 1):
        assert _along_base(from_variable, x, n, order) == expected


def _along_base(emit: Any, x: float, n: Any, order: int) -> float:
    fun = program(emit, x, n)
    args: tuple[Any, ...] = (x, n)
    for _ in range(order):
        floats = [p.type.is_float for p in fun.params]
        fun = tangent(fun)
        seeds = [1.0 if place == 0 else 0.0 for place, is_float in enumerate(floats) if is_float]
        args = args + tuple(seeds)
    return float(run(fun, *args)[-1])


@pytest.mark.parametrize(
    ("x", "y", "partials"),
    [
        (0.0, 2.0, (0, 0)),
        (0.0, 1.0, (1, 0)),
        (0.0, 0.5, (INF, 0)),
        (0.0, 0.0, (0, 0)),
        (2.0, 0.0, (0, math.log(2))),
        (-2.0, 3.0, (12, math.nan)),
    ],
)
def test_power_of_two_floats(x: float, y: float, partials: tuple[float, float]) -> None:
    np.testing.assert_equal(backward(call(POW, ..., ...), x, y), partials)


def test_the_mixed_second_derivative_of_a_power_at_exponent_zero() -> None:
    """d2(x**y)/dxdy is 1/x at y = 0: a guard for x = y = 0 must not reach beyond that point."""
    x = 0.5
    (dx, _) = backward(call(POW, ..., ...), x, 0.0, order=2)
    assert dx == pytest.approx(0.0 + 1 / x)  # along (1, 1): d2/dx2 is 0 and d2/dxdy is 1/x


EDGES = [
    (call(abs, ...), 0.0, 0.0),
    (call(np.abs, ...), -0.0, 0.0),
    (call(math.fabs, ...), 0.0, 0.0),
    (call(math.sqrt, ...), 0.0, INF),
    (call(np.cbrt, ...), 0.0, INF),
    (call(math.log, ...), 0.0, INF),
    (call(np.sinc, ...), 0.0, 0.0),
    (call(math.copysign, ..., -1.0), 0.0, 0.0),
    (call(np.maximum, ..., 1.0), 1.0, 0.5),
    (call(np.minimum, 1.0, ...), 1.0, 0.5),
    (call(np.fmax, ..., 1.0), 1.0, 0.5),
    (call(np.fmin, ..., 1.0), 1.0, 0.5),
    (call(max, ..., 1.0), 1.0, 0.5),
    (call(min, 1.0, ...), 1.0, 0.5),
    (call(max, 1.0, ..., 1.0), 1.0, 1 / 3),
    (call(max, 0.0, ...), 2.0, 1.0),
    (call(max, 0.0, ...), -2.0, 0.0),
    (call(np.clip, ..., 0.0, 1.0), 0.0, 0.5),
    (call(np.clip, ..., 0.0, 1.0), 1.0, 0.5),
    (call(np.clip, ..., 0.0, 1.0), 0.3, 1.0),
    (call(np.clip, ..., 0.0, 1.0), -0.3, 0.0),
    (call(np.clip, ..., None, 1.0), 1.5, 0.0),
    (call(np.fmax, ..., math.nan), 1.0, 1.0),
    (call(np.fmax, math.nan, ...), 1.0, 1.0),
    (call(max, ..., math.nan), 1.0, 1.0),
    (call(max, math.nan, ...), 1.0, 0.0),
    (call(np.heaviside, ..., 0.5), 0.0, 0.0),
    (call(round, ..., 1), 0.3, 0.0),
    (call(np.round, ...), 0.3, 0.0),
    (call(np.floor, ...), 0.3, 0.0),
    (call(operator.mod, ..., 2.0), -3.5, 1.0),
    (call(operator.mod, 7.0, ...), -2.0, 4.0),
    (call(math.fmod, 7.5, ...), -2.0, 3.0),
    (call(math.remainder, 7.5, ...), 2.0, -4.0),
    (call(np.logaddexp, ..., -INF), -INF, 0.5),
    (call(np.logaddexp, ..., -INF), 3.0, 1.0),
    (call(np.logaddexp, ..., 3.0), -INF, 0.0),
    (call(np.nan_to_num, ...), 2.0, 1.0),
    (call(np.nan_to_num, ...), math.nan, 0.0),
    (call(np.where, True, ..., 1.0), 2.0, 1.0),
    (call(np.where, False, ..., 1.0), 2.0, 0.0),
    (call(math.modf, ...), 2.5, 1.0),
]


@pytest.mark.parametrize(("emit", "x", "expected"), EDGES)
def test_edges(emit: Any, x: float, expected: float) -> None:
    assert backward(_first(emit), x) == (expected,)
    assert forward(_first(emit), x) == expected


def _first(emit: Any) -> Any:
    def one(builder: Any, *values: Any) -> Any:
        out = emit(builder, *values)
        return out[0] if isinstance(out, tuple) else out

    return one


def test_hypot_at_the_origin() -> None:
    assert backward(call(math.hypot, ..., ...), 0.0, 0.0) == (0.0, 0.0)
    assert backward(call(math.hypot, ..., ..., ...), 0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)


def test_ties_are_shared() -> None:
    assert backward(call(max, ..., ...), 2.0, 2.0) == (0.5, 0.5)
    assert backward(call(np.minimum, ..., ...), 2.0, 2.0) == (0.5, 0.5)
    assert backward(call(min, ..., ..., ...), 2.0, 2.0, 3.0) == (0.5, 0.5, 0.0)


def test_second_derivatives_at_corners() -> None:
    assert forward(call(abs, ...), 0.0, order=2) == 0.0
    assert forward(call(np.sinc, ...), 0.0, order=2) == pytest.approx(-(math.pi**2) / 3, rel=1e-15)
    assert forward(call(np.logaddexp, ..., 0.0), 0.0, order=2) == 0.25
    assert forward(call(np.logaddexp, ..., 0.0), 900.0, order=2) == 0.0
