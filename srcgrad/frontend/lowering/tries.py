"""`try` and `with`. What may raise is foreseen (see `foreseeing.py`); the derivative is that of the path taken."""

from __future__ import annotations

import ast
import contextlib
import operator
import warnings
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const
from srcgrad.frontend.lowering.foreseeing import Kinds, Trying
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import FALSE, NOWHERE, Known, Poison, Struct
from srcgrad.frontend.source.liveness import outside_scopes

UNKNOWN = Poison("an exception is not known when the function is read", "say what is to be known of it yourself")


def try_(low: Lowering, node: ast.Try) -> None:
    _expect_quiet(low, node.finalbody)
    low.calls.tried = True
    first = sum(len(trying.handlers) for trying in low.calls.tries)
    trying = Trying([(_kinds(low, handler), first + k) for k, handler in enumerate(node.handlers)])
    before, live = low.frame.flags, low.live_after(node)
    _body(low, node, trying)
    flags = low.frame.flags
    own = [number for _, number in trying.handlers if number in trying.met]

    def survived() -> None:
        returns = any(isinstance(n, ast.Return) for n in outside_scopes(node.body))
        low.set_flags(caught=FALSE, which=NOWHERE, returned=low.flag("returned") if returns else FALSE)
        low.block(node.orelse)

    def handled(number: int) -> None:
        low.frame.flags = before
        handler = node.handlers[number - first]
        if handler.name:
            low.frame.env[handler.name] = UNKNOWN
        low.block(handler.body)
        if handler.name:
            low.frame.env.pop(handler.name, None)

    def dispatched(left: list[int]) -> None:
        if not left:
            return  # it is caught further out
        if len(left) == 1 and trying.met <= set(own):
            return handled(left[0])
        chosen = low.truth(low.apply(operator.eq, flags.which, Const(left[0], ir.I8)))
        low.branch(chosen, lambda: handled(left[0]), lambda: dispatched(left[1:]), live)

    if flags.caught == FALSE:
        survived()
    else:
        low.branch(flags.caught, lambda: dispatched(own), survived, live)
    low.block(node.finalbody)


def _body(low: Lowering, node: ast.Try, trying: Trying) -> None:
    around, low.calls.sites = low.calls.sites, None
    low.calls.tries.append(trying)
    try:
        low.block(node.body)
    finally:
        low.calls.tries.pop()
        low.calls.sites = around


def _kinds(low: Lowering, handler: ast.ExceptHandler) -> Kinds:
    """What a handler catches."""
    if handler.type is None:
        return (BaseException,)
    value = low.ex(handler.type)
    items = value.items if isinstance(value, Struct) else (value,)
    kinds = [item.value for item in items if isinstance(item, Known) and isinstance(item.value, type)]
    if len(kinds) < len(items) or not all(issubclass(kind, BaseException) for kind in kinds):
        low.refuse("`except` takes something else than exceptions", "name exceptions of Python's or NumPy's")
    return tuple(kinds)


QUIET = (ast.Pass, ast.Assign, ast.AugAssign, ast.Delete)


def _expect_quiet(low: Lowering, stmts: list[ast.stmt]) -> None:
    """What stands under `finally` is done once, behind all paths that go on; who leaves sees nothing of it."""
    names = (ast.Name, ast.Tuple)
    for stmt in stmts:
        targets = stmt.targets if isinstance(stmt, ast.Assign) else [getattr(stmt, "target", None)]
        plain = isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Constant)
        if not plain and not (isinstance(stmt, QUIET) and all(t is None or isinstance(t, names) for t in targets)):
            low.refuse("`finally` does more than to bind names", "write it behind the `try`")


# ---- with


def with_(low: Lowering, node: ast.With) -> None:
    """What changes only what is warned of is read through."""
    for item in node.items:
        call = item.context_expr
        function = low.ex(call.func) if isinstance(call, ast.Call) else low.ex(call)
        known = function.value if isinstance(function, Known) and isinstance(call, ast.Call) else None
        if known not in QUIET_CONTEXTS or item.optional_vars is not None:
            low.refuse(
                "`with` is understood of np.errstate and warnings.catch_warnings alone", "do it outside the function"
            )
        if known is np.errstate:
            _expect_no_raise(low, call)
    low.block(node.body)


QUIET_CONTEXTS: tuple[Any, ...] = (np.errstate, warnings.catch_warnings, contextlib.nullcontext)
LOUD = ("raise", "call")


def _expect_no_raise(low: Lowering, call: ast.expr) -> None:
    assert isinstance(call, ast.Call)
    for value in [*call.args, *(k.value for k in call.keywords)]:
        told = low.ex(value)
        if not isinstance(told, Known) or told.value in LOUD:
            low.refuse("np.errstate makes NumPy raise", "test the numbers with `if`")
