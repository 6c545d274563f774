"""Each identity of the table does what it says, and keeps what it says for NaN, infinities and signed zero."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import rules
from srcgrad.compiler import program
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Var
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import used, walk
from srcgrad.rules.language import registry
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.identities import apply_identities
from srcgrad.simplify.values.table import EXACT, ROUNDING, TABLE, ZERO_SIGN

assert rules.__doc__  # importing the rules fills the registry

SPECIAL = [0.0, -0.0, 1.0, -2.5, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan")]
X, Y, N, C = Var("x", ir.F8), Var("y", ir.F8), Var("n", ir.I8), Var("c", ir.B1)
VALUES: dict[Var, list[Any]] = {X: SPECIAL, Y: SPECIAL, N: [-3, 0, 7], C: [True, False]}
Make = Callable[[Callable[..., Atom]], Atom]


def made(build: Make) -> Fun:
    builder = Builder()

    def op(name: str, *args: Atom | float, **params: str) -> Atom:
        atoms = (const(a) if isinstance(a, (bool, int, float)) else a for a in args)
        target: Atom = builder.let(registry.PRIMITIVES[name], *atoms, **params)
        return target

    result = build(op)
    return Fun("f", (X, Y, N, C), tuple(builder.out), (result,))


# what the identity says -> (an expression, how many operations are left of it)
CASES: dict[str, tuple[Make, int]] = {
    "x + 0 = x": (lambda op: op("add", op("add", 0.0, X), 0.0), 0),
    "-x + -y = -(x + y)": (lambda op: op("add", op("negative", X), op("negative", Y)), 2),
    "x + -y = x - y": (lambda op: op("add", X, op("negative", Y)), 1),
    "x - 0 = x": (lambda op: op("subtract", X, 0.0), 0),
    "0 - x = -x": (lambda op: op("subtract", 0.0, X), 1),
    "x - -y = x + y": (lambda op: op("subtract", X, op("negative", Y)), 1),
    "-(-x) = x": (lambda op: op("negative", op("negative", X)), 0),
    "-(x - y) = y - x": (lambda op: op("negative", op("subtract", X, Y)), 1),
    "-literal": (lambda op: op("multiply", X, op("negative", 3.0)), 1),
    "(n + 1) + 2 = n + 3, integers": (lambda op: op("add", op("add", N, 1), 2), 1),
    "(n + 1) - 1 = n, integers": (lambda op: op("subtract", op("add", N, 1), 1), 0),
    "max(n, n) = n": (lambda op: op("larger", N, N), 0),
    "max(length, 0) = length": (lambda op: op("nonnegative", op("nonnegative", N)), 1),
    "x * 1 = x": (lambda op: op("multiply", op("multiply", 1.0, X), 1.0), 0),
    "x * 1 = x in the precision of 1": (lambda op: op("multiply", 1.0, op("cast", X, dtype="f4")), 2),
    "abs(x) * abs(x) = x * x": (lambda op: op("multiply", *[op("absolute", X)] * 2), 1),
    "abs(x)**2 = x**2": (lambda op: op("square", op("absolute", X)), 1),
    "abs(x)**n = x**n, n even": (lambda op: op("power", op("absolute", X), 2.0), 1),
    "r * r = x * x + y * y for r = hypot(x, y), the sum of squares for a norm": (
        lambda op: op("multiply", *[op("hypot", X, Y)] * 2),
        3,
    ),
    "r**2 = x * x + y * y for r = hypot(x, y), the sum of squares for a norm": (
        lambda op: op("square", op("hypot", X, Y)),
        3,
    ),
    "r**n for even n by the square of r, a hypot or a norm": (lambda op: op("power", op("hypot", X, Y), 4.0), 4),
    "x + x = 2 * x": (lambda op: op("add", X, X), 1),
    "2 * x + x = 3 * x": (lambda op: op("add", op("add", X, X), X), 1),
    "x * -1 = -x": (lambda op: op("multiply", X, -1.0), 1),
    "5 * (2 * x) = 10 * x": (lambda op: op("multiply", 5.0, op("multiply", X, 2.0)), 1),
    "-x * y = -(x * y)": (lambda op: op("subtract", Y, op("multiply", op("negative", X), Y)), 2),
    "-x / y = -(x / y)": (lambda op: op("subtract", Y, op("divide", op("negative", X), Y)), 2),
    "x / 1 = x": (lambda op: op("divide", X, 1.0), 0),
    "where(True, x, y) = x": (lambda op: op("where", True, X, Y), 0),
    "where(c, x, x) = x": (lambda op: op("where", C, X, X), 0),
    "not not c = c": (lambda op: op("logical_not", op("logical_not", C)), 0),
    "True and c = c, False and c = False": (lambda op: op("logical_and", C, op("logical_and", True, C)), 0),
    "False or c = c, True or c = True": (lambda op: op("logical_or", C, op("logical_or", True, C)), 0),
    "n != n of lengths that are surely equal is false": (lambda op: op("not_equal", N, op("add", N, 0)), 0),
    "a cast to the type it has": (lambda op: op("cast", X, dtype="f8"), 0),
    "a cast there and back, through a wider type": (
        lambda op: op("cast", op("cast", op("cast", X, dtype="f4"), dtype="f8"), dtype="f4"),
        1,
    ),
    "a literal of another float type": (lambda op: op("cast", 3, dtype="f8"), 0),
}
SHAPES = {  # tried below, in test_arrays and in test_named
    "-x @ y = -(x @ y)",
    "x already has the shape",
    "a sum over the axes that were repeated, where they are known",
}


def test_every_identity_has_a_case() -> None:
    assert {i.what for row in TABLE.values() for i in row} == set(CASES) | SHAPES


@pytest.mark.parametrize("what", CASES)
def test_identity(what: str) -> None:
    validity = next(i.validity for row in TABLE.values() for i in row if i.what == what)
    assert validity in (EXACT, ZERO_SIGN, ROUNDING)
    build, left = CASES[what]
    before = made(build)
    after = before
    for _ in range(3):
        after = dce(apply_identities(after))
    verify(after)
    assert len(after.body) == left
    for args in itertools.product(*VALUES.values()):
        (a,), (b,) = run(before, *args), run(after, *args)
        if validity == ROUNDING:
            both = np.isinf(args[:2]).any() and np.isnan(args[:2]).any()
            np.testing.assert_allclose(a, b if not both else a, rtol=1e-15)
            continue
        np.testing.assert_array_equal(a, b)
        if validity == EXACT and isinstance(a, np.floating) and not np.isnan(a):
            assert np.signbit(a) == np.signbit(b), args


@pytest.mark.parametrize(
    "build",
    [
        lambda op: op("multiply", X, 0.0),
        lambda op: op("subtract", X, X),
        lambda op: op("divide", X, X),
        lambda op: op("divide", 0.0, X),
        lambda op: op("cast", op("cast", X, dtype="f4"), dtype="f8"),
    ],
)
def test_what_loses_nan_or_digits_stays(build: Make) -> None:
    before = made(build)
    assert apply_identities(before) is before


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (True, False), (False, True)])
def test_the_sign_of_a_product_of_matrices_moves_out(ta: bool, tb: bool) -> None:
    memory = ir.Type("f8", 2, ref=True)
    builder, a, b = Builder(), Var("a", memory), Var("b", memory)
    left = builder.let(registry.PRIMITIVES["negative"], builder.load(a))
    product = builder.let(registry.PRIMITIVES["matmul"], left, builder.load(b), ta=ta, tb=tb)
    held = builder.alloc("f8", (), product, "held")
    before = Fun("f", (a, b), tuple(builder.out), (held,))
    after = dce(apply_identities(before))
    verify(after)
    assert [s.op.name for s in after.body if isinstance(s, ir.Let)] == ["matmul", "negative"]
    args = np.array([[1.0, -2.0], [np.inf, 0.5]]), np.array([[3.0, 0.0], [-1.0, 7.0]])
    np.testing.assert_array_equal(run(before, *args)[0], run(after, *args)[0])


# ---- branches and loops


def fun_of(builder: Builder, results: Sequence[Atom], params: tuple[Var, ...] = (X, Y, N, C)) -> Fun:
    fun = Fun("f", params, tuple(builder.out), tuple(results))
    verify(fun)
    fun = dce(apply_identities(fun))
    verify(fun)
    return fun


def let(builder: Builder, name: str, *args: Atom) -> Atom:
    out: Atom = builder.let(registry.PRIMITIVES[name], *args)
    return out


def test_a_branch_with_a_known_condition() -> None:
    b = Builder()
    with b.block() as then:
        doubled = let(b, "add", X, X)
    with b.block() as orelse:
        squared = let(b, "multiply", X, X)
    out = Var("o", ir.F8)
    b.put(ir.If(const(False), tuple(then), tuple(orelse), (ir.Out(out, doubled, squared),)))
    fun = fun_of(b, [out])
    assert [type(s) for s in fun.body] == [ir.Let]
    assert run(fun, 3.0, 0.0, 0, True) == (9.0,)


def test_outs_that_are_the_same_or_the_condition() -> None:
    b = Builder()
    same, flag, inverse = Var("o", ir.F8), Var("f", ir.B1), Var("g", ir.B1)
    sides: list[tuple[Var, Atom, Atom]] = [
        (same, X, X),
        (flag, const(True), const(False)),
        (inverse, const(False), const(True)),
    ]
    b.put(ir.If(C, (), (), tuple(ir.Out(*side) for side in sides)))
    fun = fun_of(b, [same, flag, inverse])
    assert fun.results[:2] == (X, C)
    assert run(fun, 3.0, 0.0, 0, True) == (3.0, True, False)


@pytest.mark.parametrize(("stop", "expected"), [(2, 0.5), (3, 8.5)])
def test_a_loop_of_one_turn_or_none(stop: int, expected: float) -> None:
    b = Builder()
    index, s, out = Var("i", ir.I8), Var("s", ir.F8), Var("s", ir.F8)
    with b.block() as body:
        scaled = let(b, "multiply", s, let(b, "add", X, let(b, "add", index, const(4))))
        following = let(b, "subtract", scaled, const(-3.0))
    b.put(ir.For(index, const(2), const(stop), const(1), (ir.Carry(s, const(0.5), following, out),), tuple(body)))
    fun = fun_of(b, [out])
    assert not any(isinstance(stmt, ir.For) for stmt in fun.body)
    assert run(fun, 5.0, 0.0, 0, True) == (expected,)


def test_what_a_loop_does_not_change_is_not_carried() -> None:
    b = Builder()
    kind = ir.Type("f8", 1, ref=True)
    memory = b.alloc("f8", (N,))
    index, inner, out = Var("i", ir.I8), Var("m", kind), Var("m", kind)
    with b.block() as body:
        b.store(inner, (index,), X)
    b.put(ir.For(index, const(0), N, const(1), (ir.Carry(inner, memory, inner, out),), tuple(body)))
    fun = fun_of(b, [out])
    assert fun.results == (memory,)
    assert [s.carry for s in walk(fun.body) if isinstance(s, ir.For)] == [()]


# ---- shapes


def test_arrays() -> None:
    matrix = Var("m", ir.Type("f8", 2, ref=True))
    b = Builder()
    dim = next(p for name, p in registry.PRIMITIVES.items() if name in ("dim", "shape"))
    twin = b.alloc("f8", tuple(b.let(dim, matrix, axis=k) for k in range(2)))
    half = b.view(twin, (ir.Slice(), ir.Slice(const(1))))
    rows, columns = b.let(dim, half, axis=0), b.let(dim, half, axis=1)
    fun = fun_of(b, [rows, columns], (matrix,))
    by_target = {s.target: s for s in fun.body if isinstance(s, ir.Let)}
    lengths = [by_target[r].args[0] for r in fun.results if isinstance(r, Var)]
    assert lengths == [matrix, half]  # the rows are the matrix's own, the columns are fewer
    assert run(fun, np.zeros((3, 4))) == (3, 3)


def large(x: float) -> float:
    return 1e308 * (2.0 * x) * 1e-300


def larger(x: float) -> float:
    return (4.0 * x) * 4.5e307 * 1e-300


def negative(x: float) -> float:
    return -1.7e308 * (x * 2.0) * 1e-300


def whole_power(x: float) -> float:
    return 1e200 * (1e108 * (4.0 * x)) * 1e-300


def small(x: float) -> float:
    return 5.0 * (2.0 * x)


@pytest.mark.parametrize("fun", [large, larger, negative, whole_power, small], ids=lambda f: f.__name__)
def test_literals_are_not_taken_together_beyond_the_largest_float(fun: Callable[[float], float]) -> None:
    value, slope = sg.value_and_grad(fun, jit=False)(1e-10)
    assert value == fun(1e-10)
    assert slope == pytest.approx(fun(1e-10) / 1e-10, rel=1e-13)


def single(x: Any) -> Any:
    return 3e38 * (4.0 * x) * 1e-30


def test_literals_are_not_taken_together_beyond_the_largest_single() -> None:
    x = np.float32(1e-5)
    value, slope = sg.value_and_grad(single, jit=False)(x)
    assert value == single(x)
    assert slope == pytest.approx(1.2e9, rel=1e-6)


def integers(x: float, n: int) -> float:
    return x * (5 * (2 * n)) + x * (-3 * (n * 4))


def test_integers_that_are_taken_together_stay_integers() -> None:
    (made,) = (p for name, p in stages(integers, 1.5, 7) if name == "simplify")
    literals = [a for s in walk(made.main.body) for a in used(s) if isinstance(a, ir.Const) and a.type == ir.I8]
    assert literals
    assert all(type(a.value) is int for a in literals)
    assert sg.grad(integers, jit=False)(1.5, 7) == 10 * 7 - 12 * 7


def stages(fun: Any, *args: Any) -> list[tuple[str, Any]]:
    seen: dict[str, Any] = {}
    program.WATCHERS.append(seen.__setitem__)
    try:
        sg.value_and_grad(fun, jit=False).source_for(*args)
    finally:
        program.WATCHERS.pop()
    return list(seen.items())
