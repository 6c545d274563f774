"""Array primitives as loops in the order in which a CPU reads memory, where that differs from an element at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from srcgrad.core import ir
from srcgrad.core.build import scalar_of
from srcgrad.core.ir import Const
from srcgrad.schedule.elements import ONE, READ, ZERO, Elements, Operand, Place, Writer
from srcgrad.schedule.expansions import EXPANSIONS

# of two or more operands, or of an order that depends on values: calls
# (a norm that neither overflows nor vanishes on its way, too)
KERNELS = frozenset("norm matmul contract nonzero argsort searchsorted float_arange repeated_places".split())
SMALL = 16  # elements of the arrays whose products are written out
Made = Callable[[Writer, ir.Let, Sequence[Operand]], "Operand | None"]
IN_ORDER: dict[str, Made] = {}


def as_loops(name: str) -> bool:
    """Whether the primitive of this name becomes loops."""
    return name in EXPANSIONS and name not in KERNELS


def product_as_loops(stmt: ir.Let, args: Sequence[Operand]) -> bool:
    """Whether it is a product of two vectors, or of arrays of few elements, of lengths that are known and fit."""
    arrays = [a for a in args if isinstance(a, Elements)]
    if stmt.op.name not in ("matmul", "contract") or len(arrays) != 2 or arrays[0].dtype != arrays[1].dtype:
        return False
    if stmt.op.name == "matmul" and arrays[0].rank == arrays[1].rank == 1:
        return True
    lengths: dict[object, int] = {}
    labels = _labels(stmt)
    for own, array in zip(labels, arrays, strict=True):
        for label, n in zip(own, array.dims, strict=True):
            if not isinstance(n, Const) or lengths.setdefault(label, int(n.value.real)) != n.value:
                return False
    sizes = [prod(lengths[label] for label in own) for own in labels]
    once = [n for label, n in lengths.items() if sum(label in own for own in labels) == 1]
    return all(0 < size <= SMALL for size in (*sizes, prod(once)))


def _labels(stmt: ir.Let) -> list[Sequence[object]]:
    """The axes of both operands, by name: those of one name go together."""
    if stmt.op.name == "contract":
        return [stmt.params["left"], stmt.params["right"]]
    left = "ij" if stmt.args[0].type.rank == 2 else "j"
    right = "jk" if stmt.args[1].type.rank == 2 else "j"
    return [left[::-1] if stmt.params["ta"] else left, right[::-1] if stmt.params["tb"] else right]


def in_order(name: str) -> Callable[[Made], Made]:
    def enter(function: Made) -> Made:
        IN_ORDER[name] = function
        return function

    return enter


@in_order("sum")
def _sum(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand | None:
    """By adding each element to its sum, where the last axis is not among those that are summed."""
    (value,), axes, keepdims = args, stmt.params["axes"], stmt.params["keepdims"]
    assert isinstance(value, Elements)
    if value.rank - 1 in axes or not axes:
        return None
    kept = [k for k in range(value.rank) if k not in axes]
    dims = [ONE if k in axes else n for k, n in enumerate(value.dims) if keepdims or k in kept]
    ref = writer.builder.alloc(stmt.target.type.dtype, dims, ir.Init.ZEROS, stmt.target.name)
    kind = scalar_of(stmt.target.type)

    def add(place: Place) -> None:
        there = tuple(ZERO if k in axes else i for k, i in enumerate(place) if keepdims or k in kept)
        writer.builder.accumulate(ref, there, writer.as_type(value.at(place), kind))

    writer.nest(value.dims, add)
    return lying(writer, ref, dims)


def lying(writer: Writer, ref: ir.Var, dims: Sequence[ir.Atom]) -> Elements:
    """What new memory holds, which nothing writes any more."""
    builder = writer.builder
    return Elements(
        ref.type.dtype,
        tuple(dims),
        lambda place: builder.load(ref, place),
        READ,
        value=lambda: builder.load(ref),
        home=ref,
    )


@in_order("unbroadcast")
def _unbroadcast(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand | None:
    """The same for what was repeated."""
    value, like = args
    if not isinstance(value, Elements) or not isinstance(like, Elements):
        return None
    extra = value.rank - like.rank
    pairs = list(zip(value.dims[extra:], like.dims, strict=True))
    if not extra and all(own == n for own, n in pairs):
        return None
    if like.dims[-1] == ONE and all(own == n or n == ONE for own, n in pairs):
        made = EXPANSIONS["unbroadcast"](writer, args, stmt.params, [stmt.target.type])
        return writer.held(made, stmt.target.name)
    ref = writer.builder.alloc(stmt.target.type.dtype, like.dims, ir.Init.ZEROS, stmt.target.name)

    def add(place: Place) -> None:
        there = []
        for index, (own, n) in zip(place[extra:], pairs, strict=True):
            sure = own == n or isinstance(n, Const)
            step = ZERO if n == ONE else index
            there.append(step if sure else writer.repeated(n, index))
        writer.builder.accumulate(ref, tuple(there), value.at(place))

    writer.nest(value.dims, add)
    return lying(writer, ref, like.dims)


@in_order("symmetric")
def _symmetric(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand | None:
    (given,) = args
    assert isinstance(given, Elements)
    value = writer.cheap(given)
    half = Const(0.5, value.kind)

    def at(place: Place) -> ir.Atom:
        return writer.op("multiply", half, writer.op("add", value.at(place), value.at(place[::-1])))

    return Elements(value.dtype, value.dims, at, 2, value.reads)


@in_order("concatenate")
def _concatenate(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand | None:
    """Each part by loops of its own."""
    parts, axis = [a for a in args if isinstance(a, Elements)], stmt.params["axis"]
    starts: list[ir.Atom] = [ZERO]
    for part in parts:
        starts.append(writer.plus(starts[-1], part.dims[axis]))
    dims = list(parts[0].dims)
    dims[axis] = starts[-1]
    ref = writer.builder.alloc(stmt.target.type.dtype, dims, ir.Init.EMPTY, stmt.target.name)
    for part, start in zip(parts, starts, strict=False):

        def put(place: Place, part: Elements = part, start: ir.Atom = start) -> None:
            there = (*place[:axis], writer.plus(place[axis], start), *place[axis + 1 :])
            writer.builder.store(ref, there, part.at(place))

        writer.nest(part.dims, put)
    return lying(writer, ref, dims)


@in_order("roll")
def _roll(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand | None:
    """What stays in order, and what comes round, by loops of their own."""
    value, shift = args
    if not isinstance(value, Elements) or isinstance(shift, Elements):
        return None
    value, axis = writer.cheap(value), stmt.params["axis"]
    n = value.dims[axis]
    ahead = writer.op("remainder", shift, writer.op("larger", n, ONE), called="ahead")
    left = writer.op("subtract", n, ahead, called="left")
    ref = writer.builder.alloc(stmt.target.type.dtype, value.dims, ir.Init.EMPTY, stmt.target.name)

    def put(length: ir.Atom, start: ir.Atom, stop: ir.Atom) -> None:
        def one(place: Place) -> None:
            there, here = ((*place[:axis], writer.plus(place[axis], by), *place[axis + 1 :]) for by in (stop, start))
            writer.builder.store(ref, there, value.at(here))

        writer.nest((*value.dims[:axis], length, *value.dims[axis + 1 :]), one)

    put(left, ZERO, ahead)
    put(ahead, left, ZERO)
    return lying(writer, ref, value.dims)
