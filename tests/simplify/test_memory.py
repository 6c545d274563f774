"""Passes over memory: first use assigns, and copies of what nothing overwrites are dropped."""

from __future__ import annotations

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Program, Var
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.scalar.elementwise import exp, sin
from srcgrad.rules.shapes.shape import dim
from srcgrad.simplify.memory.copies import mark_needed_copies
from srcgrad.simplify.memory.first_use_assigns import assign_at_first_use
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.pipeline import simplify
from srcgrad.simplify.values.hoist import hoist

X, N, A = Var("x", ir.F8), Var("n", ir.I8), Var("a", ir.Type("f8", 1, ref=True))
ARGS = (1.5, 3, np.array([0.3, -0.7, 2.0]))


def fun_of(builder: Builder, *results: Atom) -> Fun:
    fun = Fun("f", (X, N, A), tuple(builder.out), results)
    verify(fun)
    return fun


def kinds(fun: Fun) -> list[str]:
    return [type(s).__name__ for s in walk(fun.body)]


def agree(before: Fun, after: Fun) -> None:
    verify(after)
    for a, b in zip(run(before, *ARGS), run(after, *ARGS), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- promote


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("accumulate", [True, False])
def test_first_use_assigns(scalar: bool, accumulate: bool) -> None:
    b = Builder()
    value: Atom = X if scalar else b.let(sin, b.load(A))
    shape = (b.let(dim, A, axis=0),)
    memory = b.alloc("f8", shape)
    (b.accumulate if accumulate else b.store)(memory, None, value)
    before = fun_of(b, memory)
    after = assign_at_first_use(before)
    agree(before, after)
    assert "Store" not in kinds(after) and "Accumulate" not in kinds(after)


def test_not_the_first_use_or_not_surely_all() -> None:
    b = Builder()
    used, other = b.alloc("f8", (N,)), b.alloc("f8", (N,))
    b.store(used, (const(0),), X)
    b.accumulate(used, None, X)
    b.accumulate(other, None, b.load(A))  # as long as A, or A is of length 1
    unset = b.alloc("f8", (N,), ir.Init.EMPTY)
    b.put(ir.If(const(True), (), ()))
    with b.block() as then:
        b.store(unset, None, X)
    b.put(ir.If(const(True), tuple(then), ()))
    before = fun_of(b, used, other, unset)
    assert assign_at_first_use(before) is before


def test_memory_that_is_only_a_value_is_a_value() -> None:
    b = Builder()
    first = b.alloc("f8", (), b.let(sin, b.load(A)))
    second = b.alloc("f8", (), b.let(add, b.load(first), b.load(first)))
    before = fun_of(b, b.load(second, (const(0),)))
    after = simplify(Program(before)).main
    agree(before, after)
    assert kinds(after) == ["Load", "Let", "Let", "Alloc", "Load"]


# ---- copies


def needs_copy(builder: Builder, *results: Atom) -> list[bool]:
    before = fun_of(builder, *results)
    after = mark_needed_copies(before)
    agree(before, after)
    assert mark_needed_copies(after) is after
    return [s.copy for s in walk(after.body) if isinstance(s, ir.Load) and s.target.type.rank]


def test_no_copy_of_what_nothing_overwrites() -> None:
    b = Builder()
    other = b.alloc("f8", (), b.let(sin, b.load(A)))
    b.store(other, (const(0),), X)
    assert needs_copy(b, other) == [False]


def test_a_copy_of_what_is_overwritten_while_it_lives() -> None:
    b = Builder()
    memory = b.alloc("f8", (), b.let(sin, b.load(A)))
    early = b.load(memory)
    used_up = b.let(sin, b.load(memory))
    view = b.view(memory, (ir.Slice(step=const(-1)),))
    with b.block() as body:
        b.store(view, (const(0),), X)
    b.put(ir.For(Var("i", ir.I8), const(0), N, const(1), (), tuple(body)))
    last = b.alloc("f8", (), b.let(add, early, used_up))
    assert needs_copy(b, last) == [False, True, False]


def test_a_copy_of_what_a_reshape_of_it_keeps_alive() -> None:
    turned = ir.Primitive("turned", lambda types, params: types, lambda a: a[::-1], "_0[::-1]")
    b = Builder()
    memory = b.alloc("f8", (N,), X)
    value = b.let(turned, b.load(memory))
    b.store(memory, (const(0),), const(7.0))
    assert needs_copy(b, b.alloc("f8", (), b.let(sin, value))) == [True]


def test_a_copy_of_what_the_caller_owns_or_overlaps() -> None:
    b = Builder()
    owned = b.alloc("f8", (), b.load(A))
    shifted = b.load(owned, (ir.Slice(None, const(2)),))
    b.store(owned, (ir.Slice(const(1)),), shifted)
    assert needs_copy(b, owned) == [False, True]  # new memory is a copy in any case


# ---- hoist


def test_expensive_values_leave_loops_with_what_they_need() -> None:
    b = Builder()
    index, s, out = Var("i", ir.I8), Var("s", ir.F8), Var("s", ir.F8)
    with b.block() as body:
        factor = b.let(exp, b.let(multiply, X, const(2.0)))
        cheap = b.let(multiply, X, const(3.0))
        following = b.let(add, b.let(multiply, s, factor), b.let(sin, b.let(add, s, cheap)))
    b.put(ir.For(index, const(0), N, const(1), (ir.Carry(s, X, following, out),), tuple(body)))
    before = fun_of(b, out)
    after = hoist(before)
    agree(before, after)
    assert [s.op.name for s in after.body if isinstance(s, ir.Let)] == ["multiply", "exp"]
    assert hoist(after) is after


def test_what_only_some_turns_compute_stays() -> None:
    b = Builder()
    out = Var("o", ir.F8)
    index, s, after = Var("i", ir.I8), Var("s", ir.F8), Var("s", ir.F8)
    with b.block() as body:
        with b.block() as then:
            value = b.let(exp, X)
        b.put(ir.If(const(True), tuple(then), (), (ir.Out(out, value, s),)))
    b.put(ir.For(index, const(0), N, const(1), (ir.Carry(s, X, out, after),), tuple(body)))
    before = fun_of(b, after)
    assert hoist(before) is before


# ---- sink


def branch(builder: Builder) -> Var:
    """x if n > 1 else 0"""
    out = Var("o", ir.F8)
    greater = ir.Primitive("above", lambda types, params: (ir.B1,), lambda n: n > 1, "_0 > 1")
    with builder.block() as then:
        value = builder.let(sin, X)
    builder.put(ir.If(builder.let(greater, N), tuple(then), (), (ir.Out(out, value, const(0.0)),)))
    return out


def test_what_is_added_on_one_side_only_is_added_there() -> None:
    b = Builder()
    memory, other = b.alloc("f8", (N,)), b.alloc("f8", (N,))
    part = branch(b)
    b.store(other, (const(0),), X)
    b.accumulate(memory, (const(2),), part)
    before = fun_of(b, memory, other)
    after = sink(before)
    agree(before, after)
    assert kinds(after) == ["Alloc", "Alloc", "Let", "If", "Let", "Accumulate", "Store"]
    assert sink(after) is after


@pytest.mark.parametrize("between", ["load", "store", "index", "other use"])
def test_what_stands_between_keeps_it(between: str) -> None:
    b = Builder()
    memory = b.alloc("f8", (N,))
    part = branch(b)
    place: Atom = const(2)
    other: Atom = X
    if between == "load":
        other = b.load(memory, (const(2),))
    elif between == "store":
        b.store(b.view(memory, (ir.Slice(),)), (const(2),), X)
    elif between == "index":
        place = b.let(add, N, const(-1))
    else:
        other = b.let(sin, part)
    b.accumulate(memory, (place,), part)
    before = fun_of(b, memory, other)
    assert sink(before) is before
