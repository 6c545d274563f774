"""Arrays of places as indices: reads, and writes that go from place to place.

NumPy's `a[k] = v` writes the values one after another, so the last one stays where a place comes twice; `a[k] += v`
adds to what was read before, so there too one value counts; `np.add.at(a, k, v)` counts all. As loops over the places
all of them have the right adjoint without a rule of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const, index_rank, whole
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import cast, zero
from srcgrad.rules.language.values import Val, contents, emit, emit_many, value_of
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.rules.scalar.compare import not_equal
from srcgrad.rules.shapes.broadcast import Params, Types, broadcast_like
from srcgrad.rules.shapes.shape import count, dim, dims, length, reshape

ADDS = (np.add, np.subtract)


def is_array(item: ir.Item) -> bool:
    return not isinstance(item, ir.Slice) and item.type.rank > 0


# ---- masks


def _nonzero_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type("i8", 1),) * types[0].rank


def _nonzero(x: Any) -> Any:
    found = np.nonzero(x)
    return found[0] if len(found) == 1 else found


nonzero = zero(
    "nonzero",
    (),
    infer=_nonzero_infer,
    evaluate=_nonzero,
    elementwise=False,
    template=lambda types, params: "np.flatnonzero(_0)" if types[0].rank == 1 else "np.nonzero(_0)",
    samples=[
        (np.array([True, False, True]),),
        (np.array([[True, False], [True, True]]),),
        (np.array([[[True, False], [False, True]]]),),
    ],
)


def true_places(mask: Val) -> tuple[Val, ...]:
    """Where a mask is true: an array of integers, as memory, for each of its axes."""
    value = contents(mask)
    truths = value if value.type.dtype == "b1" else emit(not_equal, value, value.lift(0))
    arrays = emit_many(nonzero, truths, name="places")
    builder = mask.builder
    first, *more = (builder.alloc("i8", (), v.atom, "places") for v in arrays)
    for other in more:
        builder.copy_dims(other, first)
    return tuple(Val(builder, places) for places in (first, *more))


def check_lengths(builder: Builder, a: Val, b: Val, message: str, error: str = "ValueError") -> None:
    """Raise at run time where two lengths differ, unless they are known to be equal."""
    if a.atom == b.atom or builder.shapes.same_length(a.atom, b.atom):
        return
    raising = ir.Effect(f"raise {error}({message!r})", span=builder.span)
    builder.put(ir.If(emit(not_equal, a, b).atom, (raising,), (), span=builder.span))


@registry.adaptor(np.nonzero, methods=("nonzero",))
def _nonzero_call(builder: Builder, x: Any) -> tuple[Val, ...]:
    return true_places(arguments.array_value(builder, x, "np.nonzero"))


@registry.adaptor(np.flatnonzero)
def _flatnonzero(builder: Builder, x: Any) -> Val:
    value = arguments.array_value(builder, x, "np.flatnonzero")
    (found,) = true_places(_flat(value))
    return found


# ---- one shape, one axis


def _flat(value: Val) -> Val:
    return value if value.type.rank == 1 else reshape(value, count(value))


def _together(builder: Builder, index: ir.Index) -> tuple[ir.Index, tuple[Val, ...]]:
    """The index with its arrays broadcast against one another and flattened, and the lengths that they had."""
    arrays = [Val(builder, i) for i in index if not isinstance(i, ir.Slice) and i.type.rank]
    rank = max(a.type.rank for a in arrays)
    if rank == 1 and all(builder.same_shape(arrays[0].atom, a.atom) for a in arrays):
        return index, (length(arrays[0], 0),)
    values = [contents(a) for a in arrays]
    model = values[0]
    for value in values[1:]:
        model = emit(add, model, value, name="places")  # of the shape that they have together
    shape = dims(model)
    full = (v if builder.same_shape(v.atom, model.atom) else emit(broadcast_like, v, model) for v in values)
    flat = map(_flat, full)
    made = tuple(next(flat).atom if is_array(i) else i for i in index)
    first, *more = (i for i in made if isinstance(i, ir.Var) and i.type.rank)
    for other in more:
        builder.copy_dims(other, first)
    return made, shape


def _front(index: ir.Index) -> int:
    """Where, among the axes of what is indexed, the places' axis stands."""
    chosen = [k for k, item in enumerate(index) if not isinstance(item, ir.Slice)]
    if chosen != list(range(chosen[0], chosen[-1] + 1)):
        raise UnsupportedError("a slice between array indices is outside the language", hint="index in two steps")
    return chosen[0]


# ---- reading


def read(builder: Builder, ref: ir.Var, index: ir.Index) -> Val:
    """ref[index], a copy, where the index has arrays in it."""
    front = _front(index)
    index, shape = _together(builder, index)
    loaded = tuple(contents(Val(builder, i)).atom if not isinstance(i, ir.Slice) else i for i in index)
    got = Val(builder, builder.load(ref, loaded))
    if len(shape) == 1:
        return got
    lengths = dims(got)
    return reshape(got, *lengths[:front], *shape, *lengths[front + 1 :])


# ---- writing


def write(builder: Builder, ref: ir.Var, index: ir.Index, value: Val, combine: np.ufunc | None = None) -> None:
    """ref[index] = value from place to place; with `combine` each element becomes combine(element, value)."""
    front = _front(index)
    value = contents(value)
    if value.type.rank > index_rank(index):
        raise UnsupportedError(f"a {value.type.rank}-D value does not fit into a {index_rank(index)}-D part")
    flat, shape = _together(builder, index)
    if len(shape) > 1 and value.type.rank:
        value = _filled_out(builder, ref, index, front, value)
    places = {k: _settled(builder, i, ref) for k, i in enumerate(flat) if isinstance(i, ir.Var) and i.type.rank}
    turns = length(Val(builder, next(iter(places.values()))), 0)
    axis = front - (index_rank(flat) - value.type.rank)
    memory = None
    if value.type.rank:
        memory = builder.alloc(value.type.dtype, (), value.atom, _name(value))
        if axis >= 0 and not builder.shapes.same_length(length(Val(builder, memory), axis).atom, turns.atom):
            given = emit(dim, Val(builder, memory), name="n", axis=axis)
            check_lengths(builder, given, turns, "as many values as places must be given")
    turn = ir.Var("k", ir.I8)
    with builder.block() as body:
        at = tuple(builder.load(places[k], (turn,), "place") if k in places else i for k, i in enumerate(flat))
        row = value
        if memory is not None:
            chosen = tuple(turn if k == axis else ir.Slice() for k in range(value.type.rank))
            row = Val(builder, builder.load(memory, chosen))
        _put(builder, ref, at, row, combine)
    builder.put(ir.For(turn, const(0), turns.atom, const(1), (), tuple(body), span=builder.span))


def _put(builder: Builder, ref: ir.Var, index: ir.Index, value: Val, combine: np.ufunc | None) -> None:
    if combine is None:
        builder.store(ref, index, value.atom)
    elif combine in ADDS and ref.type.is_float:
        builder.accumulate(ref, index, value.atom if combine is np.add else (-value).atom)
    else:
        function = registry.FUNCTIONS[combine]
        got = function(builder, Val(builder, builder.load(ref, index)), value)
        builder.store(ref, index, cast(got, arguments.scalar_type(ref.type.dtype).dtype).atom)


def _name(value: Val) -> str:
    name = value.atom.name if isinstance(value.atom, ir.Var) else "t"
    return "values" if name == "t" else name


def _settled(builder: Builder, places: ir.Var, written: ir.Var) -> ir.Var:
    """The places as memory that the writing does not change."""
    if places.type.ref and written.type.is_float:
        return places
    value = contents(Val(builder, places))
    return builder.alloc(value.type.dtype, (), value.atom, "places" if places.name == "t" else places.name)


def _filled_out(builder: Builder, ref: ir.Var, index: ir.Index, front: int, value: Val) -> Val:
    """The values broadcast to what is indexed, the axes of the places made one."""
    here = read(builder, ref, index)
    memory = builder.alloc(value.type.dtype, (), cast(here, value.type.dtype).atom, _name(value))
    builder.store(memory, whole(memory), value.atom)
    lengths = dims(Val(builder, memory))
    rank = len(lengths) - (index_rank(index) - max(i.type.rank for i in index if not isinstance(i, ir.Slice)))
    filled = Val(builder, builder.load(memory))
    places = count(filled, range(front, front + rank))
    return reshape(filled, *lengths[:front], places, *lengths[front + rank :])


# ---- np.add.at and its like


def index_of(builder: Builder, ref: ir.Var, items: Sequence[ir.Item]) -> ir.Index:
    """The complete index: a mask replaced by the places where it is true, and full slices at the end."""
    out: list[ir.Item] = []
    for item in items:
        if isinstance(item, ir.Slice) or item.type.dtype != "b1" or not item.type.rank:
            out.append(item)
            continue
        mask = Val(builder, item)
        for k, axis in enumerate(range(len(out), len(out) + item.type.rank)):
            if axis < ref.type.rank:
                message = "a mask must have the shape of what it is a mask of"
                check_lengths(builder, length(mask, k), length(Val(builder, ref), axis), message, "IndexError")
        out.extend(v.atom for v in true_places(mask))
    if len(out) > ref.type.rank:
        raise UnsupportedError(f"{len(out)} indices for a {ref.type.rank}-D array")
    return (*out, *[ir.Slice()] * (ref.type.rank - len(out)))


def _at(function: np.ufunc) -> Callable[..., None]:
    def call(builder: Builder, x: Any, indices: Any, values: Any) -> None:
        if not isinstance(x, Val) or not isinstance(x.atom, ir.Var) or not x.type.ref:
            raise UnsupportedError(f"np.{function.__name__}.at needs an array that has a name")
        given = indices if isinstance(indices, tuple) else (indices,)
        items = [arguments.as_array(builder, i).atom for i in given]
        if any(i.type.dtype[0] not in "iub" or i.type == ir.B1 for i in items):
            raise UnsupportedError(f"the places of np.{function.__name__}.at are integers")
        index = index_of(builder, x.atom, items)
        value = _as_element(x.atom, contents(arguments.as_array(builder, values)))
        if any(map(is_array, index)):
            write(builder, x.atom, index, value, function)
        else:
            _put(builder, x.atom, index, value, function)

    return call


def _as_element(ref: ir.Var, value: Val) -> Val:
    """The value in the dtype of the memory that it goes into."""
    if value.type.dtype[0] == "f" and ref.type.dtype[0] != "f":
        raise UnsupportedError(
            f"a float is stored into an array of {ref.type.dtype_name}, which would cut it off; make the array float"
        )
    if isinstance(value.atom, ir.Const) and ref.type.is_float:
        return Val(value.builder, ir.Const(float(value.atom.value.real), ir.Type(ref.type.dtype)))
    return cast(value, ref.type.dtype) if ref.type.is_float else value


for _function in (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum):
    registry.adaptor(_function.at)(_at(_function))


@registry.adaptor(np.argwhere)
def _argwhere(builder: Builder, x: Any) -> Val:
    found = true_places(arguments.array_value(builder, x, "np.argwhere"))
    return value_of(np.stack, builder, list(found), 1)
