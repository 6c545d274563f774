"""What passes through as Python statements: raise, assert, print, a seed, and the end of a GPU thread's function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.printer.templates import call, constant, name

ToExpression = Callable[[Atom], ast.expr]


def effect(stmt: ir.Effect, atom: ToExpression) -> ast.stmt:
    """atom: how an operand is written."""
    match stmt:
        case ir.Raise(_, error, parts, format):
            first: list[ast.expr] = [] if format is None else [ast.Constant(format)]
            return ast.Raise(call(error, *first, *_parts(parts, atom)), None)
        case ir.Assert(cond, message):
            return ast.Assert(atom(cond), None if message is None else _part(message, atom))
        case ir.Print(parts, (("into", str() as into), *options)):
            return _told(into, _parts(parts, atom), options)
        case ir.Print(parts, options):
            keywords = [ast.keyword(option, ast.Constant(value)) for option, value in options]
            return ast.Expr(ast.Call(name("print"), _parts(parts, atom), keywords))
        case ir.Seed(stream, value):
            return ast.Expr(call(f"{stream.value}.seed", atom(value)))
        case ir.Return(values):
            numbers = [constant(v) for v in values]
            whole = numbers[0] if len(numbers) == 1 else ast.Tuple(numbers, ast.Load())
            return ast.Return(whole if numbers else None)
    raise TypeError(type(stmt).__name__)


def _told(into: str, parts: list[ast.expr], options: Iterable[tuple[str, str | bool | None]]) -> ast.stmt:
    """into(*parts), or an assignment"""
    if into.endswith("="):
        statement = ast.parse(f"{into} 0").body[0]
        assert isinstance(statement, (ast.Assign, ast.AugAssign))
        statement.value = parts[0]
        return statement
    keywords = [ast.keyword(name, ast.Constant(value)) for name, value in options]
    return ast.Expr(ast.Call(ast.parse(into, mode="eval").body, parts, keywords))


def _parts(parts: Iterable[ir.Part], atom: ToExpression) -> list[ast.expr]:
    return [_part(part, atom) for part in parts]


def _part(part: ir.Part, atom: ToExpression) -> ast.expr:
    match part:
        case str():
            return ast.Constant(part)
        case Var() | Const():
            return atom(part)
        case ir.Literal(value):
            return ast.parse(repr(value), mode="eval").body
        case ir.AsPython(number) if number.type.rank:
            return ast.Call(ast.Attribute(atom(number), "copy", ast.Load()), [], [])
        case ir.AsPython(number):
            return call(ir.PYTHONS[number.type.dtype], atom(number))
        case ir.Formatted(text, parts):
            return ast.Call(ast.Attribute(ast.Constant(text), "format", ast.Load()), _parts(parts, atom), [])
    return ast.Tuple(_parts(part, atom), ast.Load())
