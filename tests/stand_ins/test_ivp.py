"""`solve_ivp` and `odeint` of SciPy inside functions, and integrals of samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, odeint, simpson, solve_ivp, trapezoid
from scipy.optimize import brentq

import srcgrad as sg

TIGHT: dict[str, float] = {"rtol": 1e-10, "atol": 1e-12}


def spring(t: float, y: Any, a: float) -> Any:
    return np.array([y[1], -a * y[0]])


def by_steps(a: float, v: float) -> float:
    return solve_ivp(spring, (0.0, 1.0), np.array([1.0, v]), args=(a,), rtol=1e-10, atol=1e-12).y[0, -1]


def at_times(a: float, v: float) -> float:
    """Of a closure that gives a list, at times that depend on an argument."""

    def slope(t: float, y: Any) -> Any:
        x, w = y
        return [w, -a * x + math.sin(v * t)]

    found = solve_ivp(slope, (0, 2.0 * a), [1.0, v], t_eval=np.linspace(0.0, 2.0 * a, 5), **TIGHT)
    return np.sum(found.y[0] * found.t) + found.y[1, 2]


def of_low_order(a: float, v: float) -> float:
    found = solve_ivp(spring, (0.0, 0.3), (1.0, v), "RK23", [0.1, 0.3], args=(a,), rtol=1e-8, atol=1e-10)
    return found.y[0, 0] * found.y[1, 1]


def of_high_order(a: float, v: float) -> float:
    found = solve_ivp(
        spring, (0.0, 1.0), np.array([1.0, v]), "DOP853", [0.2, 0.7], args=(a,), max_step=0.5, first_step=0.1, **TIGHT
    )
    return found.y[0, 0] * found.y[1, 1]


def backwards(a: float, v: float) -> float:
    return solve_ivp(spring, (a, 0.2), [1.0, v], t_eval=[1.0, 0.3], args=(v,), max_step=0.2, **TIGHT).y[1].sum()


def continuous(a: float, v: float) -> float:
    sol = solve_ivp(spring, (0.0, 1.0), [1.0, v], args=(a,), dense_output=True, **TIGHT).sol
    return np.sum(sol(np.array([0.1, 0.5, v]))) + sol(0.3 * a)[1]


def at_an_event(a: float, v: float) -> float:
    sol = solve_ivp(lambda t, y: [y[1], -9.81 + a * y[0]], (0.0, 3.0), [1.0, v], dense_output=True, **TIGHT).sol
    return brentq(lambda t: sol(t)[0], 0.2, 3.0)


def pendulum(a: float, v: float) -> float:
    def slope(y: Any, t: float, b: float, c: float) -> Any:
        angle, speed = y
        return [speed, -b * speed - c * np.sin(angle)]

    found = odeint(slope, [2.0, 0.0], np.array([0.0, 0.5, 0.5, 2.0]), args=(a, v), rtol=1e-12, atol=1e-12)
    return found[-1, 0] + found[1, 1] * found[2, 1]


PROGRAMS = [by_steps, at_times, of_low_order, of_high_order, backwards, continuous, at_an_event, pendulum]


def difference(fun: Callable[..., float], args: tuple[Any, ...], h: float) -> list[Any]:
    """Differences of SciPy's own function by each argument, along ones."""
    plus = [fun(*(x + h * (k == n) for n, x in enumerate(args))) for k in range(len(args))]
    minus = [fun(*(x - h * (k == n) for n, x in enumerate(args))) for k in range(len(args))]
    return [(p - m) / (2.0 * h) for p, m in zip(plus, minus, strict=True)]


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_right(fun: Callable[..., Any]) -> None:
    value, slopes = sg.value_and_grad(fun, (0, 1), jit=False)(1.3, 0.7)
    assert value == pytest.approx(fun(1.3, 0.7), rel=1e-8)
    assert slopes == pytest.approx(difference(fun, (1.3, 0.7), 1e-4), rel=2e-6)


def test_forward() -> None:
    tangent = sg.jvp(at_times, (1.3, 0.7), (0.4, -1.1), jit=False)[1]
    by_a, by_v = difference(at_times, (1.3, 0.7), 1e-4)
    assert tangent == pytest.approx(0.4 * by_a - 1.1 * by_v, rel=2e-6)


def test_by_the_end_and_twice() -> None:
    """Of exp(-a T): the ends of the steps follow the span's."""
    fun = lambda a, end: solve_ivp(lambda t, y: -a * y, (0.0, end), [1.0], rtol=1e-10, atol=1e-12).y[0, -1]  # noqa: E731
    a, end = 0.8, 1.7
    exact = math.exp(-a * end)
    assert sg.grad(fun, (0, 1), jit=False)(a, end) == pytest.approx((-end * exact, -a * exact), rel=1e-9)
    twice = sg.hessian(fun, (0, 1), jit=False)(a, end)
    assert [twice[0][0], twice[0][1], twice[1][1]] == pytest.approx(
        [end**2 * exact, (a * end - 1.0) * exact, a**2 * exact], rel=1e-8
    )
    at_once = sg.grad(fun, 1, jit=False)(a, 0.0)
    assert at_once == pytest.approx(-a, rel=1e-12)


def told(a: float, y0: Any) -> Any:
    one = solve_ivp(lambda t, y: -a * y, (0.0, 3.0), y0)
    two = solve_ivp(lambda t, y: -a * y, (0.0, 3.0), y0, method="DOP853", t_eval=[0.5, 2.0])
    return one.t, one.y, one.nfev, one.status, one.success, two.t, two.y, two.nfev


def test_what_it_tells() -> None:
    """The steps are SciPy's own."""
    y0 = np.array([1.0, 2.0])
    for mine, other in zip(sg.compiled(told, jit=False)(0.5, y0), told(0.5, y0), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)


def exploding(a: float) -> float:
    found = solve_ivp(lambda t, y: a * y**2, (0.0, 3.0), [1.0])
    if not found.success:
        raise RuntimeError(found.message)
    return found.y[0, -1]


def test_where_it_fails() -> None:
    slope = sg.grad(exploding, jit=False)
    assert slope(0.1) == pytest.approx(3.0 / 0.7**2, rel=1e-3)
    with pytest.raises(RuntimeError, match="-1"):
        slope(1.0)
    late = lambda a: solve_ivp(lambda t, y: -a * y, (0.0, 1.0), [1.0], t_eval=[0.5, 1.5]).y[0, 0]  # noqa: E731
    with pytest.raises(ValueError, match="not within"):
        sg.grad(late, jit=False)(1.0)


def test_a_first_attempt_that_overflows_has_no_part() -> None:
    fun = lambda a: solve_ivp(lambda t, y: -a * y**5, (0.0, 0.1), [2.0], first_step=0.1, **TIGHT).y[0, -1]  # noqa: E731
    exact = lambda a: (2.0**-4 + 0.4 * a) ** -0.25  # noqa: E731
    value, slope = sg.value_and_grad(fun, jit=False)(1e30)
    assert value == pytest.approx(exact(1e30), rel=1e-6) and math.isfinite(slope)


def test_compiled() -> None:
    value, slope = sg.value_and_grad(of_low_order, (0, 1))(1.3, 0.7)
    assert value == pytest.approx(of_low_order(1.3, 0.7), rel=1e-9)
    assert slope == pytest.approx(sg.grad(of_low_order, (0, 1), jit=False)(1.3, 0.7), rel=1e-9)


# ---- samples


def of_vectors(y: Any, x: Any) -> float:
    total = trapezoid(y, x) + simpson(y, x=x) * simpson(y, dx=0.1) + trapezoid(y, dx=0.3)
    return total + np.sum(cumulative_trapezoid(y, x, initial=0) ** 2) + np.sum(cumulative_trapezoid(y, dx=0.1) ** 2)


def of_columns(y: Any, x: Any) -> float:
    rows = np.stack((y, y**2, x), axis=1)
    total = np.sum(simpson(rows, x=x, axis=0) ** 2) + np.sum(simpson(rows.T, axis=1) ** 2)
    return total + np.sum(cumulative_trapezoid(rows, x, axis=0) ** 2) + np.sum(trapezoid(rows, x, axis=0) ** 3)


@pytest.mark.parametrize("fun", [of_vectors, of_columns])
@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_samples(fun: Callable[..., float], n: int) -> None:
    rng = np.random.default_rng(n)
    y, x = rng.normal(size=n), np.cumsum(0.1 + rng.random(n))
    assert sg.compiled(fun, jit=False)(y, x) == pytest.approx(fun(y, x), rel=1e-12)
    slopes = [np.sum(g) for g in sg.grad(fun, (0, 1), jit=False)(y, x)]
    assert slopes == pytest.approx(difference(fun, (y, x), 1e-5), rel=1e-6, abs=1e-6)


# ---- what is refused


def with_events(a: float) -> float:
    return solve_ivp(lambda t, y: -a * y, (0, 1), [1.0], events=lambda t, y: y[0]).y[0, -1]


def stiff(a: float) -> float:
    return solve_ivp(lambda t, y: -a * y, (0, 1), [1.0], method="BDF").y[0, -1]


def of_complex(a: float) -> float:
    return solve_ivp(lambda t, y: -a * y, (0, 1), np.array([1.0 + 0j])).y[0, -1].real


def with_a_jacobian(a: float) -> float:
    return solve_ivp(lambda t, y: -a * y, (0, 1), [1.0], jac=lambda t, y: -a).y[0, -1]


@pytest.mark.parametrize(
    ("fun", "text"),
    [
        (with_events, "brentq"),
        (stiff, 'write method="DOP853"'),
        (of_complex, "real and imaginary parts"),
        (with_a_jacobian, "it takes fun, t_span, y0"),
    ],
)
def test_refused(fun: Callable[..., float], text: str) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(fun, jit=False)(2.0)
    message = " ".join(str(caught.value).split())
    assert text in message and "test_ivp.py" in message
