"""Proofs of inequalities between integers from others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from srcgrad.bounds.inequalities import Facts
from srcgrad.core.affine import Monomial, Poly, Symbol, not_negative, quotient

DEPTH, TRIALS = 6, 150


class Prover:
    """Derives `goal >= 0` from facts `fact >= 0`, by subtracting multiples of facts until nothing negative is left."""

    def __init__(self, facts: Facts, also: Iterable[Poly], nonnegative: Callable[[Symbol], bool]) -> None:
        self._facts, self._also = facts, list(also)
        self._nonnegative = nonnegative
        self._known = {symbol for fact in self._also if (symbol := not_negative(fact)) is not None}
        self._trials = 0
        self._seen: set[frozenset[tuple[Monomial, int]]] = set()

    def proves(self, goal: Poly, depth: int = DEPTH) -> bool:
        if goal.offset >= 0 and all(c >= 0 and self._sign(m) for m, c in goal.terms.items()):
            return True
        self._trials += 1
        if depth == 0 or self._trials > TRIALS or goal.key in self._seen:
            return False
        self._seen.add(goal.key)
        return any(self.proves(g, depth - 1) for pivot in self._pivots(goal) for g in self._eliminated(goal, pivot))

    def _sign(self, monomial: Monomial) -> bool:
        """Whether the monomial is surely not negative."""
        return all(self._nonnegative(s) or s in self._known or self._facts.signs[s] > 0 for s in monomial)

    def _pivots(self, goal: Poly) -> list[Monomial]:
        """What must go next: what may be negative, else (the constant being too small) any of the rest."""
        terms = sorted((m for m in goal.terms if m), key=lambda m: -len(m))
        wrong = [m for m in terms if goal.terms[m] < 0 or not self._sign(m)]
        return wrong[:1] or terms

    def _eliminated(self, goal: Poly, pivot: Monomial) -> Iterator[Poly]:
        """The goal less each fact that has the pivot with the goal's sign, times what makes the pivot vanish.

        Of integers, g >= 0 is as good as f * g + f - 1 >= 0.
        """
        c = goal.terms[pivot]
        for fact, monomial in self._about(pivot):
            f = fact.terms[monomial]
            rest = quotient(pivot, monomial)
            if (f > 0) == (c > 0) and rest is not None and self._sign(rest):
                yield (goal.scaled(abs(f)) + (abs(f) - 1)).plus(-abs(c), fact, rest)

    def _about(self, pivot: Monomial) -> Iterator[tuple[Poly, Monomial]]:
        """The facts with a monomial that divides the pivot."""
        yield from ((fact, m) for fact in self._also for m in fact.terms if m)
        divisors = {d for n in range(1, len(pivot) + 1) for d in combinations(pivot, n)}
        yield from self._facts.about(divisors)
