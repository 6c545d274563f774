"""The texts of functions that go along with a pickle: where they arrive, no file and no notebook may have them."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable

from srcgrad.errors import SrcgradError
from srcgrad.frontend.source.agree import FunctionNode, Lines, digest, tree_of
from srcgrad.frontend.source.read import KNOWN, Known, Source, read

# by the digest of a function's code: its file, the number of lines in front, the lines, and the place of its node
Texts = dict[str, tuple[str, int, Lines, tuple[int, int]]]


def of_functions(functions: Iterable[types.FunctionType]) -> Texts:
    """The texts of these functions, of those that have one."""
    found: Texts = {}
    for fun in functions:
        try:
            source = read(fun)
        except SrcgradError:  # it is told where the function is differentiated, with the place of that
            continue
        first, lines = _statement(source)
        found[digest(fun.__code__)] = source.file, first, lines, (source.node.lineno, source.node.col_offset)
    return found


def _statement(source: Source) -> tuple[int, Lines]:
    """The lines of the module's statement that holds a function, and how many stand in front; all lines where a
    statement does not begin and end a line."""
    module = tree_of(source.lines)
    for stmt in module.body if module else ():
        first = min([stmt.lineno, *(d.lineno for d in getattr(stmt, "decorator_list", ()))]) - 1
        last = stmt.end_lineno or stmt.lineno
        if first < source.node.lineno <= last and any(inner is source.node for inner in ast.walk(stmt)):
            lines = source.lines[first:last]
            if _node(_padded(first, lines), (source.node.lineno, source.node.col_offset)) is not None:
                return first, lines
    return 0, source.lines


def _padded(first: int, lines: Lines) -> Lines:
    return (*["\n"] * first, *lines)


def _node(lines: Lines, place: tuple[int, int]) -> FunctionNode | None:
    module = tree_of(lines)
    for node in ast.walk(module) if module else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            if (node.lineno, node.col_offset) == place:
                return node
    return None


def take_over(texts: Texts) -> None:
    """Keep texts that came with a pickle for `read`."""
    for key, (file, first, lines, place) in texts.items():
        padded = _padded(first, lines)
        node = _node(padded, place)
        if node is not None:
            KNOWN[key] = Known(node, file, padded)
