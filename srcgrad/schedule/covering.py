"""Whether what is read of an array in one run of a block was surely stored in the same run."""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.analysis.effects import Region
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Accumulate, For, Store, Var
from srcgrad.schedule.integers import number
from srcgrad.schedule.places import Element, Places


class Covering:
    """single: the axes along which all accesses are at one place."""

    def __init__(self, places: Places, region: Region, single: set[int]) -> None:
        self._places, self._region, self._single = places, region, single

    def covered(self, stmts: Sequence[Element], first: Accumulate | None = None) -> bool:
        """Whether a store surely precedes each access that is none, at its place. first: it counts as a store."""
        stores = [s for s in stmts if isinstance(s, Store) or s is first]
        return all(any(self._covers(s, a) for s in stores) for a in stmts if a not in stores)

    def first_addition(self, stmts: Sequence[Element]) -> Accumulate | None:
        """What adds once to each place that it reaches, in front of all other accesses."""
        facts, region = self._places.facts, self._region
        order = sorted(stmts, key=lambda s: facts.order[facts.chain(s, region)[0][1]])
        heads = [facts.chain(s, region)[0][1] for s in order[:2]]
        first = order[0]
        if not isinstance(first, Accumulate) or len({*heads}) < len(heads):
            return None
        return self.adds_once(first)

    def adds_once(self, first: Accumulate) -> Accumulate | None:
        """The addition, if it adds once to each place that it reaches, which is not counted from the end."""
        loops = self._places.loops_around(first, self._region)
        if loops is None:
            return None
        left = {loop.index: loop for loop in loops}
        for k, value in enumerate(self._places.place(first)):
            if k not in self._single and (
                self._moving(value, left) is None or not self._places.integers.at_least(value, 0)
            ):
                return None
        return None if left else first

    def _moving(self, value: Poly, left: dict[Var, For]) -> For | None:
        """The loop, of those that are left, that moves along an axis."""
        loop = next((left.pop(s) for s in list(value.symbols()) if isinstance(s, Var) and s in left), None)
        if loop is None or not value.degree(loop.index):
            return None
        rest = value - Poly.of(loop.index).scaled(value.degree(loop.index))
        return loop if self._places.fixed(rest, self._region) else None

    def _covers(self, store: Element, access: Element) -> bool:
        facts, region = self._places.facts, self._region
        loops = self._places.loops_around(store, region)
        if loops is None:
            return False
        ((_, first), *_), ((_, second), *_) = facts.chain(store, region), facts.chain(access, region)
        if first is second:
            return self._same_iteration(store, access)
        return facts.order[first] < facts.order[second] and self._all_of(store, access, loops)

    def _same_iteration(self, store: Element, access: Element) -> bool:
        """Whether the store stands in front of the access, at the same place."""
        facts, inside = self._places.facts, self._places.facts.where[store]
        if not facts.where[access].within(inside):
            return False
        holder = facts.chain(access, inside)[0][1]
        pairs = zip(self._places.place(store), self._places.place(access), strict=True)
        same = all(a.key == b.key and self._places.fixed(a, inside) for a, b in pairs)
        return same and facts.order[store] < facts.order[holder]

    def _all_of(self, store: Element, access: Element, loops: Sequence[For]) -> bool:
        """Whether the store's loops go through all places of the access."""
        left = {loop.index: loop for loop in loops}
        for k, (stored, read) in enumerate(zip(self._places.place(store), self._places.place(access), strict=True)):
            if k in self._single:
                continue
            loop = self._moving(stored, left)
            if loop is None or not self._between(stored, loop, read):
                return False
        return not left

    def _between(self, stored: Poly, loop: For, read: Poly) -> bool:
        """Whether an index is one of those that a loop goes through, one after another."""
        integers, slope = self._places.integers, stored.degree(loop.index)
        rest = stored - Poly.of(loop.index).scaled(slope)
        bounds = [integers.of(loop.start), integers.of(loop.stop)]
        if abs(slope) != 1 or abs(number(loop.step)) != 1:
            return False
        if not all(self._places.fixed(value, self._region) for value in bounds):
            return False
        start, stop = bounds
        low, high = (start, stop - 1) if number(loop.step) > 0 else (stop + 1, start)
        if slope < 0:
            low, high = -high, -low
        return integers.at_least(read - (rest + low), 0) and integers.at_least(rest + high - read, 0)
