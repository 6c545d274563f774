"""Inequalities that hold at a point of a function, found by what they speak of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from srcgrad.core.affine import Monomial, Poly, Symbol, not_negative

Key = frozenset[tuple[Monomial, int]]


class Facts:
    """Polynomials that are not negative. Of those that differ by a number only the smallest is held: it tells the most.

    They are taken back to a mark. signs: symbols that a fact alone says are not negative.
    """

    def __init__(self) -> None:
        self.signs: Counter[Symbol] = Counter()
        self._held: dict[Key, Poly] = {}
        self._with: dict[Monomial, dict[Key, int]] = {}  # those that have a monomial, and when each came
        self._log: list[tuple[Key, Poly | None]] = []  # what was held before

    def learn(self, facts: Iterable[Poly]) -> None:
        for fact in facts:
            key = frozenset((m, c) for m, c in fact.terms.items() if m)
            before = self._held.get(key)
            if key and (before is None or fact.offset < before.offset):
                self._log.append((key, before))
                self._put(key, before, fact)

    def mark(self) -> int:
        return len(self._log)

    def back(self, mark: int) -> None:
        """Forget what came after the mark."""
        while len(self._log) > mark:
            key, before = self._log.pop()
            self._put(key, self._held[key], before)

    def since(self, mark: int) -> list[Poly]:
        return [self._held[key] for key in dict.fromkeys(key for key, _ in self._log[mark:])]

    def about(self, monomials: Iterable[Monomial]) -> Iterator[tuple[Poly, Monomial]]:
        """The facts that have one of these monomials, in the order in which they came."""
        found = [(when, key, m) for m in monomials for key, when in self._with.get(m, {}).items()]
        for _, key, m in sorted(found, key=lambda f: f[0]):
            yield self._held[key], m

    def _put(self, key: Key, before: Poly | None, fact: Poly | None) -> None:
        for symbol, change in ((not_negative(before), -1), (not_negative(fact), 1)):
            if symbol is not None:
                self.signs[symbol] += change
        if fact is None:
            del self._held[key]
        else:
            self._held[key] = fact
        for monomial, _ in key if before is None or fact is None else ():
            keys = self._with.setdefault(monomial, {})
            if fact is None:
                del keys[key]
            else:
                keys[key] = len(self._log)
