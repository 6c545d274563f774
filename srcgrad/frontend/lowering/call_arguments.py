"""The arguments that a call gives by place, those behind a star among them."""

from __future__ import annotations

import ast
import inspect
import types

from srcgrad.core.ir import Var
from srcgrad.frontend.lowering.expressions import unpacked
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Closure, Known, Value
from srcgrad.frontend.source.functions import behind, signature_of

BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def positional(low: Lowering, function: Value, node: ast.Call) -> list[Value]:
    """One value an argument; of an array behind a star, an element or row for each parameter that is left."""
    args: list[Value] = []
    for arg in node.args:
        if not isinstance(arg, ast.Starred):
            args.append(low.ex(arg))
            continue
        value = low.ex(arg.value)
        is_array = isinstance(value, Var) and value.type.rank > 0
        args.extend(unpacked(low, value, _places_left(function, node) if is_array else None))
    return args


def _places_left(function: Value, node: ast.Call) -> int | None:
    """How many parameters the only star of a call is for; None where the function's parameters do not tell."""
    names = _required(function)
    stars = sum(isinstance(arg, ast.Starred) for arg in node.args)
    named = {keyword.arg for keyword in node.keywords}
    if names is None or stars != 1 or None in named:
        return None
    return max(sum(name not in named for name in names) - len(node.args) + 1, 0)


def _required(function: Value) -> list[str] | None:
    """The parameters of a function that takes just these by place; None if some may be left out."""
    if isinstance(function, Closure):
        own = function.node.args
        return None if own.vararg or own.defaults else [a.arg for a in (*own.posonlyargs, *own.args)]
    if not isinstance(function, Known) or not isinstance(behind(function.value), types.FunctionType):
        return None
    params = signature_of(function.value).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL or (p.kind in BY_PLACE and p.default is not p.empty) for p in params):
        return None
    return [p.name for p in params if p.kind in BY_PLACE]
