"""Integers as polynomials over symbols."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

Symbol = Hashable
Monomial = tuple[Symbol, ...]


@dataclass(frozen=True, eq=False)
class Poly:
    """A sum of monomials with integer coefficients; the constant is that of the monomial `()`."""

    terms: dict[Monomial, int]

    @staticmethod
    def of(symbol: Symbol) -> Poly:
        return Poly({(symbol,): 1})

    @staticmethod
    def constant(value: int) -> Poly:
        return Poly({(): value} if value else {})

    def __add__(self, other: Poly | int) -> Poly:
        return self.plus(1, Poly.constant(other) if isinstance(other, int) else other)

    def __sub__(self, other: Poly | int) -> Poly:
        return self.plus(-1, Poly.constant(other) if isinstance(other, int) else other)

    def __neg__(self) -> Poly:
        return Poly({m: -c for m, c in self.terms.items()})

    def plus(self, factor: int, other: Poly, rest: Monomial = ()) -> Poly:
        """self + factor * rest * other"""
        out = dict(self.terms)
        for monomial, c in other.terms.items():
            monomial = product(monomial, rest)
            total = out.get(monomial, 0) + factor * c
            if total:
                out[monomial] = total
            else:
                out.pop(monomial, None)
        return Poly(out)

    def __mul__(self, other: Poly) -> Poly:
        out = Poly({})
        for monomial, c in self.terms.items():
            out = out.plus(c, other, monomial)
        return out

    def scaled(self, factor: int) -> Poly:
        return Poly({m: factor * c for m, c in self.terms.items()})

    @property
    def known(self) -> int | None:
        """The number that it is, if it has no symbols."""
        return self.terms.get((), 0) if all(not m for m in self.terms) else None

    @property
    def offset(self) -> int:
        return self.terms.get((), 0)

    @cached_property
    def key(self) -> frozenset[tuple[Monomial, int]]:
        """Equal for equal polynomials."""
        return frozenset(self.terms.items())

    def symbols(self) -> Iterator[Symbol]:
        for monomial in self.terms:
            yield from monomial

    def degree(self, symbol: Symbol) -> int:
        """The coefficient of a symbol that stands in no product; 0 if it is not there."""
        return self.terms.get((symbol,), 0)

    def slope(self, symbol: Symbol) -> Poly | None:
        """What the symbol is multiplied by, in products too; None where it stands in a power of its own."""
        parts = {m: c for m, c in self.terms.items() if symbol in m}
        rests = {tuple(s for s in m if s != symbol): c for m, c in parts.items()}
        return None if any(m.count(symbol) > 1 for m in parts) else Poly(rests)

    def linear_in(self, symbol: Symbol) -> bool:
        """Whether the symbol stands in no product."""
        return all(len(m) == 1 or symbol not in m for m in self.terms)


def product(a: Monomial, b: Monomial) -> Monomial:
    return tuple(sorted((*a, *b), key=hash)) if a and b else a or b


def quotient(a: Monomial, b: Monomial) -> Monomial | None:
    """a / b, if b divides a."""
    left = list(a)
    for symbol in b:
        if symbol not in left:
            return None
        left.remove(symbol)
    return tuple(left)


def not_negative(fact: Poly | None) -> Symbol | None:
    """The symbol that the fact alone says is not negative."""
    symbols = [m for m in fact.terms if m] if fact is not None and len(fact.terms) <= 2 else []
    if fact is None or len(symbols) != 1 or len(symbols[0]) != 1 or fact.terms[symbols[0]] < 0 or fact.offset > 0:
        return None
    return symbols[0][0]
