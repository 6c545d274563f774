"""The numbers of iterations, which are the rows of what is kept."""

from __future__ import annotations

import pytest

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.transform.iterations import Extents, Numbering, emit_length, numbering, row

N = Var("n", ir.I8)
LEFT = Var("left", ir.B1)


def loop(start: Atom, stop: Atom, step: Atom, left: bool = False) -> ir.For:
    return ir.For(Var("i", ir.I8), start, stop, step, (), (), LEFT if left else None)


CASES = [
    (loop(const(0), N, const(1)), Numbering.INDEX),
    (loop(const(2), N, const(1)), Numbering.INDEX),
    (loop(const(0), N, const(1), left=True), Numbering.INDEX),
    (loop(const(9), N, const(1)), Numbering.UPWARD),
    (loop(const(-1), N, const(1)), Numbering.UPWARD),
    (loop(N, const(9), const(1)), Numbering.UPWARD),
    (loop(N, const(0), const(-1)), Numbering.DOWNWARD),
    (loop(const(3), N, const(-1), left=True), Numbering.DOWNWARD),
    (loop(const(0), N, const(2)), Numbering.STEPS),
    (loop(const(0), N, N), Numbering.STEPS),
    (loop(const(0), N, const(2), left=True), Numbering.COUNT),
    (ir.While((), LEFT, (), ()), Numbering.COUNT),
]


@pytest.mark.parametrize(("loop", "how"), CASES, ids=lambda x: x.name if isinstance(x, Numbering) else "")
def test_what_numbers_them(loop: ir.For | ir.While, how: Numbering) -> None:
    assert numbering(loop) is how


@pytest.mark.parametrize(
    "range_",
    [
        range(0, 5),
        range(3, 9),
        range(11, 14),
        range(-2, 3),
        range(7, 2, -1),
        range(0, 9, 2),
        range(9, -4, -3),
        range(4, 4),
    ],
    ids=str,
)
def test_rows_are_those_of_python(range_: range) -> None:
    """Each iteration has a row of its own, below the extent, in the order of the iterations."""
    start, stop, step = (const(k) for k in (range_.start, range_.stop, range_.step))
    over = loop(start, stop, step)
    extent = Extents({}, lambda atom: True).of(over)
    assert extent is not None
    rows = [row(Builder(), numbering(over), const(i), start, step) for i in range_]
    numbers = [int(r.value.real) for r in rows if isinstance(r, Const)]
    most = emit_length(Builder(), extent, lambda atom: atom)
    first = range_.start if numbering(over) is Numbering.INDEX else 0
    assert numbers == [first + k for k in range(len(range_))]
    assert isinstance(most, Const) and all(0 <= n < most.value.real for n in numbers)


def test_extents_of_what_is_in_scope() -> None:
    """`for j in range(i + 1)` in `for i in range(n)`: outside both, as many as i + 1 can be at most."""
    b = Builder()
    outer = loop(const(0), N, const(1))
    stop = b.let(add, outer.index, const(1))
    assert isinstance(stop, Var)
    inner = loop(const(0), stop, const(1))
    makes: dict[Var, ir.Stmt] = {outer.index: outer, stop: b.out[0]}
    extents = Extents(makes, lambda atom: isinstance(atom, Const) or atom is N)
    found = extents.of(inner)
    assert found is not None
    assert emit_length(Builder(), found, lambda atom: const(5) if atom is N else atom) == const(5)
    assert extents.of(loop(Var("elsewhere", ir.I8), N, const(1))) is None
    assert extents.of(ir.While((), LEFT, (), ())) is None
