"""Products of arrays, as the user writes them: their derivatives beside numerical ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, jacrev
from srcgrad.errors import UnsupportedError
from srcgrad.testing import check_grads

normal = np.random.default_rng(3).standard_normal
x, y, m, q = normal(3), normal(3), normal((2, 3)), normal((3, 3))
t, u, v = normal((2, 3, 4)), normal((2, 4, 2)), normal((4, 3, 2))
iq = np.arange(6).reshape(2, 3)

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "ein_mm": (lambda m, q: np.einsum("ij,jk->ik", m, q), (m, q)),
    "ein_implicit": (lambda m, q: np.einsum("ij,jk", m, q), (m, q)),
    "ein_T": (lambda m: np.einsum("ij->ji", m) ** 2, (m,)),
    "ein_imp_T": (lambda m: np.einsum("ba", m) ** 2, (m,)),
    "ein_trace": (lambda q: np.einsum("ii", q * q), (q,)),
    "ein_diag": (lambda q: np.einsum("ii->i", q) ** 2, (q,)),
    "ein_sum": (lambda t: np.einsum("ijk->k", t) ** 2, (t,)),
    "ein_all": (lambda m: np.einsum("ij,ij->", m, m * m), (m,)),
    "ein_bmm": (lambda t, u: np.einsum("bij,bjk->bik", t, u), (t, u)),
    "ein_bmm_T": (lambda t, u: np.einsum("bij,bjk->kbi", t, u), (t, u)),
    "ein_ell": (lambda t, u: np.einsum("...ij,...jk->...ik", t, u), (t, u)),
    "ein_ell2": (lambda t, q: np.einsum("...j,...j", t, t * 2), (t, q)),
    "ein_three": (lambda x, q, y: np.einsum("i,ij,j->", x, q, y), (x, q, y)),
    "ein_three2": (lambda m, q, x: np.einsum("ai,ij,j->a", m, q, x), (m, q, x)),
    "ein_outer": (lambda x, y: np.einsum("i,j->ji", x, y) ** 2, (x, y)),
    "ein_scale": (lambda m, x: np.einsum("ij,j->ij", m, x) ** 2, (m, x)),
    "ein_multi": (lambda t, v: np.einsum("ijk,kjl->il", t, v), (t, v)),
    "ein_had": (lambda m: np.einsum("ij,ij->ij", m, m), (m,)),
    "ein_rep2": (lambda t: np.einsum("iij->j", t[:, :2] * 1.0) ** 2, (t,)),
    "ein_one": (lambda x: np.einsum("i,i,i->i", x, x, x), (x,)),
    "ein_sumrow": (lambda m, x: np.einsum("ij,k->ik", m, x), (m, x)),
    "mm3": (lambda t, u: t @ u, (t, u)),
    "mm32": (lambda t: t @ t[0].T, (t,)),
    "mm23": (lambda q, t: q @ t, (q, t)),
    "mm31": (lambda t: t @ t[0, 0], (t,)),
    "mm13": (lambda x, t: x @ t, (x, t)),
    "mmint": (lambda x: (iq @ iq.T)[0, 1] * x, (x,)),
    "mmmix": (lambda q: iq @ q, (q,)),
    "dot33": (lambda t, v: np.dot(t, v.swapaxes(0, 1) * 1.0), (t, v)),
    "dot31": (lambda t: np.dot(t, t[0, 0]), (t,)),
    "dot_s": (lambda x: np.dot(x, 2.0), (x,)),
    "dot13": (lambda x, t: np.dot(x, t), (x, t)),
    "dotm": (lambda m, q: m.dot(q), (m, q)),
    "vdot": (lambda m: np.vdot(m, m * m), (m,)),
    "inner": (lambda m, q: np.inner(m, q), (m, q)),
    "inner3": (lambda t: np.inner(t, t[0] * 2), (t,)),
    "inner1": (lambda x, y: np.inner(x, y), (x, y)),
    "inner21": (lambda q, x: np.inner(q, x), (q, x)),
    "vecdot": (lambda m: np.vecdot(m, m * m), (m,)),
    "vecdot0": (lambda m: np.linalg.vecdot(m, m * m, axis=0), (m,)),  # type: ignore[call-overload]
    "outer": (lambda m, x: np.outer(m, x), (m, x)),
    "td": (lambda t, v: np.tensordot(t, v, axes=([1, 2], [1, 0])), (t, v)),
    "td1": (lambda m, q: np.tensordot(m, q, 1), (m, q)),
    "td0": (lambda x, y: np.tensordot(x, y, 0), (x, y)),
    "td2": (lambda m: np.tensordot(m, m * m), (m,)),
    "td_s": (lambda t: np.tensordot(t, t, axes=(0, 0)), (t,)),
    "kron": (lambda m, q: np.kron(m, q), (m, q)),
    "kron1": (lambda x, y: np.kron(x, y), (x, y)),
    "kron12": (lambda x, m: np.kron(x, m), (x, m)),
    "cross": (lambda x, y: np.cross(x, y) ** 2, (x, y)),
    "cross2": (lambda m, q: np.cross(m, q[:2]), (m, q)),
    "cross_b": (lambda m, x: np.cross(m, np.broadcast_to(x, (2, 3))), (m, x)),
    "cross_ax": (lambda q: np.cross(q, q * q, axis=0), (q,)),
    "trace": (lambda q: np.trace(q @ q), (q,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, jit=False)


@pytest.mark.parametrize("name", ["ein_bmm_T", "ein_three", "ein_rep2", "mm3", "dot33", "kron", "cross2"])
def test_second_order(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, order=2, jit=False)


def test_large_matrices_in_a_stack() -> None:
    a, b = normal((2, 17, 18)), normal((2, 18, 16))
    left, right = grad(lambda a, b: np.sum((a @ b) ** 2), argnums=(0, 1), jit=False)(a, b)
    np.testing.assert_allclose(left, 2 * (a @ b) @ b.swapaxes(1, 2), rtol=1e-12)
    np.testing.assert_allclose(right, 2 * a.swapaxes(1, 2) @ (a @ b), rtol=1e-12)


def test_single_precision_stays() -> None:
    a, b = normal((2, 3, 4)).astype("f4"), normal((2, 4, 2)).astype("f4")
    got = grad(lambda a, b: np.sum(np.einsum("bij,bjk->ik", a, b) ** 2), jit=False)(a, b)
    assert got.dtype == np.float32


REFUSED = {
    "an axis of no operand": lambda q: np.einsum("ij->ik", q),
    "too many subscripts": lambda q: np.einsum("ijk->i", q),
    "operands as lists of axes": lambda q: np.einsum(q, [0, 1]),
    "a scalar": lambda q: q @ 2.0,
    "too many axes": lambda q: np.tensordot(q, q, 3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(UnsupportedError):
        jacrev(REFUSED[name], jit=False)(q)


@pytest.mark.parametrize("subscripts", ["ij,ji->", "ij,ji->i", "ij,ji->ij"])
def test_lengths_that_differ_are_refused(subscripts: str) -> None:
    with pytest.raises(ValueError):
        jacrev(lambda a, b: np.einsum(subscripts, a, b), jit=False)(np.ones((2, 3)), np.ones((2, 3)))
