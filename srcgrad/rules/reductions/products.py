"""Products and running products along an axis, with the true derivative where elements are zero.

A running product obeys c[i] = a[i] * c[i-1], and its tangent the same with a term added: d[i] = a[i] * d[i-1] + b[i].
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
from srcgrad.numeric import recurrences, reductions
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Duals, Rule, as_value, cast, general, linear, total
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.reductions.sums import chosen, first_axis, reduced_dims, reduced_type, sum_
from srcgrad.rules.shapes.broadcast import Params, Types, spread_back
from srcgrad.rules.shapes.last_axis import kept, lines
from srcgrad.rules.shapes.shape import reshaped

line = np.array([0.7, -1.3, 0.4, 2.0])
grid = np.stack([line, line[::-1] - 0.2])
zeros = np.array([[0.7, 0.0, 0.4], [0.7, 0.0, 0.0]])
BOTH = ({"axis": 0, "back": False}, {"axis": 0, "back": True})
FIRST = ({"axis": 0},)
cube = np.stack([grid, 1.5 - grid, 0.2 * grid])
SOME = [(line,), (zeros[0],), (zeros[1],), (grid,), (zeros.T.copy(),), At(cube, axis=1)]
SCANNED = [(line,), (grid,), At(cube, axis=1, back=False), At(cube, axis=2, back=True)]


def _same(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (types[0],)


def _of_first(dims: Sequence[Any], params: Params) -> Any:
    return dims[0]


def _scan(name: str, function: Any, **known: Any) -> Any:
    """The template of a rule that carries a value along an axis."""

    def template(types: Types, params: Params) -> Any:
        start = BACK.get(name, f"{name}_back") if params.get("back") else name
        return written_out(function, types, _named(start, types[0].rank, params["axis"]), **params, **known)

    return template


BACK = {"product_before": "product_after"}


def _named(name: str, rank: int, axis: int) -> str:
    return name if rank == 1 else f"{name}_{rank}_along_{axis}"


# ---- moving by one place


shifted: Rule = linear(
    "shifted",
    (),
    transpose=lambda g, x, axis, back: shifted(g, axis=axis, back=not back),
    infer=_same,
    evaluate=lambda x, axis, back: recurrences.shifted(x, axis, back, 0),
    dims=_of_first,
    samples=SCANNED,
    params=BOTH,
    template=_scan("shifted", recurrences.shifted, first=0),
)


def _after_one_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if dots[0] is None else shifted(dots[0], axis=params["axis"], back=False)]


def _after_one_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    return [None if bars[0] is None else shifted(bars[0], axis=params["axis"], back=True)]


after_one: Rule = general(
    "after_one",
    (),
    jvp=_after_one_jvp,
    vjp=_after_one_vjp,
    infer=_same,
    dims=_of_first,
    evaluate=lambda x, axis: recurrences.shifted(x, axis, False, 1),
    samples=SOME,
    params=FIRST,
    template=_scan("after_one", recurrences.shifted, back=False, first=1),
)


# ---- c[i] = a[i] * c[i-1] + b[i], from 0; and its transpose, which goes back: c[i] = a[i+1] * c[i+1] + b[i]


def _change(da: Val, c: Val, axis: int, back: bool) -> Val:
    """What a change of the factors adds to the terms."""
    if back:
        return shifted(da * c, axis=axis, back=True)
    return da * shifted(c, axis=axis, back=False)


def _recurrence_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (da, db), (a, _), (c,) = dots, args, outs
    source = db
    if da is not None:
        pushed = _change(da, c, **params)
        source = pushed if db is None else pushed + db
    return [None if source is None else recurrence(a, source, **params)]


def _recurrence_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (a, _), (c,) = bars, args, outs
    axis, back = params["axis"], params["back"]
    if g is None:
        return [None, None]
    w = recurrence(a, g, axis=axis, back=not back)
    moved = shifted(w, axis=axis, back=False) * c if back else w * shifted(c, axis=axis, back=False)
    return [moved, w]


recurrence: Rule = general(
    "recurrence",
    (),
    jvp=_recurrence_jvp,
    vjp=_recurrence_vjp,
    infer=_same,
    evaluate=recurrences.recurrence,
    dims=_of_first,
    params=BOTH,
    samples=[
        (line, -line[::-1].copy()),
        (grid, grid[::-1] + 0.3),
        At(cube, 1.0 - cube, axis=1, back=False),
        At(cube, 1.0 - cube, axis=2, back=True),
    ],
    template=_scan("recurrence", recurrences.recurrence),
)


# ---- running products


def _cumprod_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,), (y,), axis = dots, args, outs, params["axis"]
    return [None if dx is None else recurrence(x, dx * after_one(y, axis=axis), axis=axis, back=False)]


def _cumprod_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,), (y,), axis = bars, args, outs, params["axis"]
    if g is None or x.type.dtype[0] != "f":
        return [None]
    return [recurrence(x, g, axis=axis, back=True) * after_one(y, axis=axis)]


cumprod: Rule = general(
    "cumprod",
    (),
    jvp=_cumprod_jvp,
    vjp=_cumprod_vjp,
    infer=_same,
    evaluate=lambda x, axis: np.cumprod(x, axis),
    template=_scan("cumprod", recurrences.running_products),
    dims=_of_first,
    samples=SOME,
    params=FIRST,
)


# ---- the products of those on one side, of all the others, and of all


def _side_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,), (c,), axis = dots, args, outs, params["axis"]
    if dx is None:
        return [None]
    if params["back"]:  # c[i] = x[i+1] * c[i+1]
        return [recurrence(x, shifted(dx * c, axis=axis, back=True), axis=axis, back=True)]
    return [shifted(recurrence(x, dx * c, axis=axis, back=False), axis=axis, back=False)]


def _side_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,), (c,), axis = bars, args, outs, params["axis"]
    if g is None:
        return [None]
    if params["back"]:
        return [c * shifted(recurrence(x, g, axis=axis, back=False), axis=axis, back=False)]
    return [c * recurrence(x, shifted(g, axis=axis, back=True), axis=axis, back=True)]


side: Rule = general(
    "product_of_side",
    (),
    jvp=_side_jvp,
    vjp=_side_vjp,
    infer=_same,
    evaluate=recurrences.products_of_side,
    dims=_of_first,
    params=BOTH,
    samples=[*SCANNED, (zeros[1],), (zeros.T.copy(),)],
    template=_scan("product_before", recurrences.products_of_side),
)


def _sides(x: Val, axis: int) -> tuple[Val, Val]:
    return side(x, axis=axis, back=False), side(x, axis=axis, back=True)


def _others_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,), axis = dots, args, params["axis"]
    if dx is None:
        return [None]
    before, after = _sides(x, axis)
    (d_before,) = _side_jvp([dx], [x], [before], {"axis": axis, "back": False})
    (d_after,) = _side_jvp([dx], [x], [after], {"axis": axis, "back": True})
    return [d_before * after + before * d_after]


def _others_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,), axis = bars, args, params["axis"]
    if g is None:
        return [None]
    before, after = _sides(x, axis)
    (one,) = _side_vjp([g * after], [x], [before], {"axis": axis, "back": False})
    (other,) = _side_vjp([g * before], [x], [after], {"axis": axis, "back": True})
    return [total([one, other])]


others: Rule = general(
    "product_of_others",
    (),
    jvp=_others_jvp,
    vjp=_others_vjp,
    infer=_same,
    dims=_of_first,
    samples=SOME,
    params=FIRST,
    evaluate=recurrences.products_of_others,
    template=_scan("product_of_others", recurrences.products_of_others),
)


def _over(params: Params) -> dict[str, Any]:
    return {"axes": (params["axis"],), "keepdims": False}


def _prod_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (dx,), (x,) = dots, args
    return [None if dx is None else sum_(dx * others(x, **params), **_over(params))]


def _prod_vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,), (x,) = bars, args
    if g is None or x.type.dtype[0] != "f":
        return [None]
    return [(g if x.type.rank == 1 else spread_back(g, x, (params["axis"],), False)) * others(x, **params)]


def _prod_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    return (
        "np.prod(_0)" if rank == 1 else written_out(reductions.products, types, f"prod_{rank}_over_{axis}", axis=axis)
    )


prod: Rule = general(
    "prod",
    (),
    fresh=True,
    jvp=_prod_jvp,
    vjp=_prod_vjp,
    evaluate=lambda x, axis: np.prod(x, axis),
    template=_prod_template,
    infer=lambda types, params: (reduced_type(types[0].rank, types[0].dtype, _over(params)),),
    dims=lambda dims, params: reduced_dims(dims, _over(params)),
    samples=SOME,
    params=FIRST,
)


# ---- the user's functions


def _operand(builder: Builder, x: Any, dtype: Any) -> Val:
    value = contents(arguments.as_array(builder, x))
    if dtype is not None:
        value = cast(value, arguments.dtype_of(dtype))
    if not value.type.rank or value.type.dtype[0] not in "iub":
        return value
    return cast(value, "u8" if value.type.dtype[0] == "u" else "i8")


@registry.adaptor(np.prod, methods=("prod",))
def _np_prod(
    builder: Builder,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Val:
    arguments.no_options({"out": out}, "np.prod")
    value = chosen(_operand(builder, x, dtype), where, 1)
    if value.type.rank == 0:
        return value
    axes, keep = arguments.all_axes(axis, value.type.rank), arguments.flag(keepdims, "keepdims")
    rank = value.type.rank
    one = len(axes) == 1 and (rank > 1 or not keep)
    given = value if one else lines(value, axes, keep)
    got = kept(prod(given, axis=axes[0] if one else given.type.rank - 1), rank, axes, keep)
    return got if initial is None else got * contents(as_value(builder, initial))


@registry.adaptor(np.cumprod, np.cumulative_prod, methods=("cumprod",))
def _np_cumprod(builder: Builder, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Val:
    arguments.no_options({"out": out, **options}, "np.cumprod")
    value = _operand(builder, x, dtype)
    if value.type.rank == 0:
        raise UnsupportedError("np.cumprod takes an array, not a scalar; index or loop over numbers instead")
    if axis is None:
        return cumprod(contents(reshaped(value, -1)), axis=0)
    return cumprod(value, axis=arguments.one_axis(axis, value.type.rank))


registry.adaptor(np.multiply.reduce)(first_axis(np.prod))
registry.adaptor(np.multiply.accumulate)(first_axis(np.cumprod))
