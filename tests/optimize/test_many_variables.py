"""Newton's method for many variables: a sparse matrix where it is sparse, and the same result as by a dense one."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.optimize import running

N = 64


def tridiagonal(x, c):
    y = np.zeros(x.shape[0])
    n = x.shape[0]
    for i in range(n):
        y[i] = (3.0 - 2.0 * x[i]) * x[i] + c
        if i > 0:
            y[i] -= x[i - 1]
        if i < n - 1:
            y[i] -= 2.0 * x[i + 1]
    return y


def ring(x, c):
    """As large as it may be, the matrix has entries in two of its corners."""
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        y[i] = 3.0 * x[i] + 0.1 * x[i - 1] ** 3 - c
    return y


def arrow(x, c):
    y = 2.0 * x + 0.1 * x**2 - c
    y[0] += 0.1 * np.sum(x)
    return y


def by_slices(x, c):
    y = 4.0 * x - c
    y[1:] -= np.sin(x[:-1])
    y[:-1] -= np.cos(x[1:])
    return y


def dense(x, c):
    return x + 0.1 * np.sum(x * x) - c


def rosenbrock(x):
    total = 0.0
    for i in range(x.shape[0] - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def ring_energy(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += (x[i] - 1.0) ** 2 + 0.25 * x[i] ** 4 + 0.5 * (x[i] - x[i - 1]) ** 2
    return total


def saddle_at_the_start(x):
    """The Hessian there is not positive definite."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] ** 4 - x[i] ** 2
    for i in range(x.shape[0] - 1):
        total += 0.1 * (x[i + 1] - x[i]) ** 2
    return total


def quartic_sum(x):
    """The Hessian is dense."""
    return np.sum((x - 1.0) ** 2) + 0.01 * np.sum(x) ** 4


@pytest.fixture
def few(monkeypatch):
    """What solves with so many variables or more, sparse where it can be; and by a dense matrix always."""

    def both(solve):
        monkeypatch.setattr(running, "MANY", 8)
        sparse = solve()
        monkeypatch.setattr(running, "MANY", 10**9)
        return sparse, solve()

    return both


@pytest.fixture
def seen(monkeypatch):
    """The shapes of the sparse matrices that are made."""
    from srcgrad.derivatives.sparse import Sparse

    made, call = [], Sparse.__call__

    def watched(self, *args, **kwargs):
        matrix = call(self, *args, **kwargs)
        made.append((matrix.shape, matrix.nnz))
        return matrix

    monkeypatch.setattr(Sparse, "__call__", watched)
    return made


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("fun", [tridiagonal, ring, arrow, by_slices])
def test_roots(fun, mode, few, seen):
    a, b = few(lambda: sg.newton(fun, -np.ones(N), (1.0,), mode=mode, jit=False))
    assert seen and all(shape == (N, N) and nnz < 4 * N for shape, nnz in seen)
    assert a[2:] == b[2:] and a.success
    np.testing.assert_allclose(a.x, b.x, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(a.fun, b.fun, atol=1e-12)


@pytest.mark.parametrize("fun", [rosenbrock, ring_energy, saddle_at_the_start])
def test_minima(fun, few, seen):
    start = np.full(N, 0.3)
    start[::2] = -0.2
    a, b = few(lambda: sg.minimize(fun, start, jit=False))
    assert seen and all(shape == (N, N) and nnz <= 3 * N for shape, nnz in seen)
    assert a.success and a.message == b.message and a.nit == b.nit
    np.testing.assert_allclose(a.x, b.x, atol=1e-7)


def test_dense_matrices_stay_dense(few, seen):
    few(lambda: sg.newton(dense, np.ones(20), (2.0,), jit=False))
    few(lambda: sg.minimize(quartic_sum, np.ones(20), jit=False))
    assert not seen


def test_a_singular_matrix_is_no_root(few):
    a, b = few(lambda: sg.newton(lambda x: x * x + 1.0, np.zeros(N), jit=False))
    assert not a.success and not b.success and a.message == b.message == "a value is not finite"


def test_histories_and_tolerances(few):
    a, b = few(lambda: sg.newton(tridiagonal, -np.ones(N), (1.0,), tol=0.0, maxiter=3, history=True, jit=False))
    assert a.nit == b.nit == 3 and a.message == b.message and a.success
    np.testing.assert_allclose(a.history, b.history, rtol=1e-9, atol=1e-14)
    a, b = few(lambda: sg.minimize(ring_energy, np.zeros(N), history=True, jit=False))
    np.testing.assert_allclose(a.history, b.history, rtol=1e-9)
    a, b = few(lambda: sg.minimize(ring_energy, np.zeros(N), maxiter=0, jit=False))
    assert a[1:] == b[1:]


def test_callbacks(few):
    def solve():
        calls = []

        def callback(x, fun, nit):
            calls.append((nit, x.shape))
            if nit == 2:
                raise StopIteration

        sg.newton(tridiagonal, -np.ones(N), (1.0,), callback=callback, callback_every=1, jit=False)
        found = sg.minimize(rosenbrock, np.zeros(N), callback=callback, callback_every=1, jit=False)
        return calls, found.message, found.nit

    a, b = few(solve)
    assert a == b and a[1] == "the callback raised StopIteration"


def test_single_precision(few):
    start = np.full(N, -1.0, np.float32)
    a, b = few(lambda: sg.newton(tridiagonal, start, (np.float32(1.0),), tol=1e-6, jit=False))
    assert a.x.dtype == b.x.dtype == np.float32
    np.testing.assert_allclose(a.x, b.x, rtol=1e-5)


def test_what_is_wrong_is_told_as_before(few):
    def solve():
        with pytest.raises(sg.SrcgradError) as caught:
            sg.newton(lambda x: np.ones(3) * np.sum(x), np.ones(N), jit=False)
        return str(caught.value)

    a, b = few(solve)
    assert a == b


def test_the_start_stays_as_it_is(few):
    start = -np.ones(N)
    few(lambda: sg.newton(tridiagonal, start, (1.0,), jit=False))
    few(lambda: sg.minimize(rosenbrock, start, maxiter=3, jit=False))
    assert (start == -1.0).all()


def test_a_hundred_thousand_variables():
    start = np.full(100_000, 1.5)
    assert sg.minimize(ring_energy, start).success
    assert sg.newton(tridiagonal, -np.ones(100_000), (1.0,)).success
