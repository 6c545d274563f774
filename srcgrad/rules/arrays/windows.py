"""Windows: numbers for each place of a row, of its length (and of beta, for Kaiser's)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core.build import Builder
from srcgrad.rules.arrays.evenly_spaced import spaced
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import as_value, cast, static
from srcgrad.rules.language.values import Val, contents, emit, value_of
from srcgrad.rules.scalar.compare import equal, where


def _places(builder: Builder, M: Any) -> Val:
    """From -1 to 1, as many as there are; of one place 0."""
    (n,) = arguments.lengths(builder, M)
    last = cast(n - 1, "f8")
    across = emit(where, emit(equal, n, as_value(builder, 1)), as_value(builder, 1.0), last)
    k = cast(spaced(n), "f8")
    return (2.0 * k - last) / across


def _window(function: Any, of: Callable[[Builder, Val], Val]) -> None:
    @registry.adaptor(function)
    def call(builder: Builder, M: Any) -> Val:
        return of(builder, _places(builder, M))


def _cosines(*weights: float) -> Callable[[Builder, Val], Val]:
    def of(builder: Builder, x: Val) -> Val:
        out = x * 0.0 + weights[0]
        for k, weight in enumerate(weights[1:], 1):
            out = out + weight * registry.FUNCTIONS[np.cos](builder, (math.pi * k) * x)
        return out

    return of


_window(np.hanning, _cosines(0.5, 0.5))
_window(np.hamming, _cosines(0.54, 0.46))
_window(np.blackman, _cosines(0.42, 0.5, 0.08))
_window(np.bartlett, lambda builder, x: 1.0 - registry.FUNCTIONS[np.abs](builder, x))


@registry.adaptor(np.kaiser)
def _kaiser(builder: Builder, M: Any, beta: Any) -> Val:
    x, width = _places(builder, M), as_value(builder, beta)
    known = static(width)
    width = cast(contents(width), "f8") if known is None else width.lift(float(known.real))
    inside = registry.FUNCTIONS[np.maximum](builder, 1.0 - x * x, as_value(builder, 0.0))
    top = value_of(of_scipy.special.i0, builder, width * value_of(np.sqrt, builder, inside))
    return top / value_of(of_scipy.special.i0, builder, width)
