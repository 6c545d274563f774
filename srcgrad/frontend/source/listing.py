"""A function's text as it is shown beside generated code: its lines, and which statement each of them is of."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from srcgrad.frontend.source.read import Source
from srcgrad.printer.user_lines import one_line


class Listing(NamedTuple):
    """first: the number of the first line; owners: for each line the first line of the innermost statement that it is
    of, if it is of one; statements: the first line of each, with its text as comments of generated code show it."""

    name: str
    first: int
    lines: Sequence[str]
    owners: Sequence[int | None]
    statements: Sequence[tuple[int, str]]


def listing(source: Source) -> Listing:
    """The listing of a function that was read."""
    node = source.node
    first = min((d.lineno for d in getattr(node, "decorator_list", ())), default=node.lineno)
    last = node.end_lineno or node.lineno
    lines = textwrap.dedent("\n".join(line.rstrip("\r\n") for line in source.lines[first - 1 : last])).split("\n")
    owners = _owners(node)
    shown = [owners.get(line) for line in range(first, first + len(lines))]
    return Listing(source.fun.__name__, first, lines, shown, list(_statements(source)))


def _owners(node: ast.AST) -> dict[int, int]:
    """By line, the statement that it is of: what stands in a statement comes after it."""
    found: dict[int, int] = {}
    for stmt in sorted(_inner(node), key=lambda s: (s.lineno, -(s.end_lineno or s.lineno))):
        found.update(dict.fromkeys(range(stmt.lineno, (stmt.end_lineno or stmt.lineno) + 1), stmt.lineno))
    return found


def _inner(node: ast.AST) -> list[ast.stmt | ast.expr]:
    if isinstance(node, ast.Lambda):
        return [node.body]
    return [n for n in ast.walk(node) if isinstance(n, ast.stmt) and n is not node]


def _statements(source: Source) -> Iterator[tuple[int, str]]:
    for node in _inner(source.node):
        yield node.lineno, one_line(source.span(node).text)
        for case in getattr(node, "cases", ()):
            yield source.span(case).line, one_line(source.span(case).text)
