"""A parallel loop whose iterations add to the same memory: shares of its iterations get memory of their own, and a loop
after it adds them up. How many shares there are does not depend on the machine, so neither does the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.build import Builder, const, whole
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import substitute
from srcgrad.rules.scalar.arithmetic import add, floor_divide, multiply, subtract
from srcgrad.rules.shapes.shape import dim, size
from srcgrad.simplify.loops.carried_sums import zero_of
from srcgrad.simplify.loops.shared_by_iterations import outer

ZERO, ONE = const(0), const(1)
# how many iterations an inner loop is taken to make, if that is known in the outer loop's body only
UNKNOWN = const(8)
MOST = 32

SHARES = f"""\
def shares(work, cells):
    # into how many parts to share out iterations that add to the same cells: adding up the parts must not cost more
    # than what they do
    return max(min({MOST}, work // max(cells, 1)), 1)
"""


def _shares(work: int, cells: int) -> int:
    return max(min(MOST, int(work) // max(int(cells), 1)), 1)


shares = ir.Primitive(
    "shares", lambda types, params: (ir.I8,), _shares, lambda types, params: ("shares(_0, _1)", {"shares": SHARES})
)


class Shares:
    """Of one loop, by 1, its carry in the form of `totals.summed`. inside: the body as facts know it."""

    def __init__(self, facts: Facts, inside: Region, loop: ir.For, turns: Atom, shared: Sequence[Var]) -> None:
        self._facts, self._inside, self._loop, self._turns, self._shared = facts, inside, loop, turns, shared
        self._b = Builder()

    def stmts(self) -> list[Stmt]:
        b, loop = self._b, self._loop
        count = self._count()
        parts = {
            ref: b.alloc(ref.type.dtype, [count, *self._dims(ref)], ir.Init.ZEROS, f"{ref.name}_parts")
            for ref in self._shared
        }
        share = Var("share", ir.I8)
        with b.block() as body:
            own = {ref: b.view(part, (share, *whole(ref)), f"{ref.name}_part") for ref, part in parts.items()}
            inner = part_of(b, replace(loop, body=substitute(loop.body, own)), self._turns, share, count)
            totals = [Var(c.out.name, c.out.type) for c in loop.carry]
            nexts = [b.let(add, total, part, name=total.name) for total, part in zip(totals, inner, strict=True)]
        carry = tuple(ir.Carry(t, c.init, n, c.out) for t, c, n in zip(totals, loop.carry, nexts, strict=True))
        b.put(ir.For(share, ZERO, count, ONE, carry, tuple(body), parallel=True))
        self._add_up(count, parts)
        return b.out

    def _add_up(self, count: Atom, parts: dict[Var, Var]) -> None:
        """In loops over elements: whole arrays take Numba seconds to compile."""
        share = Var("share", ir.I8)
        with self._b.block() as body:
            for ref, part in parts.items():
                self._add_elements(
                    ref, part, (share,), [Var("jkl"[k] if k < 3 else "m", ir.I8) for k in range(ref.type.rank)]
                )
        self._b.put(ir.For(share, ZERO, count, ONE, (), tuple(body)))

    def _add_elements(self, ref: Var, part: Var, index: tuple[Var, ...], left: Sequence[Var]) -> None:
        b, place = self._b, index[1:]
        if not left:
            return b.accumulate(ref, place, b.load(part, index, ref.name))
        length = b.let(dim, ref, axis=len(place), name="n")
        with b.block() as body:
            self._add_elements(ref, part, (*index, left[0]), left[1:])
        b.put(ir.For(left[0], ZERO, length, ONE, (), tuple(body)))

    def _dims(self, ref: Var) -> list[Atom]:
        return [self._b.let(dim, ref, axis=k, name="n") for k in range(ref.type.rank)]

    # ---- how many shares

    def _count(self) -> Atom:
        """As many as are worth it for the memory that the iterations add to most rarely."""
        nests = {ref: list(self._nests(self._loop.body, ref, ())) for ref in self._shared}
        depth = {ref: max((len(nest) for nest in found), default=9) for ref, found in nests.items()}
        ref = min(self._shared, key=lambda r: depth[r])
        if depth[ref] == 9:  # whole rows in each iteration
            return self._b.let(shares, self._turns, ONE, name="parts")
        work: Atom = self._turns
        for loop in max(nests[ref], key=len):
            work = self._b.let(multiply, work, self._trips(loop), name="work")
        return self._b.let(shares, work, self._b.let(size, ref, name="n"), name="parts")

    def _nests(self, stmts: Sequence[Stmt], ref: Var, around: tuple[Stmt, ...]) -> Iterator[tuple[Stmt, ...]]:
        """The inner loops around each single place of the memory that is added to."""
        for stmt in stmts:
            match stmt:
                case ir.Accumulate(index=index) if outer(self._facts, stmt.ref, self._inside) is ref:
                    if not any(isinstance(i, ir.Slice) or i.type.rank for i in index):
                        yield around
                case ir.For() | ir.While():
                    yield from self._nests(stmt.body, ref, (*around, stmt))
                case ir.If():
                    yield from self._nests((*stmt.then, *stmt.orelse), ref, around)

    def _trips(self, loop: Stmt) -> Atom:
        if not isinstance(loop, ir.For) or loop.step not in (ONE, const(-1)):
            return UNKNOWN
        start, stop = upward(self._facts, self._b, loop)
        if not (self._outside(loop.start) and self._outside(loop.stop)):
            return UNKNOWN
        return stop if start == ZERO else self._b.let(subtract, stop, start, name="n")

    def _outside(self, atom: Atom) -> bool:
        bound = self._facts.bound
        return isinstance(atom, Const) or (atom in bound and not bound[atom].within(self._inside))


def upward(facts: Facts, builder: Builder, loop: ir.For) -> tuple[Atom, Atom]:
    """The bounds of the same iterations (by 1 or -1) from the least index up."""
    if loop.step == ONE:
        return loop.start, loop.stop
    return _successor(facts, builder, loop.stop), _successor(facts, builder, loop.start)


def _successor(facts: Facts, builder: Builder, atom: Atom) -> Atom:
    return minus(facts, builder, atom, -1)


def minus(facts: Facts, builder: Builder, atom: Atom, number: int) -> Atom:
    """The atom less a number, in one step if the atom was made so."""
    made = facts.makes.get(atom) if isinstance(atom, Var) else None
    if isinstance(made, ir.Let) and made.op in (add, subtract) and isinstance(made.args[1], Const):
        known = int(made.args[1].value.real)
        atom, number = made.args[0], number + (known if made.op is subtract else -known)
    if number == 0:
        return atom
    op = subtract if number > 0 else add
    return builder.let(op, atom, const(abs(number)), name="n")


def part_of(b: Builder, loop: ir.For, turns: Atom, part: Atom, count: Atom) -> list[Var]:
    """Emits the iterations of one part among so many; gives what they sum."""
    first = b.let(floor_divide, b.let(multiply, part, turns, name="t"), count, name="first")
    after = b.let(multiply, b.let(add, part, ONE, name="t"), turns, name="t")
    last = b.let(floor_divide, after, count, name="last")
    if loop.start != ZERO:
        first, last = b.let(add, loop.start, first, name="first"), b.let(add, loop.start, last, name="last")
    carry = tuple(
        ir.Carry(c.inner, zero_of(c.inner.type), c.next, Var(f"{c.out.name}_part", c.out.type)) for c in loop.carry
    )
    b.put(replace(loop, start=first, stop=last, step=ONE, carry=carry, parallel=False))
    return [c.out for c in carry]
