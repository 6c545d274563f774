"""Dense matrices of derivatives that there is no memory for: the error says how large they are, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg

MANY = np.ones(5_000_000)  # a square of it has 200 terabytes, beyond the address space


def quartic(x):
    return np.sum(x**4) + np.sum(x) ** 2


def doubled(x):
    return x * 2.0


def shifted(x, shift):
    return x + shift["by"]


def residual(x):
    return x * x - 2.0


CASES = [
    (sg.hessian, quartic, (MANY,), "Hessian", "hvp.*lbfgs.*sparse"),
    (sg.jacfwd, doubled, (MANY,), "Jacobian", "jvp or vjp.*sparse"),
    (sg.jacrev, doubled, (MANY,), "Jacobian", "jvp or vjp.*sparse"),
    (sg.jacobian, doubled, (MANY,), "Jacobian", "jvp or vjp.*sparse"),
    (sg.jacfwd, sg.grad(quartic), (MANY,), "Jacobian", "jvp or vjp.*sparse"),
    (sg.jacrev, shifted, (MANY, {"by": 1.0}), "Jacobian", "jvp or vjp.*sparse"),
]


@pytest.mark.parametrize(("transform", "fun", "args", "matrix", "hint"), CASES)
def test_uncompiled(transform, fun, args, matrix, hint):
    with pytest.raises(sg.TooLargeError, match=f"the dense {matrix} has 5,000,000 by 5,000,000") as caught:
        transform(fun, jit=False)(*args)
    problem = caught.value.problems[0]
    assert "200,000.0 GB" in problem.message and problem.line and "test_too_large" in problem.file
    assert isinstance(caught.value, MemoryError)
    with pytest.raises(sg.TooLargeError, match="(?s)" + hint):
        transform(fun, jit=False)(*args)


@pytest.mark.parametrize(("transform", "fun"), [(sg.hessian, quartic), (sg.jacrev, doubled)])
def test_compiled(transform, fun):
    """The first call, and the second, which takes a shorter way."""
    made = transform(fun)
    for _ in range(2):
        with pytest.raises(sg.TooLargeError, match="5,000,000 by 5,000,000 entries") as caught:
            made(MANY)
        assert caught.value.problems[0].line


@pytest.mark.parametrize("method", ["newton", "bfgs"])
def test_solvers(method):
    with pytest.raises(sg.TooLargeError, match="the dense Hessian has 5,000,000 by 5,000,000"):
        sg.minimize(quartic, MANY, method=method, jit=False)


def test_roots():
    with pytest.raises(sg.TooLargeError, match="the dense Jacobian has 5,000,000 by 5,000,000"):
        sg.newton(lambda x: residual(x) + np.sum(x), MANY, jit=False)  # dense: each entry depends on all
