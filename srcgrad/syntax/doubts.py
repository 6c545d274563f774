"""Refusing to write into memory where NumPy's views and the core's copies (or the reverse) would give other results."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from srcgrad.core import ir
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import blocks, defined
from srcgrad.errors import UnsupportedError
from srcgrad.syntax.read import Source
from srcgrad.syntax.written import Aliases

Loops = tuple[Stmt, ...]
Placed = tuple[Stmt, Loops]


def conflict(body: Sequence[Stmt], doubts: Sequence[tuple[Var, Var]]) -> tuple[Stmt, Var] | None:
    """A store into either of a pair of which one may be a view of the other, made later; and the pair's base."""
    if not doubts:
        return None
    aliases, placed = Aliases(body), list(_placed(body))
    for target, base in doubts:
        classes = {aliases.root(target), aliases.root(base)}
        stmt = _written_later(target, base, classes, aliases, placed)
        if stmt is not None:
            return stmt, base
    return None


def refusal(source: Source, stmt: Stmt, base: Var) -> UnsupportedError:
    message = f"whether this also writes into `{base.name}` depends on its layout in memory"
    hint = "reshape a contiguous copy: x.copy().reshape(...)"
    if stmt.span is None:
        return UnsupportedError(message, hint=hint)
    return UnsupportedError(message, problems=[source.problem_at(stmt.span, message, hint)])


def _placed(stmts: Sequence[Stmt], loops: Loops = ()) -> Iterator[Placed]:
    """Every statement with the loops around it."""
    for stmt in stmts:
        yield stmt, loops
        inner = (*loops, stmt) if isinstance(stmt, (ir.For, ir.While)) else loops
        for _, block in blocks(stmt):
            yield from _placed(block, inner)


def _written_later(
    target: Var, base: Var, classes: set[Var], aliases: Aliases, placed: Sequence[Placed]
) -> Stmt | None:
    """The first store into one of the classes that a run may meet after target is made of base."""
    found = [(k, loops) for k, (s, loops) in enumerate(placed) if target in defined(s)]
    if not found:
        return None  # it stands in code that is not emitted
    made, around = found[0]
    homes = [loops for s, loops in placed if isinstance(s, ir.Alloc) and aliases.root(s.target) is aliases.root(base)]
    fresh = set(homes[0]).intersection(*homes[1:]) if homes else set()  # loops in which base is new at each turn
    for k, (stmt, loops) in enumerate(placed):
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and aliases.root(stmt.ref) in classes:
            again = (set(loops) & set(around)) - fresh
            if k > made or again:
                return stmt
    return None
