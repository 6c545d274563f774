"""Where a zero may meet an infinite slope: `0 * inf` is NaN, and the derivative is 0 if the zero is a true one.

A tangent or adjoint that is zero because nothing is selected, read or reached is zero all around the point: whatever
slope it is multiplied with, the derivative is 0. One that is a zero of some derivative at this point only, as that of
`sqrt(x)**2` by `sqrt(x)` at 0, says nothing: there the product stays NaN. So this module says of each variable
whether a zero may have the first reason (`surely`: and no other).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from srcgrad.analysis.activity import Flow, Reached, flows_of
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Atom, Const, Fun, Var
from srcgrad.core.traits import Slope
from srcgrad.core.walk import defined, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add, divide, multiply, negative, subtract
from srcgrad.rules.scalar.compare import where
from srcgrad.rules.scalar.elementwise import absolute
from srcgrad.rules.scalar.rounding import cast

INTEGER, HUGE = 2.0**64, 1e38  # no integer is larger; what is smaller than that is finite in single precision, too
SIZES: dict[ir.Primitive, Callable[..., float]] = {
    cast: lambda a: a, negative: lambda a: a, absolute: lambda a: a,
    add: lambda a, b: a + b, subtract: lambda a, b: a + b, multiply: lambda a, b: a * b,
}  # fmt: skip


def steep(let: ir.Let) -> bool:
    """Whether a slope of this operation may be infinite at a finite argument."""
    return let.op.traits.steep(let.args, let.params)


def at_infinity(let: ir.Let) -> bool:
    """Whether an operand that is infinite in itself may be a slope."""
    if Slope.GROWING in let.op.traits.slope:
        return True
    if let.op not in (multiply, divide):
        return False
    first, second = let.args
    if let.op is divide:
        return isinstance(first, Var) or abs(first.value) == math.inf
    return first is not second


class Zeros:
    """What may be a true zero, going with the flows (tangents) or against them (adjoints)."""

    def __init__(
        self, fun: Fun, classes: Aliases, varies: Callable[[Atom], bool], back: bool, seeds: Iterable[Var] = ()
    ) -> None:
        self._back, self._classes, self._varies, self._seeds = back, classes, varies, list(seeds)
        self._results = [r for r in fun.results if isinstance(r, Var)]
        self._stmts = list(walk(fun.body))
        self._lets = [s for s in self._stmts if isinstance(s, ir.Let)]
        self._ahead = [flow for s in self._stmts for flow in flows_of(s)]
        self._behind = [(target, source) for source, target in reversed(self._ahead)]

    def _spread(self, ends: Callable[[ir.Stmt], Iterator[Flow]], seeds: Iterable[Var] = ()) -> Reached:
        """What tangents, or adjoints, have come through one of these flows."""
        place = 0 if self._back else 1
        start = [flow[place] for s in self._stmts for flow in ends(s)]
        return Reached(self._classes, self._behind if self._back else self._ahead, [*start, *seeds])

    def _after(self, holds: Callable[[ir.Let], bool]) -> Reached:
        """What is made, on the way, by one of these operations."""
        return Reached(self._classes, self._ahead, [t for let in self._lets if holds(let) for t in let.targets])

    @cached_property
    def _true(self) -> Reached:
        return self._spread(_choices, self._seeds)

    @cached_property
    def _doubtful(self) -> Reached:
        return self._spread(lambda stmt: _curved(stmt, self._varies))

    @cached_property
    def _fast(self) -> Reached:
        return self._spread(_of(lambda let: bool(let.op.traits.slope & (Slope.FLAT | Slope.FLATTER))))

    @cached_property
    def _exponential(self) -> Reached:
        return self._spread(_of(lambda let: Slope.EXPONENTIAL in let.op.traits.slope))

    @cached_property
    def _after_steep(self) -> Reached:
        return self._after(steep)

    @cached_property
    def _after_root(self) -> Reached:
        return self._after(lambda let: steep(let) and Slope.ROOT in let.op.traits.slope)

    @cached_property
    def _after_infinity(self) -> Reached:
        return self._after(self._grows)

    @cached_property
    def _after_quotient(self) -> Reached:
        return self._after(lambda let: at_infinity(let) and let.op is divide)

    @cached_property
    def _after_log(self) -> Reached:
        return self._after(lambda let: Slope.LOGARITHM in let.op.traits.slope)

    @cached_property
    def _before_steep(self) -> Reached:
        steeps = [a for let in self._lets if steep(let) for a in let.args if isinstance(a, Var)]
        return Reached(self._classes, self._behind, steeps)

    def surely(self, atom: Atom, let: ir.Let) -> bool:
        """Whether a zero of what belongs to atom is a true one for let, and may occur."""
        if not self._true.has(atom):
            return False
        return not self._doubtful.has(atom) or (not self._back and Slope.SQUARE_ROOT in let.op.traits.slope)

    def flat(self, let: ir.Let) -> bool:
        """Whether an adjoint of let may be zero because an operand is infinite.

        Of products this is asked behind exponentials only, where infinite factors are in use (`exp(-beta * inf)`).
        """
        if let.op is multiply:
            return self._exponential.has(let.target) and self._grows(let)
        return self._fast.has(let.target)

    def _grows(self, let: ir.Let) -> bool:
        """Whether a slope of let by what varies may be infinite as an operand is: a factor that is surely finite, as an
        integer is, is none."""
        if let.op is not multiply:
            return at_infinity(let)
        first, second = let.args
        return at_infinity(let) and any(
            self._varies(by) and _size(slope, self._sizes) >= HUGE for by, slope in ((first, second), (second, first))
        )

    @cached_property
    def _sizes(self) -> dict[Var, float]:
        """The largest size of what is made of integers and literals alone."""
        out: dict[Var, float] = {}
        for let in self._lets:
            if let.op in SIZES:
                size = SIZES[let.op](*(_size(a, out) for a in let.args))
                if size < HUGE:
                    out[let.target] = size
        return out

    def outgrown(self, let: ir.Let) -> bool:
        """Whether a pole of let only goes to exponentials, which are flatter at an infinity than it is steep."""
        return Slope.LOGARITHM not in let.op.traits.slope and self.only_grows(let.target)

    def truth(self, let: ir.Let) -> bool:
        """Whether let multiplies with what is 0 or 1: `(x > 0) * x`."""
        return let.op is multiply and any(a.type.dtype == "b1" or a in self._truths for a in let.args)

    @cached_property
    def _truths(self) -> set[Atom]:
        chosen = [let for let in self._lets if let.op is where and not any(map(self._varies, let.args))]
        casts = [let for let in self._lets if let.op is cast and let.args[0].type.dtype == "b1"]
        return {let.target for let in (*chosen, *casts)}

    def flattens(self, let: ir.Let, place: int) -> bool:
        """Whether let's slope may be zero where the tangent of this argument is infinite, and the derivative is 0."""
        arg, slope = let.args[place], let.op.traits.slope
        sources = self._after_infinity if Slope.EXPONENTIAL in slope else self._after_quotient
        if Slope.FLAT in slope:
            return (sources.has(arg) or self._after_steep.has(arg)) and not self._after_log.has(arg)
        return Slope.FLATTER in slope and sources.has(arg) and not self._after_steep.has(arg)

    def only_grows(self, var: Var) -> bool:
        """Whether a value goes, through sums and products, to exponentials and nowhere else."""
        return var in self._into_exponentials

    @cached_property
    def _into_exponentials(self) -> set[Var]:
        users: dict[Atom, list[ir.Stmt]] = {}
        for stmt in self._stmts:
            for atom in (*used(stmt), *used_inside(stmt)):
                users.setdefault(atom, []).append(stmt)
        found: set[Var] = set()
        for let in reversed(self._lets):
            uses = [s for t in let.targets for s in users.get(t, ())]
            if uses and all(isinstance(s, ir.Let) and (_exponential(s) or _passes(s, found)) for s in uses):
                found.update(let.targets)
        return found - set(self._results)

    def rooted(self, atom: Atom) -> bool:
        """Whether a root may stand on the way to atom: where it is 0, its slope is infinite."""
        return self._after_root.has(atom)

    def pointed(self, atom: Atom) -> bool:
        """Whether a steep operation may stand on the way to atom."""
        return self._after_steep.has(atom)

    def awaited(self, atom: Atom) -> bool:
        """Whether a steep operation may follow."""
        return self._before_steep.has(atom)


def _size(atom: Atom, known: Mapping[Var, float]) -> float:
    """What the atom is surely not larger than; HUGE if nothing is known."""
    if isinstance(atom, Const):
        return abs(atom.value) if abs(atom.value) < HUGE else HUGE
    return INTEGER if atom.type.dtype[0] in "iub" and not atom.type.many else known.get(atom, HUGE)


def _exponential(let: ir.Let) -> bool:
    return Slope.EXPONENTIAL | Slope.GROWING in let.op.traits.slope


def _passes(let: ir.Let, found: set[Var]) -> bool:
    return let.op.traits.straight and let.targets[0] in found


def _of(holds: Callable[[ir.Let], bool]) -> Callable[[ir.Stmt], Iterator[Flow]]:
    def flows(stmt: ir.Stmt) -> Iterator[Flow]:
        if isinstance(stmt, ir.Let) and holds(stmt):
            yield from _pairs(stmt)

    return flows


def _pairs(let: ir.Let) -> Iterator[Flow]:
    args = let.args[1:] if let.op is divide else let.args  # by the dividend it is 0 where all is infinite
    yield from ((a, t) for a in args if isinstance(a, Var) and not a.type.ref for t in let.targets)


def _choices(stmt: ir.Stmt) -> Iterator[Flow]:
    """Flows at which some of what flows is left out."""
    match stmt:
        case ir.Let(op=op) if op.traits.selects or op.traits.leaves_out or op.traits.is_size:
            yield from _pairs(stmt)
        case ir.Load():
            if any(item != ir.Slice() for item in stmt.index):
                yield stmt.ref, stmt.target
        case ir.View():
            yield stmt.base, stmt.target
        case ir.If():
            yield from ((a, o.target) for o in stmt.outs for a in (o.then, o.orelse) if isinstance(a, Var))
            yield from _into(stmt)


def _into(branch: ir.If) -> Iterator[Flow]:
    """Flows of what is used in one of the two sides only."""
    inside = [*walk(branch.then), *walk(branch.orelse)]
    own = {v for s in inside for v in defined(s)}
    for stmt in inside:
        yield from (flow for flow in flows_of(stmt) if flow[0] not in own and not flow[0].type.ref)


def _curved(stmt: ir.Stmt, varies: Callable[[Atom], bool]) -> Iterator[Flow]:
    """Flows through operations whose slope may vanish at a point."""
    match stmt:
        case ir.Let() if not stmt.op.traits.selects and not _straight(stmt, varies):
            yield from _pairs(stmt)
        case ir.Call() | ir.Custom():
            yield from ((a, t) for a in stmt.args if isinstance(a, Var) for t in stmt.targets)


def _straight(let: ir.Let, varies: Callable[[Atom], bool]) -> bool:
    traits = let.op.traits
    if traits.form in ("linear", "zero") or traits.constant_slope or traits.is_size:
        return True
    if let.op is multiply or traits.form == "bilinear":
        return sum(map(varies, let.args)) <= 1
    return let.op is divide and not varies(let.args[1])
