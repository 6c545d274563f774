"""Refusing to write into memory where NumPy's views and the core's copies (or the reverse) would give other results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.layouts import Doubt
from srcgrad.core.walk import blocks, defined, used, used_inside
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.source.read import Source

Loops = tuple[Stmt, ...]
Placed = tuple[Stmt, Loops]


def conflict(fun: ir.Fun, doubts: Sequence[Doubt]) -> tuple[Stmt, Doubt] | None:
    """A store into either of a pair of which one may be a view of the other, made later and to be seen through the
    other; and what is doubted."""
    if not doubts:
        return None
    aliases, placed = Aliases(fun.body, given_back=True), list(_placed(fun.body))
    for doubt in doubts:
        if doubt.apart:
            root = aliases.of(doubt.base)
            writes = (s for s, _ in placed if isinstance(s, ir.Store) and aliases.of(s.ref) is root)
            stmt: Stmt | None = next(writes, None) if aliases.of(doubt.target) is root else None
        else:
            stmt = _written_later(doubt.target, doubt.base, fun, aliases, placed)
        if stmt is not None:
            return stmt, doubt
    return None


def refusal(source: Source, stmt: Stmt, doubt: Doubt) -> UnsupportedError:
    message, hint = doubt.why.message.format(doubt.base.name), doubt.why.hint
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


def _written_later(target: Var, base: Var, fun: ir.Fun, aliases: Aliases, placed: Sequence[Placed]) -> Stmt | None:
    """The first store into one of the two that a run may meet after target is made of base.

    One into base does not count if nobody looks at target after it.
    """
    classes = {aliases.of(target), aliases.of(base)}
    found = [(k, loops) for k, (s, loops) in enumerate(placed) if target in defined(s)]
    if not found:
        return None  # it stands in code that is not emitted
    made, around = found[0]
    uses = _uses(target, fun, aliases, placed)
    homes = [loops for s, loops in placed if isinstance(s, ir.Alloc) and aliases.of(s.target) is aliases.of(base)]
    fresh = set(homes[0]).intersection(*homes[1:]) if homes else set()  # loops in which base is new at each iteration
    for k, (stmt, loops) in enumerate(placed):
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and aliases.of(stmt.ref) in classes:
            again = (set(loops) & set(around)) - fresh
            through = aliases.of(stmt.ref) is aliases.of(target)
            if (k > made or again) and (through or uses is None or (k > made and _looked_at((k, loops), around, uses))):
                return stmt
    return None


def _uses(target: Var, fun: ir.Fun, aliases: Aliases, placed: Sequence[Placed]) -> list[tuple[int, Loops]] | None:
    """Where target, which has one name and views of it, is used; None if it is returned, carried or chosen."""
    names = {target}
    for stmt, _ in placed:
        if isinstance(stmt, ir.View) and stmt.base in names:
            names.add(stmt.target)
    everywhere = {v for s, _ in placed for v in (*defined(s), *used_inside(s)) if isinstance(v, Var) and v.type.ref}
    together = {v for v in everywhere if aliases.of(v) is aliases.of(target)}
    if together != names or not names.isdisjoint(r for r in fun.results if isinstance(r, Var)):
        return None
    return [(k, loops) for k, (s, loops) in enumerate(placed) if not names.isdisjoint(used(s))]


def _looked_at(store: tuple[int, Loops], around: Loops, uses: Sequence[tuple[int, Loops]]) -> bool:
    """Whether one of the uses may come after the store, before target is made again."""
    place, loops = store
    return any(k > place or (set(loops) & set(there)) - set(around) for k, there in uses)
