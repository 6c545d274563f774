"""The larger and the smaller of two or more values: arguments that tie share the derivative equally."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import promotion, registry
from srcgrad.rules.language.declare import Edge, Rule, as_value, elementwise, settle, static, total
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import equal, greater, less, logical_and, where

VALUES = (0.7, 1.9, -0.4, 2.6, 0.1, 3.3, -2.2, 1.4)
pairs = [(0.7, 1.9), (-1.3, -2.4), (2.0, -3.0)]


# What is not taken gets a zero that is chosen, not a product with 0: what would be multiplied may be infinite.
Share = Callable[[Val], Val]


def _shares(before: Rule) -> Callable[..., tuple[Share, Share]]:
    """Of a pair: all to the second if it comes before the first, half at a tie, else all to the first."""

    def partials(a: Val, b: Val, y: Val) -> tuple[Share, Share]:
        def first(g: Val) -> Val:
            return where(before(b, a), g.lift(0.0), where(equal(a, b), 0.5 * g, g))

        def second(g: Val) -> Val:
            return where(before(b, a), g, where(equal(a, b), 0.5 * g, g.lift(0.0)))

        return first, second

    return partials


def _equal_shares(*operands: Val) -> tuple[Share, ...]:
    """To each argument that equals the result, one part of as many."""
    *args, y = operands
    hits = [equal(x, y) for x in args]
    count = total([where(hit, y.lift(1.0), y.lift(0.0)) for hit in hits])
    assert count is not None

    def share(hit: Val) -> Share:
        return lambda g: where(hit, g / count, g.lift(0.0))

    return tuple(map(share, hits))


def _ignoring_nan(a: Val, b: Val, y: Val) -> tuple[Share, Share]:
    def share(x: Val, other: Val) -> Share:
        return lambda g: where(equal(x, y), where(equal(other, y), 0.5 * g, g), g.lift(0.0))

    return share(a, b), share(b, a)


tie = Edge((1.3, 1.3), (0.5, 0.5))
beside_nan = [Edge((1.3, math.nan), (1.0, 0.0)), Edge((math.nan, 1.3), (0.0, 1.0))]


def _of_two(
    function: np.ufunc, partials: Callable[..., tuple[Share, Share]], edges: Sequence[Edge] = (), **traits: Any
) -> Rule:
    return elementwise(
        function.__name__,
        (function,),
        partials=partials,
        samples=pairs,
        result="number",
        selects=True,
        edges=[tie, *edges],
        ties="shared equally",
        **traits,
    )


maximum = _of_two(np.maximum, _shares(greater), chooses="larger", effort="little")
minimum = _of_two(np.minimum, _shares(less), chooses="smaller", effort="little")
fmax = _of_two(np.fmax, _ignoring_nan, beside_nan)
fmin = _of_two(np.fmin, _ignoring_nan, beside_nan)


def _chosen(count: int) -> list[tuple[int, ...]]:
    """Each place by itself, two neighbours, and all."""
    return [*((k,) for k in range(count)), (0, 1), (count - 2, count - 1), tuple(range(count))]


def _edge(values: Sequence[float], ends: tuple[int, ...]) -> Edge:
    """Values of which those at these places are the extreme ones."""
    return Edge(tuple(values), tuple(1 / len(ends) if k in ends else 0.0 for k in range(len(values))))


def _builtin(name: str, count: int, function: Any, before: Rule) -> Rule:
    places = ", ".join(f"_{k}" for k in range(count))
    samples = [tuple(VALUES[(k + shift) % 8] for k in range(count)) for shift in (0, 1, 5)]
    far = 10.0 if before is greater else -10.0
    edges = [_edge([far if k in ends else VALUES[k] for k in range(count)], ends) for ends in _chosen(count)]
    return elementwise(
        f"{name}_{count}", (), evaluate=lambda *args: function(args), scalar=f"{name}({places})", samples=samples,
        partials=_shares(before) if count == 2 else _equal_shares, result="number", selects=True,
        chooses="larger" if before is greater else "smaller",
        scalars=True, edges=edges, ties="shared equally",
    )  # fmt: skip


LARGEST = {n: _builtin("max", n, max, greater) for n in range(2, 9)}
SMALLEST = {n: _builtin("min", n, min, less) for n in range(2, 9)}


def _of_several(name: str, rules: dict[int, Rule], whole: Any) -> Callable[..., Val]:
    def call(builder: Builder, *args: Any, **options: Any) -> Val:
        if options:
            raise UnsupportedError(f"{name} is differentiated without its option {next(iter(options))!r}; leave it out")
        if len(args) == 1 and isinstance(args[0], (tuple, list)):
            args = tuple(args[0])
        if len(args) == 1 and isinstance(args[0], Val) and args[0].type.rank:
            return value_of(whole, builder, args[0])
        values = settle([as_value(builder, a) for a in args])
        if not values or any(v.type.rank for v in values):
            raise UnsupportedError(f"{name} of arrays is not elementwise in Python; use np.{name}imum")
        if len(values) > max(rules):
            raise UnsupportedError(f"{name} takes at most {max(rules)} values here; use an array and np.{name}")
        return values[0] if len(values) == 1 else emit(rules[len(values)], *values)

    return call


registry.adaptor(max)(_of_several("max", LARGEST, np.max))
registry.adaptor(min)(_of_several("min", SMALLEST, np.min))


def _apart(low: Val, high: Val) -> bool:
    """Whether the bounds are known to be different."""
    a, b = static(low), static(high)
    return a is not None and b is not None and a != b


def _unless_pinned(value: Val, low: Val, high: Val) -> Val:
    """The value, or the lower bound in its place where it is equal to both: between equal bounds it has no part."""
    pinned = emit(logical_and, emit(equal, value, low), emit(equal, value, high))
    return emit(where, pinned, low, value)


@registry.adaptor(np.clip)
def _clip(builder: Builder, x: Any, low: Any = None, high: Any = None, **options: Any) -> Val:
    low, high = options.pop("min", low), options.pop("max", high)
    if options:
        raise UnsupportedError(f"np.clip is differentiated without its option {next(iter(options))!r}; leave it out")
    given = [as_value(builder, v) for v in (x, low, high) if v is not None]
    value, *bounds = settle([contents(v) for v in given])
    bounds = [promotion.bound(b, value) for b in bounds]
    if len(bounds) == 2 and value.type.is_float and not _apart(*bounds):
        value = _unless_pinned(value, *bounds)
    if low is not None:
        value = emit(maximum, value, bounds.pop(0))
    if high is not None:
        value = emit(minimum, value, bounds.pop(0))
    return value


registry.METHODS["clip"] = _clip
