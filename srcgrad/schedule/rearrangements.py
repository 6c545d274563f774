"""Array primitives that put the same elements into other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Type, Var
from srcgrad.schedule.broadcasting import dims_of, same_size
from srcgrad.schedule.elements import (
    ARITHMETIC,
    FEW,
    LOOP,
    ONE,
    READ,
    ZERO,
    Elements,
    Operand,
    Place,
    Writer,
    row_major,
    static,
    unravelled,
)
from srcgrad.schedule.expansions import Params, derived, expansion, reads_of
from srcgrad.transform.refuse import unsupported

FEW_PARTS = 8  # what arrays of unknown lengths are joined from without memory: each element looks through them

# ---- the same elements in other places


@expansion("stop_gradient")
def _itself(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    return args[0]


@expansion("unsqueeze")
def _unsqueeze(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), axes = args, params["axes"]
    assert isinstance(value, Elements)
    old = iter(value.dims)
    dims = [ONE if k in axes else next(old) for k in range(value.rank + len(axes))]
    return derived(value, dims, lambda place: value.at(tuple(i for k, i in enumerate(place) if k not in axes)))


@expansion("squeeze")
def _squeeze(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), axes = args, params["axes"]
    assert isinstance(value, Elements)
    dims = [n for k, n in enumerate(value.dims) if k not in axes]
    for k in axes:
        writer.demand(value.dims[k], ONE)

    def at(place: Place) -> Atom:
        rest = iter(place)
        return value.at(tuple(ZERO if k in axes else next(rest) for k in range(value.rank)))

    return derived(value, dims, at)


@expansion("transpose")
def _transpose(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), axes = args, params["axes"]
    assert isinstance(value, Elements)
    dims = [value.dims[k] for k in axes]
    return derived(value, dims, lambda place: value.at(tuple(place[axes.index(k)] for k in range(value.rank))))


@expansion("reshape")
def _reshape(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    value, *rest = args
    assert isinstance(value, Elements)
    lengths = tuple(n for n in rest if not isinstance(n, Elements))
    same_size(writer, value.dims, lengths)
    return derived(value, lengths, lambda place: value.at(moved(writer, place, lengths, value.dims)))


def moved(writer: Writer, place: Place, lengths: Sequence[Atom], old: Sequence[Atom]) -> Place:
    """Where an element of a reshaped array was before."""
    if same_axes(lengths, old):
        inner = iter([i for i, n in zip(place, lengths, strict=True) if n != ONE])
        return tuple(ZERO if n == ONE else next(inner) for n in old)
    return unravelled(writer, row_major(writer, place, lengths), old)


def same_axes(lengths: Sequence[Atom], old: Sequence[Atom]) -> bool:
    """Whether only axes of length 1 come or go: there are as many elements, so that if one length is not seen to be the
    same, it is, or there are none."""
    long, was = ([n for n in dims if n != ONE] for dims in (lengths, old))
    return len(long) == len(was) and sum(n != m for n, m in zip(long, was, strict=True)) <= 1


@expansion("part")
def _part(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value, like), axis = args[:2], params["axis"]
    start = args[2] if len(args) > 2 else ZERO
    assert isinstance(value, Elements) and not isinstance(start, Elements)

    def at(place: Place) -> Atom:
        return value.at((*place[:axis], writer.plus(place[axis], start), *place[axis + 1 :]))

    return derived(value, dims_of(like), at)


@expansion("within")
def _within(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value, like), axis = args[:2], params["axis"]
    start = args[2] if len(args) > 2 else ZERO
    assert isinstance(value, Elements) and not isinstance(start, Elements)

    def at(place: Place) -> Atom:
        index = writer.minus(place[axis], start)
        inside = writer.op("less", index, value.dims[axis])
        if start != ZERO:
            inside = writer.op("logical_and", writer.op("greater_equal", index, ZERO), inside)
        there = (*place[:axis], index, *place[axis + 1 :])
        return writer.choose(inside, lambda: value.at(there), lambda: writer.zero(value.kind))

    return derived(value, dims_of(like), at, ARITHMETIC)


@expansion("concatenate")
def _concatenate(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    parts, axis = [a for a in args if isinstance(a, Elements)], params["axis"]
    starts: list[Atom] = [ZERO]
    for part in parts:
        starts.append(writer.plus(starts[-1], part.dims[axis]))
    dims = list(parts[0].dims)
    dims[axis] = starts[-1]

    def from_part(k: int, place: Place) -> Atom:
        here = (*place[:axis], writer.minus(place[axis], starts[k]), *place[axis + 1 :])
        if k + 1 == len(parts):
            return parts[k].at(here)
        before = writer.op("less", place[axis], starts[k + 1])
        return writer.choose(before, lambda: parts[k].at(here), lambda: from_part(k + 1, place))

    if not static(dims) and len(parts) <= FEW_PARTS:
        return Elements(types[0].dtype, tuple(dims), lambda place: from_part(0, place), LOOP, reads_of(*parts))
    ref = writer.local(types[0].dtype, dims, "joined")
    for part, start in zip(parts, starts, strict=False):

        def put(place: Place, part: Elements = part, start: Atom = start) -> None:
            there = (*place[:axis], writer.plus(place[axis], start), *place[axis + 1 :])
            writer.builder.store(ref, there, part.at(place))

        writer.nest(part.dims, put)
    return Elements(types[0].dtype, tuple(dims), lambda place: writer.builder.load(ref, place), READ)


# ---- diagonals and triangles


@expansion("diagonal")
def _diagonal(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), (row, column), offset = args, params["axes"], params["offset"]
    assert isinstance(value, Elements)
    down, right = const(max(-offset, 0)), const(max(offset, 0))
    a, b = writer.minus(value.dims[row], down), writer.minus(value.dims[column], right)
    if isinstance(a, Const) and isinstance(b, Const):
        n: Atom = const(max(min(int(a.value.real), int(b.value.real)), 0))
    else:
        n = writer.op("nonnegative", writer.choose(writer.op("less", a, b), lambda: a, lambda: b))
    dims = [*(m for k, m in enumerate(value.dims) if k not in (row, column)), n]

    def at(place: Place) -> Atom:
        rest = iter(place[:-1])
        special = {row: writer.plus(place[-1], down), column: writer.plus(place[-1], right)}
        return value.at(tuple(special[k] if k in special else next(rest) for k in range(value.rank)))

    return derived(value, dims, at)


def _put_on_diagonal(writer: Writer, value: Elements, dims: Sequence[Atom], axes: Any, offset: int) -> Elements:
    row, column = axes
    down, right = const(max(-offset, 0)), const(max(offset, 0))

    def at(place: Place) -> Atom:
        rest = [i for k, i in enumerate(place) if k not in axes]
        on = writer.op("equal", writer.plus(place[row], right), writer.plus(place[column], down))
        index = writer.minus(place[row], down)
        return writer.choose(on, lambda: value.at((*rest, index)), lambda: writer.zero(value.kind))

    return derived(value, dims, at, ARITHMETIC)


@expansion("on_diagonal_of")
def _on_diagonal_of(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    assert isinstance(args[0], Elements)
    return _put_on_diagonal(writer, args[0], dims_of(args[1]), params["axes"], params["offset"])


@expansion("on_diagonal")
def _on_diagonal(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), offset = args, params["offset"]
    assert isinstance(value, Elements)
    n = writer.plus(value.dims[0], const(abs(offset)))
    return _put_on_diagonal(writer, value, (n, n), (0, 1), offset)


@expansion("triangle")
def _triangle(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), upper, offset = args, params["upper"], params["offset"]
    assert isinstance(value, Elements)

    def at(place: Place) -> Atom:
        edge = writer.plus(place[-2], const(offset))
        inside = writer.op("greater_equal" if upper else "less_equal", place[-1], edge)
        return writer.choose(inside, lambda: value.at(place), lambda: writer.zero(value.kind))

    return derived(value, value.dims, at, ARITHMETIC)


# ---- sequences


@expansion("arange")
def _arange(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    given: list[Atom] = [a for a in args if not isinstance(a, Elements)]
    start, stop, step = (*([ZERO, *given] if len(given) == 1 else given), ONE)[:3]
    n = writer.op("trips", start, stop, step)
    return Elements("i8", (n,), lambda place: writer.plus(start, writer.times(place[0], step)), ARITHMETIC)


@expansion("linspace")
def _linspace(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    start, stop, n = (a for a in args if not isinstance(a, Elements))
    kind = start.type
    last = writer.minus(n, ONE)
    gaps = writer.as_type(writer.op("larger", last, ONE), kind)
    step = writer.op("divide", writer.op("subtract", stop, start), gaps)

    def at(place: Place) -> Atom:
        here = writer.op("add", writer.op("multiply", writer.as_type(place[0], kind), step), start)
        ends = writer.op("logical_and", writer.op("equal", place[0], last), writer.op("greater", n, ONE))
        return writer.op("where", ends, stop, here)

    return Elements(kind.dtype, (n,), at, ARITHMETIC)


@expansion("float_arange")
def _float_arange(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    start, stop, step = (a for a in args if not isinstance(a, Elements))
    turns = writer.op("divide", writer.op("subtract", stop, start), step)
    n = writer.op("nonnegative", writer.op("int_ceil", turns))
    gap = writer.op("subtract", writer.op("add", start, step), start)

    def at(place: Place) -> Atom:
        return writer.op("add", start, writer.op("multiply", writer.as_type(place[0], start.type), gap))

    return Elements(start.type.dtype, (n,), at, ARITHMETIC)


@expansion("nonzero")
def _nonzero(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    """Where a mask is true: as many places as there are, in arrays with room for all."""
    (mask,) = args
    assert isinstance(mask, Elements)
    room: Atom = ONE
    for length in mask.dims:
        room = writer.times(room, length)
    found = [writer.local("i8", (room,), "places") for _ in types]

    def step(place: Place, state: Place) -> Place:
        hit = mask.at(place)
        with writer.builder.block() as stores:
            for ref, index in zip(found, place, strict=True):
                writer.builder.store(ref, state, index)
        writer.builder.put(ir.If(hit, tuple(stores), (), span=writer.builder.span))
        return (writer.op("add", state[0], writer.op("where", hit, ONE, ZERO)),)

    (count,) = writer.fold(mask.dims, [ZERO], step, "count")

    def reader(ref: Var) -> Elements:
        return Elements("i8", (count,), lambda place: writer.builder.load(ref, place), READ)

    return [reader(ref) for ref in found]


# ---- order


def _before(writer: Writer, a: Atom, b: Atom) -> Atom:
    """Whether a stands before b in order; NaN comes last."""
    less = writer.op("less", a, b)
    if not a.type.is_float:
        return less
    last = writer.op("logical_and", writer.op("equal", a, a), writer.op("not_equal", b, b))
    return writer.op("logical_or", less, last)


@expansion("argsort")
def _argsort(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    """The place of an element is the number of those before it; equal ones stay in their order."""
    (value,), axis = args, params["axis"]
    assert isinstance(value, Elements)
    items, n = writer.cheap(value), value.dims[axis]
    ref = writer.local("i8", value.dims, "order")

    def of_line(rest: Place) -> None:
        def at(k: Atom) -> Place:
            return (*rest[:axis], k, *rest[axis:])

        def of_item(place: Place) -> None:
            own = items.at(at(place[0]))

            def step(inner: Place, state: Place) -> Place:
                other = items.at(at(inner[0]))
                tie = writer.op("logical_not", _before(writer, own, other))
                tie = writer.op("logical_and", writer.op("less", inner[0], place[0]), tie)
                first = writer.op("logical_or", _before(writer, other, own), tie)
                return (writer.op("add", state[0], writer.op("where", first, ONE, ZERO)),)

            (found,) = writer.fold([n], [ZERO], step, "place")
            writer.builder.store(ref, at(found), place[0])

        writer.nest([n], of_item)

    writer.nest([m for k, m in enumerate(value.dims) if k != axis], of_line)
    return Elements("i8", value.dims, lambda place: writer.builder.load(ref, place), READ)


@expansion("searchsorted")
def _searchsorted(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    """By halves."""
    row, wanted = args
    assert isinstance(row, Elements)
    items, (n,) = writer.cheap(row), row.dims
    halves = const(int(n.value.real).bit_length() if isinstance(n, Const) else 63)

    def found(value: Atom) -> Atom:
        def step(place: Place, state: Place) -> Place:
            low, high = state
            middle = writer.op("floor_divide", writer.op("add", low, high), const(2))
            open_ = writer.op("less", low, high)

            def behind() -> Atom:
                item = items.at((middle,))
                if params["side"] == "left":
                    return _before(writer, item, value)
                return writer.op("logical_not", _before(writer, value, item))

            right = writer.choose(open_, behind, lambda: const(False))
            left = writer.op("logical_and", open_, writer.op("logical_not", right))
            after = writer.op("add", middle, ONE)
            return writer.op("where", right, after, low), writer.op("where", left, middle, high)

        return writer.fold([halves], [ZERO, n], step, "low", "high")[0]

    if not isinstance(wanted, Elements):
        return found(wanted)
    return Elements("i8", wanted.dims, lambda p: found(wanted.at(p)), LOOP, reads_of(items, wanted))


@expansion("repeated_places")
def _repeated_places(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    n, times = args
    assert not isinstance(n, Elements)
    if isinstance(times, Elements):
        message = "np.repeat with a count for each element makes memory of a length that only the run tells"
        raise unsupported(writer.builder.span, message, "give one count, or write the elements into an array")
    return Elements("i8", (writer.times(n, times),), lambda place: writer.op("floor_divide", place[0], times), FEW)
