"""`b = a.copy()` where nobody looks at a again: b takes a's memory."""

from __future__ import annotations

from collections.abc import Iterator

from srcgrad.analysis.effects import Facts, facts_of
from srcgrad.core import ir, walk
from srcgrad.core.build import whole
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten


def move_copies(fun: Fun) -> Fun:
    """The function without such copies; the same object if there are none."""
    if not {ir.Load, ir.Alloc} <= walk.kinds(fun):
        return fun
    moves = _Moves(facts_of(fun))
    return moves.fun(fun) if moves.gone else fun


class _Moves(Rewriter):
    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.gone: set[Stmt] = set()
        looks = _looks(facts)
        for load, alloc in _copies(facts):
            if load.ref not in self.env and _last_look(facts, load, looks):
                self.env[alloc.target] = load.ref
                self.gone.update((load, alloc))

    def one(self, stmt: Stmt) -> Rewritten:
        return () if stmt in self.gone else self.inside(stmt)


def _copies(facts: Facts) -> Iterator[tuple[ir.Load, ir.Alloc]]:
    """(load of a whole memory, the allocation that is its only use), in one region with the memory's own allocation."""
    uses: dict[Atom, int] = {}
    for stmt in facts.where:
        for a in (*walk.used(stmt), *walk.used_inside(stmt)):
            uses[a] = uses.get(a, 0) + 1
    for stmt in facts.where:
        if not isinstance(stmt, ir.Alloc) or not isinstance(stmt.init, Var) or uses.get(stmt.init) != 1:
            continue
        load = facts.makes.get(stmt.init)
        if not isinstance(load, ir.Load) or load.index != whole(load.ref) or load.ref.type != stmt.target.type:
            continue
        made = facts.makes.get(load.ref)
        if made is not None and _is_new(made, load.ref) and facts.where[made] is facts.where[stmt]:
            yield load, stmt


def _is_new(made: Stmt, ref: Var) -> bool:
    """Whether the statement has made the memory, which has one name."""
    match made:
        case ir.Alloc():
            return None not in made.shape
        case ir.Call():
            return bool(made.given) and ref in made.targets[-made.given :]
    return False


def _looks(facts: Facts) -> dict[Var, list[Stmt]]:
    """Of each class of memory, what touches it, last first."""
    found: dict[Var, list[Stmt]] = {}
    for stmt in facts.where:
        if not isinstance(stmt, ir.Let):  # a shape stays what it was
            atoms = (*walk.used(stmt), *walk.used_inside(stmt))
            for cls in {facts.classes.of(a) for a in atoms if isinstance(a, Var) and a.type.ref}:
                found.setdefault(cls, []).append(stmt)
    return {cls: stmts[::-1] for cls, stmts in found.items()}


def _last_look(facts: Facts, load: ir.Load, looks: dict[Var, list[Stmt]]) -> bool:
    """Whether nothing touches the memory after the load."""
    of, cls = facts.classes.of, facts.classes.of(load.ref)
    if any(isinstance(r, Var) and r.type.ref and of(r) is cls for r in facts.fun.results):
        return False
    level = facts.level_of(load.ref)
    return not any(stmt is not load and facts.runs_after(stmt, load, level) for stmt in looks.get(cls, ()))
