"""Quotients by differences and sums of eigenvalues or singular values, which may be equal or 0.

Where they are, the derivatives of eigenvectors do not exist, but those of functions that do not tell such eigenvectors
apart do: what is divided is then 0, to its rounding, and so is the quotient. Where it is not, the quotient is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.numeric import spectra
from srcgrad.rules.language import arguments
from srcgrad.rules.language.declare import Duals, Rule, general, only_ranks, zero
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.linalg.matmul import line, matrix, square
from srcgrad.rules.linalg.triangular import first_dims, same_type, turned
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.broadcast import Params, Types

values = np.array([0.4, 1.3, -2.0])

size_of = zero(
    "largest",
    (),
    infer=lambda types, params: (arguments.scalar_type(types[0].dtype),),
    elementwise=False,
    evaluate=lambda x: np.max(np.abs(x), initial=x.dtype.type(0)),
    template=lambda types, params: ("largest(_0)", sources(spectra.largest)),
    samples=[(matrix,), (matrix[:0],)],
    without=only_ranks(2),
    held="it only tells how large the errors of rounding are",
)


def _names(params: Params) -> str:
    return "over_sums" if params["sums"] else "over_gaps"


def _pairs(u: Any, w: Any, size: float, sums: bool) -> Any:
    if u.shape != (w.size, w.size):
        raise ValueError("as many values as rows and columns")
    return spectra.over_pairs(u, w, size, 1.0 if sums else -1.0)


def _pairs_template(types: Types, params: Params) -> Any:
    name = _names(params)
    return f"{name}(_0, _1, _2)", sources(getattr(spectra, name))


def _pairs_of(dw: Val, y: Val, sums: bool) -> Val:
    """y[i, j] * (dw[j] - dw[i]), or with the sum."""
    across, down = y * dw, turned(turned(y) * dw)
    return across + down if sums else across - down


def _pairs_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (du, dw, _), (_, w, _), (y,) = dots, args, outs
    parts = [] if du is None else [over_pairs(du, w, size_of(du), **params)]
    if dw is not None:
        moved = _pairs_of(dw, y, params["sums"])
        parts.append(-over_pairs(moved, w, size_of(moved), **params))
    return [None if not parts else parts[0] if len(parts) == 1 else parts[0] + parts[1]]


def _pairs_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (_, w, _), (y,) = bars, args, outs
    if g is None:
        return [None, None, None]
    moved = g * y
    each = over_pairs(moved, w, size_of(moved), **params)
    down, across = (sum_(each, axes=(k,), keepdims=False) for k in (0, 1))
    return [over_pairs(g, w, size_of(g), **params), -down - across if params["sums"] else across - down, None]


over_pairs: Rule = general(
    "over_pairs",
    (),
    jvp=_pairs_jvp,
    vjp=_pairs_vjp,
    infer=same_type,
    evaluate=_pairs,
    template=_pairs_template,
    dims=first_dims,
    samples=[(square, values, 2.0)],
    params=[{"sums": False}, {"sums": True}],
    without={**only_ranks(2), "empty": "there is a value for each row and column"},
)


def over_gaps(u: Val, w: Val, size: Val | None = None) -> Val:
    return over_pairs(u, w, size or size_of(u), sums=False)


def over_sums(u: Val, w: Val, size: Val | None = None) -> Val:
    return over_pairs(u, w, size or size_of(u), sums=True)


# ---- columns


def _columns_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (du, dw, _), (_, w, _), (y,) = dots, args, outs
    moved = None if dw is None else y * dw
    whole = du if moved is None else -moved if du is None else du - moved
    return [None if whole is None else over_columns(whole, w, size_of(whole))]


def _columns_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (_, w, _), (y,) = bars, args, outs
    if g is None:
        return [None, None, None]
    moved = over_columns(g, w, size_of(g))
    return [moved, -sum_(moved * y, axes=(0,), keepdims=False), None]


def _columns(u: Any, w: Any, size: float) -> Any:
    if u.shape[1] != w.size:
        raise ValueError("as many values as columns")
    return spectra.over_columns(u, w, size)


over_columns: Rule = general(
    "over_columns",
    (),
    jvp=_columns_jvp,
    vjp=_columns_vjp,
    infer=same_type,
    evaluate=_columns,
    template=lambda types, params: ("over_columns(_0, _1, _2)", sources(spectra.over_columns)),
    dims=first_dims,
    samples=[(matrix, line, 2.0)],
    without=only_ranks(2),
)


def vector_type(types: Types, params: Params) -> ir.Type:
    return ir.Type(types[0].dtype, 1)
