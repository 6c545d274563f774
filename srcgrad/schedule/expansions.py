"""Array primitives as loops over elements: for each, what computes one element of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import const, scalar_of
from srcgrad.core.ir import Atom, Const, Type
from srcgrad.rules.language import registry
from srcgrad.rules.scalar.compare import where
from srcgrad.rules.scalar.powers import power
from srcgrad.schedule.broadcasting import at_broadcast, broadcast, dims_of, repeats
from srcgrad.schedule.elements import (
    ARITHMETIC,
    LOOP,
    ONE,
    READ,
    ZERO,
    Elements,
    Operand,
    Place,
    Writer,
    row_major,
)

Params = Mapping[str, Any]
Expansion = Callable[[Writer, Sequence[Operand], Params, Sequence[Type]], Any]
EXPANSIONS: dict[str, Expansion] = {}


def expansion(*names: str) -> Callable[[Expansion], Expansion]:
    def enter(function: Expansion) -> Expansion:
        EXPANSIONS.update(dict.fromkeys(names, function))
        return function

    return enter


def reads_of(*values: Operand) -> frozenset[ir.Var]:
    return frozenset().union(*(v.reads for v in values if isinstance(v, Elements)))


def derived(
    value: Elements, dims: Sequence[Atom], at: Callable[[Place], Atom], cost: int | None = None, *others: Operand
) -> Elements:
    """Another arrangement of the same elements."""
    kept = value.cost if cost is None else max(cost, value.cost)
    return Elements(value.dtype, tuple(dims), at, kept, value.reads | reads_of(*others))


# ---- element by element


def elementwise(writer: Writer, op: ir.Primitive, args: Sequence[Operand], params: Params, type: Type) -> Elements:
    dims = broadcast(writer, [dims_of(a) for a in args])
    kind = scalar_of(type)
    operands = [_unrepeated(writer, a, dims) for a in args]
    floats = kind.is_float and op not in (where, power)

    def at(place: Place) -> Atom:
        items = [at_broadcast(writer, a, place, dims) for a in operands]
        if floats and op.infer(tuple(i.type for i in items), dict(params)) != (kind,):
            items = [writer.as_type(i, kind) if i.type in (ir.I8, ir.B1) else i for i in items]
        return narrow(writer, writer.as_type(writer.builder.let(op, *items, **params), kind), type.dtype)

    cost = (1 if op.traits.effort == "least" else ARITHMETIC) + sum(a.cost for a in operands if isinstance(a, Elements))
    return Elements(type.dtype, dims, at, cost, reads_of(*operands))


def narrow(writer: Writer, value: Atom, dtype: str) -> Atom:
    """An integer, in 64 bits, as an array of this type would hold it."""
    bits = 8 * int(dtype[1:])
    if not Type(dtype).is_narrow or bits == 64:
        return value
    half, whole = const(2 ** (bits - 1) if dtype[0] == "i" else 0), const(2**bits)
    return writer.minus(writer.op("remainder", writer.plus(value, half), whole), half)


def _unrepeated(writer: Writer, value: Operand, dims: Sequence[Atom]) -> Operand:
    """The operand; held if its elements are asked for several times."""
    repeats = isinstance(value, Elements) and tuple(value.dims) != tuple(dims)
    return writer.cheap(value) if isinstance(value, Elements) and repeats else value


# ---- repeating, and summing what was repeated


@expansion("broadcast_like")
def _broadcast_like(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    return _repeated(writer, args[0], dims_of(args[1]))


@expansion("broadcast_to")
def _broadcast_to(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    return _repeated(writer, args[0], [a for a in args[1:] if not isinstance(a, Elements)])


def _repeated(writer: Writer, value: Operand, dims: Sequence[Atom]) -> Operand:
    if not dims:
        return value
    if not isinstance(value, Elements):
        return Elements(value.type.dtype, tuple(dims), lambda place: value, READ)
    repeats(writer, value.dims, dims)
    kept = _unrepeated(writer, value, dims)
    assert isinstance(kept, Elements)
    return derived(kept, dims, lambda place: at_broadcast(writer, kept, place, dims))


@expansion("unbroadcast")
def _unbroadcast(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    value, like = args
    if not isinstance(value, Elements):
        return value
    lengths = dims_of(like)
    extra = value.rank - len(lengths)
    if not lengths:
        return total(writer, value)
    pairs = list(zip(value.dims[extra:], lengths, strict=True))
    short = [k for k, (own, n) in enumerate(pairs) if own != n and n == ONE]
    doubtful = [k for k, (own, n) in enumerate(pairs) if own != n and not isinstance(n, Const)]
    if not extra and not short and not doubtful:
        return value
    repeats(writer, lengths, value.dims)

    def at(place: Place) -> Atom:
        summed = [*value.dims[:extra], *(pairs[k][0] for k in short), *(_run(writer, pairs[k]) for k in doubtful)]

        def step(inner: Place, state: Place) -> Place:
            whole = list(place)
            for k, index in zip(short, inner[extra : extra + len(short)], strict=True):
                whole[k] = index
            for k, index in zip(doubtful, inner[extra + len(short) :], strict=True):
                whole[k] = writer.plus(place[k], index)
            return (writer.op("add", state[0], value.at((*inner[:extra], *whole))),)

        return writer.fold(summed, [writer.zero(value.kind)], step)[0]

    return derived(value, lengths, at, LOOP)


def _run(writer: Writer, pair: tuple[Atom, Atom]) -> Atom:
    """How many elements are added up along an axis: all if it was repeated, else one."""
    return writer.choose(writer.op("equal", pair[0], pair[1]), lambda: ONE, lambda: pair[0])


# ---- reductions


def total(writer: Writer, value: Elements) -> Atom:
    return writer.fold(value.dims, [writer.zero(value.kind)], lambda p, s: (writer.op("add", s[0], value.at(p)),))[0]


def reduced(
    writer: Writer, value: Elements, params: Params, dtype: str, reduce: Callable[[Sequence[Atom], Any], Atom],
    *others: Operand,
) -> Any:  # fmt: skip
    """reduce(lengths, element(inner place)) for each line over the axes."""
    axes, keepdims = params["axes"], params["keepdims"]
    lengths = [value.dims[k] for k in axes]
    left = [k for k in range(value.rank) if k not in axes]

    def of_line(outer: Sequence[Atom]) -> Atom:
        def element(inner: Place) -> Place:
            whole = dict(zip(left, outer, strict=True)) | dict(zip(axes, inner, strict=True))
            return tuple(whole[k] for k in range(value.rank))

        return reduce(lengths, element)

    if not left and not keepdims:
        return of_line(())
    dims = [ONE if k in axes else n for k, n in enumerate(value.dims) if keepdims or k in left]
    kept = [k for k in range(value.rank) if keepdims or k in left]

    def at(place: Place) -> Atom:
        return of_line([i for k, i in zip(kept, place, strict=True) if k in left])

    return Elements(dtype, tuple(dims), at, LOOP, value.reads | reads_of(*others))


@expansion("sum")
def _sum(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), kind = args, scalar_of(types[0])
    assert isinstance(value, Elements)

    def reduce(lengths: Sequence[Atom], element: Any) -> Atom:
        def step(place: Place, state: Place) -> Place:
            return (writer.op("add", state[0], writer.as_type(value.at(element(place)), kind)),)

        return writer.fold(lengths, [writer.zero(kind)], step)[0]

    return reduced(writer, value, params, types[0].dtype, reduce)


@expansion("prod")
def _prod(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), one = args, writer.as_type(const(1), scalar_of(types[0]))
    assert isinstance(value, Elements)

    def reduce(lengths: Sequence[Atom], element: Any) -> Atom:
        def step(place: Place, state: Place) -> Place:
            return (writer.op("multiply", state[0], writer.as_type(value.at(element(place)), one.type)),)

        return writer.fold(lengths, [one], step, "product")[0]

    return reduced(writer, value, {"axes": (params["axis"],), "keepdims": False}, types[0].dtype, reduce)


@expansion("outside")
def _outside(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    """Whether an index among these is out of range."""
    index, n = args
    assert isinstance(index, Elements) and not isinstance(n, Elements)

    def step(place: Place, state: Place) -> Place:
        item = index.at(place)
        low = writer.op("less", writer.op("add", item, n), ZERO)
        return (writer.op("logical_or", state[0], writer.op("logical_or", low, writer.op("greater_equal", item, n))),)

    return writer.fold(index.dims, [const(False)], step, "outside")[0]


@expansion("cumsum")
def _cumsum(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,), axis, reverse = args, params["axis"], params["reverse"]
    assert isinstance(value, Elements)
    ref, n = writer.local(types[0].dtype, value.dims, "running"), value.dims[axis]

    def of_line(rest: Place) -> None:
        def step(inner: Place, state: Place) -> Place:
            k = writer.minus(writer.minus(n, ONE), inner[0]) if reverse else inner[0]
            place = (*rest[:axis], k, *rest[axis:])
            sum_ = writer.op("add", state[0], writer.as_type(value.at(place), state[0].type))
            writer.builder.store(ref, place, sum_)
            return (sum_,)

        writer.fold([n], [writer.zero(scalar_of(types[0]))], step)

    writer.nest([m for k, m in enumerate(value.dims) if k != axis], of_line)
    return Elements(types[0].dtype, value.dims, lambda place: writer.builder.load(ref, place), READ)


@expansion("norm")
def _norm(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    (value,) = args
    assert isinstance(value, Elements)

    def reduce(lengths: Sequence[Atom], element: Any) -> Atom:
        def step(place: Place, state: Place) -> Place:
            item = value.at(element(place))
            return (writer.op("add", state[0], writer.op("multiply", item, item)),)

        return writer.op("sqrt", writer.fold(lengths, [writer.zero(value.kind)], step)[0])

    return reduced(writer, value, params, types[0].dtype, reduce)


def not_empty(writer: Writer, dims: Sequence[Atom]) -> None:
    """Raise where there is no element."""
    for n in dims:
        none = const(n == ZERO) if isinstance(n, Const) else writer.op("equal", n, ZERO)
        writer.require(none, "the largest or smallest of no elements")


def peak(name: str) -> Expansion:
    before, ignore = ("greater" if name.endswith("max") else "less"), name.startswith("nan")

    def expand(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
        (value,) = args
        assert isinstance(value, Elements)
        not_empty(writer, [value.dims[k] for k in params["axes"]])

        def reduce(lengths: Sequence[Atom], element: Any) -> Atom:
            def step(place: Place, state: Place) -> Place:
                item, (best,) = value.at(element(place)), state
                odd = best if ignore else item
                better = writer.op(before, item, best)
                if value.kind.is_float:
                    better = writer.op("logical_or", better, writer.op("not_equal", odd, odd))
                return (writer.op("where", better, item, best),)

            first = value.at(element((ZERO,) * len(lengths)))
            return writer.fold(lengths, [first], step, "best")[0]

        return reduced(writer, value, params, types[0].dtype, reduce)

    return expand


EXPANSIONS.update({name: peak(name) for name in ("max", "min", "nanmax", "nanmin")})


@expansion("at_ties")
def _at_ties(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    v, x, y = args
    assert isinstance(v, Elements) and isinstance(x, Elements)
    level = y if not isinstance(y, Elements) else writer.cheap(y)

    def reduce(lengths: Sequence[Atom], element: Any) -> Atom:
        def step(place: Place, state: Place) -> Place:
            whole = element(place)
            hit = _tied(writer, x.at(whole), _level_at(level, whole, params))
            more = writer.op("where", hit, writer.op("add", state[0], v.at(whole)), state[0])
            return more, writer.op("add", state[1], writer.op("where", hit, ONE, ZERO))

        found, count = writer.fold(lengths, [writer.zero(v.kind), ZERO], step)
        return writer.op("divide", found, writer.as_type(count, v.kind))

    return reduced(writer, x, params, types[0].dtype, reduce, v, level)


def _level_at(level: Operand, place: Place, params: Params) -> Atom:
    """The element of the reduced array that belongs to a place of the whole one."""
    if not isinstance(level, Elements):
        return level
    axes = params["axes"]
    kept = [ZERO if k in axes else i for k, i in enumerate(place) if params["keepdims"] or k not in axes]
    return level.at(tuple(kept))


def _tied(writer: Writer, item: Atom, level: Atom) -> Atom:
    same = writer.op("equal", item, level)
    if not item.type.is_float:
        return same
    both = writer.op("logical_and", writer.op("not_equal", item, item), writer.op("not_equal", level, level))
    return writer.op("logical_or", same, both)


@expansion("to_ties")
def _to_ties(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    g, x, y = args
    assert isinstance(x, Elements)
    level = y if not isinstance(y, Elements) else writer.cheap(y)

    def counted(lengths: Sequence[Atom], element: Any) -> Atom:
        def step(place: Place, state: Place) -> Place:
            whole = element(place)
            hit = _tied(writer, x.at(whole), _level_at(level, whole, params))
            return (writer.op("add", state[0], writer.op("where", hit, ONE, ZERO)),)

        return writer.fold(lengths, [ZERO], step, "count")[0]

    count = reduced(writer, x, params, "i8", counted)
    shares: Operand
    if isinstance(count, Elements):
        assert isinstance(g, Elements)
        cast = registry.PRIMITIVES["cast"]
        as_float = elementwise(writer, cast, [count], {"dtype": g.dtype}, Type(g.dtype, count.rank))
        shares = writer.held(elementwise(writer, registry.PRIMITIVES["divide"], [g, as_float], {}, types[0]))
    else:
        assert not isinstance(g, Elements)
        shares = writer.op("divide", g, writer.as_type(count, g.type))

    def at(place: Place) -> Atom:
        hit = _tied(writer, x.at(place), _level_at(level, place, params))
        share = _level_at(shares, place, params)
        return writer.op("where", hit, share, writer.zero(share.type))

    return Elements(types[0].dtype, x.dims, at, max(ARITHMETIC, x.cost), x.reads | reads_of(shares, level))


def truths(name: str) -> Expansion:
    def expand(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
        (value,) = args
        assert isinstance(value, Elements)

        def step(place: Place, state: Place) -> Place:
            item = value.at(place)
            hit = item if item.type == ir.B1 else writer.op("not_equal", item, writer.zero(item.type))
            if name == "count_nonzero":
                return (writer.op("add", state[0], writer.op("where", hit, ONE, ZERO)),)
            return (writer.op("logical_or" if name == "any" else "logical_and", state[0], hit),)

        start = {"any": const(False), "all": const(True), "count_nonzero": ZERO}[name]
        return writer.fold(value.dims, [start], step, "found")[0]

    return expand


EXPANSIONS.update({name: truths(name) for name in ("any", "all", "count_nonzero")})


# ---- products


@expansion("matmul")
def _matmul(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    a, b = (writer.cheap(v, v.rank == 2 or types[0].rank > 0) for v in args if isinstance(v, Elements))
    left = a.dims[::-1] if params["ta"] else a.dims
    right = b.dims[::-1] if params["tb"] else b.dims

    def at(place: Place) -> Atom:
        row, column = place[: a.rank - 1], place[a.rank - 1 :]

        def step(inner: Place, state: Place) -> Place:
            first, second = (*row, *inner), (*inner, *column)
            product = writer.op(
                "multiply", a.at(first[::-1] if params["ta"] else first), b.at(second[::-1] if params["tb"] else second)
            )
            return (writer.op("add", state[0], product),)

        return writer.fold([left[-1]], [writer.zero(a.kind)], step)[0]

    dims = (*left[:-1], *right[1:])
    return Elements(a.dtype, dims, at, LOOP, reads_of(a, b)) if dims else at(())


@expansion("outer")
def _outer(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    a, b = (writer.cheap(v) for v in args if isinstance(v, Elements))
    return Elements(
        a.dtype,
        (*a.dims, *b.dims),
        lambda p: writer.op("multiply", a.at(p[:1]), b.at(p[1:])),
        a.cost + b.cost + 1,
        reads_of(a, b),
    )


@expansion("contract")
def _contract(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
    a, b = (writer.cheap(v) for v in args if isinstance(v, Elements))
    left, right, out = params["left"], params["right"], params["out"]
    lengths = dict(zip(right, b.dims, strict=True)) | dict(zip(left, a.dims, strict=True))
    summed = [c for c in lengths if c not in out]

    def at(place: Place) -> Atom:
        def step(inner: Place, state: Place) -> Place:
            index = dict(zip(out, place, strict=True)) | dict(zip(summed, inner, strict=True))
            product = writer.op("multiply", a.at(tuple(index[c] for c in left)), b.at(tuple(index[c] for c in right)))
            return (writer.op("add", state[0], product),)

        return writer.fold([lengths[c] for c in summed], [writer.zero(a.kind)], step)[0]

    dims = tuple(lengths[c] for c in out)
    return Elements(a.dtype, dims, at, LOOP, reads_of(a, b)) if dims else at(())


def first_peak(name: str) -> Expansion:
    """The number of the first largest or smallest element; NaN comes before all."""
    before = "greater" if name == "argmax" else "less"

    def expand(writer: Writer, args: Sequence[Operand], params: Params, types: Sequence[Type]) -> Any:
        (value,) = args
        assert isinstance(value, Elements)
        not_empty(writer, value.dims)

        def step(place: Place, state: Place) -> Place:
            item, (best, found) = value.at(place), state
            better = writer.op(before, item, best)
            if value.kind.is_float:
                odd = writer.op("logical_and", writer.op("not_equal", item, item), writer.op("equal", best, best))
                better = writer.op("logical_or", better, odd)
            here = row_major(writer, place, value.dims)
            return writer.op("where", better, item, best), writer.op("where", better, here, found)

        return writer.fold(value.dims, [value.at((ZERO,) * value.rank), ZERO], step, "best")[1]

    return expand


EXPANSIONS.update({name: first_peak(name) for name in ("argmax", "argmin")})
