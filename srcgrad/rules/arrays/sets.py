"""Elements chosen by what they hold, so that there may be any number of them; and counts of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import VIEW
from srcgrad.errors import NotDifferentiableError, UnsupportedError
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.arrays.fancy_index import true_places, write
from srcgrad.rules.arrays.take_sort_pad import searchsorted, taken
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.scalar.arithmetic import remainder, subtract
from srcgrad.rules.scalar.compare import equal, isnan, logical_and, logical_not, not_equal
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.pieces import concatenate
from srcgrad.rules.shapes.shape import as_copy, count, length, product, reshape, reshaped


def row_of(builder: Builder, x: Any, name: str) -> Val:
    """All elements in one row."""
    value = arguments.array_value(builder, x, name)
    return value if value.type.rank == 1 else reshape(value, count(value))


def chosen(value: Val, mask: Val) -> Val:
    """The elements of a row where a mask is true."""
    (places,) = true_places(mask)
    return taken(memory_of(value.builder, value, ""), contents(places), 0)


def _slice(value: Val, start: Val | None, stop: Val | None) -> Val:
    memory = memory_of(value.builder, value, "")
    assert isinstance(memory.atom, ir.Var)
    part = ir.Slice(None if start is None else start.atom, None if stop is None else stop.atom)
    return Val(value.builder, value.builder.load(memory.atom, (part,)))


# ---- by a condition


@registry.adaptor(np.extract)
def _extract(builder: Builder, condition: Any, arr: Any) -> Val:
    mask, memory = row_of(builder, condition, "np.extract"), memory_of(builder, arr, "np.extract")
    (places,) = true_places(mask)
    return taken(reshaped(memory, -1), contents(places), 0)


@registry.adaptor(np.compress)
def _compress(builder: Builder, condition: Any, a: Any, axis: Any = None, out: Any = None) -> Val:
    arguments.no_options({"out": out}, "np.compress")
    memory = memory_of(builder, a, "np.compress")
    if axis is None:
        memory, axis = reshaped(memory, -1), 0
    mask = arguments.array_value(builder, condition, "np.compress")
    if mask.type.rank != 1:
        raise UnsupportedError("the condition of np.compress has one axis")
    (places,) = true_places(mask)
    return taken(memory, contents(places), arguments.one_axis(axis, memory.type.rank))


registry.METHODS["compress"] = lambda builder, a, condition, axis=None: _compress(builder, condition, a, axis)


@registry.adaptor(np.trim_zeros)
def _trim_zeros(builder: Builder, filt: Any, trim: Any = "fb") -> Val:
    """What is left between as many zeros as there are in front and behind."""
    value = arguments.array_value(builder, filt, "np.trim_zeros")
    if value.type.rank != 1 or not isinstance(trim, str) or not set(trim.lower()) <= set("fb"):
        raise UnsupportedError("np.trim_zeros takes an array of one axis, and 'f', 'b' or 'fb'")
    met = registry.FUNCTIONS[np.cumsum](builder, emit(not_equal, value, value.lift(0)))
    total = emit(sum_, emit(not_equal, value, value.lift(0)), axes=(0,), keepdims=False)
    front = emit(sum_, emit(equal, met, as_value(builder, 0)), axes=(0,), keepdims=False)
    behind = emit(sum_, emit(equal, met, total), axes=(0,), keepdims=False)
    start = front if "f" in trim.lower() else None
    stop = length(value, 0) - behind + 1 if "b" in trim.lower() else None
    if start is None and stop is not None:  # of zeros alone nothing is left
        stop = registry.FUNCTIONS[np.where](
            builder, emit(equal, total, as_value(builder, 0)), as_value(builder, 0), stop
        )
    part: Val = _slice(value, start, stop)
    return as_copy(part, filt, VIEW) if isinstance(filt, Val) else part


# ---- sets


def _distinct(value: Val) -> Val:
    """The elements of a row in order, the first of those that are equal."""
    builder = value.builder
    row = registry.FUNCTIONS[np.sort](builder, value)
    n = length(row, 0)
    first, after = _slice(row, None, n - 1), _slice(row, as_value(builder, 1), None)
    new = emit(not_equal, after, first)
    if value.type.is_float:
        new = emit(logical_and, new, emit(logical_not, emit(isnan, first)))
    some = (
        as_value(builder, 1)
        if n.atom == ir.Const(1, ir.I8)
        else registry.FUNCTIONS[min](builder, n, as_value(builder, 1))
    )
    head = registry.FUNCTIONS[np.ones](builder, some, "b1")
    return chosen(row, emit(concatenate, contents(head), new, axis=0))


def _check_counted(value: Val, name: str, hint: str) -> None:
    """Refuse floats: how many there are, or in which bin, changes by jumps that a derivative does not see."""
    if value.type.is_float:
        raise NotDifferentiableError(f"{name} of floats has no derivative that tells what it does", hint=hint)


@registry.adaptor(np.unique)
def _unique(builder: Builder, ar: Any, *rest: Any, **options: Any) -> Val:
    if rest:
        raise UnsupportedError("np.unique is differentiated without counts and indices; leave them out")
    arguments.no_options({k: v for k, v in options.items() if (k, v) != ("equal_nan", True)}, "np.unique")
    value = row_of(builder, ar, "np.unique")
    _check_counted(value, "np.unique", "sort them, or use np.unique on the host and pass what it gives")
    return _distinct(value)


def _both(builder: Builder, a: Any, b: Any, name: str) -> tuple[Val, Val]:
    rows = settle([row_of(builder, a, name), row_of(builder, b, name)])
    dtype = arguments.result_type([v.type.dtype for v in rows])
    one, other = (cast(v, dtype) for v in rows)
    return one, other


def _among(value: Val, others: Val) -> Val:
    """Whether each element is one of the others."""
    builder = value.builder
    row = contents(registry.FUNCTIONS[np.sort](builder, others))
    left, right = (searchsorted(row, value, side=side) for side in ("left", "right"))
    found = emit(not_equal, left, right)
    if value.type.is_float:
        found = emit(logical_and, found, emit(equal, value, value))  # a NaN is no other
    return found


@registry.adaptor(np.isin)
def _isin(builder: Builder, element: Any, test_elements: Any, **options: Any) -> Val:
    invert = arguments.flag(options.pop("invert", False), "invert")
    options.pop("assume_unique", None)
    arguments.no_options({k: v for k, v in options.items() if k != "kind"}, "np.isin")
    value = contents(arguments.as_array(builder, element))
    others = row_of(builder, test_elements, "np.isin")
    dtype = arguments.result_type([value.type.dtype, others.type.dtype])
    found = _among(
        cast(value, arguments.scalar_type(dtype).dtype if not value.type.rank else dtype), cast(others, dtype)
    )
    return emit(logical_not, found) if invert else found


@registry.adaptor(np.union1d)
def _union1d(builder: Builder, ar1: Any, ar2: Any) -> Val:
    return _distinct(emit(concatenate, *_both(builder, ar1, ar2, "np.union1d"), axis=0))


def _of_one(builder: Builder, a: Any, b: Any, options: dict[str, Any], name: str, inside: bool) -> Val:
    options.pop("assume_unique", None)
    arguments.no_options(options, name)
    one, other = _both(builder, a, b, name)
    row = _distinct(one)
    found = _among(row, other)
    return chosen(row, found if inside else emit(logical_not, found))


@registry.adaptor(np.intersect1d)
def _intersect1d(builder: Builder, ar1: Any, ar2: Any, **options: Any) -> Val:
    return _of_one(builder, ar1, ar2, options, "np.intersect1d", True)


@registry.adaptor(np.setdiff1d)
def _setdiff1d(builder: Builder, ar1: Any, ar2: Any, **options: Any) -> Val:
    return _of_one(builder, ar1, ar2, options, "np.setdiff1d", False)


@registry.adaptor(np.setxor1d)
def _setxor1d(builder: Builder, ar1: Any, ar2: Any, **options: Any) -> Val:
    left = _of_one(builder, ar1, ar2, dict(options), "np.setxor1d", False)
    right = _of_one(builder, ar2, ar1, options, "np.setxor1d", False)
    return value_of(np.sort, builder, emit(concatenate, contents(left), contents(right), axis=0))


# ---- counts


def _counted(builder: Builder, places: Val, n: Val, weights: Any) -> Val:
    """How often each of 0, 1, ... n - 1 is among the places, or the sum of the weights there."""
    if weights is None:
        out = builder.alloc("i8", [n.atom], "zeros", "counts")
        write(builder, out, (places.atom,), as_value(builder, 1), np.add)
        return Val(builder, out)
    value = row_of(builder, weights, "weights")
    value = value if value.type.dtype == "f8" else cast(value, "f8")
    out = builder.alloc("f8", [n.atom], "zeros", "sums")
    write(builder, out, (places.atom,), value, np.add)
    return Val(builder, out)


def _refuse(builder: Builder, wrong: Val, message: str) -> None:
    raising = ir.Effect(f"raise ValueError({message!r})", span=builder.span)
    builder.put(ir.If(wrong.atom, (raising,), (), span=builder.span))


def _real(builder: Builder, given: Any, what: str) -> None:
    if given is not None and arguments.as_array(builder, given).type.is_complex:
        raise UnsupportedError(f"{what} must be real; take .real or .imag")


@registry.adaptor(np.bincount)
def _bincount(builder: Builder, x: Any, weights: Any = None, minlength: Any = 0) -> Val:
    places = arguments.array_value(builder, x, "np.bincount")
    if places.type.rank != 1 or places.type.dtype[0] not in "iu":
        raise UnsupportedError("np.bincount takes an array of integers of one axis")
    _real(builder, weights, "the weights of np.bincount")
    (least,) = arguments.lengths(builder, minlength)
    none = contents(registry.FUNCTIONS[np.array](builder, [as_value(builder, -1)]))
    last = registry.FUNCTIONS[np.max](builder, emit(concatenate, none, cast(places, "i8"), axis=0))
    first = registry.FUNCTIONS[np.min](builder, emit(concatenate, -1 - none, cast(places, "i8"), axis=0))
    _refuse(builder, first < 0, "np.bincount counts no negative numbers")
    return _counted(builder, places, registry.FUNCTIONS[max](builder, last + 1, least), weights)


@registry.adaptor(np.histogram)
def _histogram(
    builder: Builder, a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Val, Val]:
    value = row_of(builder, a, "np.histogram")
    _check_counted(value, "np.histogram", "take places by np.searchsorted, and np.bincount of them with weights")
    value = cast(value, "f8")
    if isinstance(bins, str):
        raise UnsupportedError("np.histogram takes a number of bins, or their edges")
    edges = arguments.as_array(builder, bins)
    edges = edges if edges.type.rank else _edges(builder, value, edges, range)
    row = cast(contents(edges), value.type.dtype)
    n = length(row, 0) - 1
    right = emit(subtract, searchsorted(row, value, side="right"), as_value(builder, 1))
    last = emit(equal, value, _element(row, n))
    place = registry.FUNCTIONS[np.where](builder, last, n - 1, right)
    inside = emit(logical_and, place >= 0, place < n)
    kept = contents(chosen(place, inside))
    given = None if weights is None else chosen(row_of(builder, weights, "np.histogram"), inside)
    counts = _counted(builder, kept, n, given)
    if density is None or not arguments.flag(density, "density"):
        return counts, edges
    shares = cast(contents(counts), "f8")
    width = registry.FUNCTIONS[np.diff](builder, row)
    return shares / width / emit(sum_, shares, axes=(0,), keepdims=False), edges


def _element(row: Val, place: Val) -> Val:
    memory = memory_of(row.builder, row, "")
    assert isinstance(memory.atom, ir.Var)
    return Val(row.builder, row.builder.load(memory.atom, (place.atom,)))


def _edges(builder: Builder, value: Val, bins: Val, given: Any) -> Val:
    """Evenly spaced edges from the least to the largest element, or over the range that is given."""
    if bins.type != ir.I8:
        raise UnsupportedError("np.histogram takes a number of bins, or their edges")
    if given is None:
        low, high = (registry.FUNCTIONS[f](builder, value) for f in (np.min, np.max))
    else:
        low, high = (cast(as_value(builder, v), value.type.dtype) for v in given)
    flat = emit(equal, low, high)
    half = [registry.FUNCTIONS[np.where](builder, flat, end + by, end) for end, by in ((low, -0.5), (high, 0.5))]
    return value_of(np.linspace, builder, *half, bins + 1)


# ---- repeated until the shape is full


@registry.adaptor(np.resize)
def _resize(builder: Builder, a: Any, new_shape: Any) -> Val:
    memory = reshaped(memory_of(builder, a, "np.resize"), -1)
    lengths = arguments.lengths(builder, new_shape)
    places = emit(remainder, spaced(product(lengths, builder)), length(memory, 0))
    row = taken(memory, places, 0)
    return row if len(lengths) == 1 else reshape(row, *lengths)
