"""What a `for` goes over: ranges, arrays, enumerate, zip, reversed; tuples are unrolled."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import growing_lists, values
from srcgrad.frontend.lowering.expressions import binary, dimension, element, unpacked
from srcgrad.frontend.lowering.growing_lists import expect_equal
from srcgrad.frontend.lowering.objects import length as length_of
from srcgrad.frontend.lowering.objects import record
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import iterable
from srcgrad.frontend.lowering.values import TRUE, Known, Method, Struct, Value
from srcgrad.frontend.source.structure import Records

ZERO, ONE = Const(0, ir.I8), Const(1, ir.I8)
WRITTEN_OUT = 200  # a range of more turns is not written out turn by turn


def itself(index: Atom) -> Value:
    return index


@dataclass(frozen=True, slots=True)
class Domain:
    """A counted loop: `item(index)` is what the target is bound to at each index of range(start, stop, step)."""

    start: Atom
    stop: Atom
    step: Atom
    item: Callable[[Atom], Value]
    source: Struct | None = None  # the list that it goes over
    parallel: bool = False  # whether the user wrote `prange`
    apart: bool = False  # whether its turns are unlike, so that they are written out: `item` takes a number

    @property
    def known(self) -> range | None:
        """The iterations, if they are known."""
        bounds = [int(b.value.real) for b in (self.start, self.stop, self.step) if isinstance(b, Const)]
        return range(*bounds) if len(bounds) == 3 else None

    @property
    def plain(self) -> bool:
        """Whether its items are its indices."""
        return self.item is itself

    @property
    def numbers(self) -> list[Atom]:
        """The numbers that it goes over, if it is a range of a few that are known."""
        if self.known is None or len(self.known) > WRITTEN_OUT or not self.plain:
            return []
        return [Const(k, ir.I8) for k in self.known]

    @property
    def surely(self) -> bool:
        """Whether there is at least one iteration."""
        return bool(self.known)


OTHERS: dict[Any, Callable[[Lowering, ast.Call], Domain | Struct]] = {}  # by the function that is called


def domain(low: Lowering, node: ast.expr) -> Domain | Struct:
    """What `for ... in node` goes over: a counted loop, or a tuple of which each item is known apart."""
    if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
        function = low.ex(node.func)
        if isinstance(function, Known) and isinstance(function.value, type) and function.value in OTHERS:
            return OTHERS[function.value](low, node)
    if isinstance(node, ast.Call) and all(k.arg in ("start", "strict") for k in node.keywords):
        function = low.ex(node.func)
        if isinstance(function, Known):
            match function.value:
                case f if f is range:
                    return _range(low, [low.integer(low.ex(a)) for a in node.args])
                case f if is_prange(f):
                    return replace(_range(low, [low.integer(low.ex(a)) for a in node.args]), parallel=True)
                case f if f is enumerate and node.args:
                    return _enumerate(low, node)
                case f if f is zip:
                    return _zip(low, parts_of(low, node), _strict(low, node))
                case f if f is reversed and len(node.args) == 1:
                    return _reversed(low, domain(low, node.args[0]))
    value = low.ex(node)
    if isinstance(value, Method) and value.name == "flat":
        return elements(low, value.owner)
    return over(low, value)


def parts_of(low: Lowering, node: ast.Call) -> list[Domain | Struct]:
    """What each argument goes over."""
    parts: list[Domain | Struct] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            parts += [over(low, item) for item in unpacked(low, low.ex(arg.value))]
        else:
            parts.append(domain(low, arg))
    return parts


def is_prange(function: Any) -> bool:
    """Whether this is Numba's `prange`: a range whose iterations may run at once."""
    module = str(getattr(function, "__module__", ""))
    return getattr(function, "__name__", "") == "prange" and module.split(".")[0] == "numba"


def _strict(low: Lowering, node: ast.Call) -> bool:
    return any(k.arg == "strict" and low.truth(low.ex(k.value)) == TRUE for k in node.keywords)


def over(low: Lowering, value: Value) -> Domain | Struct:
    if isinstance(value, Struct) and value.kind is values.KeyedItems:
        return _pairs(low, value)
    value = iterable(low, value)
    match value:
        case Struct(kind=kind) if kind is Records:
            count = low.integer(length_of(low, [value]))
            return Domain(ZERO, count, ONE, lambda index: record(low, value, index, checks=False))
        case Struct() if issubclass(value.kind, dict):
            return values.struct([values.of_key(key) for key in value.keys])
        case Struct(rows=values.Rows()):
            return of_rows(low, value)
        case Struct():
            return value
        case Var() if value.type.rank:
            ref = low.memory(value)
            assert isinstance(ref, Var)
            return Domain(ZERO, dimension(low, ref, 0), ONE, lambda index: element(low, ref, index))
    return low.refuse(f"{values.describe(value)} cannot be looped over", "loop over a range, an array or a tuple")


def _pairs(low: Lowering, value: Struct) -> Domain | Struct:
    """The items of a dict with computed keys, as they are in each turn."""
    keys, items = value.held
    assert isinstance(keys, Struct) and isinstance(items, Struct)
    if keys.rows is None and not keys.held:
        return values.struct([])
    first = of_rows(low, keys)
    growing_lists.indexable(low, items)

    def item(index: Atom) -> Value:
        return values.struct([first.item(index), growing_lists.item(low, growing_lists.indexable(low, items), index)])

    return replace(first, item=item)


def of_rows(low: Lowering, items: Struct) -> Domain:
    """What goes over a list of unknown length, or over one that becomes such a list here."""
    rows = growing_lists.indexable(low, items)
    return Domain(ZERO, rows.count, ONE, lambda index: growing_lists.item(low, rows, index), items)


def _range(low: Lowering, bounds: list[Atom]) -> Domain:
    match bounds:
        case [stop]:
            return Domain(ZERO, stop, ONE, itself)
        case [start, stop]:
            return Domain(start, stop, ONE, itself)
        case [start, stop, step]:
            if step == ZERO:
                low.refuse("the step of a range is 0", "use another step")
            if isinstance(step, Var):
                said = "ValueError", "the step of a range is 0", "check the step first"
                low.demand("nonzero", step, ZERO, said, low.frame.node)
            return Domain(start, stop, step, itself)
    return low.refuse("range takes one to three integers", "write range(stop) or range(start, stop, step)")


def arith(low: Lowering, function: Callable[..., object], a: Atom, b: Atom) -> Atom:
    """Integer arithmetic, without what changes nothing."""
    if function is operator.add and ZERO in (a, b):
        return b if a == ZERO else a
    if (function is operator.sub and b == ZERO) or (function is operator.mul and b == ONE):
        return a
    return low.atom(binary(low, function, a, b))


def trips(low: Lowering, d: Domain) -> Atom:
    """The number of iterations; possibly negative for none."""
    length = arith(low, operator.sub, d.stop, d.start)
    if d.step == ONE:
        return length
    if d.step == Const(-1, ir.I8):
        return arith(low, operator.sub, d.start, d.stop)
    back = arith(low, operator.sub, d.start, d.stop)  # -((start - stop) // step) rounds up, for either sign of the step
    return low.atom(low.apply(operator.neg, low.apply(operator.floordiv, back, d.step)))


def rest(low: Lowering, d: Domain) -> Domain:
    """The same turns without the first."""
    return replace(d, start=arith(low, operator.add, d.start, d.step))


def counted(low: Lowering, d: Domain) -> Domain:
    """The same iterations, with an index from 0 by 1."""
    if d.start == ZERO and d.step == ONE:
        return d

    def item(index: Atom) -> Value:
        return d.item(arith(low, operator.add, d.start, arith(low, operator.mul, index, d.step)))

    return Domain(ZERO, trips(low, d), ONE, item, apart=d.apart)


def _enumerate(low: Lowering, node: ast.Call) -> Domain | Struct:
    inner = domain(low, node.args[0])
    extra = node.args[1] if len(node.args) > 1 else node.keywords[0].value if node.keywords else None
    first = ZERO if extra is None else low.integer(low.ex(extra))
    if isinstance(inner, Struct):
        pairs = [
            values.struct([arith(low, operator.add, Const(k, ir.I8), first), item])
            for k, item in enumerate(inner.items)
        ]
        return values.struct(pairs)
    base = counted(low, inner)

    def numbered(index: Atom) -> Value:
        return values.struct([arith(low, operator.add, index, first), base.item(index)])

    return Domain(ZERO, base.stop, ONE, numbered, apart=base.apart)


def _zip(low: Lowering, parts: list[Domain | Struct], strict: bool) -> Domain | Struct:
    if any(isinstance(p, Struct) for p in parts):
        parts = [_listed(p) for p in parts]
    structs = [p for p in parts if isinstance(p, Struct)]
    if strict and len({len(p.items) for p in structs}) > 1:
        low.refuse("zip(strict=True) of tuples of different lengths", "make them of one length")
    if len(structs) == len(parts):
        return values.struct([values.struct(items) for items in zip(*(p.items for p in structs), strict=False)])
    bases = [_turns_apart(low, p) if isinstance(p, Struct) else counted(low, p) for p in parts]

    def item(index: Atom) -> Value:
        return values.struct([base.item(index) for base in bases])

    if any(base.apart for base in bases):
        return Domain(ZERO, _fewest(low, bases, strict), ONE, item, apart=True)
    stop = bases[0].stop
    for base in bases[1:]:
        if strict:
            expect_equal(low, stop, base.stop, "zip() arguments have different lengths")
        stop = stop if values.identical(stop, base.stop) else low.atom(low.apply(min, stop, base.stop))
    return Domain(ZERO, stop, ONE, item)


def _turns_apart(low: Lowering, items: Struct) -> Domain:
    """What goes over a tuple beside what is read anew in each turn."""

    def item(index: Atom) -> Value:
        if not isinstance(index, Const):
            low.refuse("an iterator over a zip of a tuple and an array", "loop over the zip itself")
        return items.items[int(index.value.real)]

    return Domain(ZERO, Const(len(items.items), ir.I8), ONE, item, apart=True)


def _fewest(low: Lowering, bases: Sequence[Domain], strict: bool) -> Const:
    """The number of turns that are written out: what is of unknown length must have as many items."""
    known = [base.stop for base in bases if isinstance(base.stop, Const)]
    fewest = min(known, key=lambda stop: stop.value.real)
    for stop in (base.stop for base in bases):
        if strict:
            expect_equal(low, stop, fewest, "zip() arguments have different lengths")
        elif isinstance(stop, Var):
            more = arith(low, operator.sub, stop, fewest)
            said = (
                "ValueError",
                f"what is zipped with {int(fewest.value.real)} items is shorter",
                "give as many of each",
            )
            low.demand("nonnegative", more, ZERO, said, low.frame.node)
    return fewest


def _listed(part: Domain | Struct) -> Domain | Struct:
    """A range of known iterations as items."""
    if isinstance(part, Struct) or part.known is None or not part.plain:
        return part
    return values.struct([Const(k, ir.I8) for k in part.known])


def _reversed(low: Lowering, d: Domain | Struct) -> Domain | Struct:
    if isinstance(d, Struct):
        return values.struct(d.items[::-1])
    if d.step == ONE:
        last = arith(low, operator.sub, d.stop, ONE)
        return Domain(last, arith(low, operator.sub, d.start, ONE), Const(-1, ir.I8), d.item)
    base = counted(low, d)
    last = arith(low, operator.sub, base.stop, ONE)
    return Domain(last, Const(-1, ir.I8), Const(-1, ir.I8), base.item)


# ---- loops inside one another as one


def nested(low: Lowering, bases: Sequence[Domain]) -> Domain:
    """Loops from 0 by 1, inside one another, as one: the last turns fastest."""
    lengths = [low.atom(low.apply(max, base.stop, ZERO)) for base in bases]
    count: Atom = ONE
    for length in lengths:
        count = arith(low, operator.mul, count, length) if count != ONE else length

    def item(index: Atom) -> Value:
        return values.struct([base.item(k) for base, k in zip(bases, _places(low, index, lengths), strict=True)])

    return Domain(ZERO, count, ONE, item)


def _places(low: Lowering, index: Atom, lengths: Sequence[Atom]) -> list[Atom]:
    """The index of each of nested loops, from the number of turns that were made."""
    found: list[Atom] = []
    for length in reversed(lengths[1:]):
        found.append(low.atom(binary(low, operator.mod, index, length)))
        index = low.atom(binary(low, operator.floordiv, index, length))
    return [index, *reversed(found)] if lengths else []


def over_places(low: Lowering, value: Value, name: str) -> tuple[Var, Domain]:
    """An array, and a loop over the places of its elements."""
    ref = low.memory(value) if isinstance(value, Var) and value.type.rank else None
    if not isinstance(ref, Var):
        low.refuse(f"`{name}` of {values.describe(value)}", "give it an array")
    lengths = [dimension(low, ref, axis) for axis in range(ref.type.rank)]
    return ref, nested(low, [Domain(ZERO, n, ONE, itself) for n in lengths])


def at_place(place: Value) -> tuple[Atom, ...]:
    """A place as an index."""
    assert isinstance(place, Struct)
    return tuple(k for k in place.items if isinstance(k, (Var, Const)))


def elements(low: Lowering, value: Value) -> Domain:
    """array.flat: the elements in the order of their places."""
    ref, places = over_places(low, value, "flat")
    return Domain(ZERO, places.stop, ONE, lambda index: low.b.load(ref, at_place(places.item(index))))
