"""Interpolation, convolution and correlation of sampled signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import sequences
from srcgrad.rules.arrays.gather import matrix
from srcgrad.rules.arrays.take_sort_pad import searchsorted
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Rule, as_value, bilinear, cast, only_ranks, settle
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.scalar.compare import equal, greater, less, where
from srcgrad.rules.shapes.axes import BACKWARDS, expect_equal, memory_of, viewed
from srcgrad.rules.shapes.broadcast import Params, Types
from srcgrad.rules.shapes.shape import length

line, short = matrix[0].copy(), np.array([1.3, -0.8])

# ---- interpolation


def _element(row: Val, at: Val) -> Val:
    """row[at], at being a place or an array of them."""
    assert isinstance(row.atom, ir.Var)
    builder = row.builder
    return Val(builder, builder.load(row.atom, (at.atom,)))


def _kept(builder: Builder, value: Val, given: Any) -> Val:
    """The memory that the user gave, if it is of the value's dtype."""
    if isinstance(given, Val) and given.type.ref and given.type.dtype == value.type.dtype:
        return given
    return memory_of(builder, value, "np.interp")


@registry.adaptor(np.interp)
def _interp(builder: Builder, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Val:
    """The line through the two neighbours among xp, xp ascending; what lies on a neighbour belongs to the right."""
    if period is not None:
        raise UnsupportedError("np.interp is differentiated without its option 'period'")
    given = settle([arguments.as_array(builder, v) for v in (x, xp, fp)])
    if any(v.type.is_complex for v in given):
        raise UnsupportedError("np.interp of complex numbers is not supported; interpolate the parts")
    at, knots, heights = (cast(v, "f8") if v.type.dtype[0] != "f" else v for v in given)
    if knots.type.rank != 1 or heights.type.rank != 1 or at.type.rank > 1:
        raise UnsupportedError("np.interp takes arrays of one axis")
    knots, heights = (_kept(builder, v, given_) for v, given_ in ((knots, xp), (heights, fp)))
    n = length(knots, 0)
    expect_equal(builder, n, length(heights, 0), "np.interp takes as many heights as places")
    place = searchsorted(contents(knots), at, side="right") - 1
    low, high = as_value(builder, 0), registry.FUNCTIONS[max](builder, n - 2, as_value(builder, 0))
    place = registry.FUNCTIONS[np.clip](builder, place, low, high)
    after = registry.FUNCTIONS[np.minimum](builder, place + 1, n - 1)
    x0, x1, y0, y1 = _element(knots, place), _element(knots, after), _element(heights, place), _element(heights, after)
    between = (y1 - y0) / (x1 - x0) * (at - x0) + y0
    first, last = _element(knots, low), _element(knots, n - 1)
    ends = [_element(heights, low), _element(heights, n - 1)]
    below, above = (
        end if given_ is None else contents(as_value(builder, given_))
        for end, given_ in zip(ends, (left, right), strict=True)
    )
    got = where(less(at, first), below, where(greater(at, last), above, between))
    return where(equal(at, last), ends[1], got)


# ---- correlation: out[i] = sum over j of a[i + j] * v[j], where v fits into a


def _correlate_template(types: Types, params: Params) -> Any:
    return "correlate(_0, _1)", sources(sequences.correlate)


def _one_type(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def _convolve_template(types: Types, params: Params) -> Any:
    return "convolve(_0, _1)", sources(sequences.convolve)


correlate: Rule = bilinear(
    "correlate",
    (),
    may_raise=always,
    left=lambda g, a, v: convolve(g, v),
    right=lambda g, a, v: correlate(a, g),
    infer=_one_type,
    evaluate=sequences.correlate,
    template=_correlate_template,
    samples=[(line, short), (line, line), (line, short[:1])],
    without={**only_ranks(1), "empty": "NumPy refuses empty signals"},
)
convolve: Rule = bilinear(
    "convolve",
    (),
    may_raise=always,
    left=lambda g, a, v: correlate(g, v),
    right=lambda g, a, v: correlate(g, a),
    infer=_one_type,
    evaluate=np.convolve,
    template=_convolve_template,
    samples=[(line, short), (short, line), (short[:1], line)],
    without={**only_ranks(1), "empty": "NumPy refuses empty signals"},
)


def _signals(builder: Builder, a: Any, v: Any, name: str) -> tuple[Val, Val]:
    values = settle([arguments.as_array(builder, s) for s in (a, v)])
    if any(s.type.rank != 1 for s in values):
        raise UnsupportedError(f"{name} takes arrays of one axis")
    dtype = arguments.result_type([s.type.dtype for s in values])
    if dtype[0] not in "fi":
        raise UnsupportedError(f"{name} of arrays of {np.dtype(dtype).name} is not supported")
    first, second = (cast(s, dtype) for s in values)
    return first, second


def _cut(builder: Builder, full: Val, start: Val, count: Val) -> Val:
    """count elements of full from start on."""
    return viewed(memory_of(builder, full, "np.convolve"), (ir.Slice(start.atom, (start + count).atom),))


def _turned(builder: Builder, v: Val) -> Val:
    return contents(viewed(memory_of(builder, v, "np.correlate"), (BACKWARDS,)))


def _of_mode(builder: Builder, a: Val, v: Val, mode: Any, name: str, correlated: bool) -> Val:
    """All products, those of the longer one's length, or those where one lies wholly within the other."""
    turned = _turned(builder, v) if correlated else v
    if mode == "full":
        return convolve(a, turned)
    if mode not in ("same", "valid"):
        raise UnsupportedError(f"the mode of {name} is 'full', 'same' or 'valid'")
    larger, smaller = (registry.FUNCTIONS[pick](builder, length(a, 0), length(v, 0)) for pick in (max, min))
    if mode == "valid":
        return _cut(builder, convolve(a, turned), smaller - 1, larger - smaller + 1)
    half = registry.FUNCTIONS[np.floor_divide](builder, smaller - 1, 2)
    if correlated:  # where v is the longer one NumPy correlates the two in the other order and turns the result
        longer = less(length(a, 0), length(v, 0))
        other = smaller - 1 - half
        half = where(longer, other, half)
    return _cut(builder, convolve(a, turned), half, larger)


@registry.adaptor(np.convolve)
def _np_convolve(builder: Builder, a: Any, v: Any, mode: Any = "full") -> Val:
    return _of_mode(builder, *_signals(builder, a, v, "np.convolve"), mode, "np.convolve", False)


@registry.adaptor(np.correlate)
def _np_correlate(builder: Builder, a: Any, v: Any, mode: Any = "valid") -> Val:
    return _of_mode(builder, *_signals(builder, a, v, "np.correlate"), mode, "np.correlate", True)
