"""First use assigns: memory whose first access gives it all its contents starts with them, and what is zeroed and then
added to is assigned."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Alloc, Fun, Stmt, Var
from srcgrad.core.shapes import FULL
from srcgrad.simplify.values.common import replaced, same


def promote(fun: Fun) -> Fun:
    """`a = zeros(n)` and then, first of all, `a[:] = v` or `a[:] += v`, becomes `a = v` (as memory of its own).

    Loads of the whole of `a` are then `v` itself (see `cse`), and memory that is only loaded so is a value again (see
    `dce`). Adding to zeros may change the sign of a zero.
    """
    pass_ = _Promote(fun)
    body = pass_.block(fun.body)
    return fun if body is fun.body else replace(fun, body=body)


class _Promote:
    def __init__(self, fun: Fun) -> None:
        self.shapes = shapes_of(fun)
        self.classes = aliases_of(fun)

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out: list[Stmt | None] = []
        untouched: dict[Var, int] = {}  # where in `out` the allocations stand that nothing has used yet
        zeroed: dict[Var, int] = {}  # and the zeroings of the whole of memory, by its class, that nothing has used yet
        for stmt in stmts:
            first = [var for var in _uses(stmt) if var in untouched] if untouched else []
            new = self.inside(stmt)
            if isinstance(stmt, (ir.Store, ir.Accumulate)) and stmt.ref in untouched:
                alloc = out[untouched[stmt.ref]]
                assert isinstance(alloc, Alloc)
                started = self.started(alloc, stmt)
                if started is not None:
                    out[untouched[stmt.ref]], new = None, started
            for var in first:
                untouched.pop(var, None)
            for cls in self.touched(stmt) & zeroed.keys() if zeroed else ():
                before = out[place := zeroed.pop(cls)]
                if isinstance(new, ir.Accumulate) and self.restarted(before, new):
                    out[place], new = None, ir.Store(new.ref, new.index, new.value, span=new.span)
            if isinstance(new, ir.Store) and _is_zero(new.value) and all(item == FULL for item in new.index):
                zeroed[self.classes.of(new.ref)] = len(out)
            if isinstance(new, Alloc) and isinstance(new.init, str):
                untouched[new.target] = len(out)
            self.shapes.note(new)
            out.append(new)
        made = [s for s in out if s is not None]
        return stmts if same(made, stmts) else tuple(made)

    def touched(self, stmt: Stmt) -> set[Var]:
        """The classes of the memory that it reads or writes, or refers to."""
        return {self.classes.of(var) for var in _uses(stmt) if var.type.ref or var.type.many}

    def restarted(self, zeroing: Stmt | None, first: ir.Accumulate) -> bool:
        """Whether all that was zeroed is added to at once."""
        same_place = isinstance(zeroing, ir.Store) and zeroing.ref is first.ref and first.value is not first.ref
        return same_place and not first.atomic and all(item == FULL for item in first.index) and self.fills(first)

    def inside(self, stmt: Stmt) -> Stmt:
        blocks = walk.blocks(stmt)
        self.shapes.enter(stmt)
        with self.shapes.region():
            made = {name: self.block(block) for name, block in blocks}
        if all(made[name] is block for name, block in blocks):
            return stmt
        return replaced(stmt, **made)

    def started(self, alloc: Alloc, first: ir.Store | ir.Accumulate) -> Alloc | None:
        """The allocation with what its first access gives it."""
        value, memory = first.value, alloc.target
        if any(item != FULL for item in first.index) or value is memory or None in alloc.shape:
            return None
        if isinstance(first, ir.Accumulate) and (alloc.init != "zeros" or first.atomic in ("max", "min")):
            return None
        if value.type.dtype != memory.type.dtype or not self.fills(first):
            return None
        shape = () if value.type.rank else alloc.shape
        return replace(alloc, shape=shape, init=value, span=first.span or alloc.span)

    def fills(self, first: ir.Store | ir.Accumulate) -> bool:
        """Whether the value is a scalar or surely of the memory's shape."""
        return first.value.type.rank == 0 or self.shapes.same(first.value, first.ref)


def _is_zero(value: ir.Atom) -> bool:
    return isinstance(value, ir.Const) and value.value == 0


def _uses(stmt: Stmt) -> set[Var]:
    """All variables that the statement reads or refers to, those inside it too."""
    found = {a for s in walk.walk((stmt,)) for a in (*walk.used(s), *walk.used_inside(s)) if isinstance(a, Var)}
    return found
