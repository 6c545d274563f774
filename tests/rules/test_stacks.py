"""Stacks of matrices in np.linalg: values and derivatives beside numerical ones, lengths that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from srcgrad import grad, jvp
from srcgrad.errors import UnsupportedError
from srcgrad.testing import check_grads

normal = np.random.default_rng(5).standard_normal
A, B, x = normal((2, 3, 3)), normal((2, 3, 2)), normal(3)
A4, TALL, WIDE = normal((2, 2, 3, 3)), normal((2, 4, 2)), normal((2, 2, 4))


def definite(a: Any) -> Any:
    return a @ np.swapaxes(a, -1, -2) + 3 * np.eye(3)


def from_slogdet(a: Any) -> Any:
    sign, size = np.linalg.slogdet(a)
    return sign * size


def from_eigh(a: Any) -> Any:
    w, v = np.linalg.eigh(definite(a))
    return w[..., None, :] * v**2


def from_svd(a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return (u * s[:, None, :] ** 2) @ vt


def from_qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return q[:, 0, 0] * r[:, 0, 1]


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "solve": (lambda a, b: np.linalg.solve(a, b), (A, B)),
    "solve_vector": (lambda a, b: np.linalg.solve(a, b), (A, x)),
    "solve_one_matrix": (lambda a, b: np.linalg.solve(a, b), (A[0], B)),
    "solve_more_axes": (lambda a, b: np.linalg.solve(a, b), (A4, B)),
    "solve_length_1": (lambda a, b: np.linalg.solve(a[None], b[:, None]), (A, A4[0])),
    "inv": (lambda a: np.linalg.inv(a), (A4,)),
    "det": (lambda a: np.linalg.det(a), (A,)),
    "slogdet": (lambda a: from_slogdet(a), (A,)),
    "cholesky": (lambda a: np.linalg.cholesky(definite(a)), (A,)),
    "eigh": (lambda a: from_eigh(a), (A,)),
    "eigvalsh": (lambda a: np.linalg.eigvalsh(definite(a)), (A4,)),
    "eig": (lambda a: np.real(np.linalg.eig(definite(a))[0] + np.linalg.eigvals(definite(a))), (A,)),
    "svd": (lambda a: from_svd(a), (TALL,)),
    "svd_values": (lambda a: np.linalg.svd(a, compute_uv=False) * np.linalg.svdvals(a), (WIDE,)),
    "qr": (lambda a: from_qr(a), (TALL,)),
    "qr_r": (lambda a: np.linalg.qr(a, "r"), (TALL,)),
    "pinv": (lambda a: np.linalg.pinv(a), (WIDE,)),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, -2) + np.linalg.matrix_power(a, 0), (A,)),
    "cond": (lambda a: np.linalg.cond(a) + np.linalg.cond(a, 1), (A,)),
    "matrix_rank": (lambda a: np.linalg.matrix_rank(a)[:, None, None] * a, (A,)),
    "norm_2": (lambda a: np.linalg.norm(a, 2, axis=(1, 2)), (A,)),
    "norm_kept": (lambda a: np.linalg.norm(a, -2, axis=(0, 2), keepdims=True), (A,)),
    "norm_nuc": (lambda a: np.linalg.norm(a, "nuc", axis=(2, 0)), (A,)),
    "matmul": (lambda a, b: a @ b, (A4, A)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, jit=False, modes=("reverse",) if len(name) % 2 else ("forward",))


def test_compiled() -> None:
    fun = lambda a, b: np.linalg.solve(a, b).sum()  # noqa: E731
    expected, got = (grad(fun, argnums=(0, 1), jit=jit)(A, x) for jit in (False, True))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_an_empty_stack() -> None:
    value, dot = jvp(lambda a: np.linalg.inv(a), (A[:0],), (A[:0],), jit=False)
    assert value.shape == dot.shape == (0, 3, 3)


def test_lengths_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="np.broadcast_to"):
        grad(lambda a, b: np.linalg.solve(a, b).sum(), jit=False)(A, normal((3, 3, 2)))


def test_one_matrix_where_scipy_wants_one() -> None:
    with pytest.raises(UnsupportedError, match="not for more axes"):
        grad(lambda a, b: scipy.linalg.solve_triangular(a, b).sum(), jit=False)(A, B)
