"""Which views must stay references: those that somebody else than loads and stores of elements sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.shapes import ONE


def seen_whole(fun: Fun, grows: Callable[[Var], bool]) -> set[Var]:
    """The targets of views that are carried, returned, listed or passed on, those that reshape or look at memory that
    grows, and what they are views of."""
    views = {s.target: s for s in walk.walk(fun.body) if isinstance(s, ir.View)}
    found: set[Var] = set()
    todo = [a for a in fun.results if isinstance(a, Var)]
    for stmt in walk.walk(fun.body):
        todo += [a for a in _handed_on(stmt) if isinstance(a, Var)]
        if isinstance(stmt, ir.View) and (_reshapes(stmt) or grows(stmt.base)):
            todo.append(stmt.target)
    while todo:
        var = todo.pop()
        if var in views and var not in found:
            found.add(var)
            todo.append(views[var].base)
    return found


def _reshapes(stmt: ir.View) -> bool:
    """Whether the view may do more than to add axes of length 1."""
    if not isinstance(stmt.how, ir.Reshape):
        return False
    long = [n for n in stmt.how.shape if n != ONE]
    return len(long) != stmt.base.type.rank or len(long) == len(stmt.how.shape)


def _handed_on(stmt: Stmt) -> Iterator[Atom]:
    match stmt:
        case ir.For() | ir.While():
            for c in stmt.carry:
                yield from (c.init, c.next)
        case ir.If():
            for out in stmt.outs:
                yield from (out.then, out.orelse)
        case ir.Let() | ir.Load() | ir.Store() | ir.Accumulate() | ir.View() | ir.Alloc():
            pass
        case _:
            yield from walk.used(stmt)
