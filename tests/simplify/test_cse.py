"""What counts as the same value, case by case."""

from __future__ import annotations

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Var
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.rules.scalar.elementwise import sin
from srcgrad.simplify.values.cse import cse

X, Y, N = Var("x", ir.F8), Var("y", ir.F8), Var("n", ir.I8)
A = Var("a", ir.Type("f8", 1, ref=True))


def merged(builder: Builder, *results: Atom) -> Fun:
    fun = Fun("f", (X, Y, N, A), tuple(builder.out), results)
    verify(fun)
    fun = cse(fun)
    verify(fun)
    return fun


def count(fun: Fun, kind: type[ir.Stmt]) -> int:
    return sum(isinstance(s, kind) for s in walk(fun.body))


def test_equal_values_and_factors_in_either_order() -> None:
    b = Builder()
    fun = merged(b, b.let(sin, X), b.let(sin, X), b.let(multiply, X, Y), b.let(multiply, Y, X))
    assert fun.results[0] is fun.results[1]
    assert fun.results[2] is fun.results[3]


def test_a_difference_has_an_order_and_zeros_have_signs() -> None:
    b = Builder()
    pairs: list[tuple[Atom, Atom]] = [
        (X, Y),
        (Y, X),
        (X, const(0.0)),
        (X, const(-0.0)),
        (X, const(float("nan"))),
        (X, const(float("nan"))),
    ]
    fun = merged(b, *(b.let(subtract, *pair) for pair in pairs))
    assert count(fun, ir.Let) == 5


def test_a_load_is_repeated_only_after_a_store_to_its_memory() -> None:
    b = Builder()
    memory, other = b.alloc("f8", (N,)), b.alloc("f8", (N,))
    first = b.load(memory, (const(0),))
    b.store(other, (const(0),), X)
    second = b.load(memory, (const(0),))
    b.store(b.view(memory, (ir.Slice(step=const(-1)),)), (const(1),), X)
    third = b.load(memory, (const(0),))
    fun = merged(b, first, second, third)
    assert fun.results[0] is fun.results[1]
    assert fun.results[2] is third


def test_a_load_of_what_was_stored_is_the_stored_value() -> None:
    b = Builder()
    memory, integers = b.alloc("f8", (N,)), b.alloc("i4", (N,))
    b.store(memory, (N,), X)
    b.store(integers, (N,), N)
    fun = merged(b, b.load(memory, (N,)), b.load(integers, (N,)))
    assert fun.results[0] is X
    assert fun.results[1] is not N  # an i4 may not hold it


def test_a_load_before_a_loop_that_stores_is_no_load_inside() -> None:
    b = Builder()
    memory = b.alloc("f8", (N,))
    before = b.load(memory, (const(0),))
    with b.block() as body:
        inside = b.load(memory, (const(0),))
        b.store(memory, (const(0),), b.let(add, inside, X))
    b.put(ir.For(Var("i", ir.I8), const(0), N, const(1), (), tuple(body)))
    after = b.load(memory, (const(0),))
    assert count(merged(b, before, after), ir.Load) == 3


def test_a_store_in_a_branch_counts_after_it() -> None:
    b = Builder()
    memory = b.alloc("f8", (N,))
    before = b.load(memory, (const(0),))
    with b.block() as then:
        b.load(memory, (const(0),))
        b.store(memory, (const(0),), X)
    with b.block() as orelse:
        b.load(memory, (const(0),))
    b.put(ir.If(const(True), tuple(then), tuple(orelse)))
    after = b.load(memory, (const(0),))
    assert count(merged(b, before, after), ir.Load) == 2


def test_array_values_stay_in_their_region() -> None:
    b = Builder()
    outside = b.let(sin, b.load(A))
    first = b.alloc("f8", (), outside)
    with b.block() as body:
        inside = b.let(sin, b.load(A))
        b.store(first, None, inside)
    b.put(ir.For(Var("i", ir.I8), const(0), N, const(1), (), tuple(body)))
    assert count(merged(b, first), ir.Let) == 2


def test_a_whole_load_of_fresh_memory_is_its_value() -> None:
    b = Builder()
    value = b.let(sin, b.load(A))
    memory = b.alloc("f8", (), value)
    fun = merged(b, b.alloc("f8", (), b.let(sin, b.load(memory))))
    assert count(fun, ir.Load) == 1
