"""First use assigns: memory whose first access gives it all its contents starts with them, and what is zeroed and then
added to is assigned."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Alloc, Fun, Stmt, Var
from srcgrad.core.rewrite import GONE, Rewritten, ShapeRewriter
from srcgrad.core.shapes import FULL


def assign_at_first_use(fun: Fun) -> Fun:
    """`a = zeros(n)` and then, first of all, `a[:] = v` or `a[:] += v`, becomes `a = v` (as memory of its own).

    Loads of the whole of `a` are then `v` itself (see `cse`), and memory that is only loaded so is a value again (see
    `dce`). Adding to zeros may change the sign of a zero.
    """
    return fun if walk.kinds(fun).isdisjoint((ir.Store, ir.Accumulate)) else _FirstUses(fun).fun(fun)


class _FirstUses(ShapeRewriter):
    """untouched: where in the block at hand the allocations stand that nothing has used yet.   zeroed: and the zeroings
    of the whole of memory, by its class."""

    def __init__(self, fun: Fun) -> None:
        super().__init__(shapes_of(fun))
        self.classes = aliases_of(fun)
        self.untouched: dict[Var, int] = {}
        self.zeroed: dict[Var, int] = {}

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer = self.untouched, self.zeroed
        self.untouched, self.zeroed = {}, {}
        super().region(stmts)
        self.untouched, self.zeroed = outer

    def one(self, stmt: Stmt) -> Rewritten:
        out, untouched, zeroed = self.out, self.untouched, self.zeroed
        first = [var for var in _uses(stmt) if var in untouched] if untouched else []
        new = self.inside(stmt)
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and stmt.ref in untouched:
            alloc = out[untouched[stmt.ref]]
            assert isinstance(alloc, Alloc)
            started = self.started(alloc, stmt)
            if started is not None:
                out[untouched[stmt.ref]], new = GONE, started
        for var in first:
            untouched.pop(var, None)
        new = self.assigned(stmt, new) if zeroed else new
        if isinstance(new, ir.Store) and _is_zero(new.value) and all(item == FULL for item in new.index):
            zeroed[self.classes.of(new.ref)] = len(out)
        if isinstance(new, Alloc) and isinstance(new.init, ir.Init):
            untouched[new.target] = len(out)
        return new

    def assigned(self, stmt: Stmt, new: Stmt) -> Stmt:
        """What becomes of a statement, the zeroings before it having been left out that it makes needless."""
        for cls in self.touched(stmt) & self.zeroed.keys():
            place = self.zeroed.pop(cls)
            if isinstance(new, ir.Accumulate) and self.restarted(self.out[place], new):
                self.out[place], new = GONE, ir.Store(new.ref, new.index, new.value, span=new.span)
        return new

    def touched(self, stmt: Stmt) -> set[Var]:
        """The classes of the memory that it reads or writes, or refers to."""
        return {self.classes.of(var) for var in _uses(stmt) if var.type.ref or var.type.many}

    def restarted(self, zeroing: Stmt, first: ir.Accumulate) -> bool:
        """Whether all that was zeroed is added to at once."""
        same_place = isinstance(zeroing, ir.Store) and zeroing.ref is first.ref and first.value is not first.ref
        return same_place and not first.atomic and all(item == FULL for item in first.index) and self.fills(first)

    def started(self, alloc: Alloc, first: ir.Store | ir.Accumulate) -> Alloc | None:
        """The allocation with what its first access gives it."""
        value, memory = first.value, alloc.target
        if any(item != FULL for item in first.index) or value is memory or None in alloc.shape:
            return None
        extreme = isinstance(first, ir.Accumulate) and first.atomic in (ir.Atomic.MAX, ir.Atomic.MIN)
        if extreme or (isinstance(first, ir.Accumulate) and alloc.init is not ir.Init.ZEROS):
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
