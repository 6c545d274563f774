"""What an operation demands of lengths is known after it, in its region."""

from __future__ import annotations

from srcgrad.bounds.facts import Ranges
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Fun, Var
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.matmul import product
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.shapes.broadcast import broadcast_like
from srcgrad.simplify.values.identities import apply_identities

A, B = Var("a", ir.Type("f8", 2, ref=True)), Var("b", ir.Type("f8", 2, ref=True))


def test_a_product_demands_equal_inner_lengths() -> None:
    b = Builder()
    left, right = b.load(A), b.load(B)
    first, second = b.load(A, (const(0), ir.Slice())), b.load(B, (ir.Slice(), const(0)))
    assert not b.same_shape(first, second)
    product(Val(b, left), Val(b, right), ta=False, tb=False)
    assert b.same_shape(first, second)
    both = b.let(add, first, second)
    assert b.same_shape(both, second)
    assert not b.same_shape(left, right)


def test_a_transposed_product_too() -> None:
    b = Builder()
    product(Val(b, b.load(A)), Val(b, b.load(B)), ta=True, tb=True)
    assert b.same_shape(b.load(A, (ir.Slice(), const(0))), b.load(B, (const(0), ir.Slice())))


def test_a_slice_as_long_as_the_whole() -> None:
    """One is known by the other, whichever comes first; no length is a part of itself."""
    n = Var("n", ir.I8)
    for turned in (False, True):
        b = Builder()
        whole, head = b.load(A), b.load(A, (ir.Slice(stop=n), ir.Slice()))
        left, right = (head, whole) if turned else (whole, head)
        product(Val(b, left), Val(b, right), ta=True, tb=False)
        assert b.same_shape(whole, head)
        ranges = Ranges(Fun("f", (A, n), (), ()))
        for stmt in b.out:
            ranges.note(stmt)
        assert ranges.proves_zero(ranges.length(whole, 0) - ranges.length(head, 0))


def test_what_a_branch_demands_is_unknown_outside() -> None:
    b = Builder()
    first, second = b.load(A, (const(0), ir.Slice())), b.load(B, (ir.Slice(), const(0)))
    with b.block() as then:
        product(Val(b, b.load(A)), Val(b, b.load(B)), ta=False, tb=False)
        assert b.same_shape(first, second)
    assert not b.same_shape(first, second)
    b.put(ir.If(Var("c", ir.B1), tuple(then), ()))
    assert not b.same_shape(first, second)


def test_a_pass_forgets_it_too() -> None:
    """A row of a broadcast to a column of b: needless after the product, needed where that may not be reached."""
    cond = Var("c", ir.B1)
    for inside in (True, False):
        b = Builder()
        row, column = b.load(A, (const(0), ir.Slice())), b.load(B, (ir.Slice(), const(0)))
        with b.block() as then:
            memory = product(Val(b, b.load(A)), Val(b, b.load(B)), ta=False, tb=False).atom
        b.out += [ir.If(cond, tuple(then), ())] if inside else then
        spread = ir.Let((Var("t", row.type),), broadcast_like, (row, column))
        b.put(spread)
        result = b.alloc("f8", (), spread.target)
        fun = Fun("f", (A, B, cond), tuple(b.out), (result,))
        left = {s.op.name for s in apply_identities(fun).body if isinstance(s, ir.Let)}
        assert ("broadcast_like" in left) is inside
        assert memory.type.rank == 2
