"""Forward mode on core programs: against differences, and case by case."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.inline import inline
from srcgrad.core.ir import Atom, Fun, Program, Var
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.errors import NotDifferentiableError
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.rules.scalar.compare import less
from srcgrad.rules.scalar.elementwise import cos, sin
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.core.generate import arguments, random_program

X, Y, N = Var("x", ir.F8), Var("y", ir.F8), Var("n", ir.I8)
VECTOR = ir.Type("f8", 1, ref=True)
A = Var("a", VECTOR)


def tangents(program: Program, active: frozenset[int], *args: Any) -> tuple[Any, ...]:
    """The tangents of the results, after checking that simplification changes none of them."""
    made = forward(program, active)
    verify(made)
    smaller = simplify(made)
    verify(smaller)
    out = run(made, *args)
    for a, b in zip(out, run(smaller, *args), strict=True):
        np.testing.assert_array_equal(a, b)
    return out[len(program.main.results) :]


@pytest.mark.parametrize("seed", range(25))
def test_random_programs_against_differences(seed: int) -> None:
    program = simplify(random_program(seed, real=True))
    args = arguments(seed)
    rng = np.random.default_rng(seed)
    active = frozenset(k for k in (0, 1, 3, 4) if rng.random() < 0.7)
    dots: dict[int, Any] = {k: rng.normal(size=np.shape(args[k])) for k in sorted(active)}
    got = tangents(program, active, *args, *dots.values())

    def moved(step: float) -> tuple[Any, ...]:
        return run(program, *(a + step * dots[k] if k in active else a for k, a in enumerate(args)))

    errors = []
    for h in (1e-4, 1e-5, 1e-6):
        steps = zip(moved(h), moved(-h), moved(2 * h), moved(-2 * h), strict=True)
        slopes = [(8 * (np.asarray(a) - b) - (np.asarray(c) - d)) / (12 * h) for a, b, c, d in steps]
        errors.append(max(np.max(np.abs(s - g) / (1 + np.abs(g))) for s, g in zip(slopes, got, strict=True)))
    assert min(errors) < 1e-6


def test_what_is_inactive_has_no_tangent() -> None:
    b = Builder()
    quiet = b.alloc("f8", (N,), Y)
    loud = b.alloc("f8", (N,), X)
    b.store(loud, (const(0),), b.let(sin, b.load(quiet, (const(0),))))
    result = b.load(quiet, (const(1),))
    program = Program(Fun("f", (X, Y, N), tuple(b.out), (loud, result)))
    made = forward(program, frozenset({0}))
    assert sum(isinstance(s, ir.Alloc) for s in made.main.body) == 3
    loud_dot, quiet_dot = tangents(program, frozenset({0}), 2.0, 3.0, 2, 1.0)
    np.testing.assert_array_equal(loud_dot, [0.0, 1.0])
    assert quiet_dot == 0.0


def test_a_carried_constant_that_becomes_active() -> None:
    b = Builder()
    one, two, out_one, out_two = (Var("c", ir.F8) for _ in range(4))
    with b.block() as body:
        following = b.let(add, two, const(1.0))
    carry = (ir.Carry(one, const(0.0), X, out_one), ir.Carry(two, const(0.0), b_of(body, following, one), out_two))
    b.put(ir.For(Var("i", ir.I8), const(0), N, const(1), carry, tuple(body)))
    program = Program(Fun("f", (X, N), tuple(b.out), (out_two,)))
    assert [tangents(program, frozenset({0}), 2.0, n, 1.0)[0] for n in range(4)] == [0.0, 0.0, 2.0, 2.0]


def b_of(body: list[ir.Stmt], following: Atom, one: Var) -> Atom:
    """A next that is active through `one` only: following - following + 2 * one."""
    b = Builder()
    gone = b.let(subtract, following, following)
    out: Atom = b.let(add, gone, b.let(multiply, one, const(2.0)))
    body += b.out
    return out


def test_a_chosen_reference_has_a_chosen_twin() -> None:
    b = Builder()
    own = b.alloc("f8", (const(2),), X)
    chosen = Var("c", VECTOR)
    cond = b.let(less, Y, const(0.0))
    b.put(ir.If(cond, (), (), (ir.Out(chosen, own, A),)))
    result = b.load(chosen, (const(1),))
    program = Program(Fun("f", (X, Y, A), tuple(b.out), (result,)))
    memory, memory_dot = np.array([5.0, 6.0]), np.array([50.0, 60.0])
    assert tangents(program, frozenset({0}), 2.0, -1.0, memory, 1.0) == (1.0,)
    assert tangents(program, frozenset({0}), 2.0, 1.0, memory, 1.0) == (0.0,)
    assert tangents(program, frozenset({0, 2}), 2.0, 1.0, memory, 1.0, memory_dot) == (60.0,)


def test_lists_have_lists_beside_them() -> None:
    b = Builder()
    first, second = b.alloc("f8", (const(2),), X), b.alloc("f8", (const(2),), b.let(sin, X))
    refs = Var("refs", ir.Type("f8", 1, many=True))
    b.put(ir.NewList(refs, first))
    for ref in (first, second):
        b.put(ir.Append(refs, ref, Var("pos", ir.I8)))
    back = Var("back", VECTOR)
    b.put(ir.RefAt(back, refs, N))
    result = b.load(back, (const(0),))
    program = Program(Fun("f", (X, N), tuple(b.out), (result,)))
    assert tangents(program, frozenset({0}), 2.0, 0, 1.0) == (1.0,)
    assert tangents(program, frozenset({0}), 2.0, 1, 1.0) == (math.cos(2.0),)


def test_a_tangent_outlives_what_it_is_the_tangent_of() -> None:
    """A value that is read and used up before its memory changes; that of its sum with a number is the same tangent."""
    given, read = Var("a", ir.Type("f8", 1, ref=True)), Var("t", ir.Type("f8", 1))
    b = Builder()
    memory = b.alloc("f8", (), b.load(given), "c")
    b.put(ir.Load(read, memory, (ir.Slice(),), copy=False))
    more = b.let(add, read, const(1.0))
    b.store(memory, (const(0),), const(5.0))
    result = b.alloc("f8", (), more, "y")
    fun = Fun("f", (given,), tuple(b.out), (result,))
    a, a_dot = np.array([0.5, 2.0]), np.array([3.0, 4.0])
    y, y_dot = run(forward(Program(fun), frozenset({0})), a, a_dot)
    np.testing.assert_array_equal(y, a + 1.0)
    np.testing.assert_array_equal(y_dot, a_dot)


def test_integers_carry_nothing() -> None:
    b = Builder()
    n = b.let(add, N, const(1))
    program = Program(Fun("f", (X, N), tuple(b.out), (n, X)))
    assert tangents(program, frozenset({0}), 2.0, 3, 10.0) == (10.0,)


def test_a_tangent_is_known_to_have_its_primals_shape() -> None:
    """Second order needs nothing that undoes broadcasting where nothing broadcasts."""
    b = Builder()
    result = b.alloc("f8", (), b.let(multiply, b.load(A), b.let(sin, b.load(A))))
    program = Program(Fun("f", (A,), tuple(b.out), (result,)))
    first = simplify(forward(program, frozenset({0})))
    for second in (reverse(first, frozenset({0, 1})), forward(first, frozenset({0, 1}))):
        made = simplify(second)
        names = {s.op.name for s in walk(made.main.body) if isinstance(s, ir.Let)}
        assert names <= {"multiply", "add", "subtract", "sin", "cos", "negative"}
        assert not any(isinstance(s, ir.Accumulate) for s in walk(made.main.body))


# ---- calls


def power() -> Program:
    """x ** n by recursion, and the number of calls."""
    b = Builder()
    out, below = Var("o", ir.F8), Var("p", ir.F8)
    with b.block() as orelse:
        b.put(ir.Call((below,), "power", (X, b.let(subtract, N, const(1)))))
        product = b.let(multiply, X, below)
    cond = b.let(less, N, const(1))
    b.put(ir.If(cond, (), tuple(orelse), (ir.Out(out, const(1.0), product),)))
    callee = Fun("power", (X, N), tuple(b.out), (out,))
    x, result = Var("x", ir.F8), Var("r", ir.F8)
    call = ir.Call((result,), "power", (x, const(3)))
    return Program(Fun("f", (x,), (call,), (result,)), {"power": callee})


def test_recursion_calls_the_tangent_version() -> None:
    program = power()
    made = forward(program, frozenset({0}))
    assert set(made.callees) == {"power_fwd"}
    assert run(made, 2.0, 1.0) == (8.0, 12.0)
    again = forward(made, frozenset({0, 1}))
    assert run(again, 2.0, 1.0, 1.0, 0.0) == (8.0, 12.0, 12.0, 12.0)


def custom(jvp: bool) -> Program:
    """sin, whose own rule says that its derivative is 5."""
    x, x_dot, target = Var("x", ir.F8), Var("x_dot", ir.F8), Var("t", ir.F8)
    b = Builder()
    value = b.let(sin, x)
    primal = Fun("own", (x,), tuple(b.out), (value,))
    b = Builder()
    results = (b.let(sin, x), b.let(multiply, x_dot, const(5.0)))
    rule = Fun("own_jvp", (x, x_dot), tuple(b.out), results)
    statement = ir.Custom((target,), (X,), primal, jvp=rule if jvp else None, fwd=None if jvp else primal)
    b = Builder()
    b.put(statement)
    result = b.let(cos, target)
    return Program(Fun("f", (X, Y), tuple(b.out), (result,)))


def test_a_rule_of_the_users_own() -> None:
    (got,) = tangents(custom(jvp=True), frozenset({0}), 0.3, 0.0, 2.0)
    assert got == pytest.approx(-math.sin(math.sin(0.3)) * 10.0, rel=1e-15)
    assert tangents(custom(jvp=False), frozenset({1}), 0.3, 0.0, 2.0) == (0.0,)
    with pytest.raises(NotDifferentiableError, match="mode='reverse'"):
        forward(custom(jvp=False), frozenset({0}))


def test_inline_puts_the_primal_in_place() -> None:
    program = inline(custom(jvp=True))
    assert not any(isinstance(s, ir.Custom) for s in walk(program.main.body))
    assert run(program, 0.3, 0.0) == run(custom(jvp=True), 0.3, 0.0)
