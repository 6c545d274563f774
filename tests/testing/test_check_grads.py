"""The check itself: it lets right derivatives pass, and finds wrong ones."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import ArgumentError
from srcgrad.testing import check_grads

MODULE = sys.modules["srcgrad.testing.check_grads"]
PLAIN: dict[str, Any] = {"jit": False}


def product(x: Any, n: int) -> Any:
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def squares(x: Any) -> Any:
    return x[0] * x[0] + x[1] * x[1]


def network(w: dict[str, Any], x: tuple[float, float]) -> Any:
    return {"y": w["a"] * x[0], "z": (np.sin(w["b"]) * x[1], 3)}


def overwrites(x: Any) -> Any:
    x[0] = x[0] * x[1]
    return x[0] * x[0]


def with_integer_inside(p: dict[str, Any]) -> Any:
    base, n = p["power"]
    return p["a"] * base**n


def with_defaults(x: Any, y: Any = 0.5, call: Any = lambda t: t * t) -> Any:
    return call(x) * y


def test_integers_inside_a_structure_have_no_seed() -> None:
    check_grads(with_integer_inside, ({"a": 1.2, "power": (0.4, 2)},), order=2, **PLAIN)


def test_defaults_stand_for_what_is_left_out() -> None:
    check_grads(with_defaults, (1.3,), order=2, **PLAIN)


@pytest.mark.parametrize("order", [1, 2])
def test_right_derivatives_pass(order: int) -> None:
    check_grads(product, (np.array([0.3, 1.2, -0.7]), 3), order, **PLAIN)


def test_structures_pass() -> None:
    check_grads(network, ({"a": 2.0, "n": 3, "b": np.array([0.1, 0.2])}, (0.5, -1.5)), **PLAIN)


def test_float32_passes() -> None:
    check_grads(lambda x: np.sin(x) * x, (np.linspace(0.1, 0.9, 4, dtype=np.float32),), **PLAIN)


def test_argnums_by_place_and_name() -> None:
    check_grads(product, (np.array([0.3, 1.2]), 2), argnums=0, **PLAIN)
    check_grads(product, (np.array([0.3, 1.2]), 2), argnums=("x",), **PLAIN)
    check_grads(lambda x, y: x * x * y, (3, 0.5), argnums=0, **PLAIN)


def test_arguments_that_the_function_overwrites() -> None:
    x = np.array([2.0, 3.0])
    check_grads(overwrites, (x,), order=2, **PLAIN)
    np.testing.assert_array_equal(x, [2.0, 3.0])


def test_infinite_derivatives_match() -> None:
    check_grads(lambda x: np.sqrt(x), (0.0,), **PLAIN)


def test_the_fixture(check_grads: Callable[..., None]) -> None:
    check_grads(lambda x: x * x, (3.0,), **PLAIN)


def test_no_such_mode() -> None:
    with pytest.raises(ArgumentError, match="sideways"):
        check_grads(lambda x: x, (1.0,), modes=("sideways",))


@sg.custom_vjp
def doubled(x: float) -> float:
    return math.sin(x)


doubled.defvjp(lambda x: (math.sin(x), x), lambda x, g: (2 * g * math.cos(x),))


def test_a_wrong_custom_rule_is_found() -> None:
    with pytest.raises(AssertionError, match=r"reverse +x +0 +1.08060461\d* +2.16120922"):
        check_grads(lambda x: 2.0 * doubled(x), (1.0,), modes=("reverse",), **PLAIN)


def test_forward_and_reverse_must_agree_beyond_the_numerical_error() -> None:
    def f(x: float) -> float:
        return x * x

    def wrong(fun: Any, argnums: Any, **options: Any) -> Any:
        right = sg.reverse(fun, argnums=argnums, **options)
        return lambda x, bar: (right(x, bar)[0], (right(x, bar)[1][0] * (1 + 1e-10),))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "reverse", wrong)
        check_grads(f, (3.0,), modes=("reverse",), **PLAIN)
        with pytest.raises(AssertionError, match="inner product"):
            check_grads(f, (3.0,), **PLAIN)


def made_of(change: Callable[..., Any]) -> Callable[..., Any]:
    """A `reverse` whose results, value and bars, are changed."""

    def wrong(fun: Any, argnums: Any, **options: Any) -> Any:
        right = sg.reverse(fun, argnums=argnums, **options)
        return lambda *args: change(args, *right(*args))

    return wrong


def clobber(args: tuple[Any, ...], value: Any, bars: Any) -> Any:
    args[0][0] = 7.0
    return value, bars


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda args, value, bars: (value + 1e-3, bars), r"\(value\)"),
        (lambda args, value, bars: (value, (bars[0].astype(np.float32),)), r"float64\[2\] +float32\[2\]"),
        (lambda args, value, bars: (value, (bars[0][:1],)), r"float64\[2\] +float64\[1\]"),
        (lambda args, value, bars: (value, (np.array([np.nan, bars[0][1]]),)), r"x\[0\] +0 +\S+ +nan"),
        (lambda args, value, bars: (value, (np.array([bars[0][0], np.inf]),)), r"x\[1\] +0 +\S+ +inf"),
        (lambda args, value, bars: (value, (bars[0] + [1e-5, 0],)), r"x\[0\] +0"),
        (clobber, "overwritten"),
    ],
)
def test_wrong_results_are_found(change: Callable[..., Any], found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "reverse", made_of(change))
    with pytest.raises(AssertionError, match=found):
        check_grads(squares, (np.array([1.0, 2.0]),), modes=("reverse",), **PLAIN)


def test_a_finite_result_does_not_pass_for_an_infinite_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "reverse", made_of(lambda args, value, bars: (value, (1e300,))))
    with pytest.raises(AssertionError, match=r"inf +1e\+300"):
        check_grads(lambda x: np.sqrt(x), (0.0,), modes=("reverse",), **PLAIN)


def test_a_point_without_derivative_is_no_place_to_check() -> None:
    def f(x: float) -> float:
        return abs(x) * math.sin(1 / x) if x != 0.0 else 0.0

    with pytest.raises(AssertionError, match="two steps that agree"):
        check_grads(f, (0.0,), modes=("reverse",), **PLAIN)


def pairs(x: Any) -> Any:
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            r = abs(x[i] - x[j])
            total += 1.0 / r**2 - 2.0 / r
    return total


def test_rounding_is_no_difference_where_the_gradient_vanishes() -> None:
    slope, curvature = sg.grad(pairs, jit=False), sg.hessian(pairs, jit=False)
    at = np.array([0.43, 1.33, 2.23])
    for _ in range(8):  # the sum of all places is free
        at = at - np.linalg.pinv(curvature(at)) @ slope(at)
    assert np.abs(slope(at)).max() < 1e-13
    check_grads(pairs, (at,), order=2, **PLAIN)


def friction(rough: float) -> float:
    """Colebrook's equation: beyond its domain Python raises, and compiled code would go round for ever."""
    guess = 0.02
    while True:
        new = (-2.0 * math.log10(rough / 3.7 + 1e-5 / math.sqrt(guess))) ** -2
        if abs(new - guess) < 1e-12:
            return new
        guess = new


def test_nothing_is_run_beyond_the_domain() -> None:
    check_grads(friction, (1e-4,), order=2)
