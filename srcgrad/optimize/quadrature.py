"""SciPy's `quad` called inside a function that is read."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.api import forward
from srcgrad.core.atoms import Const
from srcgrad.core.types import B1, F8, I8
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.source.structure import Static
from srcgrad.optimize import methods
from srcgrad.optimize.inside import is_tuple, spec_of_argument, with_its_own
from srcgrad.optimize.of_scipy import given_to, number, said
from srcgrad.scipy import quadrature

RATIO = 0.7548776662466927  # of the entries of the direction: no few of them cancel


def quad(func, a, b, args=(), full_output=0, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, points=None, weight=None,
         wvar=None, wopts=None, maxp1=50, limlst=50, complex_func=False):  # fmt: skip
    """The integral of func(x, *args) from a to b."""


def call_quad(low: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
    given = given_to(quad, args, named)
    for name in ("full_output", "points", "weight", "wvar", "wopts", "complex_func"):
        if said(low, name, given[name]):
            low.refuse(
                f"quad with `{name}`", "write the weight into the function, and a sum of quads between the points"
            )
    ends = [number(low, given[name]) for name in ("a", "b")]
    values = with_its_own(low, {"fun": given["func"], "x0": ends[0], "args": given["args"]})
    more = scope.struct([]) if values["args"] == () else values["args"]
    if not is_tuple(spec_of_argument("args", more)):
        more = scope.struct([more])
    function = spec_of_argument("fun", values["fun"])
    assert isinstance(function, Static)
    call = methods.spread(function.value)
    direction, moves = _direction(low, more)
    around = scope.struct([more, direction])
    moving = scope.struct([Const(not isinstance(end, Const), B1) for end in ends])
    numbers = [number(low, given[name]) for name in ("epsabs", "epsrel")]
    parts = [scope.Known(_of_first(call)), scope.Known(_along(call) if moves else None)]
    limit = given["limit"]
    limit = limit if isinstance(limit, scope.ANY) else Const(limit, I8)
    return low.constructs.call(scope.Known(quadrature.quad), [*parts, *ends, moving, around, *numbers, limit])


def _of_first(call: Any) -> Any:
    return lambda x, both: call(x, both[0])


def _along(call: Any) -> Any:
    tangent = forward(call, 1)
    return lambda x, both: tangent(x, both[0], both[1])[1]


def _direction(low: Any, args: Any) -> tuple[Any, bool]:
    """A direction of all floats in the arguments; and whether there is one."""
    count = 0

    def along(value: Any) -> Any:
        nonlocal count
        if isinstance(value, scope.Struct):
            return scope.Struct(value.kind, value.keys, tuple(along(item) for item in value.items), value=value.value)
        if not hasattr(value, "type") or not value.type.is_float:
            return scope.Known(None)
        count += 1
        if value.type.is_scalar:
            return Const(RATIO ** (count - 1), value.type)
        return low.constructs.call(scope.Known(_spread_over), [value, Const(RATIO ** (count - 1), F8)])

    made = along(args)
    return made, count > 0


def _spread_over(array, first):
    return (np.cos(np.arange(array.size)) * first).astype(array.dtype).reshape(array.shape)
