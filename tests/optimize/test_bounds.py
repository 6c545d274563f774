"""`minimize` in a box, beside SciPy's L-BFGS-B."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

import srcgrad as sg
from srcgrad.errors import ArgumentError, SrcgradError
from tests.optimize.standard_problems import PROBLEMS


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def quadratic(x, a, b):
    return 0.5 * x @ a @ x - b @ x


def expect_minimum(fun: Any, found: Any, lower: Any, upper: Any, args: tuple[Any, ...] = ()) -> None:
    """The step of projected descent is nothing."""
    assert found.success
    assert np.all((lower <= found.x) & (found.x <= upper))
    gradient = sg.grad(fun, jit=False)(found.x, *args)
    assert np.max(np.abs(np.clip(found.x - gradient, lower, upper) - found.x)) <= 1e-8


@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("box", [(-0.5, 0.5), (0.2, 0.8), (1.5, 3.0), (-np.inf, 0.9), (-np.inf, np.inf)])
def test_rosenbrock(n: int, box: tuple[float, float]) -> None:
    lower, upper = np.full(n, box[0]), np.full(n, box[1])
    start = np.linspace(0.1, 0.7, n)
    found = sg.minimize(rosenbrock, start, method="lbfgs", bounds=optimize.Bounds(lower, upper), jit=False)
    expect_minimum(rosenbrock, found, lower, upper)
    theirs = optimize.minimize(
        rosenbrock, start, method="L-BFGS-B", jac=sg.grad(rosenbrock, jit=False), bounds=[box] * n,
        options={"ftol": 1e-15, "gtol": 1e-9},
    )  # fmt: skip
    assert found.fun <= theirs.fun + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_quadratics_with_many_bounds_met(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(12, 12))
    args = factor @ factor.T + 0.01 * np.eye(12), 3.0 * rng.normal(size=12)
    lower, upper = -rng.uniform(size=12), rng.uniform(size=12)
    found = sg.minimize(
        quadratic, np.zeros(12), args, method="lbfgs", bounds=list(zip(lower, upper, strict=True)), jit=False
    )
    expect_minimum(quadratic, found, lower, upper, args)
    assert np.sum((found.x == lower) | (found.x == upper)) >= 3


@pytest.mark.parametrize("name", ["Beale", "Box", "Wood", "Bard"])
def test_standard_problems_in_a_box(name: str) -> None:
    problem = PROBLEMS[name]
    start = np.array(problem.start)
    lower, upper = start - 1.0, start + 0.3

    def half_square(x):
        r = problem.residuals(x)
        return 0.5 * np.sum(r * r)

    found = sg.minimize(half_square, start, method="lbfgs", bounds=optimize.Bounds(lower, upper), jit=False)
    expect_minimum(half_square, found, lower, upper)


def test_a_start_outside_one_bound_only_and_a_number() -> None:
    found = sg.minimize(rosenbrock, np.array([9.0, -9.0]), method="lbfgs", bounds=[(None, 2.0), (0.0, None)], jit=False)
    np.testing.assert_allclose(found.x, [1.0, 1.0], rtol=1e-6)
    fixed = sg.minimize(rosenbrock, np.zeros(2), method="lbfgs", bounds=[(0.5, 0.5), (None, None)], jit=False)
    np.testing.assert_allclose(fixed.x, [0.5, 0.25], rtol=1e-8)
    number = sg.minimize(lambda x, a: (x - a) ** 2, 0.0, (3.0,), method="lbfgs", bounds=[(0.0, 2.0)], jit=False)
    assert (number.x, number.fun) == (2.0, 1.0)


def test_compiled_with_a_history() -> None:
    found = sg.minimize(rosenbrock, np.full(4, 0.3), method="lbfgs", bounds=[(0.2, 0.8)] * 4, history=True)
    plain = sg.minimize(rosenbrock, np.full(4, 0.3), method="lbfgs", bounds=[(0.2, 0.8)] * 4, jit=False)
    np.testing.assert_allclose(found.x, plain.x, rtol=1e-7)
    assert len(found.history) == found.nit + 1
    assert np.all(np.diff(found.history) <= 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": [(0.0, 1.0)]}, "there are 1 pairs of bounds, and 2 variables"),
        ({"bounds": [(1.0, 0.0)] * 2}, "no number lies from 1.0 to 0.0"),
        ({"bounds": 3}, "are no pairs of numbers"),
        ({"method": "newton"}, "newton takes no bounds"),
        ({"callback": print}, "`callback` beside bounds"),
        ({"batch": True}, "`batch` beside bounds"),
        ({"x0": np.zeros((2, 2))}, "bounds are of the variables of a vector"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], message: str) -> None:
    given = {"x0": np.zeros(2), "method": "lbfgs", "bounds": [(0.0, 1.0)] * 2, "jit": False, **options}
    with pytest.raises(SrcgradError, match=message):
        sg.minimize(rosenbrock, **given)


def test_inside_a_function_it_says_what_to_write() -> None:
    def best(a):
        return sg.minimize(lambda x: (x[0] - a) ** 2, np.zeros(1), method="lbfgs", bounds=[(0.0, 1.0)]).x[0]

    with pytest.raises((ArgumentError, SrcgradError), match="no bounds"):
        sg.grad(best, jit=False)(2.0)
