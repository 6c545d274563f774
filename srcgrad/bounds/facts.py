"""What is known of integers at each point of a function: their values as polynomials, and inequalities that hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from srcgrad.bounds.demands import Length, Measure
from srcgrad.bounds.inequalities import Facts
from srcgrad.bounds.proofs import Prover
from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly, Symbol
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.shapes import Dim, Shapes, Shorter
from srcgrad.rules.arrays.fancy_index import nonzero
from srcgrad.rules.arrays.gather import argsort
from srcgrad.rules.reductions.any_all_counts import count_nonzero
from srcgrad.rules.scalar.arithmetic import add, subtract
from srcgrad.rules.scalar.rounding import cast
from srcgrad.rules.shapes.shape import size as size_of

# The polynomials that are not negative where a condition is true, and where it is false.
Sides = tuple[list[Poly], list[Poly]]
# A value that is one of several, each with what is known where it is that one.
Case = tuple[Poly, list[Poly]]

CASES = 3  # how many choices a proof may go through


class Ranges:
    """Learns from statements in their order. Facts hold to the end of the scope in which they are learned.

    A symbol is an integer variable, or a length: a token of `shapes`, which is not negative.
    """

    def __init__(self, fun: ir.Fun) -> None:
        self.shapes = Shapes(fun)
        self._values: dict[Var, Poly] = {}
        self._sides: dict[Var, Sides] = {}
        self._cases: dict[Symbol, list[Case]] = {}
        self._spread: dict[Atom, tuple[Poly, Poly]] = {}  # the least and the greatest element of an array of integers
        self._changing = set(_changing(fun.body))
        self._facts = Facts()
        self.learn(*(Poly.of(dim) - n for dim, n in self.shapes.least.items()))
        self.learn(*(Poly.of((x, i)) - Poly.of((y, k)).scaled(n) - by for x, i, n, y, k, by in self.shapes.longer))

    # ---- scopes and facts

    @contextmanager
    def scope(self, facts: Sequence[Poly] = ()) -> Iterator[None]:
        mark = self._facts.mark()
        self._facts.learn(facts)
        try:
            with self.shapes.region():
                yield
        finally:
            self._facts.back(mark)

    def learn(self, *facts: Poly) -> None:
        """These are not negative, from here to the end of the scope."""
        self._facts.learn(facts)

    def snapshot(self, mark: int = 0) -> list[Poly]:
        return self._facts.since(mark)

    def mark(self) -> int:
        return self._facts.mark()

    def sides(self, cond: Atom) -> Sides:
        """What is known where the condition is true, and where it is false."""
        return self._sides.get(cond, ([], [])) if isinstance(cond, Var) else ([], [])

    def proves(self, goal: Poly, also: Sequence[Poly] = (), cases: int = CASES) -> bool:
        """Whether goal >= 0 follows from what is known."""
        if goal.known is not None:
            return goal.known >= 0
        if Prover(self._facts, also, _nonnegative).proves(goal):
            return True
        split = next((s for s in goal.symbols() if s in self._cases and goal.linear_in(s)), None)
        if split is None or cases == 0:
            return False
        c = goal.degree(split)
        rest = goal.plus(-c, Poly.of(split))
        return all(self.proves(rest.plus(c, p), [*also, *facts], cases - 1) for p, facts in self._cases[split])

    def sign(self, factor: Poly, also: Sequence[Poly]) -> int:
        """1 where it is surely not negative, -1 where it is surely not positive, else 0."""
        return 1 if self.proves(factor, also) else -1 if self.proves(-factor, also) else 0

    def proves_zero(self, poly: Poly) -> bool:
        return self.proves(poly) and self.proves(-poly)

    def unite(self, a: Length, b: Length) -> None:
        """The two lengths are equal, from here to the end of the scope."""
        self.shapes.unite(*(self.shapes.dims(m.of)[m.axis] for m in (a, b)))

    # ---- values

    def value(self, atom: Atom) -> Poly:
        if isinstance(atom, Const):
            return Poly.constant(int(atom.value.real))
        return self._values.get(atom) or Poly.of(atom)

    def measure(self, measure: Measure) -> Poly:
        return self.length(measure.of, measure.axis) if isinstance(measure, Length) else self.value(measure)

    def length(self, of: Var, axis: int) -> Poly:
        return self.value_of(self.shapes.first(self.shapes.dims(of)[axis]))

    def value_of(self, dim: Dim) -> Poly:
        """A length, by its token."""
        if isinstance(dim, Const) or (isinstance(dim, Var) and dim.type == ir.I8):
            return self.value(dim)
        if isinstance(dim, Shorter):
            whole = self.value_of(self.shapes.first(dim.dim))
            return self._sliced(dim, whole, Poly.constant(0), Poly.constant(-dim.cut))
        if isinstance(dim, tuple) and len(dim) == 4:
            inner, start, stop, step = dim
            whole = self.value_of(self.shapes.first(inner))
            if step in (None, Const(1, ir.I8)):
                return self._sliced(dim, whole, self.value(start or Const(0, ir.I8)), stop and self.value(stop))
            return self.bounded(Poly.of(dim), upper=whole)
        return Poly.of(dim)

    def _sliced(self, dim: Dim, whole: Poly, start: Poly, stop: Poly | None) -> Poly:
        """The length of whole[start:stop]: their difference where nothing is cut off."""
        stop = whole if stop is None else stop
        ends = [p + whole if self.proves(-p - 1) else p for p in (start, stop)]
        if isinstance(dim, Shorter):
            ends = [start, whole - dim.cut]
        if self.proves(ends[0]) and self.proves(ends[1] - ends[0]) and self.proves(whole - ends[1]):
            return ends[1] - ends[0]
        length = self.bounded(Poly.of(dim), upper=whole)
        if isinstance(dim, Shorter):
            self.learn(length - ends[1])
        return length

    def bounded(self, poly: Poly, lower: Poly | None = None, upper: Poly | None = None) -> Poly:
        """The same, and that it lies between these."""
        self.learn(*([] if lower is None else [poly - lower]), *([] if upper is None else [upper - poly]))
        return poly

    # ---- statements

    def spread(self, array: Atom) -> tuple[Poly, Poly] | None:
        """Between which integers the elements of an array lie, if that is known."""
        return self._spread.get(array)

    def _note_spread(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Let(op=op, args=(Var() as mask,)) if op is nonzero:
                ends = ((Poly({}), self.length(mask, k) - 1) for k in range(mask.type.rank))
                self._spread.update(zip(stmt.targets, ends, strict=True))
            case ir.Let(op=op, args=(Var() as array,), targets=(target,)) if op is argsort:
                self._spread[target] = Poly({}), self.length(array, stmt.params["axis"]) - 1
            case ir.Alloc(target=target, init=Var() as init) if init in self._spread and target not in self._changing:
                self._spread[target] = self._spread[init]
            case ir.Load(target=target, ref=ref) if ref in self._spread:
                self._spread[target] = self._spread[ref]
                if target.type == ir.I8:
                    self.bounded(Poly.of(target), *self._spread[ref])

    def note(self, stmt: Stmt) -> None:
        """Learn from a statement that has no blocks."""
        self.shapes.note(stmt)
        self._note_spread(stmt)
        if isinstance(stmt, ir.Let) and len(stmt.targets) == 1:
            target = stmt.target
            if target.type == ir.I8:
                self._values[target] = self._integer(stmt)
            elif target.type == ir.B1:
                self._sides[target] = self._condition(stmt)
        elif isinstance(stmt, ir.Draw) and stmt.op.name in ("randint", "permutation"):
            first = Poly({}) if stmt.op.name == "permutation" else self.value(stmt.args[0])
            self._among(stmt.target, first, self.value(stmt.args[0 if stmt.op.name == "permutation" else 1]) - 1)
        elif isinstance(stmt, ir.Assert):
            self.learn(*self.sides(stmt.cond)[0])

    def _among(self, target: Var, first: Poly, last: Poly) -> None:
        """The integer, or the elements of the array, lie between these."""
        if target.type.rank:
            self._spread[target] = first, last
        else:
            self.bounded(Poly.of(target), first, last)

    def _integer(self, stmt: ir.Let) -> Poly:
        name, args = stmt.op.name, stmt.args
        itself = Poly.of(stmt.target)
        if name == "dim" and isinstance(args[0], Var):
            return self.length(args[0], stmt.params["axis"])
        if name in ("size", "argmax", "argmin", "count_nonzero"):
            return self._of_array(stmt, itself)
        if not all(a.type == ir.I8 for a in args):
            return self._cast(stmt, itself)
        values = [self.value(a) for a in args]
        rule = _INTEGER.get(name.rstrip("_2345678"))
        return itself if rule is None else rule(self, itself, values)

    def _cast(self, stmt: ir.Let, itself: Poly) -> Poly:
        if stmt.op is cast and stmt.args[0].type == ir.B1:
            return self.bounded(itself, Poly.constant(0), Poly.constant(1))
        return itself

    def _of_array(self, stmt: ir.Let, itself: Poly) -> Poly:
        array = stmt.args[0]
        if not isinstance(array, Var) or stmt.params.get("axis") is not None:
            return itself
        size = Poly.constant(1)
        for axis in range(array.type.rank):
            size = size * self.length(array, axis)
        if stmt.op is size_of:
            return size
        last = size if stmt.op is count_nonzero else size - 1  # of an empty array argmax raises
        return self.bounded(itself, Poly.constant(0), last)

    def _condition(self, stmt: ir.Let) -> Sides:
        name, args = stmt.op.name, stmt.args
        if name == "logical_not":
            true, false = self.sides(args[0])
            return false, true
        if name in ("logical_and", "bitwise_and") and len(args) == 2:
            return [f for a in args for f in self.sides(a)[0]], []
        if name in ("logical_or", "bitwise_or") and len(args) == 2:
            return [], [f for a in args for f in self.sides(a)[1]]
        if len(args) == 2 and all(a.type == ir.I8 for a in args):
            return self._comparison(name, *map(self.value, args))
        return [], []

    def _comparison(self, name: str, a: Poly, b: Poly) -> Sides:
        match name:
            case "less":
                return [b - a - 1], [a - b]
            case "less_equal":
                return [b - a], [a - b - 1]
            case "greater":
                return [a - b - 1], [b - a]
            case "greater_equal":
                return [a - b], [b - a - 1]
            case "equal":
                return [a - b, b - a], self.apart(a - b)
            case "not_equal":
                return self.apart(a - b), [a - b, b - a]
        return [], []

    def apart(self, difference: Poly) -> list[Poly]:
        """What follows from a difference that is not zero."""
        return [d - 1 for d in (difference, -difference) if self.proves(d)]

    # ---- loops and branches

    def turn(self, loop: ir.For) -> list[Poly]:
        """What holds of the index in each iteration."""
        index, start, stop = Poly.of(loop.index), self.value(loop.start), self.value(loop.stop)
        step = self.value(loop.step)
        if self.proves(step - 1):
            return [index - start, stop - index - 1, stop - start - 1]
        if self.proves(-step - 1):
            return [start - index, index - stop - 1, start - stop - 1]
        return []

    def carried(self, loop: ir.For | ir.While) -> list[Poly]:
        """What holds in each iteration of integers that only grow, or only shrink, as they go round."""
        makes = {t: s for s in loop.body for t in _targets(s)}
        turn = None
        if isinstance(loop, ir.For) and loop.step == Const(1, ir.I8):
            turn = Poly.of(loop.index) - self.value(loop.start)
        facts: list[Poly] = []
        for c in loop.carry:
            if c.inner.type != ir.I8:
                continue
            low, high = _change(c.next, c.inner, makes)
            grown = Poly.of(c.inner) - self.value(c.init)
            facts += _growth(grown, low, 1, turn) + _growth(-grown, None if high is None else -high, -1, turn)
        return facts

    def left(self, loop: ir.For | ir.While) -> None:
        """Learn what is known of integers after the loop."""
        makes = {t: s for s in loop.body for t in _targets(s)}
        for c in loop.carry:
            if c.inner.type == ir.I8:
                low, high = _change(c.next, c.inner, makes)
                grown = Poly.of(c.out) - self.value(c.init)
                self.learn(*([grown] if low is not None and low >= 0 else []))
                self.learn(*([-grown] if high is not None and high <= 0 else []))
                if isinstance(loop, ir.While) and low is not None and low == high:
                    self._last_turn(c, low, self.sides(loop.cond)[0])

    def _last_turn(self, c: ir.Carry, change: int, facts: Sequence[Poly]) -> None:
        """A counter after a while: what it was at first, or by one step more than in an iteration whose test was
        true."""
        last = Poly.of(Var(c.out.name, ir.I8))
        known = [f.plus(f.degree(c.inner), last - change - Poly.of(c.inner)) for f in facts if f.degree(c.inner)]
        if known and all(f.linear_in(c.inner) for f in facts):
            self._cases[c.out] = [(self.value(c.init), []), (last, known)]

    def merge(self, cond: Atom, out: ir.Out, then: list[Poly], orelse: list[Poly]) -> None:
        """What comes out of a branch; with what was learned on each side."""
        if out.target.type == ir.I8:
            self._cases[out.target] = [(self.value(out.then), then), (self.value(out.orelse), orelse)]
        elif out.target.type == ir.B1:  # `a and b` where b is looked at only if a is true
            both, neither = out.orelse == Const(False, ir.B1), out.then == Const(True, ir.B1)
            true = [*self.sides(cond)[0], *self.sides(out.then)[0]] if both else []
            self._sides[out.target] = true, [*self.sides(cond)[1], *self.sides(out.orelse)[1]] if neither else []

    def choice(self, itself: Poly, cases: list[Case]) -> Poly:
        (symbol,) = itself.symbols()
        self._cases[symbol] = cases
        return itself


def _changing(stmts: Sequence[Stmt]) -> Iterator[Atom]:
    """Memory that may be written to, by its own name or by another."""
    for stmt in walk.walk(stmts):
        match stmt:
            case ir.Store(ref=ref) | ir.Accumulate(ref=ref):
                yield ref
            case ir.View(base=base):
                yield base
            case ir.For() | ir.While():
                yield from (atom for c in stmt.carry for atom in (c.init, c.next))
            case ir.If():
                yield from (atom for o in stmt.outs for atom in (o.then, o.orelse))
            case ir.Append() | ir.Call() | ir.Custom():
                yield from walk.used(stmt)


def _nonnegative(symbol: Symbol) -> bool:
    return not isinstance(symbol, Var)


def _targets(stmt: Stmt) -> tuple[Var, ...]:
    if isinstance(stmt, ir.Let):
        return stmt.targets
    return tuple(o.target for o in stmt.outs) if isinstance(stmt, ir.If) else ()


def _growth(grown: Poly, low: int | None, sign: int, turn: Poly | None) -> list[Poly]:
    """Of what grows by at least `low` each iteration."""
    if low is None:
        return []
    facts = [grown] if low >= 0 else []
    return facts if turn is None or not low else [*facts, grown.plus(-low, turn)]


def _change(atom: Atom, head: Var, makes: dict[Var, Stmt]) -> tuple[int | None, int | None]:
    """The least and the greatest of atom - head, where it is a matter of literals added to it."""
    if atom is head:
        return 0, 0
    made = makes.get(atom) if isinstance(atom, Var) else None
    if isinstance(made, ir.Let) and made.op in (add, subtract) and isinstance(made.args[1], Const):
        by = int(made.args[1].value.real) * (1 if made.op is add else -1)
        low, high = _change(made.args[0], head, makes)
        return None if low is None else low + by, None if high is None else high + by
    if isinstance(made, ir.If):
        inner = {**makes, **{t: s for s in (*made.then, *made.orelse) for t in _targets(s)}}
        (out,) = (o for o in made.outs if o.target is atom)
        sides = [_change(side, head, inner) for side in (out.then, out.orelse)]
        lows, highs = [s[0] for s in sides if s[0] is not None], [s[1] for s in sides if s[1] is not None]
        return min(lows) if len(lows) == 2 else None, max(highs) if len(highs) == 2 else None
    return None, None


# ---- operations on integers: (ranges, the result as a symbol, the arguments) -> the result

Rule = Callable[[Ranges, Poly, list[Poly]], Poly]


def _floor_divide(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    a, b = values
    divisor = b.known
    if divisor is not None and divisor > 0:
        ranges.learn(a.plus(-divisor, itself), itself.scaled(divisor) + (divisor - 1) - a)
    if ranges.proves(a) and ranges.proves(b - 1):
        ranges.bounded(itself, Poly.constant(0), a)
    return itself


def _remainder(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    a, b = values
    if ranges.proves(b - 1):
        ranges.bounded(itself, Poly.constant(0), b - 1)
    return ranges.bounded(itself, upper=a) if ranges.proves(a) and ranges.proves(b - 1) else itself


def _smallest(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    ranges.learn(*(v - itself for v in values))
    return ranges.choice(itself, [(v, [o - v for o in values if o is not v]) for v in values])


def _largest(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    ranges.learn(*(itself - v for v in values))
    return ranges.choice(itself, [(v, [v - o for o in values if o is not v]) for v in values])


def _absolute(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    return _largest(ranges, itself, [values[0], -values[0]])


def _trips(ranges: Ranges, itself: Poly, values: list[Poly]) -> Poly:
    start, stop, step = values
    way = stop - start if step.known == 1 else start - stop if step.known == -1 else None
    return ranges.bounded(itself, Poly.constant(0)) if way is None else _largest(ranges, itself, [way, Poly({})])


_INTEGER: dict[str, Rule] = {
    "add": lambda ranges, itself, v: v[0] + v[1],
    "subtract": lambda ranges, itself, v: v[0] - v[1],
    "multiply": lambda ranges, itself, v: v[0] * v[1],
    "negative": lambda ranges, itself, v: -v[0],
    "cast": lambda ranges, itself, v: v[0],
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "min": _smallest,
    "minimum": _smallest,
    "max": _largest,
    "maximum": _largest,
    "larger": _largest,
    "nonnegative": lambda ranges, itself, v: _largest(ranges, itself, [v[0], Poly({})]),
    "absolute": _absolute,
    "trips": _trips,
}
