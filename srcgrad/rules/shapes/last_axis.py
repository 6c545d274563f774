"""Bringing axes to the end, where functions of one axis work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srcgrad.numeric.rearrangements import of_lines, of_lines_at
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.shapes.broadcast import Params, Types, unsqueeze
from srcgrad.rules.shapes.shape import count, length, reshaped, transpose


def last(x: Val, axis: int) -> Val:
    """The value x with this axis at the end."""
    order = (*(k for k in range(x.type.rank) if k != axis), axis)
    return x if order == tuple(range(x.type.rank)) else transpose(x, axes=order)


def lines(x: Val, axes: Sequence[int], keepdims: bool = False) -> Val:
    """The value x with these axes at the end, as one. If nothing else is left and axes are kept, one of length 1 is."""
    rank = x.type.rank
    others = [k for k in range(rank) if k not in axes]
    if len(axes) == 1 and (others or not keepdims):
        return last(x, axes[0])
    lengths = [length(x, k) for k in others]
    run = count(x, axes)
    order = (*others, *axes)
    moved = x if order == tuple(range(rank)) else transpose(x, axes=order)
    head = [*lengths, run] if others or not keepdims else [x.lift(1), run]
    return contents(reshaped(moved, head))


def kept(y: Val, rank: int, axes: Sequence[int], keepdims: bool) -> Val:
    """What lines of an array of this rank were reduced to, with axes of length 1 for those that are gone if asked."""
    if not keepdims:
        return y
    new = tuple(axes) if len(axes) < rank else tuple(range(1, rank))
    return unsqueeze(y, axes=new) if new else y


def each_line(function: Any, alike: str = "", each: str = "", dtype: Any = None, empty: str = "") -> Any:
    """The template of a function that gives a number for a line, for arrays of any rank: for each line along the last
    axis.

    alike, each: its further parameter, if it has one, alike for all lines or another one for each. dtype: that of the
    results, if not that of x. empty: what to say of lines without elements, if they are refused.
    """

    def template(types: Types, params: Params) -> Any:
        rank, name = types[0].rank, function.__name__
        if rank == 1:
            args = ", ".join(f"_{k}" for k in range(len(types)))
            return f"{name}({args})", sources(function)
        if alike or each:
            over = f"{name}_of_each_{rank}" if each else f"{name}_{rank}"
            call, helpers = written_out(of_lines_at, types, over, function=function, each=bool(each))
        else:
            call, helpers = written_out(
                of_lines, types, f"{name}_{rank}", function=function, dtype=dtype, message=empty
            )
        return call, {**sources(function), **helpers}

    return template
