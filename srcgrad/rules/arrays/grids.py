"""Grids of numbers: meshgrid, logspace, geomspace, ix_, indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import Builder, whole
from srcgrad.core.layouts import VIEW
from srcgrad.errors import UnsupportedError
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.shapes.axes import viewed
from srcgrad.rules.shapes.shape import as_copy, length, reshaped


def _standing(value: Val, axis: int, rank: int) -> Val:
    """A row along this axis of `rank` axes, the others having length 1."""
    one = as_value(value.builder, 1)
    lengths = tuple(length(value, 0) if k == axis else one for k in range(rank))
    return contents(value if rank == 1 else reshaped(value, lengths))


@registry.adaptor(np.meshgrid)
def _meshgrid(
    builder: Builder, *rows: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True
) -> tuple[Val, ...]:
    values = [arguments.array_value(builder, row, "np.meshgrid") for row in rows]
    if not values or any(v.type.rank != 1 for v in values):
        raise UnsupportedError("np.meshgrid takes arrays of one axis")
    if indexing not in ("xy", "ij"):
        raise UnsupportedError("the indexing of np.meshgrid is 'xy' or 'ij'")
    same = not arguments.flag(copy, "copy")
    rank = len(values)
    order = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    standing = [_standing(v, axis, rank) for v, axis in zip(values, order, strict=True)]
    if arguments.flag(sparse, "sparse"):
        return _shared(standing, rows) if same else tuple(standing)
    shape = [length(values[order.index(axis)], 0).atom for axis in range(rank)]
    grids = []
    for value in standing:
        new = builder.alloc(value.type.dtype, shape, "empty")
        builder.store(new, whole(new), value.atom)
        grids.append(Val(builder, new))
    return _shared(grids, rows) if same else tuple(grids)


def _shared(grids: Sequence[Val], rows: Sequence[Any]) -> tuple[Val, ...]:
    """Grids that in NumPy are views of the rows."""
    pairs = zip(grids, rows, strict=True)
    return tuple(as_copy(contents(g), r, VIEW) if isinstance(r, Val) else g for g, r in pairs)


@registry.adaptor(np.ix_)
def _ix(builder: Builder, *rows: Any) -> tuple[Val, ...]:
    values = [arguments.array_value(builder, row, "np.ix_") for row in rows]
    if any(v.type.rank != 1 or v.type.dtype[0] not in "iu" for v in values):
        raise UnsupportedError("np.ix_ takes arrays of integers of one axis")
    return tuple(_standing(v, axis, len(values)) for axis, v in enumerate(values))


@registry.adaptor(np.indices)
def _indices(builder: Builder, dimensions: Any, dtype: Any = int, sparse: Any = False) -> Any:
    lengths = arguments.lengths(builder, dimensions)
    code = arguments.dtype_of(dtype)
    rows = [_standing(cast(spaced(n), code), axis, len(lengths)) for axis, n in enumerate(lengths)]
    if arguments.flag(sparse, "sparse"):
        return tuple(rows)
    new = Val(builder, builder.alloc(code, [as_value(builder, len(rows)).atom, *(n.atom for n in lengths)], "empty"))
    for k, row in enumerate(rows):
        inner = viewed(new, (as_value(builder, k).atom, *whole(new.atom)[1:]))  # type: ignore[arg-type]
        builder.store(inner.atom, None, row.atom)  # type: ignore[arg-type]
    return new


@registry.adaptor(np.logspace)
def _logspace(
    builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0, **options: Any
) -> Val:
    exponents = registry.FUNCTIONS[np.linspace](builder, start, stop, num, endpoint, **options)
    root, powers = settle([as_value(builder, base), contents(exponents)])
    return value_of(np.power, builder, root, powers)


@registry.adaptor(np.geomspace)
def _geomspace(builder: Builder, start: Any, stop: Any, num: Any = 50, endpoint: Any = True, **options: Any) -> Val:
    """start * (stop / start)**t for evenly spaced t from 0 to 1, both ends being of one sign."""
    first, last = settle([as_value(builder, v) for v in (start, stop)])
    if first.type.rank or last.type.rank:
        raise UnsupportedError("np.geomspace takes numbers, not arrays")
    steps = registry.FUNCTIONS[np.linspace](builder, 0.0, 1.0, num, endpoint, **options)
    code = arguments.result_type([v.type.dtype for v in (first, last) if v.type.dtype[0] == "f"] or ["f8"])
    first, last = cast(first, code), cast(last, code)
    return first * value_of(np.power, builder, last / first, cast(contents(steps), code))
