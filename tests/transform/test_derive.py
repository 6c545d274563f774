"""What is derived at core level: both modes agree, and second derivatives are symmetric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Fun, Program, Var
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.errors import ArgumentError, NotDifferentiableError
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.scalar.elementwise import exp, sin
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform import compositions
from srcgrad.transform.program_edits import select
from tests.core.generate import arguments, random_program

LEAVES = (4, 0, 3)  # of the random programs: m, x, a; not in order
X, Y, N, A = Var("x", ir.F8), Var("y", ir.F8), Var("n", ir.I8), Var("a", ir.Type("f8", 1, ref=True))


def done(program: Program, *args: Any) -> tuple[Any, ...]:
    """The results, the same before and after simplification."""
    verify(program)
    smaller = simplify(program)
    verify(smaller)
    results = run(program, *args)
    for a, b in zip(results, run(smaller, *args), strict=True):
        np.testing.assert_array_equal(a, b)
    return results


def close(got: object, expected: object) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_modes_agree_on_random_programs(seed: int) -> None:
    program = simplify(random_program(seed, 8, real=True))
    args = arguments(seed)
    by_columns = done(compositions.jacfwd(program, LEAVES, simplify), *args)
    by_rows = done(compositions.jacrev(program, LEAVES, simplify), *args)
    assert len(by_columns) == len(by_rows) == 9
    for a, b in zip(by_columns, by_rows, strict=True):
        close(a, b)
    scalar = simplify(Program(select(program.main, [0])))
    value, *gradients = done(compositions.value_and_grad(scalar, LEAVES), *args)
    assert value == run(scalar, *args)[0]
    for a, b, c in zip(gradients, by_columns, done(compositions.grad(scalar, LEAVES), *args), strict=False):
        close(a, b)
        close(a, c)


@pytest.mark.parametrize("seed", range(12))
def test_hessians_of_random_programs(seed: int) -> None:
    program = simplify(Program(select(simplify(random_program(seed, 8, real=True)).main, [0])))
    args, rng = arguments(seed), np.random.default_rng(seed)
    vectors: list[Any] = [rng.normal(size=(4, 4)), rng.normal(), rng.normal(size=4)]
    sizes = [16, 1, 4]
    blocks = done(compositions.hessian(program, LEAVES, simplify), *args)
    rows = [np.hstack([np.reshape(blocks[3 * i + j], (sizes[i], sizes[j])) for j in range(3)]) for i in range(3)]
    matrix = np.vstack(rows)
    close(matrix, matrix.T)
    product = done(compositions.hvp(program, LEAVES, simplify), *args, *vectors)
    close(np.hstack([np.ravel(p) for p in product]), matrix @ np.hstack([np.ravel(v) for v in vectors]))


def outer() -> Program:
    """a -> (the matrix a_i * sin(a_j), y * sum of squares by a loop): outputs of rank 2 and 0."""
    b = Builder()
    length = 3
    matrix = b.alloc("f8", (const(length), const(length)))
    i, j, s, total = Var("i", ir.I8), Var("j", ir.I8), Var("s", ir.F8), Var("s", ir.F8)
    with b.block() as inner:
        product = b.let(multiply, b.load(A, (i,)), b.let(sin, b.load(A, (j,))))
        b.store(matrix, (i, j), product)
    with b.block() as body:
        b.put(ir.For(j, const(0), const(length), const(1), (), tuple(inner)))
        element = b.load(A, (i,))
        following = b.let(add, s, b.let(multiply, element, element))
    b.put(ir.For(i, const(0), const(length), const(1), (ir.Carry(s, const(0.0), following, total),), tuple(body)))
    result = b.let(multiply, Y, total)
    return Program(Fun("f", (A, Y), tuple(b.out), (matrix, result)))


def test_shapes_and_values_of_a_jacobian() -> None:
    a, y = np.array([0.3, -1.2, 2.0]), 1.5
    eye = np.eye(3)
    by_a = np.einsum("ik,j->ijk", eye, np.sin(a)) + np.einsum("i,j,jk->ijk", a, np.cos(a), eye)
    expected = [by_a, np.zeros((3, 3)), 2 * y * a, np.sum(a**2)]
    for derived in (compositions.jacfwd, compositions.jacrev):
        for got, want in zip(done(derived(outer(), (0, 1), simplify), a, y), expected, strict=True):
            close(got, want)


def test_the_primal_that_is_not_needed_is_gone() -> None:
    """A sum in a loop: its gradient needs no forward sweep."""
    b = Builder()
    i, s, total = Var("i", ir.I8), Var("s", ir.F8), Var("s", ir.F8)
    with b.block() as body:
        following = b.let(add, s, b.let(exp, b.load(A, (i,))))
    b.put(ir.For(i, const(0), N, const(1), (ir.Carry(s, const(0.0), following, total),), tuple(body)))
    program = Program(Fun("f", (A, N), tuple(b.out), (total,)))
    made = simplify(compositions.grad(program, [0]))
    assert sum(isinstance(stmt, ir.For) for stmt in walk(made.main.body)) == 1
    a = np.array([0.3, -1.2])
    close(run(made, a, 2)[0], np.exp(a))


@pytest.mark.parametrize(
    ("results", "error", "says"),
    [
        ((A,), ArgumentError, "use jacobian"),
        ((N,), NotDifferentiableError, "integer"),
        ((X, Y), ArgumentError, "2 values"),
    ],
)
def test_what_has_no_gradient(results: tuple[Var, ...], error: type[Exception], says: str) -> None:
    program = Program(Fun("f", (X, Y, N, A), (), results))
    with pytest.raises(error, match=says):
        compositions.grad(program, [0])


def test_an_integer_has_no_jacobian() -> None:
    program = Program(Fun("f", (X, N), (), (X, N)))
    for derived in (compositions.jacfwd, compositions.jacrev):
        with pytest.raises(NotDifferentiableError, match="integer"):
            derived(program, [0])


def test_auxiliary_results_pass() -> None:
    b = Builder()
    value, extra = b.let(multiply, X, X), b.let(sin, X)
    memory = b.alloc("f8", (), b.let(sin, b.load(A)))
    program = Program(Fun("f", (X, A, N), tuple(b.out), (value, extra, memory, N)))
    a = np.array([0.3, 0.4])
    out = done(compositions.grad(program, [0], aux=3), 3.0, a, 7)
    assert out[0] == 6.0 and out[1] == np.sin(3.0) and out[3] == 7
    close(out[2], np.sin(a))
    out = done(compositions.value_and_grad(program, [0], aux=3), 3.0, a, 7)
    assert (out[0], out[4]) == (9.0, 6.0)
