"""SciPy's roots of one number inside functions: its own values and counts, and derivatives of the root."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import brentq, newton, root_scalar

import srcgrad as sg
from srcgrad.testing import check_grads


def excess(x: float, p: Any) -> float:
    return np.sum(p * x ** np.arange(len(p)))


def closed_over(a: float, b: float) -> float:
    return brentq(lambda x: x**3 + a * x - b, 0.0, 5.0) * a


def by_args(a: float, b: float) -> float:
    p = np.array([-a, b, a * b, 1.0])
    found = root_scalar(excess, args=(p,), method="brentq", bracket=[0, 3])
    return found.root**2 * (1.0 if found.converged else math.nan)


def kepler(e: float, m: float) -> float:
    return newton(lambda x: x - e * math.sin(x) - m, m, fprime=lambda x: 1.0 - e * math.cos(x), tol=1e-12)


def by_secants(e: float, m: float) -> float:
    return newton(lambda x, e: x - e * math.sin(x) - m, m, args=(e,), tol=1e-12)


def near_a_point(e: float, m: float) -> float:
    return root_scalar(lambda x: x - e * math.sin(x) - m, x0=m, x1=m + 0.5, method="secant").root


PROGRAMS = [closed_over, by_args, kepler, by_secants, near_a_point]


@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_right(fun: Callable[..., Any]) -> None:
    assert sg.compiled(fun, jit=False)(0.7, 1.3) == pytest.approx(fun(0.7, 1.3), rel=1e-15)
    check_grads(fun, (0.7, 1.3), order=2 if fun is kepler else 1, atol=1e-6)


def test_second_order_through_arguments() -> None:
    exact = 1.0 / (2.0 * math.sqrt(2.0)) * np.array([1.0, -0.25])
    root = lambda a: brentq(lambda x, a: x * x - a, 0.0, 3.0, args=(a,))  # noqa: E731
    first = sg.grad(root, jit=False)
    assert [first(2.0), sg.grad(first, jit=False)(2.0)] == pytest.approx(list(exact), rel=1e-9)
    assert sg.forward(first, jit=False)(2.0, 1.0)[1] == pytest.approx(exact[1], rel=1e-9)


def test_ends_have_no_influence() -> None:
    slopes = sg.grad(lambda a, b: brentq(lambda x: math.cos(x) - x, a, b), (0, 1), jit=False)(0.0, 1.0)
    assert slopes == (0.0, 0.0)


def counted(a: float) -> Any:
    found = root_scalar(lambda x: math.exp(x) - a, bracket=(0.0, 2.0))
    other, more = brentq(lambda x: math.exp(x) - a, 0.0, 2.0, full_output=True, xtol=1e-3)
    third = root_scalar(lambda x: math.exp(x) - a, x0=0.5, fprime=lambda x: math.exp(x))
    return found.iterations, found.function_calls, more.iterations, more.function_calls, third.iterations, other


@pytest.mark.parametrize("a", [1.5, 3.0, 7.0])
def test_counts(a: float) -> None:
    assert sg.compiled(counted, jit=False)(a) == pytest.approx(counted(a), rel=1e-14)


def test_as_scipy_raises() -> None:
    same_sign = sg.grad(lambda a: brentq(lambda x: x * x + a, 0.0, 1.0), jit=False)
    with pytest.raises(ValueError, match="different signs"):
        same_sign(1.0)
    with pytest.raises(RuntimeError, match="Failed to converge"):
        sg.grad(lambda a: brentq(lambda x: x**3 - a, 0.0, 9.0, maxiter=3), jit=False)(1.0)
    with pytest.raises(RuntimeError, match="Failed to converge"):
        sg.grad(lambda a: newton(lambda x: x * x + a, 1.0), jit=False)(1.0)


def test_compiled() -> None:
    value, slope = sg.value_and_grad(by_args, (0, 1))(0.7, 1.3)
    assert value == pytest.approx(by_args(0.7, 1.3), rel=1e-12)
    assert slope == pytest.approx(sg.grad(by_args, (0, 1), jit=False)(0.7, 1.3), rel=1e-10)


def halley(a: float) -> float:
    return newton(lambda x: x * x - a, 1.0, fprime2=lambda x: 2.0)


def other_method(a: float) -> float:
    return root_scalar(lambda x: x * x - a, method="toms748", bracket=(0, 5)).root


def of_arrays(a: float) -> float:
    return newton(lambda x: x * x - a, np.array([1.0, 2.0]))[0]


def misnamed(a: float) -> float:
    return brentq(lambda x: x * x - a, 0.0, 3.0, tol=1e-3)


def by_halves(a: float) -> float:
    return optimize.bisect(lambda x: x * x - a, 0.0, 3.0)


def of_systems(a: float) -> float:
    return optimize.fsolve(lambda x: x * x - a, np.array([1.0]))[0]


def of_systems_by_root(a: float) -> float:
    return optimize.root(lambda x: x * x - a, np.array([1.0])).x[0]


@pytest.mark.parametrize(
    ("fun", "text"),
    [
        (halley, "leave fprime2 out"),
        (other_method, 'write method="brentq"'),
        (of_arrays, "sg.newton"),
        (misnamed, "brentq takes f, a, b"),
        (by_halves, "use brentq"),
        (of_systems, "sg.newton"),
        (of_systems_by_root, "sg.newton"),
    ],
)
def test_refused(fun: Callable[..., float], text: str) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(fun, jit=False)(2.0)
    told = " ".join(str(caught.value).split())
    assert text in told and "test_roots.py" in told and "of_scipy" not in told
