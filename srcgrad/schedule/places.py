"""Where the accesses to an array stand, and at which place of it."""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.affine import Poly, Symbol
from srcgrad.core.ir import Accumulate, Alloc, For, Fun, If, Load, Stmt, Store, Var
from srcgrad.core.walk import blocks
from srcgrad.schedule.integers import Integers

Element = Load | Store | Accumulate


class Places:
    """Answers of one function, of arrays that are reached by element only."""

    def __init__(self, fun: Fun) -> None:
        self.facts = Facts(fun)
        self.integers = Integers()
        self.integers.learn(fun.body)

    def place(self, stmt: Element) -> tuple[Poly, ...]:
        return tuple(self.integers.of(item) for item in stmt.index if not isinstance(item, ir.Slice))

    def common(self, alloc: Alloc, stmts: Sequence[Element]) -> Region:
        """The innermost block that all accesses stand in."""
        region = self.facts.where[stmts[0]]
        for stmt in stmts[1:]:
            other = self.facts.where[stmt]
            while not other.within(region):
                assert region.parent is not None
                region = region.parent
        return region

    def path(self, alloc: Alloc, region: Region) -> list[Stmt]:
        """The loops around the block that the array is made in front of, outermost first."""
        out: list[Stmt] = []
        top, here = self.facts.where[alloc], region
        while here is not top:
            assert here.stmt is not None and here.parent is not None
            if not isinstance(here.stmt, If):
                out.append(here.stmt)
            here = here.parent
        return out[::-1]

    def block(self, region: Region) -> tuple[Stmt, ...]:
        if region.stmt is None:
            return self.facts.fun.body
        return dict(blocks(region.stmt))[region.which]

    def holders(self, stmts: Sequence[Element], region: Region) -> set[Stmt]:
        """The accesses and the statements around them, in the block."""
        return {holder for stmt in stmts for _, holder in self.facts.chain(stmt, region)}

    def fixed(self, value: Poly, region: Region) -> bool:
        """Whether it is one number each time that the block runs."""
        return all(self._outside(symbol, region) for symbol in value.symbols())

    def _outside(self, symbol: Symbol, region: Region) -> bool:
        variables = self.integers.named.get(symbol, (symbol,))
        return any(isinstance(v, Var) and region.within(self.facts.bound[v]) for v in variables)

    def single_axes(self, stmts: Sequence[Element], region: Region) -> set[int]:
        """The axes along which all accesses of one run of the block are at one place."""
        first, *others = (self.place(stmt) for stmt in stmts)
        return {
            k
            for k, value in enumerate(first)
            if self.fixed(value, region) and all(other[k].key == value.key for other in others)
        }

    def each_once(self, stmt: Element, alloc: Alloc, path: Sequence[Stmt]) -> bool:
        """Whether each run of the block is at another place: each loop around moves along an axis of its own."""
        place = self.place(stmt)
        indices = [loop.index for loop in path if isinstance(loop, For)]
        if len(indices) < len(path):
            return False
        outside = self.facts.where[alloc]
        for index in indices:
            others = [i for i in indices if i is not index]
            if not any(self._moves(value, index, others, outside) for value in place):
                return False
        return True

    def _moves(self, value: Poly, index: Var, others: Sequence[Var], outside: Region) -> bool:
        if not value.degree(index) or not value.linear_in(index) or any(i in {*value.symbols()} for i in others):
            return False
        rest = value - Poly.of(index).scaled(value.degree(index))
        return self.fixed(rest, outside) and self.integers.at_least(value, 0)

    def worth_a_row(self, stmt: Element, single: set[int], path: Sequence[Stmt]) -> bool:
        """Whether loops around move along the axes that would go; a row that iterations share cannot be of parallel
        ones."""
        if any(isinstance(loop, For) and loop.parallel for loop in path):
            return False
        indices = {loop.index for loop in path if isinstance(loop, For)}
        return any(not indices.isdisjoint(value.symbols()) for k, value in enumerate(self.place(stmt)) if k in single)

    def loops_around(self, stmt: Element, region: Region) -> list[For] | None:
        """The loops from the block down to an access, None where it may not be reached."""
        out: list[For] = []
        for _, holder in self.facts.chain(stmt, region)[:-1]:
            if not isinstance(holder, For) or holder.exit is not None:
                return None
            out.append(holder)
        return out
