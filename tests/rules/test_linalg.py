"""Linear algebra, as the user writes it: derivatives beside numerical ones, singular matrices, equal eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from srcgrad import grad, hessian, jacfwd
from srcgrad.errors import UnsupportedError
from srcgrad.testing import check_grads

normal = np.random.default_rng(5).standard_normal
q, m, tall, x, y2, B = normal((3, 3)), normal((2, 3)), normal((4, 2)), normal(3), normal(4), normal((3, 2))
y4, b43, b23 = normal(2), normal((4, 3)), normal((2, 3))
P = np.array([[1.0, 0.2, 0.1], [0.0, 2.5, 0.3], [0.1, 0.0, 4.0]])


def likelihood(a: Any, x: Any) -> Any:
    k = a @ a.T + 3 * np.eye(3)
    L = np.linalg.cholesky(k)
    z = scipy.linalg.solve_triangular(L, x, lower=True)
    return -0.5 * np.sum(z**2) - np.sum(np.log(np.diag(L)))


def from_qr(a: Any) -> Any:
    Q, R = np.linalg.qr(a)
    return Q @ R * Q[0, 0] + R[0, 1]


def from_slogdet(a: Any) -> Any:
    sign, size = np.linalg.slogdet(a)
    return sign * size


def exponential(a: Any) -> Any:
    w, v = np.linalg.eigh(a + a.T)
    return (v * np.exp(w)) @ v.T


def from_eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return v**2 * w


def from_svd(a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return (u * s**2) @ vt + u[0, 0] ** 2


def polar(a: Any) -> Any:
    u, _, vt = np.linalg.svd(a, False)
    return u @ vt


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "chol": (lambda a: np.linalg.cholesky(a @ a.T + 3 * np.eye(3)), (q,)),
    "cholU": (lambda a: np.linalg.cholesky(a @ a.T + 3 * np.eye(3), upper=True), (q,)),
    "gp": (lambda a, x: likelihood(a, x), (q, x)),
    "strsv": (lambda a, x: scipy.linalg.solve_triangular(a + 3 * np.eye(3), x, lower=True), (q, x)),
    "strsm": (lambda a, B: scipy.linalg.solve_triangular(a + 3 * np.eye(3), B, trans="T"), (q, B)),
    "cho_solve": (lambda a, B: scipy.linalg.cho_solve(scipy.linalg.cho_factor(a @ a.T + 3 * np.eye(3)), B), (q, B)),
    "cho_solveL": (
        lambda a, x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(a @ a.T + 3 * np.eye(3), True), x),
        (q, x),
    ),
    "qr": (lambda a: np.linalg.qr(a)[0], (tall,)),
    "qr_r": (lambda a: np.linalg.qr(a).R, (q,)),
    "qr_mode": (lambda a: np.linalg.qr(a, "r") ** 2, (tall,)),  # type: ignore[operator]
    "qr_x": (lambda a: from_qr(a), (tall,)),
    "det": (lambda a: np.linalg.det(a), (q,)),
    "slog": (lambda a: np.linalg.slogdet(a)[1], (q,)),
    "slog_f": (lambda a: np.linalg.slogdet(a).logabsdet * 2, (q,)),
    "slog_u": (lambda a: from_slogdet(a), (q,)),
    "eigh": (lambda a: np.linalg.eigh(a + a.T)[0], (q,)),
    "eighv": (lambda a: exponential(a), (q,)),
    "eigvalsh": (lambda a: np.linalg.eigvalsh(a @ a.T), (q,)),
    "eigU": (lambda a: np.linalg.eigvalsh(a @ a.T, "U"), (q,)),
    "eig": (lambda a: np.real(np.linalg.eig(a)[0]), (P,)),  # complex arrays in any case since NumPy 2.5
    "eigv": (lambda a: np.real(from_eig(a)), (P,)),
    "eigvals": (lambda a: np.real(np.linalg.eigvals(a)), (P,)),
    "svd": (lambda a: from_svd(a), (m,)),
    "svdt": (lambda a: from_svd(a), (tall,)),
    "svd_full": (lambda a: np.linalg.svd(a)[0] ** 2 * np.linalg.svd(a).S, (q,)),
    "svds": (lambda a: np.linalg.svd(a, compute_uv=False), (m,)),
    "svdvals": (lambda a: np.linalg.svdvals(a), (q,)),
    "polar": (lambda a: polar(a), (q,)),
    "nuc": (lambda a: np.linalg.norm(a, "nuc"), (m,)),
    "n2": (lambda a: np.linalg.norm(a, 2), (m,)),
    "nm2": (lambda a: np.linalg.norm(a, -2), (m,)),
    "cond": (lambda a: np.linalg.cond(a), (q,)),
    "cond1": (lambda a: np.linalg.cond(a, 1), (q,)),
    "condf": (lambda a: np.linalg.cond(a, "fro"), (q,)),
    "pinv": (lambda a: np.linalg.pinv(a), (m,)),
    "pinvt": (lambda a: np.linalg.pinv(a), (tall,)),
    "lstsq": (lambda a, y: np.linalg.lstsq(a, y)[0], (tall, y2)),
    "lstsqw": (lambda a, y: np.linalg.lstsq(a, y, rcond=None)[0], (m, y4)),
    "lstsqm": (lambda a, b: np.linalg.lstsq(a, b)[0], (tall, b43)),
    "lstsq_rest": (lambda a, b: np.linalg.lstsq(a, b)[1], (tall, b43)),
    "lstsq_rest1": (lambda a, y: np.linalg.lstsq(a, y)[1], (tall, y2)),
    "lstsq_none": (lambda a, y: np.sum(np.linalg.lstsq(a, y)[1]) + a[0, 0], (m, y4)),
    "tensorinv": (lambda a: np.linalg.tensorinv(a, ind=1), (normal((4, 2, 2)),)),
    "tensorsolve": (lambda a, b: np.linalg.tensorsolve(a, b), (normal((2, 3, 3, 2)), b23)),
    "tensorsolve_axes": (lambda a, b: np.linalg.tensorsolve(a, b, axes=(0,)), (normal((2, 2, 3, 3)), B.T.copy())),
    "expm": (lambda a: scipy.linalg.expm(a), (q,)),
    "expm_large": (lambda a: scipy.linalg.expm(7.0 * a), (q,)),
    "mpow": (lambda a: np.linalg.matrix_power(a, 3), (q,)),
    "mpow0": (lambda a: np.linalg.matrix_power(a, 0) * a, (q,)),
    "mpown": (lambda a: np.linalg.matrix_power(a, -2), (P,)),
    "multi": (lambda m, q, x: np.linalg.multi_dot([m, q, x]), (m, q, x)),
    "multi2": (lambda m, q, t: np.linalg.multi_dot((t, m, q)), (m, q, tall)),
    "inv": (lambda a: np.linalg.inv(a), (q,)),
    "solve": (lambda a, B: np.linalg.solve(a, B), (q, B)),
    "ssolve": (lambda a, x: scipy.linalg.solve(a, x), (q, x)),
    "rank": (lambda a: np.linalg.matrix_rank(a) * a, (q,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, jit=False)


@pytest.mark.parametrize("name", ["gp", "qr", "det", "eighv", "eigv", "svd", "pinv", "expm_large"])
def test_second_order(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, order=2, jit=False)


# ---- singular matrices

SINGULAR = [
    np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 0.7]]),
    np.outer([1.0, 2, 3], [1.0, -1, 2]),
    np.zeros((3, 3)),
]


def minor(a: Any, rows: list[int], columns: list[int]) -> float:
    return float(np.linalg.det(np.delete(np.delete(a, rows, 0), columns, 1)))


@pytest.mark.parametrize("rank", [2, 1, 0])
def test_determinants_of_singular_matrices(rank: int) -> None:
    a = SINGULAR[2 - rank]
    got = grad(lambda a: np.linalg.det(a), jit=False)(a)
    want = [[(-1) ** (i + j) * minor(a, [i], [j]) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(got, want, atol=1e-14)
    second = hessian(lambda a: np.linalg.det(a), jit=False)(a)
    # det is linear in each row: the derivative by two elements is, but for a sign, what is left without both
    third = np.zeros((3, 3, 3, 3))
    for i, j, k, n in np.ndindex(third.shape):
        if i != k and j != n:
            sign = (-1) ** (i + j + k + n) * (1 if (i < k) == (j < n) else -1)
            third[i, j, k, n] = sign * minor(a, [i, k], [j, n])
    np.testing.assert_allclose(second, third, atol=1e-13)


def of_two(a: Any, b: Any, c: Any) -> Any:
    matrix = np.array([[a, b], [b, c]])
    return np.linalg.solve(matrix, np.array([1.0, a])) @ np.linalg.solve(matrix, matrix @ matrix)


def test_small_systems() -> None:
    check_grads(of_two, (0.3, 1.2, -0.7), order=2, jit=False)
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda a: np.linalg.solve(np.array([[a, a], [a, a]]), np.array([1.0, a]))[0], jit=False)(1.0)


# ---- equal eigenvalues and singular values

turn, _ = np.linalg.qr(normal((3, 3)))
EQUAL = {"identity": np.eye(3), "two of three": (turn * np.array([2.0, 2.0, 5.0])) @ turn.T}


def trace_of_exponential(a: Any) -> Any:
    w, v = np.linalg.eigh(a)
    return np.trace((v * np.exp(w)) @ v.T)


@pytest.mark.parametrize("name", EQUAL)
def test_functions_that_do_not_tell_equal_eigenvalues_apart(name: str) -> None:
    a = EQUAL[name]
    exponential_of_a = scipy.linalg.expm(a)
    for fun in (trace_of_exponential, lambda a: np.sum(np.exp(np.linalg.eigvalsh(a)))):
        np.testing.assert_allclose(grad(fun, jit=False)(a), exponential_of_a, atol=1e-11)
    np.testing.assert_allclose(jacfwd(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2), jit=False)(a), 2 * a, atol=1e-12)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2), jit=False)(a), 2 * a, atol=1e-12)
    np.testing.assert_allclose(grad(lambda a: np.linalg.norm(a, "nuc"), jit=False)(a), np.eye(3), atol=1e-12)
    assert np.isfinite(grad(lambda a: polar(a)[0, 1], jit=False)(a)).all()


def test_projectors_on_spaces_of_equal_eigenvalues() -> None:
    def projector(a: Any) -> Any:
        v = np.linalg.eigh(a)[1]
        return (v[:, :2] @ v[:, :2].T)[0, 1]

    a, step = EQUAL["two of three"], 1e-6 * (q + q.T)
    change = (projector(a + step) - projector(a - step)) / 2e-6
    assert np.sum(grad(projector, jit=False)(a) * (q + q.T)) == pytest.approx(change, rel=1e-6)


def test_what_equal_eigenvalues_leave_open_is_not_given() -> None:
    for fun in (lambda a: np.linalg.eigh(a)[1][0, 0], lambda a: exponential(a)[0, 1]):
        assert np.isnan(grad(fun, jit=False)(EQUAL["two of three"])).any()


def test_the_nuclear_norm_of_a_matrix_without_full_rank() -> None:
    got = grad(lambda a: np.linalg.norm(a, "nuc"), jit=False)(np.ones((3, 2)))
    np.testing.assert_allclose(got, np.full((3, 2), 1 / np.sqrt(6)), atol=1e-12)


def test_the_adjoint_of_a_symmetric_matrix_is_symmetric() -> None:
    a = q @ q.T + np.eye(3)
    for fun in (lambda a: np.linalg.cholesky(a)[2, 0], lambda a: np.linalg.eigh(a)[1][0, 1]):
        got = grad(fun, jit=False)(a)
        np.testing.assert_allclose(got, got.T, atol=1e-14)


def test_complex_eigenvalues_are_refused_at_run_time() -> None:
    with pytest.raises(ValueError, match="real eigenvalues"):
        grad(lambda a: np.sum(np.linalg.eigvals(a)), jit=False)(np.array([[0.0, 1.0], [-1.0, 0.0]]))


def test_wide_matrices_have_no_qr_here() -> None:
    with pytest.raises(ValueError, match="as many rows as columns"):
        grad(lambda a: np.sum(np.linalg.qr(a)[0]), jit=False)(m)


@pytest.mark.parametrize("name", ["gp", "det", "eighv", "svds", "pinv", "strsv"])
def test_single_precision_stays(name: str) -> None:
    fun, args = CASES[name]
    narrow = [a.astype("f4") for a in args]
    summed = (lambda a: np.sum(fun(a))) if len(args) == 1 else (lambda a, b: np.sum(fun(a, b)))
    assert grad(summed, jit=False)(*narrow).dtype == np.float32


def test_compiled() -> None:
    def both(a: Any) -> Any:
        w, v = np.linalg.eigh(a + a.T)
        return likelihood(a, w) * np.linalg.det(a) + v[0, 0] ** 2

    np.testing.assert_allclose(grad(both)(q), grad(both, jit=False)(q), rtol=1e-10)


REFUSED = {
    "full matrices": lambda a: np.linalg.svd(a[:, :2].reshape(3, 2))[0],
    "a tensor that is not square": lambda a: np.linalg.tensorinv(a.reshape(3, 3, 1), ind=2),
    "complete": lambda a: np.sum(np.linalg.qr(a, "complete")[0]),
    "a vector": lambda a: np.linalg.det(a[0]),
    "a stack": lambda a: np.linalg.lstsq(np.stack((a, a)), a)[0],
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(UnsupportedError):
        jacfwd(REFUSED[name], jit=False)(q)
