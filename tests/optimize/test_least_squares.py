"""`least_squares` beside SciPy's, on standard problems and with outliers, and its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import optimize

import srcgrad as sg
from srcgrad.errors import ArgumentError, UnsupportedError
from tests.optimize.standard_problems import PROBLEMS

T = np.linspace(0.0, 1.0, 20)
CLEAN = 2.0 * np.exp(-1.5 * T) + 0.02 * np.sin(40.0 * T)
START = np.array([1.0, 0.0])


def decay(p, t, y):
    return p[0] * np.exp(p[1] * t) - y


def with_outliers() -> np.ndarray:
    y = CLEAN.copy()
    y[::6] += 1.0
    return y


@pytest.mark.parametrize("name", PROBLEMS)
def test_standard_problems(name: str) -> None:
    problem = PROBLEMS[name]
    found = sg.least_squares(problem.residuals, np.array(problem.start), jit=False, max_nfev=1000)
    assert found.success
    gap = min(abs(2.0 * found.cost - smallest) / max(smallest, 1.0) for smallest in problem.smallest)
    assert gap < 1e-6
    np.testing.assert_allclose(found.grad, found.jac.T @ found.fun, rtol=1e-9, atol=1e-12)
    assert found.optimality == np.max(np.abs(found.grad))


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
@pytest.mark.parametrize("f_scale", [0.05, 0.1, 1.0])
def test_losses_beside_scipys(loss: str, f_scale: float) -> None:
    options: dict[str, Any] = {"loss": loss, "f_scale": f_scale, "ftol": 1e-14, "xtol": 1e-12, "gtol": 1e-10}
    near = START if loss == "arctan" else np.array([2.5, -1.0])  # from there, arctan has a minimum with more outliers
    for start in (START, near):
        found = sg.least_squares(decay, start, (T, with_outliers()), **options, jit=False)
        theirs = optimize.least_squares(decay, start, args=(T, with_outliers()), **options)
        assert found.cost <= theirs.cost * (1.0 + 1e-9)
        np.testing.assert_allclose(found.x, theirs.x, rtol=1e-4)
        np.testing.assert_allclose(found.jac.shape, theirs.jac.shape)


def test_from_many_starts_no_worse_than_scipys() -> None:
    rng = np.random.default_rng(5)
    for loss in ("huber", "cauchy", "arctan"):
        for _ in range(8):
            start = rng.normal(size=2) * np.array([2.0, 1.0])
            found = sg.least_squares(decay, start, (T, with_outliers()), loss=loss, f_scale=0.1, jit=False)
            point = optimize.minimize(
                lambda p, loss=loss: (
                    sg.least_squares(decay, p, (T, with_outliers()), loss=loss, f_scale=0.1, max_nfev=1, jit=False).cost
                ),
                found.x,
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-13},
            )
            assert found.cost <= point.fun * (1.0 + 1e-6)  # a minimum: none lower is near


def test_why_it_ends() -> None:
    assert sg.least_squares(decay, START, (T, CLEAN), max_nfev=2, jit=False).status == 0
    assert not sg.least_squares(decay, START, (T, CLEAN), max_nfev=2, jit=False).success
    assert sg.least_squares(decay, START, (T, CLEAN), ftol=None, xtol=None, jit=False).status == 1
    assert sg.least_squares(decay, START, (T, CLEAN), gtol=None, xtol=None, jit=False).status == 2
    assert sg.least_squares(decay, START, (T, CLEAN), ftol=None, gtol=None, jit=False).status == 3
    bad = sg.least_squares(lambda p: np.array([np.log(p[0]), p[0]]), np.array([-1.0]), jit=False)
    assert (bad.status, bad.success) == (-1, False)


def test_a_number_and_residuals_of_any_shape() -> None:
    found = sg.least_squares(lambda x, a: x * x - a, 1.0, 2.0, jit=False)
    assert isinstance(found.x, float)
    assert found.x == pytest.approx(np.sqrt(2.0), rel=1e-8)
    table = np.arange(6.0).reshape(2, 3)
    found = sg.least_squares(lambda p: p[0] * table + p[1] - 2.0 * table - 1.0, np.zeros(2), jit=False)
    np.testing.assert_allclose(found.x, [2.0, 1.0], rtol=1e-9)
    assert found.jac.shape == (6, 2)


def test_a_parameter_without_influence() -> None:
    found = sg.least_squares(lambda p: np.array([p[0] - 3.0, 0.0 * p[1]]), np.zeros(2), jit=False)
    np.testing.assert_allclose(found.x, [3.0, 0.0], atol=1e-9)


def best_rate(y, s):
    found = sg.least_squares(
        lambda p: s * p[0] * np.exp(p[1] * T) - y, START, loss="cauchy", f_scale=0.05, ftol=1e-15, jit=False
    )
    return found.x[0] * found.x[1] + found.cost


def test_its_derivative_is_that_of_the_minimum() -> None:
    bar, slope = sg.grad(best_rate, (0, 1), jit=False)(CLEAN, 1.0)
    h = 1e-4
    for k in (0, 7, 19):
        e = h * np.eye(20)[k]
        assert bar[k] == pytest.approx((best_rate(CLEAN + e, 1.0) - best_rate(CLEAN - e, 1.0)) / (2 * h), rel=1e-4)
    moved = (best_rate(CLEAN, 1.0 + h) - best_rate(CLEAN, 1.0 - h)) / (2 * h)
    assert slope == pytest.approx(moved, rel=1e-4)
    tangent = sg.jvp(best_rate, (CLEAN, 1.0), (np.ones(20), 0.0), jit=False)[1]
    assert tangent == pytest.approx(np.sum(bar), rel=1e-6)


def test_compiled_and_in_compiled_code() -> None:
    compiled_decay = njit(decay)

    @njit
    def rate(y):
        found = sg.least_squares(compiled_decay, np.array([1.0, 0.0]), (T, y), loss="huber", f_scale=0.1)
        return found.x[1], found.message

    found = sg.least_squares(decay, START, (T, CLEAN), loss="huber", f_scale=0.1)
    plain = sg.least_squares(decay, START, (T, CLEAN), loss="huber", f_scale=0.1, jit=False)
    np.testing.assert_allclose(found.x, plain.x, rtol=1e-7)
    value, message = rate(CLEAN)
    assert value == pytest.approx(plain.x[1], rel=1e-7)
    assert message == found.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hubr"}, "there is no loss"),
        ({"ftol": -1.0}, "ftol is -1.0"),
        ({"f_scale": 0.0}, "f_scale is 0.0"),
        ({"max_nfev": 0}, "max_nfev is 0"),
        ({"x0": np.zeros((2, 2))}, "x0 is a 2-dimensional array"),
        ({"fun": 3.0}, "is not a function"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], message: str) -> None:
    given = {"fun": decay, "x0": START, "args": (T, CLEAN), "jit": False, **options}
    with pytest.raises(ArgumentError, match=message):
        sg.least_squares(**given)


def test_how_often_is_not_known_inside_a_function() -> None:
    def count(y):
        return sg.least_squares(lambda p: p[0] * np.exp(p[1] * T) - y, START, jit=False).nfev * y[0]

    with pytest.raises(UnsupportedError, match="nfev"):
        sg.grad(count, jit=False)(CLEAN)
