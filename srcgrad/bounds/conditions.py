"""Conditions on integers: whether they can hold together, taken out of loops, and written as core statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from srcgrad.bounds.demands import Check, Length, Measure
from srcgrad.bounds.facts import Ranges
from srcgrad.core import ir
from srcgrad.core.affine import Monomial, Poly, Symbol
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.shapes import Shorter
from srcgrad.rules.language.integers import nonnegative
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract
from srcgrad.rules.scalar.compare import equal, greater, greater_equal, less, logical_and, logical_or, not_equal
from srcgrad.rules.shapes.shape import dim


class Condition(NamedTuple):
    """A polynomial beside zero."""

    poly: Poly
    relation: Literal[">=", "==", "!="]


Conditions = tuple[Condition, ...]


def impossible(ranges: Ranges, conditions: Conditions) -> bool:
    """Whether the conditions surely never hold together."""
    for condition in conditions:
        p, also = condition.poly, _beside(condition, conditions)
        match condition.relation:
            case ">=":
                never = ranges.proves(-p - 1, also)
            case "!=":
                never = ranges.proves_zero(p)
            case "==":
                never = ranges.proves(p - 1, also) or ranges.proves(-p - 1, also)
        if never:
            return True
    return False


def needed(ranges: Ranges, conditions: Conditions) -> Conditions:
    """The conditions without those that follow from the others."""
    left = conditions
    for condition in conditions:
        p, also = condition.poly, _beside(condition, left)
        ends = {">=": [p], "!=": [p - 1, -p - 1], "==": []}[condition.relation]
        if len(left) > 1 and any(ranges.proves(end, also) for end in ends):
            left = tuple(c for c in left if c is not condition)
    return left


def implies(ranges: Ranges, these: Conditions, those: Conditions) -> bool:
    """Whether those surely hold where these do."""
    also, same = [c.poly for c in these if c.relation == ">="], {(c.poly.key, c.relation) for c in these}
    return all(ranges.proves(c.poly, also) if c.relation == ">=" else (c.poly.key, c.relation) in same for c in those)


def _beside(condition: Condition, conditions: Conditions) -> list[Poly]:
    return [c.poly for c in conditions if c.relation == ">=" and c is not condition]


def eliminated(ranges: Ranges, conditions: Conditions, index: Symbol, first: Poly, last: Poly) -> Conditions | None:
    """What holds if and only if the conditions hold for some index from first to last; None if that can't be said."""
    rows = [c for c in conditions if index in c.poly.symbols()]
    rest = [c for c in conditions if c not in rows]
    if any(c.relation != ">=" for c in rows):
        return None
    if not all(c.poly.linear_in(index) for c in rows):
        return _at_extreme(ranges, rows, rest, index, (first, last))
    itself = Poly.of(index)
    polys = [itself - first, last - itself, *(c.poly for c in rows)]
    for low in (p for p in polys if p.degree(index) > 0):
        for high in (p for p in polys if p.degree(index) < 0):
            a, b = low.degree(index), -high.degree(index)
            if a != 1 and b != 1:
                return None
            rest.append(Condition(high.scaled(a).plus(b, low), ">="))
    return tuple(rest)


def _at_extreme(
    ranges: Ranges, rows: list[Condition], rest: list[Condition], index: Symbol, ends: tuple[Poly, Poly]
) -> Conditions | None:
    """The same where all that grows with the index grows with it, or all falls: it is enough to look at an end."""
    also = [c.poly for c in rest if c.relation == ">="]
    slopes = [row.poly.slope(index) for row in rows]
    signs = {0 if slope is None else ranges.sign(slope, also) for slope in slopes}
    if signs not in ({1}, {-1}):
        return None
    first, last = ends
    end = last if signs == {1} else first
    put = [
        Condition(row.poly + (end - Poly.of(index)) * slope, ">=")
        for row, slope in zip(rows, slopes, strict=True)
        if slope
    ]
    return (*rest, Condition(last - first, ">="), *put)


def replaced(conditions: Conditions, index: Symbol, value: Poly) -> Conditions | None:
    """The conditions with a value for the index; None where it stands in a product."""
    if any(not c.poly.linear_in(index) for c in conditions):
        return None
    return tuple(c._replace(poly=_put(c.poly, index, value)) for c in conditions)


def _put(poly: Poly, index: Symbol, value: Poly) -> Poly:
    c = poly.degree(index)
    return poly.plus(-c, Poly.of(index)).plus(c, value) if c else poly


class Writer:
    """Writes conditions as statements. visible: the variables that can be read where they are written.

    scalars: variables that hold a length; witnesses: memory that has an axis of this length.
    """

    def __init__(self) -> None:
        self.visible: set[Var] = set()
        self.scalars: dict[Symbol, list[Var]] = {}
        self.witnesses: dict[Symbol, list[tuple[Var, int]]] = {}
        self.noted: list[Symbol] = []  # the symbols of witnesses, in the order in which they were seen

    def named(self, value: Poly, var: Var) -> None:
        """The variable holds this value: remembered if that is a length."""
        symbol = single(value)
        if symbol is not None and symbol is not var:
            self.scalars.setdefault(symbol, []).append(var)

    def seen(self, value: Poly, of: Var, axis: int) -> None:
        """The axis of this memory has this length."""
        symbol = single(value)
        if symbol is not None:
            self.witnesses.setdefault(symbol, []).append((of, axis))
            self.noted.append(symbol)

    def recall(self, mark: int, holds: Callable[[Symbol, Var, int], bool]) -> None:
        """Of the witnesses seen since then, keep those that are such still: lengths may be equal in a branch alone."""
        for symbol in {*self.noted[mark:]}:
            self.witnesses[symbol] = [w for w in self.witnesses[symbol] if holds(symbol, *w)]

    def writable(self, conditions: Conditions, visible: set[Var]) -> bool:
        return all(self._source(s, visible) is not None for c in conditions for s in c.poly.symbols())

    def readable(self, value: Poly, visible: set[Var]) -> bool:
        """Whether a sum can be computed of these variables."""
        return all(self._source(s, visible) is not None for s in value.symbols())

    def value(self, value: Poly, out: list[Stmt]) -> Atom:
        """A sum, computed."""
        plus = {m: c for m, c in value.terms.items() if c > 0}
        minus = {m: -c for m, c in value.terms.items() if c < 0}
        total = self._sum({(): 0, **plus}, out)
        return _let(out, subtract, total, self._sum({(): 0, **minus}, out)) if minus else total

    def _source(self, symbol: Symbol, visible: set[Var]) -> Var | tuple[Var, int] | Shorter | None:
        """A variable that holds it, or memory that has this length, or how it is computed of another one."""
        if isinstance(symbol, Var):
            return symbol if symbol in visible else None
        scalar = next((v for v in self.scalars.get(symbol, ()) if v in visible), None)
        if scalar is not None:
            return scalar
        own = [symbol] if isinstance(symbol, tuple) and len(symbol) == 2 and isinstance(symbol[0], Var) else []
        places = [*reversed(self.witnesses.get(symbol, [])), *own]
        found = next(((of, k) for of, k in places if of in visible and of.type.ref), None)
        if found is None and isinstance(symbol, Shorter):
            whole = self._whole(symbol)
            return None if whole is None or self._source(whole, visible) is None else symbol
        return found

    def _whole(self, part: Shorter) -> Symbol | None:
        """What a part was cut off from, if that is one symbol."""
        return part.dim if isinstance(part.dim, (Var, tuple)) else None

    def all_of(self, way: Conditions, out: list[Stmt]) -> Atom:
        """Whether all the conditions hold."""
        whole: Atom | None = None
        for condition in way:
            test = self.test(condition, out)
            whole = test if whole is None else _let(out, logical_and, whole, test)
        assert whole is not None
        return whole

    def any_of(self, tests: Sequence[Atom], out: list[Stmt]) -> Atom:
        first, *more = tests
        for test in more:
            first = _let(out, logical_or, first, test)
        return first

    def test(self, condition: Condition, out: list[Stmt]) -> Atom:
        """`n > x.shape[0]`: what is added on the left, what is subtracted on the right."""
        terms, offset = condition.poly.terms, condition.poly.offset
        left = {m: c for m, c in terms.items() if m and c > 0}
        right = {m: -c for m, c in terms.items() if m and c < 0}
        op = {">=": greater_equal, "==": equal, "!=": not_equal}[condition.relation]
        if condition.relation == ">=" and offset < 0:
            op, offset = greater, offset + 1
        left[()], right[()] = max(offset, 0), max(-offset, 0)
        return _let(out, op, self._sum(left, out), self._sum(right, out))

    def _sum(self, terms: dict[Monomial, int], out: list[Stmt]) -> Atom:
        offset = terms.pop(())
        total: Atom | None = None
        for monomial, c in terms.items():
            part = self._product(monomial, c, out)
            total = part if total is None else _let(out, add, total, part)
        if total is None:
            return Const(offset, ir.I8)
        return _let(out, add, total, Const(offset, ir.I8)) if offset else total

    def _product(self, monomial: Monomial, c: int, out: list[Stmt]) -> Atom:
        total: Atom | None = None if c == 1 else Const(c, ir.I8)
        for symbol in monomial:
            atom = self._atom(symbol, out)
            total = atom if total is None else _let(out, multiply, total, atom)
        assert total is not None
        return total

    def _atom(self, symbol: Symbol, out: list[Stmt]) -> Atom:
        source = self._source(symbol, self.visible)
        assert source is not None
        if isinstance(source, Shorter):
            left = _let(out, subtract, self._atom(source.dim, out), Const(source.cut, ir.I8))
            return _let(out, nonnegative, left)
        return source if isinstance(source, Var) else self.length(*source, out)

    def length(self, of: Var, axis: int, out: list[Stmt]) -> Atom:
        target = Var("n", ir.I8)
        out.append(ir.Let((target,), dim, (of,), {"axis": axis}))
        return target

    def measure(self, measure: Measure, out: list[Stmt]) -> Atom:
        return self.length(measure.of, measure.axis, out) if isinstance(measure, Length) else measure

    def sign(self, check: Check, out: list[Stmt]) -> Atom:
        """Whether a number is negative, or zero, where it must not be."""
        left = self.measure(check.left, out)
        return _let(out, less if check.demand == "nonnegative" else equal, left, Const(0, ir.I8))

    def index(self, check: Check, above: bool, below: bool, out: list[Stmt]) -> Atom:
        """Whether an index is too large, or too small, or either."""
        left, right = self.measure(check.left, out), self.measure(check.right, out)
        high = _let(out, greater_equal, left, right) if above else None
        if not below:
            assert high is not None
            return high
        low = _let(out, less, left, _let(out, negative, right))
        return low if high is None else _let(out, logical_or, high, low)


def single(value: Poly) -> Symbol | None:
    """The symbol that the value is."""
    if len(value.terms) != 1:
        return None
    ((monomial, c),) = value.terms.items()
    return monomial[0] if c == 1 and len(monomial) == 1 else None


def _let(out: list[Stmt], op: ir.Primitive, *args: Atom) -> Var:
    (type,) = op.infer(tuple(a.type for a in args), {})
    target = Var("t", type)
    out.append(ir.Let((target,), op, args))
    return target
