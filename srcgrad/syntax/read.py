"""Reading the source of a function, once, and making sure that it is the source the function was compiled from."""

from __future__ import annotations
import __future__

import ast
import functools
import linecache
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Union

from srcgrad.core.ir import Span
from srcgrad.errors import ArgumentError, Problem, UnsupportedError
from srcgrad.syntax.functions import behind

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
_FUTURE = functools.reduce(
    lambda bits, name: bits | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)


@dataclass(frozen=True, eq=False)
class Source:
    """The text that an ast node points into."""

    fun: types.FunctionType
    node: FunctionNode
    file: str
    lines: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """The place of a node, with its text on one line; of a compound statement, of its head only."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line, end_column = getattr(node, "end_lineno", line), getattr(node, "end_col_offset", column)
        head = _head(node)
        text = self._text(line, column, *(head or (end_line, end_column)))
        end = self._characters(end_line, end_column)
        return Span(self.file, line, self._characters(line, column), end_line, end, text)

    def problem(self, node: ast.AST, message: str, hint: str = "") -> Problem:
        return self.problem_at(self.span(node), message, hint)

    def problem_at(self, span: Span, message: str, hint: str = "") -> Problem:
        source = self.lines[span.line - 1] if 0 < span.line <= len(self.lines) else ""
        return Problem(message, hint, span.file, span.line, span.column, source)

    def _characters(self, line: int, column: int) -> int:
        if not 0 < line <= len(self.lines):
            return column
        return len(self.lines[line - 1].encode()[:column].decode(errors="replace"))

    def _text(self, line: int, column: int, end_line: int, end_column: int) -> str:
        rows = [row.encode() for row in self.lines[line - 1 : end_line]]
        if not rows:
            return ""
        rows[-1] = rows[-1][:end_column]
        rows[0] = rows[0][column:]
        return " ".join(row.decode(errors="replace").strip() for row in rows).strip()


def _head(node: ast.AST) -> tuple[int, int] | None:
    """Where the head of a compound statement ends (before its first inner statement)."""
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body:
        return None
    first = body[0]
    return (first.lineno, first.col_offset) if first.lineno == getattr(node, "lineno", 0) else (first.lineno - 1, 10**6)


_READ: dict[int, Source] = {}  # by code object, which the source keeps alive


def python_function(fun: Any) -> types.FunctionType:
    """The Python function behind a function, a bound method or a Numba dispatcher."""
    fun = behind(fun)
    fun = getattr(fun, "__func__", fun)
    if not isinstance(fun, types.FunctionType):
        raise ArgumentError(f"{fun!r} is not a Python function", hint="give a function written in Python")
    return fun


def read(fun: Callable[..., Any]) -> Source:
    """The source of a function. It is read once; a file edited since the function was defined is refused."""
    fun = python_function(fun)
    code = fun.__code__
    if id(code) not in _READ:
        _READ[id(code)] = _find(fun)
    return replace(_READ[id(code)], fun=fun)


def _find(fun: types.FunctionType) -> Source:
    code = fun.__code__
    for fresh in (False, True):
        if fresh:
            linecache.checkcache(code.co_filename)
        lines = tuple(linecache.getlines(code.co_filename, fun.__globals__))
        for node in _candidates(lines, code):
            if _agrees(lines, node, code):
                return Source(fun, node, code.co_filename, lines)
    name = fun.__qualname__
    if not lines or code.co_filename == "<string>":  # since Python 3.13 the lines of `python -c` have that name
        raise UnsupportedError(f"the source of {name} cannot be found", hint="define it in a file or a notebook cell")
    raise UnsupportedError(
        f"the source of {name} in {code.co_filename} is not what the function was compiled from",
        hint="the file has changed since it was imported: reload it",
    )


@functools.lru_cache(maxsize=64)
def _module(lines: tuple[str, ...]) -> ast.Module | None:
    try:
        return ast.parse("".join(lines))
    except SyntaxError:
        return None


def _candidates(lines: tuple[str, ...], code: types.CodeType) -> list[FunctionNode]:
    """The functions of this name that start on the line where the code starts; of several lambdas, the code's own."""
    module = _module(lines)
    nodes = [] if module is None else list(ast.walk(module))
    if code.co_name == "<lambda>":
        lambdas = [n for n in nodes if isinstance(n, ast.Lambda) and n.lineno == code.co_firstlineno]
        return [*lambdas] if len(lambdas) < 2 else [_innermost(lambdas, code)]
    return [
        n for n in nodes
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == code.co_name
        and code.co_firstlineno in (n.lineno, *(d.lineno for d in n.decorator_list))
    ]  # fmt: skip


def _innermost(lambdas: list[ast.Lambda], code: types.CodeType) -> ast.Lambda:
    """The smallest lambda whose body holds all places that the code speaks of."""
    spans = ([part for part in span if part is not None] for span in code.co_positions())
    places = [span for span in spans if len(span) == 4 and span[0::2] != span[1::2]]
    holding = [n for n in lambdas if all(_holds(n.body, *p) for p in places)]
    if not places or not holding:
        raise UnsupportedError("several lambdas stand on one line", hint="put each on a line of its own, or use def")
    return max(holding, key=lambda n: (n.lineno, n.col_offset))


def _holds(node: ast.expr, line: int, end_line: int, column: int, end_column: int) -> bool:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return (node.lineno, node.col_offset) <= (line, column) and (end_line, end_column) <= end


def _agrees(lines: tuple[str, ...], node: FunctionNode, code: types.CodeType) -> bool:
    """Whether compiling this text gives this code. (Test runners rewrite `assert`: then only names are compared.)"""
    flags = code.co_flags & _FUTURE
    rewritten = any(isinstance(n, ast.Assert) for n in ast.walk(node))
    return any(_same(other, code, rewritten) for other in _compiled(lines, code.co_filename, flags))


@functools.lru_cache(maxsize=16)
def _compiled(lines: tuple[str, ...], file: str, flags: int) -> tuple[types.CodeType, ...]:
    return tuple(codes(compile("".join(lines), file, "exec", flags=flags, dont_inherit=True)))


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def _same(a: types.CodeType, b: types.CodeType, rewritten: bool) -> bool:
    if (a.co_name, a.co_firstlineno) != (b.co_name, b.co_firstlineno):
        return False
    if rewritten:
        return a.co_varnames == tuple(v for v in b.co_varnames if not v.startswith("@"))
    consts = [[c for c in code.co_consts if not isinstance(c, types.CodeType)] for code in (a, b)]
    return a.co_code == b.co_code and repr(consts[0]) == repr(consts[1]) and a.co_names == b.co_names
