"""Reading the source of a function, once, and making sure that it is the source the function was compiled from."""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.core.atoms import Span
from srcgrad.errors import ArgumentError, Problem, UnsupportedError
from srcgrad.frontend.source.agree import FunctionNode as FunctionNode
from srcgrad.frontend.source.agree import agrees, digest, moved, tree_of
from srcgrad.frontend.source.agree import codes as codes
from srcgrad.frontend.source.functions import behind
from srcgrad.frontend.source.texts import Lines, texts


@dataclass(frozen=True, eq=False)
class Source:
    """The text that an ast node points into."""

    fun: types.FunctionType
    node: FunctionNode
    file: str
    lines: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """The place of a node, with its text on one line; of a compound statement, of its head only."""
        if isinstance(node, ast.match_case):
            return self._span_of_case(node)
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line, end_column = getattr(node, "end_lineno", line), getattr(node, "end_col_offset", column)
        head = _head(node)
        text = self._text(line, column, *(head or (end_line, end_column)))
        end = self._characters(end_line, end_column)
        return Span(self.file, line, self._characters(line, column), end_line, end, text)

    def _span_of_case(self, case: ast.match_case) -> Span:
        """The place of a case, which has none of its own: the line of its pattern, up to the first statement."""
        line, first = case.pattern.lineno, case.body[0]
        text = self.lines[line - 1]
        column = len(text) - len(text.lstrip()) if text.lstrip().startswith("case") else case.pattern.col_offset
        head = (first.lineno, first.col_offset) if first.lineno == line else (first.lineno - 1, 10**6)
        end_line, end_column = head[0], min(head[1], len(self.lines[head[0] - 1]))
        return Span(self.file, line, column, end_line, end_column, self._text(line, column, *head))

    def blamed(self, node: ast.AST) -> ast.AST:
        """The user's expression that is to blame for what fails at a node."""
        return node

    def line_of(self, node: ast.AST) -> int:
        """The line of a node, the function's first being 1."""
        return getattr(node, "lineno", 1) - self.node.lineno + 1

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


@dataclass(frozen=True, eq=False)
class InPlace(Source):
    """The text of a function that is not the user's: all in it stands where the user calls it."""

    caller: Source | None = None
    call: ast.AST | None = None

    def _caller(self) -> tuple[Source, ast.AST]:
        assert self.caller is not None and self.call is not None
        return self.caller, self.call

    def span(self, node: ast.AST) -> Span:
        caller, call = self._caller()
        return caller.span(call)

    def blamed(self, node: ast.AST) -> ast.AST:
        caller, call = self._caller()
        return caller.blamed(call)

    def line_of(self, node: ast.AST) -> int:
        caller, call = self._caller()
        return caller.line_of(call)

    def problem_at(self, span: Span, message: str, hint: str = "") -> Problem:
        return self._caller()[0].problem_at(span, message, hint)


def _head(node: ast.AST) -> tuple[int, int] | None:
    """Where the head of a compound statement ends (before its first inner statement)."""
    if isinstance(node, ast.Match):
        return node.cases[0].pattern.lineno - 1, 10**6
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body:
        return None
    first = body[0]
    return (first.lineno, first.col_offset) if first.lineno == getattr(node, "lineno", 0) else (first.lineno - 1, 10**6)


@dataclass(frozen=True, slots=True)
class Known:
    """A function's node in a text that came along with it."""

    node: FunctionNode
    file: str
    lines: Lines


KNOWN: dict[str, Known] = {}  # by the digest of the code
_READ: dict[int, tuple[types.CodeType, Source]] = {}  # by the id of the code object, which the entry keeps alive
_WATCHERS: ContextVar[tuple[list[types.FunctionType], ...]] = ContextVar("watchers", default=())


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
    for functions in _WATCHERS.get():
        functions.append(fun)
    if id(code) not in _READ:
        _READ[id(code)] = code, _find(fun)
    return replace(_READ[id(code)][1], fun=fun)


@contextmanager
def watched() -> Iterator[list[types.FunctionType]]:
    """`with watched() as functions:` collects the functions that are read inside."""
    functions: list[types.FunctionType] = []
    token = _WATCHERS.set((*_WATCHERS.get(), functions))
    try:
        yield functions
    finally:
        _WATCHERS.reset(token)


def _find(fun: types.FunctionType) -> Source:
    code, name = fun.__code__, fun.__qualname__
    known = KNOWN.get(digest(code))
    if known is not None:
        return Source(fun, known.node, known.file, known.lines)
    crowded = False
    for file, lines in texts(fun):
        for node, exactly in _candidates(lines, code):
            crowded = crowded or node is None
            if node is not None and agrees(lines, node, code, exactly):
                return Source(fun, node, file, lines)
    for file, lines in texts(fun):
        for other in _functions(lines, code.co_name):
            if moved(lines, other, code):
                return Source(fun, other, file, lines)
    if crowded:
        raise UnsupportedError("several lambdas stand on one line", hint="put each on a line of its own, or use def")
    if code.co_filename.startswith("<") or not linecache.getlines(code.co_filename, fun.__globals__):
        raise UnsupportedError(f"the source of {name} cannot be found", hint=_instead(code))
    raise UnsupportedError(
        f"the source of {name} in {code.co_filename} is not what the function was compiled from",
        hint="the file has changed since it was imported: reload it",
    )


def _candidates(lines: Lines, code: types.CodeType) -> list[tuple[FunctionNode | None, bool]]:
    """The functions of this name that start on the line where the code starts, and whether columns must agree; of
    several lambdas the code's own, or None if nothing tells which that is."""
    module = tree_of(lines)
    found = [] if module is None else _named(_around(module, code.co_firstlineno), code.co_name)
    here = [n for n in found if code.co_firstlineno in (n.lineno, *(d.lineno for d in _decorators(n)))]
    lambdas = [n for n in here if isinstance(n, ast.Lambda)]
    return [(_innermost(lambdas, code), True)] if len(lambdas) > 1 else [(n, False) for n in here]


def _functions(lines: Lines, name: str) -> list[FunctionNode]:
    """The functions of this name in a text; the lambdas where that is `<lambda>`."""
    module = tree_of(lines)
    return [] if module is None else _named(ast.walk(module), name)


def _around(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """What is inside of this node and reaches over this line; a whole file is not gone through for one function."""
    for child in ast.iter_child_nodes(node):
        first = min([getattr(child, "lineno", line), *(d.lineno for d in _decorators(child))])
        if first <= line <= (getattr(child, "end_lineno", None) or line):
            yield child
            yield from _around(child, line)


def _decorators(node: ast.AST) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def _named(nodes: Iterable[ast.AST], name: str) -> list[FunctionNode]:
    """The functions of this name among these; the lambdas where that is `<lambda>`."""
    if name == "<lambda>":
        return [n for n in nodes if isinstance(n, ast.Lambda)]
    return [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == name]


def _innermost(lambdas: list[ast.Lambda], code: types.CodeType) -> ast.Lambda | None:
    """The smallest lambda whose body holds all places that the code speaks of."""
    spans = ([part for part in span if part is not None] for span in code.co_positions())
    places = [span for span in spans if len(span) == 4 and span[0::2] != span[1::2]]
    holding = [n for n in lambdas if all(_holds(n.body, *p) for p in places)]
    if not places or not holding:
        return None
    return max(holding, key=lambda n: (n.lineno, n.col_offset))


def _holds(node: ast.expr, line: int, end_line: int, column: int, end_column: int) -> bool:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return (node.lineno, node.col_offset) <= (line, column) and (end_line, end_column) <= end


def _instead(code: types.CodeType) -> str:
    if code.co_filename == "<dynamic-code>" or "ipykernel_" in code.co_filename:
        return "it came from another process without its text: make the derivative there, and send that"
    return "define it in a file or a notebook cell"
