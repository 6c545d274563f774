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
from srcgrad.rules.language import arguments, loop_text, registry
from srcgrad.rules.language.declare import At, Duals, Rule, as_value, cast, general, linear, total
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


def _named(name: str, rank: int, axis: int) -> str:
    return name if rank == 1 else f"{name}_{rank}_along_{axis}"


def _scan(name: str, params: str, start: str, *body: str) -> Any:
    """The template of a rule that carries a value along an axis, and makes `out` on the way."""

    def template(types: Types, how: Params) -> Any:
        rank, axis, back = types[0].rank, how["axis"], how.get("back", False)
        helper, model = _named(name, rank, axis), params[-1]
        steps = loop_text.along(rank, axis, f"{model}.dtype.type({start})", body, back, model)
        whole = [f"    out = np.empty({model}.shape, {model}.dtype)", *steps, "    return out"]
        args = ", ".join(f"_{k}" for k in range(len(types)))
        return f"{helper}({args})", {helper: loop_text.function(helper, params, whole)}

    return template


def _either(ahead: Any, back: Any) -> Any:
    return lambda types, params: (back if params["back"] else ahead)(types, params)


# ---- moving by one place


def _moved(x: Any, axis: int, back: bool, first: float = 0.0) -> Any:
    """x moved by one place, with this number where nothing comes."""
    out = np.full_like(x, first)
    ours, given = np.moveaxis(out, axis, 0), np.moveaxis(x, axis, 0)
    if back:
        ours[:-1] = given[1:]
    else:
        ours[1:] = given[:-1]
    return out


shifted: Rule = linear(
    "shifted",
    (),
    transpose=lambda g, x, axis, back: shifted(g, axis=axis, back=not back),
    infer=_same,
    evaluate=_moved,
    dims=_of_first,
    samples=SCANNED,
    params=BOTH,
    template=_either(
        _scan("shifted", "x", "0", "out[] = carried", "carried = x[]"),
        _scan("shifted_back", "x", "0", "out[] = carried", "carried = x[]"),
    ),
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
    evaluate=lambda x, axis: _moved(x, axis, False, 1.0),
    samples=SOME,
    params=FIRST,
    template=_scan("after_one", "x", "1", "out[] = carried", "carried = x[]"),
)


# ---- c[i] = a[i] * c[i-1] + b[i], from 0; and its transpose, which goes back: c[i] = a[i+1] * c[i+1] + b[i]


def _recurrence(a: Any, b: Any, axis: int, back: bool) -> Any:
    factor, term = (np.moveaxis(v, axis, 0) for v in (a, b))
    out = np.empty_like(b)
    ours = np.moveaxis(out, axis, 0)
    carried = np.zeros_like(term[:1].sum(0))
    for k in reversed(range(len(term))) if back else range(len(term)):
        carried = ours[k] = term[k] + (carried if back else factor[k] * carried)
        carried = factor[k] * carried if back else carried
    return out


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
    evaluate=_recurrence,
    dims=_of_first,
    params=BOTH,
    samples=[
        (line, -line[::-1].copy()),
        (grid, grid[::-1] + 0.3),
        At(cube, 1.0 - cube, axis=1, back=False),
        At(cube, 1.0 - cube, axis=2, back=True),
    ],
    template=_either(
        _scan("recurrence", "a, b", "0", "carried = a[] * carried + b[]", "out[] = carried"),
        _scan("recurrence_back", "a, b", "0", "carried += b[]", "out[] = carried", "carried *= a[]"),
    ),
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
    template=_scan("cumprod", "x", "1", "carried *= x[]", "out[] = carried"),
    dims=_of_first,
    samples=SOME,
    params=FIRST,
)


# ---- the products of those on one side, of all the others, and of all


def _side(x: Any, axis: int, back: bool) -> Any:
    turned = np.flip(x, axis) if back else x
    got = _moved(np.cumprod(turned, axis), axis, False, 1.0)
    return np.ascontiguousarray(np.flip(got, axis)) if back else got


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
    evaluate=_side,
    dims=_of_first,
    params=BOTH,
    samples=[*SCANNED, (zeros[1],), (zeros.T.copy(),)],
    template=_either(
        _scan("product_before", "x", "1", "out[] = carried", "carried *= x[]"),
        _scan("product_after", "x", "1", "out[] = carried", "carried *= x[]"),
    ),
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


def _others_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    name = _named("product_of_others", rank, axis)
    body = ["    out = np.empty(x.shape, x.dtype)"]
    body += loop_text.along(rank, axis, "x.dtype.type(1)", ["out[] = carried", "carried *= x[]"])
    body += loop_text.along(rank, axis, "x.dtype.type(1)", ["out[] *= carried", "carried *= x[]"], back=True)
    return f"{name}(_0)", {name: loop_text.function(name, "x", [*body, "    return out"])}


others: Rule = general(
    "product_of_others",
    (),
    jvp=_others_jvp,
    vjp=_others_vjp,
    infer=_same,
    dims=_of_first,
    samples=SOME,
    params=FIRST,
    evaluate=lambda x, axis: _side(x, axis, False) * _side(x, axis, True),
    template=_others_template,
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
    if rank == 1:
        return "np.prod(_0)"
    name = f"prod_{rank}_over_{axis}"
    shape = loop_text.shape_of("x", [k for k in range(rank) if k != axis])
    place = ", ".join(loop_text.LETTERS[k] for k in range(rank) if k != axis)
    step = f"out[{place}] *= {loop_text.subscript('x', loop_text.LETTERS[:rank])}"
    body = [f"    out = np.ones({shape}, x.dtype)", *loop_text.nest("x", rank, [step]), "    return out"]
    return f"{name}(_0)", {name: loop_text.function(name, "x", body)}


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
