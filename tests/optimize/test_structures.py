"""Starting points that are structures: what comes back has their class, and batches of them, and in other code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

import srcgrad as sg
from srcgrad import ArgumentError, gradient_descent, minimize, newton

METHODS = ["newton", "bfgs", "lbfgs", "adam", "gradient-descent"]


class Line(NamedTuple):
    slope: Any
    offset: Any


@dataclass
class Model:
    scale: Any
    lines: Any


def loss(m, t):
    a, b = m.lines["a"], m.lines["b"]
    s = (m.scale - 2.0 * t) ** 2 + np.sum((a.slope - t) ** 2)
    return s + (a.offset - 3.0) ** 2 + np.sum((b - np.array([1.0, 2.0, 3.0])) ** 2)


def start() -> Model:
    return Model(0.5, {"a": Line(np.zeros((2, 2)), 1), "b": np.ones(3)})


def check(found: Model, t: float, tolerance: float) -> None:
    assert isinstance(found, Model) and isinstance(found.lines, dict) and isinstance(found.lines["a"], Line)
    assert found.scale == pytest.approx(2.0 * t, abs=tolerance)
    assert found.lines["a"].offset == pytest.approx(3.0, abs=tolerance)
    np.testing.assert_allclose(found.lines["a"].slope, np.full((2, 2), t), atol=tolerance)
    np.testing.assert_allclose(found.lines["b"], [1.0, 2.0, 3.0], atol=tolerance)
    assert isinstance(found.scale, float) and found.lines["a"].slope.shape == (2, 2)


@pytest.mark.parametrize("method", METHODS)
def test_minimum(method):
    result = minimize(loss, start(), (1.5,), method=method, jit=False, tol=1e-7, maxiter=3000)
    assert result.success and result.fun < 1e-12
    check(result.x, 1.5, 1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_descent(momentum):
    x0 = start()
    result = gradient_descent(loss, x0, (1.5,), lr=0.1, momentum=momentum, maxiter=200, history=True, jit=False)
    check(result.x, 1.5, 1e-6)
    assert result.history.shape == (201,) and not x0.lines["a"].slope.any()


@pytest.mark.parametrize(
    ("x0", "kind"),
    [
        ((1.0, np.ones(2)), tuple),
        ([1.0, np.ones(2)], list),
        ({"p": 1.0, "q": np.ones(2)}, dict),
        (Line(1.0, np.ones(2)), Line),
        (Model(1, np.ones(2)), Model),
        ((1.0, (2.0, 3.0)), tuple),
    ],
)
def test_kinds(x0, kind):
    def f(v):
        if kind is dict:
            return (v["p"] - 1.0) ** 2 + (v["q"][0] - 2.0) ** 2 + (v["q"][1] - 3.0) ** 2
        if kind is Line:
            return (v.slope - 1.0) ** 2 + (v.offset[0] - 2.0) ** 2 + (v.offset[1] - 3.0) ** 2
        if kind is Model:
            return (v.scale - 1.0) ** 2 + (v.lines[0] - 2.0) ** 2 + (v.lines[1] - 3.0) ** 2
        return (v[0] - 1.0) ** 2 + (v[1][0] - 2.0) ** 2 + (v[1][1] - 3.0) ** 2

    found = minimize(f, x0, method="bfgs", jit=False).x
    first, second = found.values() if kind is dict else (vars(found).values() if kind is Model else found)
    assert type(found) is kind and first == pytest.approx(1.0)
    np.testing.assert_allclose(second, [2.0, 3.0], rtol=1e-7)


def test_a_list_of_numbers_is_an_array():
    assert isinstance(minimize(lambda x: np.sum((x - 2.0) ** 2), [0, 1], jit=False).x, np.ndarray)
    assert gradient_descent(lambda x: np.sum(x**2), [[1.0, 2.0]], jit=False).x.shape == (1, 2)


def test_single_precision():
    x0 = (np.float32(1.0), np.zeros(2, np.float32))
    result = minimize(lambda v: (v[0] - 3.0) ** 2 + np.sum((v[1] - 1.0) ** 2), x0, tol=1e-3, jit=False)
    assert result.success and type(result.x[0]) is np.float32 and result.x[1].dtype == np.float32


def pair(v, a):
    return v[0] ** 2 - v[1] * a, v[1] - 2.0


def named(v, a):
    return {"first": v.slope**2 - 4.0 * a, "second": v.offset - np.sum(v.slope)}


def flat(v, a):
    return np.array([v[0] ** 2 - v[1] * a, v[1] - 2.0])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_roots(mode):
    """The residual is a structure, or an array with an entry for each unknown."""
    for f in (pair, flat):
        result = newton(f, (1.0, 1.0), (2.0,), mode=mode, jit=False)
        assert result.success and type(result.x) is tuple
        assert result.x == pytest.approx((2.0, 2.0))
    result = newton(named, Line(np.ones(2), 0.0), (1.0,), mode=mode, jit=False)
    assert result.success and type(result.x) is Line and result.x.offset == pytest.approx(4.0)


def test_callback():
    seen = []
    options = {"callback": lambda x, fun, nit: seen.append((x, nit)), "callback_every": 1, "jit": False}
    gradient_descent(loss, start(), (1.5,), lr=0.25, maxiter=3, **options)
    assert [nit for _, nit in seen] == [1, 2, 3] and all(isinstance(x, Model) for x, _ in seen)
    assert [x.lines["a"].offset for x, _ in seen] == [2.0, 2.5, 2.75]


def test_batch():
    """Starts of their own, arguments of their own, or both."""
    many = Model(np.array([0.5, 0.1]), {"a": Line(np.zeros((2, 2, 2)), np.ones(2)), "b": np.ones((2, 3))})
    t = np.array([1.5, 2.5])
    both = minimize(loss, many, (t,), method="bfgs", batch=(0, 0), jit=False)
    own = minimize(loss, start(), (t,), method="bfgs", batch=(None, 0), jit=False)
    for result in (both, own):
        assert result.success.all() and isinstance(result.x, Model) and result.x.lines["a"].slope.shape == (2, 2, 2)
        np.testing.assert_allclose(result.x.scale, 2.0 * t)
        np.testing.assert_allclose(result.x.lines["b"], [[1.0, 2.0, 3.0]] * 2)
    starts = minimize(loss, many, (1.5,), method="bfgs", batch=True, jit=False)
    np.testing.assert_allclose(starts.x.scale, 3.0)
    roots = newton(pair, (np.ones(3), np.ones(3)), (np.array([2.0, 8.0, 18.0]),), batch=(0, 0), jit=False)
    np.testing.assert_allclose(roots.x[0], [2.0, 4.0, 6.0])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_differentiated(mode):
    def of_minimum(t):
        result = minimize(loss, Model(0.5, {"a": Line(np.zeros((2, 2)), 1.0), "b": np.ones(3)}), (t,), method="bfgs")
        return result.x.scale * np.sum(result.x.lines["a"].slope) + result.fun

    def of_root(a):
        first, second = newton(pair, (1.0, 1.0), (a,)).x
        return first * second

    assert sg.grad(of_minimum, mode=mode, jit=False)(1.5) == pytest.approx(16.0 * 1.5)  # 2t * 4t
    assert sg.grad(of_root, mode=mode, jit=False)(2.0) == pytest.approx(1.0)  # 2 sqrt(2a)


def test_compiled():
    jitted = numba.njit(pair)

    @numba.njit
    def solve(a):
        return newton(jitted, (1.0, 1.0), (a,))

    assert solve(8.0).x == pytest.approx((4.0, 2.0)) and newton(pair, (1.0, 1.0), (8.0,)).x == solve(8.0).x


def test_refused():
    with pytest.raises(ArgumentError, match="x0 holds a complex number"):
        minimize(loss, (1.0, 1j), (1.0,), jit=False)
    with pytest.raises(ArgumentError, match="nothing to solve for"):
        minimize(loss, {}, (1.0,), jit=False)
    with pytest.raises(ArgumentError, match="different numbers of problems"):
        newton(pair, (np.ones(3), np.ones(2)), (1.0,), batch=True, jit=False)
    with pytest.raises(ArgumentError, match="x0 is mapped along axis 0, and holds a float"):
        newton(pair, (np.ones(3), 1.0), (1.0,), batch=True, jit=False)
