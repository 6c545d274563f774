"""What the statements of the core mean, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import B1, F8, I8, Type, Var
from srcgrad.core.run import run
from srcgrad.core.verify import VerifyError, verify
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.scalar.compare import greater
from srcgrad.rules.scalar.elementwise import sin

VECTOR = Type("f8", 1, ref=True)
ALWAYS = ir.Primitive("always", lambda types, params: (B1,), lambda x: x > 3.0, "_0 > 3.0")


def finish(b: Builder, params: list[Var], *results: ir.Atom, name: str = "f") -> ir.Fun:
    fun = ir.Fun(name, tuple(params), tuple(b.out), results)
    verify(fun)
    return fun


def product(n: Var, x: Var) -> tuple[Builder, Var]:
    """s = 1.0; for i in range(n): s = s * sin(x[i])"""
    b = Builder()
    s, t, i = Var("s", F8), Var("s", F8), Var("i", I8)
    with b.block() as body:
        t2 = b.let(multiply, s, b.let(sin, b.load(x, (i,))), name="s")
    carry = ir.Carry(s, const(1.0), t2, t)
    b.put(ir.For(i, const(0), n, const(1), (carry,), tuple(body)))
    return b, t


def test_for_carries_and_zero_turns() -> None:
    x, n = Var("x", VECTOR), Var("n", I8)
    b, out = product(n, x)
    f = finish(b, [x, n], out)
    a = np.array([0.5, 1.0, 2.0])
    assert run(f, a, 3) == (np.prod(np.sin(a)),)
    assert run(f, a, 0) == (1.0,)


def test_exit_is_taken_after_the_carry() -> None:
    b = Builder()
    s, i, out = Var("s", F8), Var("i", I8), Var("s", F8)
    with b.block() as body:
        new = b.let(add, s, const(1.5), name="s")
        leave = b.let(ALWAYS, new)
    b.put(ir.For(i, const(0), const(100), const(1), (ir.Carry(s, const(0.0), new, out),), tuple(body), exit=leave))
    assert run(finish(b, [], out)) == (4.5,)


def test_while_swaps_in_parallel() -> None:
    b = Builder()
    p, q, po, qo = (Var(n, F8) for n in ("p", "q", "p", "q"))
    with b.block() as test:
        cond = b.let(ir.Primitive("less", lambda t, p: (B1,), lambda x: x < 10.0, "_0 < 10.0"), p)
    with b.block() as body:
        total = b.let(add, p, q)
    carry = ir.Carry(p, const(1.0), q, po), ir.Carry(q, const(2.0), total, qo)
    b.put(ir.While(tuple(test), cond, carry, tuple(body)))
    assert run(finish(b, [], po, qo)) == (13.0, 21.0)


def test_memory_views_and_repeated_places() -> None:
    b = Builder()
    m = b.alloc("f8", (const(2), const(3)))
    column = b.view(b.view(m, ir.Transpose((1, 0))), (const(1), ir.Slice()))
    b.store(column, None, const(2.0))
    places = Var("places", Type("i8", 1, ref=True))
    where = b.load(places)
    b.accumulate(column, (where,), const(1.0))
    (got,) = run(finish(b, [places], m), np.array([0, 0, 1]))
    assert got.tolist() == [[0.0, 4.0, 0.0], [0.0, 3.0, 0.0]]


def test_memory_grows_and_lists_hold_references() -> None:
    b = Builder()
    grows = b.alloc("f8", (None,))
    kept = Var("kept", Type("f8", 1, many=True))
    b.put(ir.NewList(kept, grows))
    i = Var("i", I8)
    with b.block() as body:
        b.store(grows, (i,), const(1.0))
        fresh = b.alloc("f8", (const(2),))
        b.store(fresh, None, const(3.0))
        b.put(ir.Append(kept, fresh, Var("pos", I8)))
    b.put(ir.For(i, const(0), const(5), const(2), (), tuple(body)))
    last = Var("last", VECTOR)
    b.put(ir.RefAt(last, kept, const(2)))
    got, row = run(finish(b, [], grows, last))
    assert got.tolist() == [1.0, 0.0, 1.0, 0.0, 1.0] and row.tolist() == [3.0, 3.0]


def test_calls_find_their_callee() -> None:
    x = Var("x", F8)
    inner = Builder()
    callee = finish(inner, [x], inner.let(multiply, x, x), name="square")
    y, t = Var("y", F8), Var("t", F8)
    main = ir.Fun("f", (y,), (ir.Call((t,), "square", (y,)),), (t,))
    program = ir.Program(main, {"square": callee})
    verify(program)
    assert run(program, 3.0) == (9.0,)
    with pytest.raises(VerifyError, match="no function"):
        verify(ir.Program(main, {}))


def test_effects_happen() -> None:
    x = Var("x", F8)
    positive = Var("positive", ir.B1)
    f = ir.Fun("f", (x,), (ir.Let((positive,), greater, (x, const(0.0))), ir.Assert(positive, "negative")), (x,))
    assert run(f, 1.0) == (1.0,)
    with pytest.raises(AssertionError, match="negative"):
        run(f, -1.0)


def test_float32_stays() -> None:
    x = Var("x", ir.F4)
    b = Builder()
    (got,) = run(finish(b, [x], b.let(multiply, x, const(0.1, ir.F4))), 3.0)
    assert got.dtype == np.float32


X, Y = Var("x", F8), Var("y", F8)
A = Var("a", VECTOR)
V = Var("v", Type("f8", 1))
BAD = {
    "bound twice": ir.Fun("f", (X,), (ir.Let((X,), sin, (X,)),), (X,)),
    "where it is not bound": ir.Fun("f", (X,), (), (Y,)),
    "gives": ir.Fun("f", (X,), (ir.Let((Var("b", B1),), sin, (X,)),), (X,)),
    "indices for": ir.Fun("f", (A,), (ir.Load(X, A, ()),), (X,)),
    "leaves its region": ir.Fun("f", (A,), (ir.Load(V, A, (ir.Slice(),)),), (V,)),
    "outside the region": ir.Fun(
        "f", (A,), (ir.Load(V, A, (ir.Slice(),)), ir.If(const(True), (ir.Let((Var("w", V.type),), sin, (V,)),), ())), ()
    ),
    "is written": ir.Fun("f", (A,), (ir.Store(A, (const(0),), const(1.0)),), ()),
    "stands where a reference": ir.Fun("f", (X,), (ir.Store(X, (), const(1.0)),), ()),
    "a carry of types": ir.Fun(
        "f", (), (ir.For(Var("i", I8), const(0), const(3), const(1), (ir.Carry(X, const(0), X, Y),), ()),), ()
    ),
    "the condition": ir.Fun("f", (X,), (ir.If(X, (), ()),), ()),
}


@pytest.mark.parametrize("message", BAD)
def test_verify_refuses(message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        verify(BAD[message])


def test_verify_allows_fresh_memory_that_takes_a_parameters_place() -> None:
    """A store before the merge writes the fresh memory only."""
    b = Builder()
    x, c, out = Var("x", VECTOR), Var("c", B1), Var("y", VECTOR)
    with b.block() as then:
        fresh = b.alloc("f8", (const(2),))
        b.store(fresh, None, const(1.0))
    b.put(ir.If(c, tuple(then), (), (ir.Out(out, fresh, x),)))
    verify(ir.Fun("f", (x, c), tuple(b.out), (out,)))
    b.store(out, None, const(2.0))
    with pytest.raises(VerifyError, match="written"):
        verify(ir.Fun("f", (x, c), tuple(b.out), (out,)))
