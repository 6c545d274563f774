"""Sparse Jacobians and Hessians: the entries of the dense ones, in few sweeps, checked at each call."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import pytest
import scipy.sparse

import srcgrad as sg
from srcgrad import ArgumentError, UnsupportedError
from srcgrad.derivatives import patterns
from srcgrad.derivatives.sparse import ByRows, Compressed


def band(x):
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        y[i] = math.sin(x[i]) * x[i - 1]
        if i < x.shape[0] - 1:
            y[i] += x[i + 1] ** 2
    return y


def slices(x):
    return x[1:] * x[:-1] + np.exp(x[1:])


def long_row(x):
    y = x * x
    y[2] = np.sum(x * x)
    return y


def long_column(x):
    return x * x[0]


def arrow(x):
    return x[1:] * x[0] + np.sum(x) * np.where(np.arange(x.shape[0] - 1) == 1, 1.0, 0.0)


def grid(x):
    y = np.zeros(x.shape)
    y[1:-1, 1:-1] = x[:-2, 1:-1] + x[2:, 1:-1] * x[1:-1, :-2] - x[1:-1, 2:] ** 3
    return y


def scattered(x):
    """Places that no band holds."""
    y = np.zeros(7)
    for i in range(7):
        y[i] = x[(3 * i + 1) % 7] * x[(5 * i * i + 2) % 7]
    return y


def constant(x):
    return np.ones(4)


FUNCTIONS = [band, slices, long_row, long_column, arrow, scattered, constant]
X = np.array([0.3, -1.2, 0.0, 2.0, 1.5, -0.4, 0.9])


def plan(derivative: Any) -> Compressed:
    (known,) = derivative._known.values()
    return known


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians(fun: Any, mode: str) -> None:
    derivative = sg.jacobian(fun, mode=mode, sparse=True, jit=False)
    dense = sg.jacobian(fun, jit=False)
    for x in (X, X + 1.0, np.zeros(7)):
        got = derivative(x)
        assert isinstance(got, scipy.sparse.csr_array) and got.has_sorted_indices
        np.testing.assert_allclose(got.toarray(), dense(x), rtol=1e-12, atol=1e-14)


def test_arguments_and_results_of_higher_rank() -> None:
    x = np.linspace(0.1, 1.0, 20).reshape(4, 5)
    got = sg.jacobian(grid, sparse=True, jit=False)(x)
    np.testing.assert_allclose(got.toarray(), sg.jacfwd(grid, jit=False)(x).reshape(20, 20), rtol=1e-12)


def test_a_number_has_one_row() -> None:
    got = sg.jacobian(lambda x, k=1: np.sum(x[:2]) * k, sparse=True, jit=False)(X, k=3)
    assert got.shape == (1, 7) and got.nnz == 2
    assert got.toarray().tolist() == [[3, 3, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize(("fun", "kind", "count"), [
    (band, Compressed, 4), (long_row, ByRows, 2), (long_column, Compressed, 2), (slices, Compressed, 2),
])  # fmt: skip
def test_as_few_sweeps_as_it_takes(fun: Any, kind: type, count: int) -> None:
    derivative = sg.jacobian(fun, sparse=True, jit=False)
    derivative(X)
    assert type(plan(derivative)) is kind and plan(derivative).count <= count


def chain(x):
    total = 0.0
    for i in range(x.shape[0] - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def star(x):
    return np.sum(x[0] * x[1:] ** 2) + np.sum(x**3)


def blocks(x):
    return x[0] * x[1] * x[2] + x[3] * x[4] + np.exp(x[5] * x[6])


def ring(x):
    return np.sum(x * np.roll(x, 1) ** 2)


def straight(x):
    return np.sum(3.0 * x)


@pytest.mark.parametrize(("fun", "most"), [(chain, 3), (star, 2), (blocks, 3), (ring, 4), (straight, 0)])
def test_hessians(fun: Any, most: int) -> None:
    derivative, dense = sg.hessian(fun, sparse=True, jit=False), sg.hessian(fun, jit=False)
    for x in (X, X - 0.7, X + 0.3):
        np.testing.assert_allclose(derivative(x).toarray(), dense(x), rtol=1e-11, atol=1e-11)
    assert plan(derivative).count <= most


# ---- patterns that change


def branches(x):
    """What depends on what is decided by the values."""
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        y[i] = x[i] * x[0] if x[i] > 0.0 else x[i] * x[6 - i]
    return y


def test_what_is_new_at_a_point_is_found() -> None:
    derivative, dense = sg.jacobian(branches, sparse=True, jit=False), sg.jacfwd(branches, jit=False)
    for x in (np.zeros(7), X, -X, X[::-1].copy(), X):
        np.testing.assert_allclose(derivative(x).toarray(), dense(x), atol=1e-14)


def test_lengths_have_patterns_of_their_own() -> None:
    derivative = sg.jacobian(band, sparse=True, jit=False)
    for n in (3, 9, 3, 1, 2):
        x = np.linspace(0.2, 1.0, n)
        np.testing.assert_allclose(derivative(x).toarray(), sg.jacfwd(band, jit=False)(x), rtol=1e-12)
    assert derivative(np.zeros(0)).shape == (0, 0)


def test_a_pattern_that_is_given() -> None:
    given = np.eye(7) + np.eye(7, k=1) + np.eye(7, k=-1)
    given[0, 6] = 1.0
    for pattern in (given, scipy.sparse.coo_array(given), given > 0.0):
        got = sg.jacobian(band, sparse=True, pattern=pattern, jit=False)(X)
        assert got.nnz == int(given.sum())
        np.testing.assert_allclose(got.toarray(), sg.jacfwd(band, jit=False)(X), rtol=1e-12)
    with pytest.raises(ArgumentError, match="entries outside of the pattern"):
        sg.jacobian(band, sparse=True, pattern=np.eye(7), jit=False)(X)
    with pytest.raises(ArgumentError, match=r"`pattern` has the shape \(3, 3\), the Jacobian \(7, 7\)"):
        sg.jacobian(band, sparse=True, pattern=np.eye(3), jit=False)(X)
    lower = sg.hessian(chain, sparse=True, pattern=np.eye(7) + np.eye(7, k=-1), jit=False)
    np.testing.assert_allclose(lower(X).toarray(), sg.hessian(chain, jit=False)(X), rtol=1e-12)


def test_nan_is_an_entry() -> None:
    x = np.array([1.0, np.nan, 2.0])
    got = sg.jacobian(lambda x: x * x, sparse=True, jit=False)(x).toarray()
    assert np.isnan(got[1, 1]) and got[0, 0] == 2.0 and got[2, 2] == 4.0


def test_single_precision() -> None:
    got = sg.jacobian(band, sparse=True, jit=False)(X.astype(np.float32))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.toarray(), sg.jacfwd(band, jit=False)(X), rtol=1e-5, atol=1e-6)


def test_compiled() -> None:
    x = np.linspace(0.5, 1.5, 3000)
    got = sg.jacobian(band, sparse=True)(x)
    assert got.nnz == 8999
    v = np.cos(np.arange(3000.0))
    np.testing.assert_allclose(got @ v, sg.forward(band)(x, v)[1], rtol=1e-12)


# ---- what is refused


@pytest.mark.parametrize(("make", "match"), [
    (lambda: sg.jacobian(band, pattern=np.eye(2)), "`pattern` is of sparse matrices"),
    (lambda: sg.jacobian(band, argnums=(0,), sparse=True), "by one argument"),
    (lambda: sg.jacobian(band, sparse=True, target="cuda"), "made on the CPU"),
    (lambda: sg.jacobian(lambda x: x * x, sparse=True, jit=False)(2.0), "`x` is a float"),
    (lambda: sg.jacobian(lambda x: x * 2.0, sparse=True, jit=False)(np.ones(2, int)), "`x` is an array of int64"),
    (lambda: sg.jacobian(lambda x: (x, x), sparse=True, jit=False)(X), "returns a tuple"),
    (lambda: sg.jacobian(lambda x: x * 1j, sparse=True, jit=False)(X), "an array of complex128"),
    (lambda: sg.jacobian(lambda x: x > 0.0, sparse=True, jit=False)(X), "an array of bool"),
    (lambda: sg.hessian(lambda x: x * x, sparse=True, jit=False)(X), "a gradient is of one number"),
])  # fmt: skip
def test_refused(make: Any, match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        make()


def test_draws_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="random numbers are drawn"):
        sg.jacobian(lambda x: x * np.random.rand(7), sparse=True, jit=False)(X)


def test_inside_of_compiled_code_and_of_derivatives() -> None:
    derivative = sg.jacobian(band, sparse=True)

    def user(x):
        return np.sum(derivative(x))

    for use in (
        sg.grad(user, jit=False),
        numba.njit(user),
        sg.jacobian(derivative),
        sg.grad(sg.hessian(chain, sparse=True)),
    ):
        with pytest.raises(UnsupportedError, match="is called from Python, not inside of compiled code"):
            use(X)


# ---- patterns and colours of matrices


@pytest.mark.parametrize("seed", range(30))
def test_random_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 40, 2)
    matrix = rng.normal(size=(m, n)) * (rng.random((m, n)) < rng.choice([0.02, 0.1, 0.5]))
    found = patterns.find_pattern(lambda v: matrix @ v, lambda w: matrix.T @ w, (m, n))
    np.testing.assert_array_equal(np.transpose([found.rows, found.columns]), np.argwhere(matrix))
    for plan, turned in ((Compressed(found, patterns.colour(found)), matrix), (ByRows(found), matrix.T)):
        data = plan.entries(turned.__matmul__)
        np.testing.assert_allclose(data, matrix[found.rows, found.columns], rtol=1e-12)
    square = matrix[:, :m] if n >= m else np.zeros((m, m))
    symmetric = square + square.T
    pattern = patterns.find_pattern(lambda v: symmetric @ v, None, (m, m))
    star = Compressed(pattern, patterns.star_colour(pattern), symmetric=True)
    data = star.entries(lambda v: symmetric @ v)
    np.testing.assert_allclose(data, symmetric[pattern.rows, pattern.columns], rtol=1e-10, atol=1e-12)
