"""Rules and implicit derivatives of the user's own."""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import functools

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads


@functools.partial(sg.custom_vjp, nondiff_argnums=(0, 2))
def scaled(f, x, n):
    return n * f(x)


def scaled_fwd(f, x, n):
    return n * f(x), (x,)


def scaled_bwd(f, n, kept, bar):
    (x,) = kept
    return (bar * n * f(x) * 10.0,)


scaled.defvjp(scaled_fwd, scaled_bwd)


@functools.partial(sg.custom_jvp, nondiff_argnums=("eps",))
def smooth(x, eps, y):
    return np.sqrt(x * x + eps) * y


@smooth.defjvp
def smooth_jvp(eps, primals, tangents):
    (x, y), (x_dot, y_dot) = primals, tangents
    root = np.sqrt(x * x + eps)
    return root * y, 7.0 * x_dot + root * y_dot


def square(x):
    return x * x


def test_arguments_without_derivative():
    assert sg.grad(lambda x: scaled(square, x, 3), jit=False)(2.0) == 3 * 4 * 10
    assert sg.grad(lambda x: scaled(lambda y: y + 1.0, x, 2), jit=False)(2.0) == 2 * 3 * 10
    assert scaled(square, 2.0, 3) == 12.0


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_rule_for_tangents(mode):
    f = lambda x, y: smooth(x, 0.1, y)  # noqa: E731
    got = sg.grad(f, (0, 1), mode=mode, jit=False)(0.3, 2.0)
    assert got == pytest.approx((7.0, np.sqrt(0.19)))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_derivative_by_what_has_none_is_refused(mode):
    with pytest.raises(sg.UnsupportedError, match="`eps` of `smooth` is named in nondiff_argnums"):
        sg.grad(lambda e: smooth(0.3, e, 2.0), mode=mode, jit=False)(0.1)
    assert sg.grad(lambda e: smooth(0.3, sg.stop_gradient(e), e), mode=mode, jit=False)(0.1) == pytest.approx(0.19**0.5)


def test_places_that_are_none():
    with pytest.raises(sg.ArgumentError, match="argnums=5 is out of range"):
        sg.custom_vjp(square, nondiff_argnums=(5,))
    with pytest.raises(sg.UnsupportedError, match="takes `a` from around it"):
        sg.grad(lambda a: scaled(lambda y: y * a, 1.0, 2), jit=False)(2.0)
    wrong = sg.custom_vjp(lambda f, x: f(x), nondiff_argnums=0)
    wrong.defvjp(lambda f, x: (f(x), x), lambda f, x, bar: (None, bar))
    with pytest.raises(sg.ArgumentError, match="but of those in nondiff_argnums"):
        sg.grad(lambda x: wrong(square, x), jit=False)(2.0)


# ---- solvers


def power(x, a, n):
    return x**n - a


@sg.custom_root(power)
def by_bisection(x, a, n, tol=1e-14):
    low, high = 0.0, x
    while high - low > tol * high:
        middle = 0.5 * (low + high)
        if power(middle, a, n) > 0.0:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@sg.implicit(fixed_point=lambda x, a, b: np.tanh(a @ x + b))
def recurrent(x, a, b):
    for _ in range(300):
        x = np.tanh(a @ x + b)
    return x


def linear(x, m, p):
    return m @ x - p["b"] * p["s"]


@sg.implicit(root=linear)
def jacobi(x, m, p):
    d = np.diag(m)
    for _ in range(200):
        x = x + (p["b"] * p["s"] - m @ x) / d
    return x


SMALL = np.array([[0.3, 0.1], [-0.2, 0.2]])
START = np.zeros(2)


@pytest.mark.parametrize("order", [1, 2])
def test_a_root(order):
    check_grads(lambda a: by_bisection(10.0, a, 3), (2.0,), order=order, jit=False)
    exact = lambda a: a ** (1 / 3)  # noqa: E731
    assert sg.grad(lambda a: by_bisection(10.0, a, 3), jit=False)(2.0) == pytest.approx(sg.grad(exact)(2.0), rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_a_fixed_point(order):
    f = lambda a, b: np.sum(recurrent(START, a, b) ** 2)  # noqa: E731
    check_grads(f, (SMALL, np.array([0.4, -0.1])), order=order, jit=False)


def test_structures():
    f = lambda m, b, s: np.sum(jacobi(START, m, {"b": b, "s": s}) ** 3)  # noqa: E731
    check_grads(f, (np.eye(2) + SMALL, np.array([0.4, -0.1]), 1.3), jit=False)


def test_its_steps_are_not_differentiated():
    """One step from the solution, the steps' derivative would be wrong by far."""
    once = sg.custom_root(lambda x, a: x * x - a, lambda x, a: 0.5 * (x + a / x))
    for mode in ("forward", "reverse"):
        assert sg.grad(lambda a: once(2.0, a), mode=mode, jit=False)(4.0) == pytest.approx(0.25)


def test_the_start_and_tolerances_have_no_influence():
    f = lambda x, tol: by_bisection(x, 2.0, 3, tol)  # noqa: E731
    assert sg.grad(f, (0, 1), jit=False)(10.0, 1e-14) == (0.0, 0.0)


def test_compiled_and_from_python():
    assert by_bisection(10.0, 8.0, 3) == pytest.approx(2.0)
    assert sg.grad(lambda a: by_bisection(10.0, a, 3))(8.0) == pytest.approx(1 / 12)


def test_single_precision():
    a = np.float32(8.0)
    fixed = sg.custom_fixed_point(
        lambda x, a: 0.5 * (x + a / x), lambda x, a: sg.newton(lambda y, b: y * y - b, x, a).x
    )
    assert sg.grad(lambda a: fixed(np.float32(1.0), a), jit=False)(a).dtype == np.float32


def test_misuse():
    with pytest.raises(sg.ArgumentError, match="has 3 parameters, and the solver takes `x` and `a`"):
        sg.custom_root(power, lambda x, a: x)
    with pytest.raises(sg.ArgumentError, match="by either `root` or `fixed_point`"):
        sg.implicit()
    with pytest.raises(sg.ArgumentError, match="takes its arguments by place"):
        sg.custom_root(power, lambda *args: args[0])
    with pytest.raises(sg.ArgumentError, match="starts from an integer"):
        sg.grad(lambda a: by_bisection(10, a, 3), jit=False)(8.0)
    with pytest.raises(sg.UnsupportedError, match="`custom_root` is called inside"):
        sg.grad(lambda a: sg.custom_root(power, by_bisection)(1.0, a, 3), jit=False)(8.0)
