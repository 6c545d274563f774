"""What a function tells the world outside of it, once, as the primal runs: appends to lists of its module, counters,
log entries. Nothing of it may flow back: who records into a name must not read it."""

from __future__ import annotations

import ast
import collections
import logging
import sys
import types
import warnings
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Var
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.lowering.effects import shown
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Struct, Value

APPENDING = ("append", "extend", "appendleft", "add")
LOGGING = ("debug", "info", "warning", "error", "critical", "exception", "log")
HINT = "return the value instead"
AUGMENTS: dict[type[ast.operator], str] = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*="}


def call(low: Lowering, node: ast.expr) -> bool:
    """Whether a statement is a call that tells something, which is then emitted."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    name = node.func.attr
    found = _address(low, node.func.value)
    if found is None:
        return False
    owner, text, root = found
    logs = name in LOGGING and (owner is logging or isinstance(owner, logging.Logger))
    warns = owner is warnings and name == "warn"
    if not logs and not warns and not (name in APPENDING and isinstance(owner, (list, set, collections.deque))):
        return False
    if any(isinstance(a, ast.Starred) for a in node.args) or (node.keywords and not logs and not warns):
        low.refuse("what is told outside is given by keywords or stars", "give it by place")
    options: list[tuple[str, Any]] = []
    for keyword in node.keywords:
        if not isinstance(keyword.value, ast.Constant) or keyword.arg is None:
            low.refuse("an option of what is logged is not a literal", "give literals by keyword")
        options.append((keyword.arg, keyword.value.value))
    parts = [_part(low, low.settle(low.ex(a), "a")) for a in node.args]
    _emit(low, f"{text}.{name}", parts, root if not logs and not warns else None, options)
    return True


def assignment(low: Lowering, target: ast.expr, value: Value | ast.expr, op: ast.operator | None) -> bool:
    """Whether `target = value` or `target op= value` changes what is the module's, which is then emitted."""
    if isinstance(target, ast.Name):
        if target.id not in _declared(low):
            return False
        text, root = _of_module(low, target.id), target.id
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        found = _address(low, target.value)
        if found is None or type(found[0]) not in (dict, list, collections.Counter, collections.defaultdict):
            return False
        _, text, root = found
        text += f"[{target.slice.value!r}]"
    else:
        return False
    if op is not None and type(op) not in AUGMENTS:
        low.refuse("what is the module's is changed in another way than by +=", HINT)
    given = low.ex(value) if isinstance(value, ast.expr) else value
    sign = "=" if op is None else AUGMENTS[type(op)]
    _emit(low, f"{text} {sign}", [_part(low, low.settle(given, "a"))], root, [])
    return True


def _emit(low: Lowering, into: str, parts: list[ir.Part], root: str | None, options: list[tuple[str, Any]]) -> None:
    if low.setting.threads:
        low.refuse("a kernel changes what is its module's", "write into an array")
    if root is not None:
        low.captures.record(low.frame.source.fun, root)
    low.b.put(ir.Print(tuple(parts), (("into", into), *options), span=low.b.span))


def _part(low: Lowering, value: Value) -> ir.Part:
    match value:
        case Var() if value.type.rank:
            return ir.AsPython(value)
        case Struct(kind=kind, rows=None) if kind is tuple:
            return tuple(_part(low, item) for item in value.items)
        case Struct(kind=kind) if kind is not scope.Text:
            low.refuse(f"{scope.describe(value)} is recorded", "record numbers, arrays, texts and tuples of them")
    return shown(low, value)


def _declared(low: Lowering) -> frozenset[str]:
    """The names that the function being read declares `global`."""
    body = getattr(low.frame.source.node, "body", None)
    nodes = body if isinstance(body, list) else []
    return frozenset(name for n in nodes if isinstance(n, ast.Global) for name in n.names)


def _address(low: Lowering, node: ast.expr) -> tuple[Any, str, str] | None:
    """What stands in the module under a name and its attributes; how generated code finds it; the name."""
    if isinstance(node, ast.Attribute):
        found = _address(low, node.value)
        if found is None or not hasattr(found[0], node.attr) or not isinstance(found[0], types.ModuleType):
            return None
        return getattr(found[0], node.attr), f"{found[1]}.{node.attr}", found[2]
    if not isinstance(node, ast.Name) or _is_local(low, node.id):
        return None
    fun = low.frame.source.fun
    if node.id in fun.__code__.co_freevars or node.id not in fun.__globals__:
        return None
    value = fun.__globals__[node.id]
    if value is logging or value is warnings:
        return value, f"sys.modules[{value.__name__!r}]", node.id
    if sys.modules.get(str(fun.__globals__.get("__name__"))) is None:
        return None
    return value, _of_module(low, node.id), node.id


def _is_local(low: Lowering, name: str) -> bool:
    frame: scope.Frame | None = low.frame
    while frame is not None:
        if name in frame.locals or name in frame.env:
            return True
        frame = frame.outer
    return False


def _of_module(low: Lowering, name: str) -> str:
    fun = low.frame.source.fun
    module = str(fun.__globals__.get("__name__"))
    if getattr(sys.modules.get(module), "__dict__", None) is not fun.__globals__:
        raise UnsupportedError(f"`{name}` is changed, whose module cannot be found", hint=HINT)
    return f"sys.modules[{module!r}].{name}"
