"""Lengths as multiples of the length of an axis, and so many elements more."""

from __future__ import annotations

from typing import NamedTuple

from srcgrad.core.ir import Var

Axis = tuple[Var, int]  # of an array that comes in: the token of its length


class Multiple(NamedTuple):
    """times * n + by, where n is the length of an axis that is not 1 (None: there is none)."""

    unit: Axis | None
    times: int
    by: int

    @property
    def least(self) -> int:
        return 2 * self.times + self.by if self.times >= 0 else -1

    def plus(self, more: int) -> Multiple:
        return self._replace(by=self.by + more)

    def scaled(self, factor: int) -> Multiple:
        return Multiple(self.unit, self.times * factor, self.by * factor)

    def minus(self, other: Multiple) -> Multiple | None:
        units = {m.unit for m in (self, other) if m.unit is not None and m.times}
        if len(units) > 1:
            return None
        return Multiple(units.pop() if units else None, self.times - other.times, self.by - other.by)
