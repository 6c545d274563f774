"""Shapes that do not fit together raise at the user's line, whatever of the function the derivative leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

import srcgrad as sg
from tests.bounds.test_random import agree, raised

X, Y, A = np.array([0.3, 0.7, 0.2]), np.array([0.5, 0.1]), np.linspace(0.1, 1.2, 12).reshape(3, 4)
ONE = np.array([0.4])


def added(x, y):
    return np.sum(x * y) + np.sum(x + y)


def dead(x, y):
    unused = x * y
    return np.sum(x) + 0.0 * len(unused)


def compared(x, y):
    return np.sum(np.where(x > 0.25, y, 2.0 * y))


def stored(x, y):
    z = np.zeros(3)
    z[:] = x
    z[1:] += y
    z[0] = 1.0
    return np.sum(z * z)


def in_place(x, y):
    z = x.copy()
    z *= y
    return np.sum(z)


def product(a, x):
    return np.sum(a @ x)


def product_in_a_loop(a, x, n):
    y = np.zeros(a.shape[0])
    for _ in range(n):
        y = y + a @ x
    return np.sum(y)


def rows(a, b, n):
    s = 0.0
    for i in range(n):
        s += np.sum(a[i] * b[i])
    return s


def zipped(x, y):
    s = 0.0
    for u, v in zip(x, y, strict=True):
        s += u * v
    return s


CASES: list[tuple[Callable[..., Any], list[tuple[Any, ...]]]] = [
    *((f, [(X, X), (X, Y), (X, ONE), (ONE, X), (Y, ONE)]) for f in (added, dead, compared, in_place)),
    (stored, [(X, Y), (X, ONE), (Y, Y), (X, X), (ONE, ONE), (A[0], Y)]),
    (product, [(A, A[0]), (A, X), (A[:, :3], X), (A, A.T), (A, A)]),
    (product_in_a_loop, [(A, A[0], 2), (A, X, 2), (A, X, 0)]),
    (rows, [(A, A, 3), (A, A[:, :3], 3), (A, A[:, :3], 0), (A, A[:2], 3), (A, A[:, :1], 2)]),
    (zipped, [(X, X), (X, Y)]),
]


@pytest.mark.parametrize(("f", "every"), CASES, ids=lambda c: getattr(c, "__name__", ""))
def test_raises_when_numpy_does(f: Callable[..., Any], every: list[tuple[Any, ...]]) -> None:
    seen = set()
    for args in every:
        args = tuple(np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a for a in args)
        theirs = raised(f, *args)
        for derivative in (sg.grad(f, jit=False), sg.grad(f, jit=False, mode="forward"), sg.hessian(f, jit=False)):
            ours = raised(derivative, *args)
            assert agree(ours, theirs) or (f is zipped and type(ours) is type(theirs)), (args, ours, theirs)
        seen.add(theirs is None)
    assert seen == {True, False}


def test_the_line_is_shown() -> None:
    with pytest.raises(sg.ShapeError, match=r"the shapes in x \* y do not fit together\n(.|\n)*\^\n  hint") as caught:
        sg.grad(added)(X, Y)
    assert isinstance(caught.value, ValueError)
    assert "test_shapes.py, line" in str(caught.value)


def test_cotangents_are_looked_at_before_they_are_read() -> None:
    def f(x):
        return np.sin(x) * x

    reverse = sg.reverse(f, jit=False)
    assert reverse.source_for(X, X).index("raise ValueError") < reverse.source_for(X, X).index("# reverse")
    for bar in (Y, np.ones(4)):
        with pytest.raises(sg.ShapeError, match="the cotangent"):
            reverse(X, bar)
    assert "raise" not in sg.jacrev(f, jit=False).source_for(X)


def test_tangents_are_looked_at_in_other_code_too() -> None:
    forward = sg.forward(lambda x: np.sin(x) * x)

    def outer(x, y):
        return np.sum(forward(x, y)[1])

    with pytest.raises(sg.ShapeError, match="a tangent"):
        sg.grad(outer, jit=False)(X, Y)

    @numba.njit
    def compiled(x, y):
        return forward(x, y)[1]

    assert compiled(X, X) == pytest.approx(forward(X, X)[1])
    with pytest.raises(ValueError, match="a tangent"):
        compiled(X, Y)
