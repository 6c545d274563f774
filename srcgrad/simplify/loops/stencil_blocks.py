"""A parallel loop whose iterations add to places near their own, as the adjoint of a stencil does: blocks of iterations
that are side by side share a few places, blocks with another between them share none. So every other block runs at
once, and then the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add, floor_divide, multiply, subtract
from srcgrad.simplify.loops.shares_of_iterations import part_of

ZERO, ONE, TWO = const(0), const(1), const(2)
MOST = 64

blocks_of = ir.Primitive(
    "blocks",
    lambda types, params: (ir.I8,),
    lambda turns, least: max(min(MOST, int(turns) // int(least)), 1),
    f"max(min({MOST}, _0 // _1), 1)",
)


def reach(facts: Facts, loop: ir.For, shared: Sequence[Var]) -> int | None:
    """By how many iterations those are apart, at most, that may add to the same place; None where that is not known."""
    found = [_reach(facts, loop, ref) for ref in shared]
    return None if None in found else max((r for r in found if r is not None), default=0)


def _reach(facts: Facts, loop: ir.For, ref: Var) -> int | None:
    """Along one axis, all places must be the same multiple of the index, and a number."""
    sums = [s for s in walk(loop.body) if isinstance(s, ir.Accumulate) and facts.root(s.ref) is facts.root(ref)]
    if any(s.ref is not ref for s in sums):
        return None
    overwrites = Overwrites(facts)
    for axis in range(ref.type.rank):
        places = [overwrites.offset(loop, s.index[axis]) for s in sums]
        slopes = {p[0] for p in places if p is not None}
        if None in places or len(slopes) != 1 or 0 in slopes:
            continue
        offsets = [p[1] for p in places if p is not None]
        return -(-(max(offsets) - min(offsets)) // abs(slopes.pop()))
    return None


def in_blocks(loop: ir.For, turns: Atom, reach: int) -> list[Stmt]:
    """The loop, by 1, its carry in the form of `totals.summed`. turns: their number."""
    b = Builder()
    count = b.let(blocks_of, turns, const(max(2 * reach, 1)), name="blocks")
    phase, pair = Var("phase", ir.I8), Var("pair", ir.I8)
    heads = [Var(c.out.name, c.out.type) for c in loop.carry]
    with b.block() as phases:
        b.put(ir.Remark("blocks side by side add to the same places: every other block runs at once"))
        more = b.let(subtract, b.let(add, count, ONE, name="t"), phase, name="t")
        pairs = b.let(floor_divide, more, TWO, name="pairs")
        totals = [Var(c.out.name, c.out.type) for c in loop.carry]
        with b.block() as body:
            block = b.let(add, b.let(multiply, TWO, pair, name="t"), phase, name="block")
            inner = part_of(b, loop, turns, block, count)
            nexts = [b.let(add, t, part, name=t.name) for t, part in zip(totals, inner, strict=True)]
        outs = [Var(c.out.name, c.out.type) for c in loop.carry]
        carry = tuple(ir.Carry(*c) for c in zip(totals, heads, nexts, outs, strict=True))
        b.put(ir.For(pair, ZERO, pairs, ONE, carry, tuple(body), parallel=True))
    around = tuple(ir.Carry(h, c.init, o, c.out) for h, c, o in zip(heads, loop.carry, outs, strict=True))
    b.put(ir.For(phase, ZERO, TWO, ONE, around, tuple(phases)))
    return b.out
