"""Marks that are kept in rows lie on the tape of floats, which hold integers of 53 bits exactly: one tape is half the
memory of two, where nothing else that is kept is an integer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.rules.scalar.rounding import cast

Stmts = tuple[Stmt, ...]


def marks_as_floats(forth: Stmts, back: Stmts, keeps: Callable[[ir.Call], bool]) -> tuple[Stmts, Stmts]:
    """The two sweeps, the first of which keeps the marks of its calls as floats. keeps: whether a call has a mark."""
    marks = {s.targets[-1] for s in walk(forth) if isinstance(s, ir.Call) and keeps(s)}
    rows = {s.target for s in walk(forth) if isinstance(s, ir.Alloc) and s.target.type.dtype == "i8" and s.shape}
    stored = {s.ref for s in walk(forth) if isinstance(s, ir.Store) and s.value in marks}
    rows &= stored - set(_otherwise((*forth, *back), marks))
    if not rows:
        return forth, back
    became = {row: Var(row.name, ir.Type("f8", row.type.rank, ref=True)) for row in rows}

    def one(stmt: Stmt) -> Rewritten:
        builder = Builder()
        match stmt:
            case ir.Alloc(target=row) if row in became:
                builder.put(ir.Alloc(became[row], stmt.shape, stmt.init, stmt.space, span=stmt.span))
            case ir.Store(ref=row) if row in became:
                builder.store(became[row], stmt.index, builder.let(cast, stmt.value, name="mark", dtype="f8"))
            case ir.Load(ref=row) if row in became:
                kept = Var(stmt.target.name, ir.F8)
                builder.put(ir.Load(kept, became[row], stmt.index, span=stmt.span))
                builder.put(ir.Let((stmt.target,), cast, (kept,), {"dtype": "i8"}, span=stmt.span))
            case _:
                return stmt
        return tuple(builder.out)

    return tuple(rewrite(Fun("forth", (), forth, ()), one).body), tuple(rewrite(Fun("back", (), back, ()), one).body)


def _otherwise(stmts: Sequence[Stmt], marks: set[Var]) -> Iterator[Atom]:
    """What the statements read otherwise than as a row in which marks are stored, and whose elements are loaded."""
    for stmt in walk(stmts):
        yield from used_inside(stmt)
        match stmt:
            case ir.Store() if stmt.value in marks:
                yield from (a for a in used(stmt) if a is not stmt.ref)
            case ir.Load() if stmt.target.type.is_scalar:
                yield from (a for a in used(stmt) if a is not stmt.ref)
            case _:
                yield from used(stmt)
