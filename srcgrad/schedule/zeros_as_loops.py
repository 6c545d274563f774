"""Memory that a loop makes anew is filled with zeros by loops, which become part of those that add to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Alloc, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.schedule.contract_arrays import reached_by_element, start_of
from srcgrad.schedule.elements import Place, Writer


def zeros_as_loops(fun: Fun) -> Fun:
    """The function with such memory filled element by element; the same object if there is none."""
    loops = [s for s in walk.walk(fun.body) if isinstance(s, (ir.For, ir.While))]
    inside = {s for s in walk.walk(loops) if isinstance(s, Alloc) and s.init is ir.Init.ZEROS}
    filled = {alloc.target for alloc in reached_by_element(fun) if alloc in inside} if inside else set()
    return rewrite(fun, lambda stmt: _filled(stmt, filled)) if filled else fun


def _filled(stmt: Stmt, filled: Collection[Var]) -> Rewritten:
    if not isinstance(stmt, Alloc) or stmt.target not in filled:
        return stmt
    writer, ref = Writer(), stmt.target
    writer.builder.span = stmt.span
    writer.builder.put(replace(stmt, init=ir.Init.EMPTY))
    zero = start_of(stmt)

    def store(place: Place) -> None:
        writer.builder.store(ref, place, zero)

    writer.nest([n for n in stmt.shape if n is not None], store)
    return writer.builder.out
