"""Whether a store can reach what was loaded, by the ranges of indices: elimination never writes a finished row again.

Indices are taken as sums of loop indices and other integers. Of a store that runs after a load it is asked, for each
loop around both, whether a later iteration of it may write the place that was read, and whether the same iteration may.
An axis on which the two are surely apart settles it; whatever is not surely so may be overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.rules.cuda_names import coordinate, gridsize
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract

Loop = ir.For | ir.While
Reach = tuple[Var, ir.Index]  # what a statement reads or writes
Symbol = tuple[Var, bool]  # an integer, and whether it is that of the later iteration: what polynomials here are over
WHOLE = ir.Slice()


@dataclass(frozen=True)
class Part:
    """The places of one axis of memory that a reference reaches: low to high, None where that is not known.

    axis: which axis of the reference it is, None of a single place; exact: whether its elements follow one another
    from low on.
    """

    low: Poly
    high: Poly | None
    axis: int | None
    exact: bool = True


def positive(atom: Atom, makes: Mapping[Atom, Stmt] | Mapping[Var, Stmt]) -> bool:
    """Whether it is how many threads or blocks there are, a positive literal, or a sum or a product of such numbers."""
    if isinstance(atom, Const):
        return bool(atom.value.real > 0)
    made = makes.get(atom)
    if not isinstance(made, ir.Let):
        return False
    if made.op in (multiply, add):
        return all(positive(a, makes) for a in made.args)
    extent = made.op is coordinate and made.params["of"] in ("blockDim", "gridDim")
    return extent or made.op is gridsize


class Overwrites:
    """Answers of one function."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def overwritten_later(self, site: Stmt, ref: Var, region: Region) -> bool:
        """Whether a store to what site reaches through ref may run after it, within one run of region."""
        facts = self._facts
        stores = facts.stores.get(facts.classes.of(ref), ())
        return any(facts.where[s].within(region) and self.overwrites(s, site, ref, region) for s in stores)

    def overwrites(self, store: ir.Store | ir.Accumulate, site: Stmt, ref: Var, region: Region) -> bool:
        """Whether the store may run after site and write what site reaches through ref."""
        facts = self._facts
        if not facts.runs_after(store, site, region):
            return False
        if not facts.classes.simple(ref) or facts.root(ref) is not facts.root(store.ref):
            return True
        index = site.index if isinstance(site, ir.Load) else (WHOLE,) * ref.type.rank
        place = store.ref, store.index
        return any(not _Case(facts, later).apart((ref, index), place) for later in self._cases(store, site, region))

    def apart(self, loop: ir.For, one: Reach, other: Reach) -> bool:
        """Whether two references with their indices, in two different iterations of the loop, never reach one place."""
        case = _Case(self._facts, loop)
        return case.apart(one, other) and case.apart(other, one)

    def offset(self, loop: ir.For, item: ir.Item) -> tuple[int, int] | None:
        """(a, c) where an index is a * i + c, with i the loop's own, and surely does not count from the end."""
        found = None if isinstance(item, ir.Slice) or item.type.rank else _Case(self._facts, None).natural(item, False)
        if found is None:
            return None
        slope = found.degree((loop.index, False))
        rest = found - Poly.of((loop.index, False)).scaled(slope)
        return None if rest.known is None else (slope, rest.known)

    def reads_back(self, load: ir.Load, store: ir.Store | ir.Accumulate, region: Region) -> bool:
        """Whether the load may run after the store and read what it wrote."""
        facts = self._facts
        if not facts.runs_after(load, store, region):
            return False
        if not facts.classes.simple(load.ref) or facts.root(load.ref) is not facts.root(store.ref):
            return True
        places = (store.ref, store.index), (load.ref, load.index)
        return any(not _Case(facts, later).apart(*places) for later in self._cases(load, store, region))

    def _cases(self, store: Stmt, site: Stmt, region: Region) -> Iterator[Loop | None]:
        """The loops around both, of which the store may be in a later iteration; None: all are in the same
        iteration."""
        facts = self._facts
        for (_, a), (_, b) in zip(facts.chain(site, region), facts.chain(store, region), strict=False):
            if a is not b:
                if facts.order[b] > facts.order[a]:
                    yield None
                return
            if isinstance(a, (ir.For, ir.While)):
                yield a
            elif isinstance(a, ir.If) and a is not site and facts.apart(site, store, a):
                return


class _Case:
    """The store is in a later iteration of this loop than the load is, or in the same iteration of all (None)."""

    def __init__(self, facts: Facts, later: Loop | None) -> None:
        self._facts, self._later = facts, later
        self._inside = None if later is None else facts.region[later, "body"]
        self._memo: dict[tuple[Atom, bool], Poly] = {}

    def apart(self, earlier: Reach, later: Reach) -> bool:
        here, there = self._box(*earlier, False), self._box(*later, True)
        if here is None or there is None:
            return False
        return any(self._below(a, b) or self._below(b, a) for a, b in zip(here, there, strict=True))

    def _below(self, a: Part, b: Part) -> bool:
        """Whether every place of a is before every place of b."""
        return a.high is not None and self._at_least(b.low - a.high, 1)

    # ---- what an index reaches

    def _box(self, ref: Var, index: ir.Index, primed: bool) -> list[Part] | None:
        """The places along each axis of the root; None if the reference is not made of plain indices."""
        chain: list[ir.Index] = [index]
        while ref in self._facts.base:
            view = self._facts.base[ref]
            if not isinstance(view.how, tuple):
                return None
            chain.append(view.how)
            ref = view.base
        parts = [Part(Poly({}), None, k) for k in range(ref.type.rank)]
        for items in reversed(chain):
            parts = self._narrowed(parts, items, primed)
        return parts

    def _narrowed(self, parts: list[Part], index: ir.Index, primed: bool) -> list[Part]:
        out: list[Part] = []
        count = 0
        for part in parts:
            item = None if part.axis is None else index[part.axis]
            if item is None:
                out.append(part)
            elif isinstance(item, ir.Slice):
                out.append(self._sliced(part, item, count, primed))
                count += 1
            else:
                out.append(self._chosen(part, item, primed))
        return out

    def _chosen(self, part: Part, item: Atom, primed: bool) -> Part:
        """One place of an axis (or some, by an array of places)."""
        place = None if item.type.rank else self.natural(item, primed)
        if place is None or not part.exact:
            return Part(part.low, part.high, None)
        place = part.low + place
        return Part(place, place, None)

    def _sliced(self, part: Part, item: ir.Slice, axis: int, primed: bool) -> Part:
        step = 1 if item.step is None else int(item.step.value.real) if isinstance(item.step, Const) else 0
        start = Poly({}) if item.start is None else self.natural(item.start, primed)
        stop = None if item.stop is None else self.natural(item.stop, primed)
        if step < 1 or not part.exact:
            return Part(part.low, part.high, axis, False)
        low = part.low if start is None else part.low + start
        high = part.high if stop is None else part.low + stop - 1
        return Part(low, high, axis, step == 1 and start is not None)

    def natural(self, atom: Atom, primed: bool) -> Poly | None:
        """An index as a sum, if it surely does not count from the end."""
        found = self._sum(atom, primed)
        return found if self._at_least(found, 0) else None

    # ---- sums

    def _sum(self, atom: Atom, primed: bool) -> Poly:
        if isinstance(atom, Const):
            return Poly.constant(int(atom.value.real))
        primed = primed and not self._same_in_both(atom)
        if (atom, primed) not in self._memo:
            self._memo[atom, primed] = self._expanded(atom, primed)
        return self._memo[atom, primed]

    def _expanded(self, var: Var, primed: bool) -> Poly:
        made = self._facts.makes.get(var)
        if isinstance(made, ir.Let) and var.type == ir.I8 and all(a.type == ir.I8 for a in made.args):
            op, args = made.op, [self._sum(a, primed) for a in made.args]
            if op in (add, subtract):
                return args[0] + args[1] if op is add else args[0] - args[1]
            if op is negative:
                return -args[0]
            if op is multiply and any(a.known is not None for a in args):
                return args[0] * args[1]
        return Poly.of((var, primed))

    def _same_in_both(self, atom: Atom) -> bool:
        """Whether this is one value in both iterations."""
        if isinstance(atom, Const) or self._inside is None or not self._facts.bound[atom].within(self._inside):
            return True
        made = self._facts.makes.get(atom)
        if not isinstance(made, ir.Let) or atom.type != ir.I8:
            return False
        return all(a.type == ir.I8 and self._same_in_both(a) for a in made.args)

    # ---- bounds

    def _at_least(self, value: Poly, least: int) -> bool:
        """Whether value >= least, by putting their bounds in the place of indices, those of inner loops first."""
        while symbols := cast(list[Symbol], list(value.symbols())):
            symbol = max(symbols, key=lambda s: (self._facts.bound[s[0]].depth, s[1]))
            factor = value.degree(symbol)
            bound = self._bound(symbol, lower=factor > 0)
            if bound is None:
                return False
            value = (value - Poly.of(symbol).scaled(factor)).plus(factor, bound)
        return value.offset >= least

    def _bound(self, symbol: Symbol, lower: bool) -> Poly | None:
        var, primed = symbol
        made = self._facts.makes.get(var)
        if isinstance(made, ir.Let) and self._never_negative(made):
            return Poly({}) if lower else None
        if not isinstance(made, ir.For) or made.index is not var:
            return None
        step = self._step(made.step)
        if step is None:
            return None
        if primed and made is self._later and lower == (step > 0):
            return Poly.of((var, False)) + step  # at least an iteration on
        outer = primed and made is not self._later
        if lower == (step > 0):
            return self._sum(made.start, outer)
        return self._sum(made.stop, outer) - (1 if step > 0 else -1)

    def _step(self, step: Atom) -> int | None:
        """The step, or one towards the same side that is no longer: that of a grid is 1 at least."""
        if isinstance(step, Const):
            return int(step.value.real)
        return 1 if positive(step, self._facts.makes) else None

    def _never_negative(self, made: ir.Let) -> bool:
        """Whether it is a length, a place in the grid, or a product of such numbers."""
        if made.op is not multiply:
            return made.op.traits.is_length
        factors = (self._facts.makes.get(a) if isinstance(a, Var) else a for a in made.args)
        return all(
            f.value.real >= 0 if isinstance(f, Const) else isinstance(f, ir.Let) and self._never_negative(f)
            for f in factors
        )
