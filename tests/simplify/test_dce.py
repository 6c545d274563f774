"""What dead code is, case by case."""

from __future__ import annotations

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Var
from srcgrad.core.verify import verify
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.scalar.elementwise import sin
from srcgrad.simplify.values.dce import dce

X, N = Var("x", ir.F8), Var("n", ir.I8)


def cleaned(builder: Builder, *results: Atom, params: tuple[Var, ...] = (X, N)) -> Fun:
    fun = Fun("f", params, tuple(builder.out), results)
    verify(fun)
    fun = dce(fun)
    verify(fun)
    return fun


def kinds(fun: Fun) -> list[str]:
    return [type(s).__name__ for s in walk(fun.body)]


def loop(builder: Builder, carry: list[tuple[Var, Atom, Atom, Var]], body: list[ir.Stmt]) -> None:
    index = Var("i", ir.I8)
    builder.put(ir.For(index, const(0), N, const(1), tuple(ir.Carry(*c) for c in carry), tuple(body)))


def test_unused_value_goes() -> None:
    b = Builder()
    b.let(sin, X)
    assert cleaned(b, X).body == ()


def test_memory_that_nobody_reads_goes_with_its_stores() -> None:
    b = Builder()
    memory = b.alloc("f8", (N,))
    part = b.view(memory, (ir.Slice(const(1)),))
    b.store(part, (const(0),), X)
    b.accumulate(memory, (const(0),), X)
    assert cleaned(b, X).body == ()


def test_stores_through_a_view_stay_when_the_base_is_read() -> None:
    b = Builder()
    memory = b.alloc("f8", (N,))
    part = b.view(memory, (ir.Slice(const(1)),))
    b.store(part, (const(0),), X)
    assert kinds(cleaned(b, b.load(memory, (const(1),)))) == ["Alloc", "View", "Store", "Load"]


def test_a_carry_that_only_feeds_itself_goes() -> None:
    b = Builder()
    s, dead, dead_too = (Var("c", ir.F8) for _ in range(3))
    out, gone, gone_too = (Var("c", ir.F8) for _ in range(3))
    with b.block() as body:
        following = b.let(sin, s)
        cycle = b.let(multiply, dead_too, X)
        cycle_too = b.let(add, dead, X)
    inits = [(s, X, following, out), (dead, X, cycle, gone), (dead_too, X, cycle_too, gone_too)]
    loop(b, [(*c,) for c in inits], body)
    fun = cleaned(b, out)
    assert kinds(fun) == ["For", "Let"]
    assert [c.inner for s in fun.body if isinstance(s, ir.For) for c in s.carry] == [s]


def test_a_loop_with_an_effect_stays() -> None:
    b = Builder()
    with b.block() as body:
        b.let(sin, X)
        y = b.let(add, X, const(1.0))
        b.put(ir.Print((y,)))
    loop(b, [], body)
    assert kinds(cleaned(b, X)) == ["For", "Let", "Print"]


def test_the_condition_of_an_effect_stays() -> None:
    b = Builder()
    positive = b.let(ir.Primitive("p", lambda types, params: (ir.B1,), lambda x: bool(x > 0), "_0 > 0"), X)
    b.put(ir.If(positive, (), (ir.Raise("builtins", "ValueError"),)))
    assert kinds(cleaned(b, X)) == ["Let", "If", "Raise"]


def test_a_remark_before_nothing_goes() -> None:
    b = Builder()
    b.put(ir.Remark("first", opens=True))
    y = b.let(sin, X)
    b.put(ir.Remark("kept"))
    z = b.let(sin, y)
    b.put(ir.Remark("dropped"))
    fun = cleaned(b, z)
    assert [s.text for s in fun.body if isinstance(s, ir.Remark)] == ["kept"]


def test_a_shape_keeps_the_stores_that_grow_memory() -> None:
    b = Builder()
    growing, still = b.alloc("f8", (None,)), b.alloc("f8", (N,))
    length = ir.Primitive("l", lambda types, params: (ir.I8,), lambda a: a.shape[0], "_0.shape[0]")
    b.store(growing, (N,), X)
    b.store(still, (const(0),), X)
    fun = cleaned(b, b.let(length, growing), b.let(length, still))
    assert kinds(fun) == ["Alloc", "Alloc", "Store", "Let", "Let"]


def test_appends_to_a_list_that_is_read_stay() -> None:
    b = Builder()
    one = b.alloc("f8", (N,))
    read, unread = (Var("refs", ir.Type("f8", 1, many=True)) for _ in range(2))
    for refs in (read, unread):
        b.put(ir.NewList(refs, one))
        b.put(ir.Append(refs, one, Var("pos", ir.I8)))
    back = Var("back", one.type)
    b.put(ir.RefAt(back, read, const(0)))
    fun = cleaned(b, b.load(back, (const(0),)))
    assert kinds(fun) == ["Alloc", "NewList", "Append", "RefAt", "Load"]


def test_nothing_dead_nothing_new() -> None:
    b = Builder()
    fun = Fun("f", (X, N), (), (b.let(sin, X),))
    fun = Fun("f", (X, N), tuple(b.out), fun.results)
    assert dce(fun) is fun
