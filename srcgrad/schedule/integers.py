"""Integers of a function as sums over those that are not computed of others, and between which numbers they lie."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from srcgrad.core import ir
from srcgrad.core.affine import Poly, Symbol
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import blocks
from srcgrad.rules.language.integers import larger, nonnegative
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract
from srcgrad.rules.scalar.compare import where
from srcgrad.simplify.values.common import key

LONGEST, STEPS = 12, 16  # terms of a sum that is looked into; indices that a bound is put in the place of
Range = tuple[Hashable, Hashable, Hashable]


class Integers:
    """Learns from statements in their order. Equal operations on equal integers are one symbol, wherever they stand."""

    def __init__(self, growing: Iterable[Var] = ()) -> None:
        self._growing = frozenset(growing)
        self._values: dict[Var, Poly] = {}
        self._numbered: dict[Hashable, Var] = {}
        self.named: dict[Symbol, list[Var]] = {}  # of a symbol that an operation makes: the variables that it is
        self._shapes: dict[Var, tuple[Atom | None, ...]] = {}  # None: it grows along this axis
        self._bounds: dict[Symbol, tuple[Poly, Poly, int]] = {}  # of an index: lowest, highest, how many loops around
        self._natural: set[Symbol] = set()
        self._clipped: dict[Symbol, Poly] = {}  # max(n, 0) -> n

    def learn(self, stmts: Iterable[Stmt], depth: int = 0) -> None:
        """What the statements say of integers, with those in their blocks; what was known of their variables is
        forgotten."""
        for stmt in stmts:
            match stmt:
                case ir.Let():
                    if len(stmt.targets) == 1 and stmt.target.type in (ir.I8, ir.B1):
                        self._values[stmt.target] = self._computed(stmt)
                case ir.Alloc():
                    self._shapes[stmt.target] = stmt.shape
                case ir.For():
                    self._learn_index(stmt, depth)
            for _, block in blocks(stmt):
                self.learn(block, depth + 1)

    def _learn_index(self, loop: ir.For, depth: int) -> None:
        step = number(loop.step)
        if step:
            start, stop = self.of(loop.start), self.of(loop.stop)
            low, high = (start, stop - 1) if step > 0 else (stop + 1, start)
            self._bounds[loop.index] = low, high, depth

    def _computed(self, let: ir.Let) -> Poly:
        op, args = let.op, let.args
        if any(a in self._growing for a in args):
            return Poly.of(let.target)
        found = self._length(let)
        if found is None and all(a.type == ir.I8 for a in args):
            found = _sum(op, [self.of(a) for a in args])
        if found is not None and len(found.terms) <= LONGEST:
            return found
        what = tuple(self.of(a).key if a.type in (ir.I8, ir.B1) else key(a) for a in args)
        symbol = self._numbered.setdefault((op, what, key(let.params)), let.target)
        self.named.setdefault(symbol, []).append(let.target)
        if op.traits.is_length or self._chosen_natural(let):
            self._natural.add(symbol)
        if op is nonnegative:
            self._clipped[symbol] = self.of(args[0])
        return Poly.of(symbol)

    def _length(self, let: ir.Let) -> Poly | None:
        """The length of an axis, where the memory was made with that."""
        (array, *_), axis = let.args, let.params.get("axis")
        shape = self._shapes.get(array) if let.op.traits.measures and isinstance(array, Var) else None
        length = shape[axis] if shape and axis is not None and array not in self._growing else None
        return None if length is None else self.of(length)

    def _chosen_natural(self, let: ir.Let) -> bool:
        if let.op is where:
            return all(a.type == ir.I8 and self.at_least(self.of(a), 0) for a in let.args[1:])
        return let.op is larger and any(self.at_least(self.of(a), 0) for a in let.args)

    def shape_of(self, memory: Var) -> tuple[Atom | None, ...] | None:
        """Of memory that the function makes: the lengths that it is made with, None along an axis that grows."""
        return self._shapes.get(memory) if memory not in self._growing else None

    def of(self, atom: Atom) -> Poly:
        if isinstance(atom, Const):
            return Poly.constant(int(atom.value.real))
        found = self._values.get(atom)
        return Poly.of(atom) if found is None else found

    def range_of(self, loop: ir.For) -> Range:
        """Equal for loops with the same iterations."""
        start, stop = self.of(loop.start), self.of(loop.stop)
        if start.known == 0 and number(loop.step) == 1 and len(stop.terms) == 1:
            ((monomial, factor),) = stop.terms.items()
            if factor == 1 and len(monomial) == 1:
                stop = self._clipped.get(monomial[0], stop)
        return start.key, stop.key, self.of(loop.step).key

    # ---- bounds

    def at_least(self, value: Poly, least: int) -> bool:
        """Whether value >= least, by putting their bounds in the place of indices, those of inner loops first."""
        for _ in range(STEPS):
            found = [s for s in value.symbols() if s in self._bounds]
            if not found:
                break
            symbol = max(found, key=lambda s: self._bounds[s][2])
            slope = value.slope(symbol)
            sign = 0 if slope is None else self._sign(slope)
            if slope is None or not sign:
                break
            low, high, _ = self._bounds[symbol]
            value = value - Poly.of(symbol) * slope + slope * (low if sign > 0 else high)
        offset = value.offset
        return offset >= least and self._sign(value - offset) >= 0 and self._sums_up(value - offset)

    def _sums_up(self, value: Poly) -> bool:
        return all(c > 0 for c in value.terms.values())

    def _sign(self, value: Poly) -> int:
        """1 or -1 where the sum is surely not negative or not positive, else 0; 1 for nothing."""
        if not all(self._is_natural(s) for s in value.symbols()):
            return 0
        signs = {c > 0 for c in value.terms.values()}
        return 0 if len(signs) > 1 else -1 if signs == {False} else 1

    def _is_natural(self, symbol: Symbol) -> bool:
        if symbol in self._natural:
            return True
        bounds = self._bounds.get(symbol)
        return bounds is not None and (bounds[0].known or 0) >= 0 and bounds[0].known is not None


def number(atom: Atom) -> int:
    """A literal; 0 for what is not known."""
    return int(atom.value.real) if isinstance(atom, Const) else 0


def _sum(op: ir.Primitive, parts: list[Poly]) -> Poly | None:
    if op is add:
        return parts[0] + parts[1]
    if op is subtract:
        return parts[0] - parts[1]
    if op is negative:
        return -parts[0]
    return parts[0] * parts[1] if op is multiply and len(parts[0].terms) * len(parts[1].terms) <= LONGEST else None


def renamed(value: Poly, old: Symbol, new: Symbol) -> Poly:
    """The sum with another symbol in a symbol's place."""
    if not any(old in m for m in value.terms):
        return value
    out = Poly({})
    for monomial, c in value.terms.items():
        part = Poly.constant(c)
        for symbol in monomial:
            part = part * Poly.of(new if symbol is old else symbol)
        out = out + part
    return out


def symbols_of(place: Iterable[Poly | None]) -> Iterator[Symbol]:
    for value in place:
        if value is not None:
            yield from value.symbols()
