"""Products over all elements or along an axis, with the true derivative where elements are zero.

A running product obeys c[i+1] = a[i] * c[i], and its tangent the same with a term added: d[i+1] = a[i] * d[i] + b[i].
So one linear recurrence, whose tangent and adjoint are again such recurrences, gives products to any order without
dividing by an element.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules import arguments, helpers, registry
from srcgrad.rules.broadcast import Params, Types, extent
from srcgrad.rules.declare import Duals, Rule, cast, general, linear, only_ranks, zero
from srcgrad.rules.helpers import sources
from srcgrad.rules.reduce import total
from srcgrad.rules.shape import reshaped
from srcgrad.rules.values import Val, contents

line = np.array([0.7, -1.3, 0.4, 2.0])


def _same(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def _of_first(dims: Sequence[Any], params: Params) -> Any:
    return dims[0]


# ---- moving by one place


def _shifted(x: Any, back: bool) -> Any:
    out = np.zeros_like(x)
    if back:
        out[:-1] = x[1:]
    else:
        out[1:] = x[:-1]
    return out


shifted: Rule = linear(
    "shifted", (), transpose=lambda g, x, back: shifted(g, back=not back), infer=_same, evaluate=_shifted,
    template=lambda types, params: ("shifted_back(_0)", sources(helpers.shifted_back)) if params["back"]
    else ("shifted(_0)", sources(helpers.shifted)),
    dims=_of_first, samples=[(line,)], params=[{"back": False}, {"back": True}], without=only_ranks(1),
)  # fmt: skip


# ---- c[i] = a[i] * c[i-1] + b[i], from 0 before the first; backwards: c[i] = a[i] * c[i+1] + b[i]


def _recurrence(a: Any, b: Any, back: bool) -> Any:
    out = np.empty_like(b)
    carried = b.dtype.type(0)
    for k in reversed(range(b.size)) if back else range(b.size):
        carried = out[k] = a[k] * carried + b[k]
    return out


def _recurrence_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da, db), (a, _), (c,) = dots, args, outs
    back = params["back"]
    source = db
    if da is not None:
        pushed = da * shifted(c, back=back)
        source = pushed if db is None else pushed + db
    return [None if source is None else recurrence(a, source, back=back)]


def _recurrence_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, _), (c,) = bars, args, outs
    back = params["back"]
    if g is None:
        return [None, None]
    later = recurrence(shifted(a, back=not back), g, back=not back)
    return [later * shifted(c, back=back), later]


recurrence: Rule = general(
    "recurrence", (), jvp=_recurrence_jvp, vjp=_recurrence_vjp, infer=_same, evaluate=_recurrence,
    template=lambda types, params: ("recurrence_back(_0, _1)", sources(helpers.recurrence_back)) if params["back"]
    else ("recurrence(_0, _1)", sources(helpers.recurrence)),
    dims=_of_first, samples=[(line, -line[::-1].copy())], params=[{"back": False}, {"back": True}],
    without=only_ranks(1),
)  # fmt: skip


# ---- the product of the others, and the product

impulse = zero(
    "impulse", (), infer=_same, dims=_of_first, samples=[(line,)], params=[{"back": False}, {"back": True}],
    evaluate=lambda x, back: np.eye(1, x.size, x.size - 1 if back else 0, dtype=x.dtype)[0], elementwise=False,
    without=only_ranks(1),
    template=lambda types, params: ("impulse_back(_0)", sources(helpers.impulse_back)) if params["back"]
    else ("impulse(_0)", sources(helpers.impulse)),
)  # fmt: skip


def _side(x: Val, back: bool) -> Val:
    """At each place the product of the elements before it (after it, backwards)."""
    return recurrence(shifted(x, back=back), impulse(extent(x), back=back), back=back)  # type: ignore[no-any-return]


def _side_jvp(dx: Val, x: Val, side: Val, back: bool) -> Val:
    a, da = shifted(x, back=back), shifted(dx, back=back)
    return recurrence(a, da * shifted(side, back=back), back=back)  # type: ignore[no-any-return]


def _side_vjp(g: Val, x: Val, side: Val, back: bool) -> Val:
    later = recurrence(shifted(shifted(x, back=back), back=not back), g, back=not back)
    return shifted(later * shifted(side, back=back), back=not back)  # type: ignore[no-any-return]


def _others_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,) = dots, args
    if dx is None:
        return [None]
    before, after = _side(x, False), _side(x, True)
    return [_side_jvp(dx, x, before, False) * after + before * _side_jvp(dx, x, after, True)]


def _others_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,) = bars, args
    if g is None:
        return [None]
    before, after = _side(x, False), _side(x, True)
    return [_side_vjp(g * after, x, before, False) + _side_vjp(g * before, x, after, True)]


def _others(x: Any) -> Any:
    return np.array([np.prod(np.delete(x, k)) for k in range(x.size)], x.dtype)


others: Rule = general(
    "product_of_others", (), jvp=_others_jvp, vjp=_others_vjp, infer=_same, evaluate=_others, dims=_of_first,
    template=lambda types, params: ("product_of_others(_0)", sources(helpers.product_of_others)),
    samples=[(line,), (np.array([0.7, 0.0, 0.4]),), (np.array([0.7, 0.0, 0.0]),)], without=only_ranks(1),
)  # fmt: skip


def _prod_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,) = dots, args
    return [None if dx is None else total(dx * others(x))]


def _prod_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,) = bars, args
    return [None if g is None or x.type.dtype[0] != "f" else g * others(x)]


prod: Rule = general(
    "prod", (), jvp=_prod_jvp, vjp=_prod_vjp, evaluate=np.prod, template="np.prod(_0)",
    infer=lambda types, params: (arguments.scalar_type(types[0].dtype),),
    samples=[(line,), (np.array([0.7, 0.0, 0.4]),)], without=only_ranks(1),
)  # fmt: skip


@registry.adaptor(np.prod, methods=("prod",))
def _np_prod(builder: Builder, x: Any, axis: Any = None, **options: Any) -> Val:
    arguments.no_options(options, "np.prod")
    value = contents(arguments.as_array(builder, x))
    if value.type.dtype[0] in "iub" and value.type.rank:
        value = cast(value, "i8")
    if value.type.rank == 0:
        return value
    if arguments.all_axes(axis, value.type.rank) != tuple(range(value.type.rank)):
        raise UnsupportedError("np.prod along an axis is not differentiated; loop over the other axes and use np.prod")
    return prod(contents(reshaped(value, -1)))  # type: ignore[no-any-return]
