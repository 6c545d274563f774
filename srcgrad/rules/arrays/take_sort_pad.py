"""Elements chosen by place: take, sort, repeat, tile, roll, pad, select."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import named
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import rearrangements, sequences
from srcgrad.rules.arrays.construction import copied
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.arrays.gather import argsort, ordered, take_along
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Rule, as_value, cast, linear, only_ranks, settle, static, zero
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.scalar.arithmetic import remainder
from srcgrad.rules.scalar.compare import greater_equal, less
from srcgrad.rules.shapes.axes import along, at_least, leading_ones, memory_of
from srcgrad.rules.shapes.broadcast import Params, Types
from srcgrad.rules.shapes.pieces import matrix, tower
from srcgrad.rules.shapes.shape import count, dims, length, reshape, reshaped

line = np.array([0.7, -1.3, 2.0])


def _ref(value: Val) -> ir.Var:
    assert isinstance(value.atom, ir.Var)
    return value.atom


# ---- by places


def _places(builder: Builder, given: Any, name: str) -> Val:
    value = contents(arguments.as_array(builder, given))
    if value.type.dtype[0] not in "iu":
        raise UnsupportedError(f"the places of {name} must be integers")
    return value


def _bounded(places: Val, n: Val, mode: Any) -> Val:
    """The places as np.take's mode has them."""
    if mode == "raise":
        return places
    if mode == "wrap":
        return remainder(places, n)
    if mode == "clip":
        zero_ = as_value(places.builder, 0)
        return value_of(np.clip, places.builder, places, zero_, n - 1)
    raise UnsupportedError(f"the mode of np.take is 'raise', 'wrap' or 'clip', not {mode!r}")


@registry.adaptor(np.take, methods=("take",))
def _take(builder: Builder, x: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Val:
    arguments.no_options({"out": out}, "np.take")
    memory = memory_of(builder, x, "np.take")
    if axis is None:
        memory, axis = reshaped(memory, -1), 0
    where = arguments.one_axis(axis, memory.type.rank)
    places = _bounded(_places(builder, indices, "np.take"), length(memory, where), mode)
    return taken(memory, places, where)


def taken(memory: Val, places: Val, axis: int) -> Val:
    """memory[:, places] (along axis), a copy."""
    builder, rank = memory.builder, memory.type.rank
    flat = places if places.type.rank <= 1 else reshape(places, count(places))
    got = Val(builder, builder.load(_ref(memory), along(axis, rank, flat.atom)))
    if places.type.rank <= 1:
        return got
    lengths = dims(memory)
    return reshape(got, *lengths[:axis], *dims(places), *lengths[axis + 1 :])


@registry.adaptor(np.take_along_axis)
def _take_along_axis(builder: Builder, x: Any, indices: Any, axis: Any = -1) -> Val:
    value = arguments.array_value(builder, x, "np.take_along_axis")
    places = _places(builder, indices, "np.take_along_axis")
    if axis is None:
        value, axis = contents(reshaped(value, -1)), 0
    if places.type.rank != value.type.rank:
        raise UnsupportedError("np.take_along_axis takes places of as many axes as the array has")
    return take_along(value, places, axis=arguments.one_axis(axis, value.type.rank))


# ---- sorted


def _axis_of(value: Val, axis: Any) -> tuple[Val, int]:
    if axis is None:
        return contents(reshaped(value, -1)), 0
    return value, arguments.one_axis(axis, value.type.rank)


def _no_order(options: dict[str, Any], name: str) -> None:
    options.pop("kind", None)  # all give the same values
    arguments.no_options(options, name)


@registry.adaptor(np.sort)
def _sort(builder: Builder, x: Any, axis: Any = -1, **options: Any) -> Val:
    _no_order(options, "np.sort")
    value, where = _axis_of(arguments.array_value(builder, x, "np.sort"), axis)
    return ordered(value, argsort(value, axis=where), where)


def _sort_in_place(builder: Builder, x: Any, axis: Any = -1, **options: Any) -> None:
    if not isinstance(x, Val) or not x.type.ref:
        raise UnsupportedError("only an array that has a name can be sorted in place; use np.sort")
    builder.store(_ref(x), None, _sort(builder, x, axis, **options).atom)


registry.METHODS["sort"] = _sort_in_place


@registry.adaptor(np.argsort, methods=("argsort",))
def _argsort(builder: Builder, x: Any, axis: Any = -1, kind: Any = None, **options: Any) -> Val:
    arguments.no_options({k: v for k, v in options.items() if not (k == "stable" and v)}, "np.argsort")
    value, where = _axis_of(arguments.array_value(builder, x, "np.argsort"), axis)
    return argsort(value, axis=where)


def _kth(given: Any) -> None:
    for k in given if isinstance(given, (tuple, list)) else (given,):
        if not isinstance(k, Val) or k.type != ir.I8:
            raise UnsupportedError("the places of np.partition are integers")


@registry.adaptor(np.partition)
def _partition(builder: Builder, x: Any, kth: Any, axis: Any = -1, **options: Any) -> Val:
    """All of it sorted, which is one of the orders that NumPy may give."""
    _kth(kth)
    return _sort(builder, x, axis, **options)


@registry.adaptor(np.argpartition, methods=("argpartition",))
def _argpartition(builder: Builder, x: Any, kth: Any, axis: Any = -1, **options: Any) -> Val:
    _kth(kth)
    _no_order(options, "np.argpartition")
    return _argsort(builder, x, axis)


registry.INSTEAD.update({
    np.unstack: "how many there are must be written: a, b = x[0], x[1]", np.nextafter: "add a small number",
    np.spacing: "use np.finfo(float).eps", np.apply_along_axis: "write a loop over the rows",
    np.apply_over_axes: "give several axes", np.fromfunction: "fill an array in a loop", np.roots: "use newton",
    np.vectorize: "write a loop, or map the derivative by vmap", np.asfortranarray: "leave it out",
    np.lexsort: "sort by the keys one after another", np.frombuffer: "read it outside the function",
    np.broadcast_shapes: "write out the shape", np.ndarray: "use np.empty",
})  # fmt: skip


# ---- where a number would stand among sorted ones


def _search_template(types: Types, params: Params) -> str:
    return f"np.searchsorted(_0, _1{', side=side' if params['side'] == 'right' else ''})"


def _search_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type("i8", types[1].rank),)


searchsorted = zero(
    "searchsorted",
    (),
    infer=_search_infer,
    template=_search_template,
    kernel=lambda types, params: f"searchsorted_{params['side']}",
    elementwise=False,
    evaluate=lambda x, v, side: np.searchsorted(x, v, side),
    params=[{"side": "left"}, {"side": "right"}],
    dims=lambda dims, params: dims[1],
    samples=[(np.sort(line), v) for v in (0.7, np.array([2.0, -9.0]), matrix, tower)],
)


@registry.adaptor(np.searchsorted, methods=("searchsorted",))
def _searchsorted(builder: Builder, a: Any, v: Any, side: Any = "left", **options: Any) -> Val:
    arguments.no_options(options, "np.searchsorted")
    row = arguments.array_value(builder, a, "np.searchsorted")
    if row.type.rank != 1 or side not in ("left", "right"):
        raise UnsupportedError("np.searchsorted takes an array of one axis, and 'left' or 'right'")
    return searchsorted(row, contents(arguments.as_array(builder, v)), side=side)


digitize = zero(
    "digitize",
    (),
    infer=lambda types, params: (ir.Type("i8", types[0].rank),),
    elementwise=False,
    evaluate=lambda x, bins, right: np.digitize(x, bins, right),
    dims=lambda dims, params: dims[0],
    template=lambda types, params: f"np.digitize(_0, _1{', True' if params['right'] else ''})",
    kernel=lambda types, params: f"digitize{'_right' if params['right'] else ''}",
    params=[{"right": False}, {"right": True}],
    samples=[
        (line, np.array([-1.3, 1.0])),
        (matrix, np.array([1.0, 0.3])),
        (0.7, np.array([0.7, 1.0])),
        (tower, line[:1]),
    ],
)


@registry.adaptor(np.digitize)
def _digitize(builder: Builder, x: Any, bins: Any, right: Any = False) -> Val:
    row = arguments.array_value(builder, bins, "np.digitize")
    if row.type.rank != 1:
        raise UnsupportedError("the bins of np.digitize are an array of one axis")
    value = contents(arguments.as_array(builder, x))
    return digitize(value, row, right=arguments.flag(right, "right"))


# ---- repeated


_counts = zero(
    "repeated_places",
    (),
    infer=lambda types, params: (ir.Type("i8", 1),),
    elementwise=False,
    evaluate=lambda n, repeats: np.repeat(np.arange(n), repeats),
    template="np.repeat(np.arange(_0), _1)",
    kernel=named("repeated_places"),
    samples=[(3, 2), (3, np.array([2, 0, 1])), (0, np.zeros(0, int))],
    without=only_ranks(0, 1),
)


@registry.adaptor(np.repeat, methods=("repeat",))
def _repeat(builder: Builder, x: Any, repeats: Any, axis: Any = None) -> Val:
    memory = at_least(arguments.as_array(builder, x), 1)
    memory = memory_of(builder, memory, "np.repeat")
    if axis is None:
        memory, axis = reshaped(memory, -1), 0
    where = arguments.one_axis(axis, memory.type.rank)
    many = contents(arguments.as_array(builder, repeats))
    if many.type.dtype[0] not in "iu" or many.type.rank > 1:
        raise UnsupportedError("the repeats of np.repeat are an integer or an array of integers")
    return taken(memory, _counts(length(memory, where), many), where)


@registry.adaptor(np.tile)
def _tile(builder: Builder, x: Any, reps: Any) -> Val:
    times = arguments.lengths(builder, reps)
    memory = leading_ones(arguments.as_array(builder, x), max(len(times), 1))
    rank = memory.type.rank
    times = (*(as_value(builder, 1),) * (rank - len(times)), *times)
    for axis, n in enumerate(times):
        if static(n) != 1:
            old = length(memory, axis)
            memory = taken(memory_of(builder, memory, "np.tile"), remainder(spaced(old * n), old), axis)
    return copied(memory) if all(static(n) == 1 for n in times) else memory


# ---- rolled


def _roll_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    name = f"roll_{rank}_along_{axis}" if rank > 1 else "roll"
    return written_out(rearrangements.rolled, types, name, axis=axis)


roll: Rule = linear(
    "roll",
    (),
    moves=True,
    fresh=True,
    transpose=lambda g, x, shift, axis: roll(g, -shift, axis=axis),
    infer=lambda types, params: (types[0],),
    evaluate=lambda x, shift, axis: np.roll(x, shift, axis),
    template=_roll_template,
    dims=lambda dims, params: dims[0],
    samples=[(line, 1), (line, -4), (matrix, 1), (matrix[:0], 1), (tower, 1)],
    params=[{"axis": 0}],
)


@registry.adaptor(np.roll)
def _roll(builder: Builder, x: Any, shift: Any, axis: Any = None) -> Val:
    value = arguments.array_value(builder, x, "np.roll")
    if axis is None and value.type.rank > 1:
        flat = roll(contents(reshaped(value, -1)), *arguments.lengths(builder, shift), axis=0)
        return reshape(flat, *dims(value))
    over = axis if isinstance(axis, (tuple, list)) else (0 if axis is None else axis,)
    shifts = arguments.lengths(builder, shift)
    if len(shifts) != len(over):
        if len(shifts) != 1:
            raise UnsupportedError("np.roll takes one shift for each axis")
        shifts = shifts * len(over)
    for k, by in zip(over, shifts, strict=True):
        value = roll(value, by, axis=arguments.one_axis(k, value.type.rank))
    return value


# ---- padded


def _widths(builder: Builder, given: Any, rank: int) -> list[tuple[Val, Val]]:
    """How much goes before and after, along each axis."""
    if isinstance(given, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in given):
        pairs = [tuple(p) if isinstance(p, (tuple, list)) else (p, p) for p in given]
        pairs = [p * 2 if len(p) == 1 else p for p in pairs]
    else:
        pairs = [tuple(given) * (2 // len(given))] if isinstance(given, (tuple, list)) else [(given, given)]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank or any(len(p) != 2 for p in pairs):
        raise UnsupportedError("the widths of np.pad are a number, a pair, or a pair for each axis")
    return [(a, b) for a, b in (arguments.lengths(builder, p) for p in pairs)]


@registry.adaptor(np.pad)
def _pad(builder: Builder, x: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Val:
    value = arguments.array_value(builder, x, "np.pad")
    widths = _widths(builder, pad_width, value.type.rank)
    if mode == "constant":
        fill = options.pop("constant_values", 0)
        arguments.no_options(options, "np.pad")
        return _padded_with(builder, value, widths, fill)
    arguments.no_options(options, "np.pad")
    if mode not in ("edge", "wrap", "reflect", "symmetric"):
        raise UnsupportedError(f"np.pad is not differentiated with mode {mode!r}; constant, edge, wrap, reflect are")
    memory = memory_of(builder, x, "np.pad")
    for axis, (before, after) in enumerate(widths):
        if static(before) != 0 or static(after) != 0:
            n = length(memory, axis)
            places = padded_places(n, before, after, mode=mode)
            memory = memory_of(builder, taken(memory, places, axis), "np.pad")
    return memory


def _padded_with(builder: Builder, value: Val, widths: Sequence[tuple[Val, Val]], fill: Any) -> Val:
    number = contents(as_value(builder, fill)) if not isinstance(fill, (tuple, list)) else None
    if number is None or number.type.rank:
        raise UnsupportedError("np.pad takes one number as its constant")
    kind = arguments.scalar_type(value.type.dtype)
    known = static(number)
    if known is not None and kind.dtype[0] == "f" and not isinstance(known, complex):
        number = Val(builder, ir.Const(float(known), kind))
    shape = [length(value, k) + a + b for k, (a, b) in enumerate(widths)]
    init = ir.Init.ZEROS if static(number) == 0 else cast(number, kind.dtype).atom
    new = builder.alloc(value.type.dtype, [n.atom for n in shape], init)
    inside = tuple(ir.Slice(a.atom, (a + length(value, k)).atom) for k, (a, _) in enumerate(widths))
    builder.store(new, inside, value.atom)
    return Val(builder, new)


def _padded_places(n: int, before: int, after: int, mode: str) -> Any:
    return np.pad(np.arange(n), (before, after), mode)  # type: ignore[call-overload]


padded_places = zero(
    "padded_places",
    (),
    infer=lambda types, params: (ir.Type("i8", 1),),
    elementwise=False,
    evaluate=_padded_places,
    template=lambda types, params: (
        f"{params['mode']}_places(_0, _1, _2)",
        sources(getattr(sequences, f"{params['mode']}_places")),
    ),
    samples=[(3, 1, 2), (3, 5, 4), (1, 2, 1)],
    params=[{"mode": m} for m in ("edge", "wrap", "reflect", "symmetric")],
)


# ---- one of several


@registry.adaptor(np.select)
def _select(builder: Builder, conditions: Any, choices: Any, default: Any = 0) -> Val:
    if not all(isinstance(g, (tuple, list)) for g in (conditions, choices)) or len(conditions) != len(choices):
        raise UnsupportedError("np.select takes as many conditions as choices, in lists")
    values = settle([arguments.as_array(builder, c) for c in (*choices, default)])
    out = values[-1]
    for condition, value in reversed(list(zip(conditions, values[:-1], strict=True))):
        out = registry.FUNCTIONS[np.where](builder, condition, value, out)
    return out


@registry.adaptor(np.choose)
def _choose(builder: Builder, which: Any, choices: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.choose")
    if not isinstance(choices, (tuple, list)) or not choices:
        raise UnsupportedError("np.choose takes a list of choices")
    number = _places(builder, which, "np.choose")
    conditions = [registry.FUNCTIONS[np.equal](builder, number, as_value(builder, k)) for k in range(len(choices))]
    inside = registry.FUNCTIONS[np.all](builder, _in_range(number, len(choices))) if number.type.rank else None
    test = inside if inside is not None else _in_range(number, len(choices))
    builder.put(ir.Assert(test.atom, "invalid entry in choice array", span=builder.span))
    return _select(builder, conditions[:-1], choices[:-1], choices[-1])


def _in_range(number: Val, n: int) -> Val:
    within = greater_equal(number, 0), less(number, n)
    return value_of(np.logical_and, number.builder, *within)


registry.METHODS["choose"] = _choose
