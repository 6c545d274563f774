"""Arrays of several lengths side by side, as NumPy broadcasts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from srcgrad.core.ir import Atom, Const
from srcgrad.schedule.elements import ONE, ZERO, Elements, Operand, Place, Writer


def dims_of(value: Operand) -> tuple[Atom, ...]:
    return value.dims if isinstance(value, Elements) else ()


def broadcast(writer: Writer, parts: Sequence[tuple[Atom, ...]]) -> tuple[Atom, ...]:
    """The lengths that these are broadcast to."""
    rank = max(map(len, parts), default=0)
    out = []
    for axis in range(1, rank + 1):
        lengths = [n for n in dict.fromkeys(p[-axis] for p in parts if len(p) >= axis) if n != ONE]
        fixed = next((n for n in lengths if isinstance(n, Const)), None)
        if fixed is None:
            out.append(_longest(writer, lengths))
            continue
        out.append(fixed)
        for n in lengths:
            writer.demand(n, fixed, n)
    return tuple(reversed(out))


def _longest(writer: Writer, lengths: Sequence[Atom]) -> Atom:
    """The length other than 1, if there is one, among lengths that only the run tells."""
    found, *others = sorted(lengths, key=lambda n: -len(writer.spread.get(n, ()))) or (ONE,)
    for n in others:
        known, more = (writer.spread.get(m, frozenset({m})) for m in (found, n))
        if not more <= known:
            writer.demand(found, n, found, n)
            found = writer.op("where", writer.op("equal", found, ONE), n, found, called="n")
            writer.spread[found] = known | more
    return found


def repeats(writer: Writer, dims: Sequence[Atom], whole: Sequence[Atom]) -> None:
    """Demand that an array of lengths dims can be repeated to fill these."""
    for own, n in zip(reversed(dims), reversed(whole), strict=False):
        if own != ONE and own not in writer.spread.get(n, ()):
            writer.demand(own, n, own)


def same_size(writer: Writer, old: Sequence[Atom], new: Sequence[Atom]) -> None:
    """Demand that arrays of these lengths have as many elements as each other."""
    if Counter(n for n in old if n != ONE) != Counter(n for n in new if n != ONE):
        writer.demand(product(writer, old), product(writer, new))


def product(writer: Writer, dims: Sequence[Atom]) -> Atom:
    out: Atom = ONE
    for n in dims:
        out = writer.times(out, n)
    return out


def at_broadcast(writer: Writer, value: Operand, place: Place, dims: Sequence[Atom]) -> Atom:
    """The element of value that stands at a place of something that it is broadcast to."""
    if not isinstance(value, Elements):
        return value
    tail, lengths = place[len(place) - value.rank :], dims[len(dims) - value.rank :]
    found = []
    for index, own, whole in zip(tail, value.dims, lengths, strict=True):
        sure = own == whole or isinstance(own, Const)
        step = ZERO if own == ONE else index
        found.append(step if sure else writer.repeated(own, index))
    return value.at(tuple(found))
