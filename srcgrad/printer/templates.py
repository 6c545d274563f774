"""The Python expression that a primitive is printed as."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.printer import element_loops, loop_nests
from srcgrad.rules.language.over_elements import Contraction, EachElement, OverElements

REPEATS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template, with how often it evaluates each argument (many times inside a comprehension)."""

    tree: ast.AST
    uses: Mapping[int, int]
    size: int
    helpers: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def of_let(stmt: ir.Let | ir.Draw) -> Template:
    """The template for these argument types."""
    text, helpers = expanded(stmt.op, tuple(a.type for a in stmt.args), dict(stmt.params))
    parsed = parse(text, "eval")
    return Template(parsed.tree, parsed.uses, parsed.size, helpers) if helpers else parsed


def expanded(op: ir.Primitive, types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """What a primitive is printed as, and the sources of the functions that this calls."""
    got = op.template(types, params) if callable(op.template) else op.template
    code, helpers = got if isinstance(got, tuple) else (got, {})
    return code, {name: source(name, h) for name, h in helpers.items()}


def source(name: str, helper: str | OverElements | EachElement | Contraction) -> str:
    match helper:
        case str():
            return helper
        case EachElement():
            return element_loops.each_element(name, helper)
        case Contraction():
            return element_loops.contraction(name, helper)
    return loop_nests.text(name, helper)


@lru_cache(maxsize=4096)
def parse(text: str, mode: str) -> Template:
    tree = ast.parse(text, mode=mode)
    uses: dict[int, int] = {}
    repeated = {id(n) for node in ast.walk(tree) if isinstance(node, REPEATS) for n in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and (k := position(node.id)) is not None:
            uses[k] = uses.get(k, 0) + (2 if id(node) in repeated else 1)
    return Template(tree.body if isinstance(tree, ast.Expression) else tree, uses, len(text))


def position(name: str) -> int | None:
    """3 of '_3', None of any other name."""
    return int(name[1:]) if name[:1] == "_" and name[1:].isdigit() else None


def fill(template: Template, args: Sequence[ast.expr], params: Mapping[str, Any] | None = None) -> Any:
    """The template's tree, copied, with the arguments and the parameters' values in their places."""
    return _filled(template.tree, args, params or {})


def _filled(node: Any, args: Sequence[ast.expr], params: Mapping[str, Any]) -> Any:
    kind = type(node)
    if kind is list:
        return [_filled(child, args, params) for child in node]
    if isinstance(node, ast.Name):
        k = position(node.id)
        if k is not None:
            return args[k]
        return literal(params[node.id]) if node.id in params else ast.Name(node.id, node.ctx)
    if not isinstance(node, ast.AST) or not node._fields:
        return node
    if isinstance(node, ast.Attribute):
        return _attribute(_filled(node.value, args, params), node)
    return kind(*[_filled(getattr(node, field), args, params) for field in node._fields])


def _attribute(value: ast.expr, node: ast.Attribute) -> ast.expr:
    """Of `value`; the transpose of a transpose is the array itself."""
    if node.attr == "T" and isinstance(value, ast.Attribute) and value.attr == "T":
        return value.value
    return ast.Attribute(value, node.attr, node.ctx)


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def call(function: str, *args: ast.expr) -> ast.expr:
    """A call of a dotted name."""
    first, *rest = function.split(".")
    out = name(first)
    for attribute in rest:
        out = ast.Attribute(out, attribute, ast.Load())
    return ast.Call(out, list(args), [])


def dotted(text: str) -> ast.expr:
    made = call(text)
    assert isinstance(made, ast.Call)
    return made.func


def literal(value: Any) -> ast.expr:
    """A Python value as an expression; numbers that have no literal by their NumPy names."""
    if isinstance(value, (tuple, list)):
        kind = ast.Tuple if isinstance(value, tuple) else ast.List
        return kind([literal(v) for v in value], ast.Load())
    if isinstance(value, (bool, str, bytes)) or value is None or value is Ellipsis:
        return ast.Constant(value)
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return dtype(np.dtype(value).str[1:])
    if isinstance(value, complex):
        return ast.Constant(value) if value.real == 0 else ast.parse(repr(value), mode="eval").body
    return _real(value)


def _real(value: Any) -> ast.expr:
    number = int(value) if isinstance(value, (int, np.integer)) else float(value)
    if number != number:
        return dotted("np.nan")
    negative = number < 0 or (number == 0 and str(number)[0] == "-")
    size = abs(number)
    tree: ast.expr = dotted("np.inf") if size == float("inf") else ast.Constant(size)
    return ast.UnaryOp(ast.USub(), tree) if negative else tree


def dtype(code: str) -> ast.expr:
    scalar = np.dtype(code).type.__name__
    return dotted(f"np.{'bool_' if scalar in ('bool', 'bool_') else scalar}")


def constant(const: ir.Const) -> ast.expr:
    """A literal of the core; single precision says so, as compiled code takes a bare literal for double."""
    if const.type.dtype == "f4":
        return ast.Call(dtype("f4"), [_real(float(str(np.float32(const.value.real))))], [])
    if const.type.dtype == "f8":
        return _real(float(const.value.real))
    if const.type.is_complex:
        number = literal(complex(const.value))
        return number if const.type.dtype == "c16" else ast.Call(dtype("c8"), [number], [])
    if const.type.dtype == "b1":
        return ast.Constant(bool(const.value))
    return literal(int(const.value.real) if const.type.dtype[0] in "iu" else const.value)
