"""Jacobians do once what is the same in all directions, leave out loops that have nothing to do, and lose nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from srcgrad import compiled, grad, hessian, jacfwd, jacobian, jacrev
from srcgrad.core.ir import Program
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform import compositions
from srcgrad.transform.forward import forward
from srcgrad.transform.program_edits import select
from tests.core.generate import arguments, random_program

MATRIX, NUMBER, VECTOR = 4, 0, 3  # parameters of the random programs


def by_forward_runs(program: Program, leaf: int, args: list[Any]) -> list[Any]:
    """The Jacobian by one run of the tangent program a direction."""
    tangent, count = forward(program, frozenset({leaf})), len(program.main.results)
    ones = np.eye(np.size(args[leaf])).reshape((-1, *np.shape(args[leaf])))
    given = list(ones) if np.ndim(args[leaf]) else [1.0]
    rows = [run(tangent, *args, one)[count:] for one in given]
    axes = [np.stack(column, axis=-1) for column in zip(*rows, strict=True)]
    return [np.reshape(column, (*np.shape(column)[:-1], *np.shape(args[leaf]))) for column in axes]


@pytest.mark.parametrize("last", [True, False], ids=["last", "inner"])
@pytest.mark.parametrize("seed", range(15))
def test_random_programs(seed: int, last: bool) -> None:
    program, args = simplify(random_program(seed, 10, real=True)), list(arguments(seed))
    for leaf in (MATRIX, NUMBER, VECTOR):
        wanted = by_forward_runs(program, leaf, args)
        for make in (compositions.jacfwd, compositions.jacrev, compositions.jacobian):
            made = make(program, [leaf], simplify, last)
            verify(made)
            for got, want in zip(run(simplify(made), *args), wanted, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_second_derivatives_of_random_programs(seed: int) -> None:
    scalar = simplify(Program(select(simplify(random_program(seed, 8, real=True)).main, [0])))
    args = list(arguments(seed))
    wanted = by_forward_runs(simplify(compositions.grad(scalar, [VECTOR])), VECTOR, args)
    (got,) = run(simplify(compositions.hessian(scalar, [VECTOR], simplify, True)), *args)
    np.testing.assert_allclose(got, wanted[0], rtol=1e-9, atol=1e-9)


# ---- what the user's functions become


def chain(x, n):
    """Steps that overwrite what they read."""
    y = x.copy()
    for t in range(n):
        for i in range(1, y.shape[0]):
            y[i] = math.sin(y[i]) + y[i - 1] * math.exp(x[i])
    return y


def carried(x, n):
    out = np.zeros(x.shape[0])
    s = 1.0
    for t in range(n):
        for i in range(x.shape[0] - 1, -1, -1):
            s = math.cos(s) * x[i]
            if s > 0.0:
                out[i] += math.exp(s) * x[i]
            else:
                out[i] -= s
    return out


def triangle(x, n):
    out = np.zeros(n)
    for i in range(n):
        for j in range(i):
            out[i] += math.exp(x[j]) * x[i]
    return out


def local(x, n):
    """Memory made anew in each iteration."""
    out = np.zeros(n)
    for i in range(n):
        w = np.zeros(2)
        w[0] = math.sin(x[i])
        w[1] = w[0] * x[0]
        out[i] = w[0] * w[1]
    return out


def searched(x, n):
    out = np.zeros(n)
    for i in range(n):
        r = 1.0
        while r * r < 2.0 + x[i] * x[i]:
            r = r + 0.25 * math.exp(x[i])
        out[i] = r * x[i]
    return out


def left_early(x, n):
    out = np.zeros(n)
    for i in range(n):
        if x[i] > 100.0:
            break
        out[i] = math.exp(x[i]) * x[i - 1]
    return out


def by_arrays(x, n):
    for _ in range(n):
        x = np.sin(x) * x + 0.1 * np.sum(x * np.exp(-x))
    return x


def swapped(x, n):
    a, b = x.copy(), np.zeros(x.shape[0])
    for t in range(n):
        for i in range(1, x.shape[0] - 1):
            b[i] = math.sin(a[i - 1]) * a[i + 1]
        a, b = b, a
    return a


def steps_of_two(x, n):
    out = np.zeros(n)
    for i in range(0, n, 2):
        out[i] = math.exp(x[i]) * x[i + 1]
    return out


def listed(x, n):
    parts = []
    for i in range(n):
        parts.append(math.exp(x[i]) * x[0])
    return np.array(parts)


def by_bones(x, n):
    """Few numbers that many things are multiples of; most of their tangents are 0."""
    pose = np.zeros((4, 3))
    for b in range(4):
        for k in range(3):
            pose[b, k] = (x[b] - 0.4) ** 2 if k < 2 else 0.0
    out = np.zeros(4 * n)
    for b in range(4):
        for v in range(4 * n):
            for k in range(3):
                out[v] += pose[b, k] * math.sin(1.0 + v + k)
    return out


FUNCTIONS = [
    chain, carried, triangle, local, searched, left_early, by_arrays, swapped, steps_of_two, listed, by_bones,
]  # fmt: skip
AT = np.array([0.4, -0.7, 1.1, 0.2])


def differences(fun: Callable[..., Any], x: Any, *args: Any) -> Any:
    each = np.eye(len(x)) * 1e-6
    return np.stack([(fun(x + e, *args) - fun(x - e, *args)) / 2e-6 for e in each], axis=-1)


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions(fun: Callable[..., Any]) -> None:
    wanted = differences(fun, AT, 4)
    for make in (jacfwd, jacrev, jacobian):
        np.testing.assert_allclose(make(fun, jit=False)(AT, 4), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_they_are_differentiated_again(fun: Callable[..., Any]) -> None:
    weights = np.arange(1.0, len(fun(AT, 4)) + 1)

    def weighted(x, n):
        return np.sum(fun(x, n) * weights)

    second = differences(grad(weighted, jit=False), AT, 4)
    np.testing.assert_allclose(hessian(weighted, jit=False)(AT, 4), second, rtol=1e-5, atol=1e-6)
    for make in (jacfwd, jacrev, jacobian):
        jacobian_of = make(fun, jit=False)

        def summed(x, n, jacobian_of=jacobian_of):
            return np.sum(jacobian_of(x, n) ** 2)

        got = grad(summed, jit=False)(AT, 4)
        np.testing.assert_allclose(got, differences(summed, AT, 4), rtol=1e-5, atol=1e-5)


def test_compiled() -> None:
    for fun in (chain, carried, by_bones):
        np.testing.assert_allclose(jacfwd(fun)(AT, 4), differences(fun, AT, 4), rtol=1e-6, atol=1e-7)


def test_inside_of_compiled_code_the_mode_goes_by_numbers_of_elements() -> None:
    derivative = jacobian(chain_of)

    def use(x, n):
        return derivative(x, n)

    text = compiled(use, jit=False).source_for(AT, 2)
    assert text.count("x_dot = np.zeros") == 1 and text.count("value_bar = np.zeros") == 1
    jitted = numba.njit(use)
    for n in (1, 3, 4):
        wanted = jacfwd(chain_of, jit=False)(AT, n)
        np.testing.assert_allclose(jitted(AT, n), wanted, rtol=1e-12)
        np.testing.assert_allclose(compiled(use, jit=False)(AT, n), wanted, rtol=1e-12)
    # as many inputs as outputs, which is seen when the program is made
    square = jacobian(grad(lambda x: np.sum(x**3) * x[0], jit=False), jit=False)
    assert "value_bar" not in compiled(lambda x: square(x), jit=False).source_for(AT)


def chain_of(x, n):
    out = np.zeros(n)
    for i in range(n):
        out[i] = math.sin(x[i]) * x[0]
    return out


# ---- that it happens


def inside(text: str) -> str:
    """What stands in the loop over directions, without the comments."""
    loop = text[text.index("] = 1.0\n") : text.index("] = 0.0\n    return")]
    return "\n".join(line for line in loop.splitlines() if not line.lstrip().startswith("#"))


@pytest.mark.parametrize(("make", "fun"), [(jacfwd, chain), (jacrev, chain), (jacfwd, carried)])
def test_transcendental_functions_are_computed_once(make: Any, fun: Any) -> None:
    text = make(fun, jit=False).source_for(AT, 4)
    assert "sin(" in text or "exp(" in text
    assert not any(f"{name}(" in inside(text) for name in ("sin", "cos", "exp"))


def test_the_row_is_the_adjoint() -> None:
    text = jacrev(triangle, jit=False).source_for(AT, 4)
    assert "x_bar = jacobian[i" in inside(text) and "= x_bar[" not in inside(text)


def test_a_loop_is_left_out_where_tangents_are_zero() -> None:
    derivative = jacfwd(by_bones, jit=False)
    assert "live = live or pose_dot[b, k] != 0.0" in inside(derivative.source_for(AT, 4))
    # differentiated again, zero tangents have derivatives of their own
    assert "live" not in grad(lambda x: np.sum(derivative(x, 4)), jit=False).source_for(AT)
