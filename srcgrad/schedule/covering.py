"""Whether what is read of an array in one run of a block was surely stored in the same run."""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.analysis.effects import Region
from srcgrad.core.affine import Poly
from srcgrad.core.ir import For, Store
from srcgrad.schedule.integers import number
from srcgrad.schedule.places import Element, Places


class Covering:
    """single: the axes along which all accesses are at one place."""

    def __init__(self, places: Places, region: Region, single: set[int]) -> None:
        self._places, self._region, self._single = places, region, single

    def covered(self, stmts: Sequence[Element]) -> bool:
        """Whether a store surely precedes each access that is none, at its place."""
        stores = [s for s in stmts if isinstance(s, Store)]
        return all(any(self._covers(s, a) for s in stores) for a in stmts if not isinstance(a, Store))

    def _covers(self, store: Store, access: Element) -> bool:
        facts, region = self._places.facts, self._region
        loops = self._places.loops_around(store, region)
        if loops is None:
            return False
        ((_, first), *_), ((_, second), *_) = facts.chain(store, region), facts.chain(access, region)
        if first is second:
            return self._same_iteration(store, access)
        return facts.order[first] < facts.order[second] and self._all_of(store, access, loops)

    def _same_iteration(self, store: Store, access: Element) -> bool:
        """Whether the store stands in front of the access, at the same place."""
        facts, inside = self._places.facts, self._places.facts.where[store]
        if not facts.where[access].within(inside):
            return False
        holder = facts.chain(access, inside)[0][1]
        pairs = zip(self._places.place(store), self._places.place(access), strict=True)
        same = all(a.key == b.key and self._places.fixed(a, inside) for a, b in pairs)
        return same and facts.order[store] < facts.order[holder]

    def _all_of(self, store: Store, access: Element, loops: Sequence[For]) -> bool:
        """Whether the store's loops go through all places of the access."""
        left = {loop.index: loop for loop in loops}
        for k, (stored, read) in enumerate(zip(self._places.place(store), self._places.place(access), strict=True)):
            if k in self._single:
                continue
            loop = next((left.pop(s) for s in list(stored.symbols()) if s in left), None)
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
        if not all(self._places.fixed(value, self._region) for value in (rest, *bounds)):
            return False
        start, stop = bounds
        low, high = (start, stop - 1) if number(loop.step) > 0 else (stop + 1, start)
        if slope < 0:
            low, high = -high, -low
        return integers.at_least(read - (rest + low), 0) and integers.at_least(rest + high - read, 0)
