"""Comparisons, boolean logic, and the choice between two values."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import Duals, Rule, as_value, cast, elementwise, expand_to, promote, settle, zero
from srcgrad.rules.language.values import Val, emit

pairs = [(0.7, 1.9), (-1.3, -1.3), (2.0, -3.0)]
booleans = [(True, False), (True, True), (False, False)]
reals = [(0.7,), (math.inf,), (-math.inf,), (math.nan,), (0.0,)]


def _comparison(name: str, ufunc: Any, function: Any, sign: str) -> Rule:
    return zero(
        name,
        (ufunc, function),
        scalar=f"_0 {sign} _1",
        samples=pairs,
        takes_complex=sign in ("==", "!="),
        folds=True,
        effort="least",
    )


equal = _comparison("equal", np.equal, operator.eq, "==")
not_equal = _comparison("not_equal", np.not_equal, operator.ne, "!=")
less = _comparison("less", np.less, operator.lt, "<")
less_equal = _comparison("less_equal", np.less_equal, operator.le, "<=")
greater = _comparison("greater", np.greater, operator.gt, ">")
greater_equal = _comparison("greater_equal", np.greater_equal, operator.ge, ">=")
# of tangents and adjoints, which have no further use where they are zero: nothing is decided by it but that
is_nonzero = zero(
    "is_nonzero", (), evaluate=lambda x: np.not_equal(x, 0), scalar="_0 != 0.0", samples=reals, effort="least"
)
# of what has no NaN
OPPOSITE = {
    less: greater_equal,
    greater: less_equal,
    equal: not_equal,
    greater_equal: less,
    less_equal: greater,
    not_equal: equal,
}


def _logic(code: str, otherwise: str) -> Any:
    """Python's word for booleans; np.logical_* says of numbers whether they are not 0."""

    def template(types: tuple[ir.Type, ...], params: dict[str, Any]) -> str:
        return code if all(t == ir.B1 for t in types) else otherwise

    return template


logical_and = zero(
    "logical_and", (np.logical_and,), folds=True, scalar=_logic("_0 and _1", "np.logical_and(_0, _1)"), samples=booleans
)
logical_or = zero(
    "logical_or", (np.logical_or,), folds=True, scalar=_logic("_0 or _1", "np.logical_or(_0, _1)"), samples=booleans
)
logical_xor = zero(
    "logical_xor", (np.logical_xor,), folds=True, scalar=_logic("_0 != _1", "np.logical_xor(_0, _1)"), samples=booleans
)
logical_not = zero(
    "logical_not",
    (np.logical_not, operator.not_),
    scalar=_logic("not _0", "np.logical_not(_0)"),
    samples=[(True,), (False,)],
    folds=True,
)
isnan = zero("isnan", (np.isnan, math.isnan), samples=reals, takes_complex=True)
isinf = zero("isinf", (np.isinf, math.isinf), samples=reals, takes_complex=True)
isfinite = zero("isfinite", (np.isfinite, math.isfinite), samples=reals, takes_complex=True)
signbit = zero("signbit", (np.signbit,), samples=[(0.7,), (-0.0,), (-1.3,)])


# ---- a choice


def _where_infer(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    kind = promote(types[1:])
    return (ir.Type(kind.dtype, max(kind.rank, types[0].rank)),)


def _where_jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: dict[str, Any]) -> list[Any]:
    _, then, orelse = dots
    if then is None and orelse is None:
        return [None]
    zero_dot = outs[0].lift(0.0)
    out = where(args[0], zero_dot if then is None else then, zero_dot if orelse is None else orelse)
    return [cast(expand_to(out, outs[0]), outs[0].type.dtype)]


where: Rule = elementwise(
    "where",
    (),
    effort="least",
    selects=True,
    evaluate=np.where,
    infer=_where_infer,
    jvp=_where_jvp,
    as_is=(0,),
    partials=lambda c, a, b, y: (None, lambda g: where(c, g, g.lift(0.0)), lambda g: where(c, g.lift(0.0), g)),
    scalar="_1 if _0 else _2",
    array="np.where(_0, _1, _2)",
    samples=[(True, 0.7, 1.9), (False, -1.3, 0.4)],
    takes_complex=True,
)


@registry.adaptor(np.where)
def _where(builder: Builder, *args: Any) -> Any:
    if len(args) == 1:
        return registry.FUNCTIONS[np.nonzero](builder, *args)
    if len(args) != 3:
        raise UnsupportedError("np.where takes a condition, or a condition and two values")
    cond = cast(settle([as_value(builder, args[0])])[0], "b1")
    return emit(where, cond, *settle([as_value(builder, a) for a in args[1:]]))


Val.operators.update(less=less, less_equal=less_equal, greater=greater, greater_equal=greater_equal)
