"""Each transformer's values, structures and attributes."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import program as pipeline
from srcgrad.compiler import to_source
from srcgrad.frontend.source.structure import describe
from tests.api.helpers import plain

X = np.array([1.0, 2.0, 3.0])


def scale(x):
    return np.sin(x) * x[0]


def cubic(x):
    return np.sum(x * x * x) * x[0]


def two(x, y):
    return x * x * y, x + y


JACOBIAN = np.diag(np.cos(X)) * X[0] + np.outer(np.sin(X), [1.0, 0.0, 0.0])


def test_forward_and_reverse():
    value, dot = plain(sg.forward, scale)(X, np.ones(3))
    np.testing.assert_allclose(value, np.sin(X))
    np.testing.assert_allclose(dot, JACOBIAN.sum(1))
    value, bar = plain(sg.reverse, scale)(X, np.ones(3))
    np.testing.assert_allclose(value, np.sin(X))
    np.testing.assert_allclose(bar, JACOBIAN.sum(0))


@pytest.mark.parametrize("jit", [False, True])
def test_a_cotangent_of_another_shape_is_refused(jit):
    with pytest.raises((sg.ArgumentError, ValueError)):
        sg.reverse(scale, jit=jit)(X, np.ones(2))
    with pytest.raises(sg.ArgumentError, match="shape"):
        sg.reverse(lambda x: x, jit=jit)(X, np.ones(1))
    with pytest.raises(sg.ArgumentError, match="structure"):
        sg.reverse(scale, jit=jit)(X, 1.0)


def test_jvp_and_vjp():
    value, dot = sg.jvp(scale, (X,), (np.ones(3),), jit=False)
    np.testing.assert_allclose(dot, JACOBIAN.sum(1))
    value, pullback = sg.vjp(scale, X, jit=False)
    np.testing.assert_allclose(value, np.sin(X))
    (bar,) = pullback(np.ones(3))
    np.testing.assert_allclose(bar, JACOBIAN.sum(0))
    assert sg.jvp(two, (2.0, 3.0), (1, None), jit=False) == ((12.0, 5.0), (12.0, 1.0))
    _, pullback = sg.vjp(two, 2.0, 3.0, jit=False)
    assert pullback((1.0, 10.0)) == (22.0, 14.0)
    assert pullback((0, 1)) == (1.0, 1.0)


def test_a_pullback_keeps_its_point():
    x = X.copy()
    _, pullback = sg.vjp(cubic, x, jit=False)
    x[:] = 0.0
    np.testing.assert_allclose(pullback(1.0)[0], sg.grad(cubic, jit=False)(X))


def test_jvp_compiles_once():
    made = []
    watchers = pipeline.WATCHERS
    watchers.append(lambda name, program: made.append(name))
    try:
        for k in range(3):
            sg.jvp(cubic, (X + k,), (X,), jit=False)
            sg.vjp(cubic, X + k, jit=False)[1](1.0)
            if k == 0:
                assert made
            made.clear() if k == 0 else None
        assert made == []
    finally:
        watchers.pop()


@pytest.mark.parametrize("make", [sg.jacobian, sg.jacfwd, sg.jacrev])
def test_jacobians(make):
    np.testing.assert_allclose(plain(make, scale)(X), JACOBIAN, atol=1e-15)
    assert plain(make, two, argnums=(0, 1))(2.0, 3.0) == ((12.0, 4.0), (1.0, 1.0))
    assert plain(make, two)(2.0, 3.0) == (12.0, 1.0)


def test_the_automatic_jacobian_takes_the_cheaper_mode():
    few_inputs = plain(sg.jacobian, lambda x: x[0] * np.ones(5) + x[1])
    few_inputs(X[:2])
    assert list(few_inputs._modes.values()) == ["fwd"]
    few_outputs = plain(sg.jacobian, lambda x: x[:2] * x[2])
    few_outputs(X)
    assert list(few_outputs._modes.values()) == ["rev"]


def test_hessian_and_its_product():
    h = plain(sg.hessian, cubic)(X)
    want = plain(sg.jacfwd, plain(sg.grad, cubic))(X)
    np.testing.assert_allclose(h, want)
    np.testing.assert_allclose(h, h.T)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(plain(sg.hvp, cubic)(X, v), h @ v)
    blocks = plain(sg.hessian, lambda x, y: x * y * y, argnums=(0, 1))(2.0, 3.0)
    assert blocks == ((0.0, 6.0), (6.0, 4.0))
    assert plain(sg.hvp, lambda x, y: x * y * y, argnums=(0, 1))(2.0, 3.0, (1.0, 10.0)) == (60.0, 46.0)


def test_orders_nest():
    d = f = lambda x: math.exp(2.0 * x)
    for order in range(1, 5):
        d = sg.grad(d, jit=False)
        assert d(0.3) == pytest.approx(2.0**order * f(0.3), rel=1e-13)


def test_a_derivative_inside_a_function():
    inner = sg.grad(lambda x: x * x * x, jit=False)
    assert sg.grad(lambda x: inner(x) * x, jit=False)(2.0) == pytest.approx(36.0)


def test_stop_gradient():
    assert plain(sg.grad, lambda x: x * sg.stop_gradient(x))(3.0) == 3.0
    got = plain(sg.grad, lambda x: np.sum(x * sg.stop_gradient(x * x)))(X)
    np.testing.assert_allclose(got, X * X)
    assert sg.stop_gradient((1, "a")) == (1, "a")


def test_custom_jvp_in_all_modes():
    @sg.custom_jvp
    def f(x, n):
        return x * n

    @f.defjvp
    def f_jvp(primals, tangents):
        x, n = primals
        return x * n, 10.0 * x * tangents[0]

    assert f(2.0, 3) == 6.0
    for make in (sg.grad, sg.jacfwd, sg.jacrev):
        assert plain(make, lambda x: f(x, 3) + x)(2.0) == 21.0
    assert plain(sg.grad, plain(sg.grad, lambda x: f(x, 3)))(2.0) == 10.0


def test_custom_vjp():
    @sg.custom_vjp
    def f(x, y, n):
        return np.sum(x * y) * n

    def fwd(x, y, n):
        return np.sum(x * y) * n, (x, n)

    def bwd(residuals, bar):
        x, n = residuals
        return None, 100.0 * bar * n * x, None

    f.defvjp(fwd, bwd)

    def use(x, y):
        y = y * 2.0
        s = f(x, y, 3)
        y[0] = 7.0
        return s + x[0]

    gx, gy = plain(sg.grad, use, argnums=(0, 1))(X, X)
    np.testing.assert_array_equal(gx, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(gy, 600.0 * X)
    with pytest.raises(sg.NotDifferentiableError):
        plain(sg.jacfwd, use)(X, X)


def test_a_custom_rule_that_does_not_fit_is_refused():
    @sg.custom_jvp
    def f(x):
        return x * x

    with pytest.raises(sg.ArgumentError, match="no rule yet"):
        plain(sg.grad, lambda x: f(x))(1.0)
    f.defjvp(lambda primals, tangents: primals[0])
    with pytest.raises(sg.ArgumentError, match="defjvp returns"):
        plain(sg.grad, lambda x: f(x))(1.0)


@pytest.mark.parametrize("jit", [False, True])
def test_vmap(jit):
    got = sg.vmap(sg.grad(cubic), jit=jit)(np.stack([X, 2 * X]))
    np.testing.assert_allclose(got, [sg.grad(cubic, jit=False)(X), sg.grad(cubic, jit=False)(2 * X)])
    assert sg.vmap(lambda x, y: x * y, in_axes=(0, None), jit=jit)(X, 2.0).tolist() == [2.0, 4.0, 6.0]
    assert sg.vmap(lambda x: x * x, jit=jit)(X[:0]).shape == (0,)
    with pytest.raises(sg.ArgumentError):
        sg.vmap(lambda x, y: x * y, jit=jit)(X, X[:2])


def unannotated(x):
    return x * x


def annotated(x: np.ndarray, n: int, t: float = 2.0):
    return x[n] * t


def test_the_source_before_the_first_call(tmp_path):
    d = plain(sg.grad, unannotated)
    assert "def unannotated_grad(x):" in d.source
    assert "x_bar" in sg.grad(annotated).source
    d.save(tmp_path / "saved.py")
    spec = importlib.util.spec_from_file_location("saved", tmp_path / "saved.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.unannotated_grad(3.0) == 6.0
    assert "srcgrad" not in d.source


def test_explain():
    def f(x, n):
        s = 1.0
        for i in range(n):
            s = s * math.sin(x[i])
        return s

    text = plain(sg.grad, f).explain(X, 3)
    assert "x: float64, 1-D: active" in text
    assert "n: int64: inactive" in text
    assert "s_kept: float64, 1-D, 24 bytes" in text
    assert "t_kept: float64, 1-D, 24 bytes" in text  # the sine, which is dearer to compute again than to keep
    assert "bytes a call: 48 bytes" in text
    assert "times as long" in text


@sg.custom_vjp
def bent(x):
    return x * 2.0 if x > 0.3 else x * 3.0


bent.defvjp(lambda x: (x * 2.0, x), lambda x, bar: (2.0 * bar,))


def test_what_branches_on_floats_is_compiled_strictly():
    """Computed again under fast-math flags, a branch could go another way."""

    def smooth(a, x):
        return x * np.sum(a * a)

    def bends(a, x):
        s = x
        for i in range(len(a)):
            s = s * bent(a[i])
        return s

    def masks(a, x):
        a[a > 0.3] *= x
        return np.sum(a)

    for fun, strict in ((smooth, False), (bends, True), (masks, True)):
        recipe = replace(plain(sg.grad, fun, argnums=1)._recipe, last=True)
        lowered = pipeline.derive(fun, recipe, [describe(X), describe(1.0)])
        assert to_source.decides_by_floats(lowered.program) is strict


def test_what_is_decided_once_may_have_fast_math_flags():
    """A decision that the way back makes again, or that is more than a branch of the user's, may not."""

    def smallest(a, x):
        best = x
        for i in range(len(a)):
            if a[i] * x < best:
                best = a[i] * x
        return best

    def until_small(a, x):
        while x > 0.1:
            x = x * 0.5 * a[0]
        return x

    def sums_within(a, x):
        s = 0.0
        for i in range(len(a)):
            if a[i] < x or a[i] > 2.0:
                s += a[i] * x
        return s

    def flattens(a, x):
        return np.sum(1.0 / (1.0 + np.exp(-a * x)))

    def run_again(a, x):
        s = x
        for i in range(len(a)):
            if s > a[i]:
                s = s * a[i]
        return s

    def largest_of_two(a, x):
        return max(a[0] * x, a[1])

    def chosen(a, x):
        return np.sum(np.where(a > x, a * x, 0.0))

    def places(a, x):
        return a[int(x)] * x

    def equal_to(a, x):
        return x * x if a[0] == x else x

    once = (smallest, until_small, sums_within, flattens)
    for fun in (*once, run_again, largest_of_two, chosen, places, equal_to):
        recipe = replace(plain(sg.grad, fun, argnums=1)._recipe, last=True)
        lowered = pipeline.derive(fun, recipe, [describe(X), describe(1.0)])
        assert to_source.decides_by_floats(lowered.program)
        assert to_source.decides_anew(lowered.program) is (fun not in once), fun
