"""Lengths that a loop does not change are computed in front of it, and checks of such are made there.

So memory of these lengths can be made there, too, and what a check tells of a length is known in the whole loop and in
all that make iterations only where it does.

    for i in range(n):                                    if m != 2 and n > 0:
        y[i] = x[i]                                           raise ValueError(...)
        if m != 2:                                        for i in range(n):
            raise ValueError(...)                             y[i] = x[i]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, For, Fun, If, Let, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.printer.parallel_iterations import may_raise
from srcgrad.rules.scalar.arithmetic import subtract
from srcgrad.rules.scalar.compare import greater, less, logical_and
from srcgrad.rules.shapes.shape import dim

TOTAL = frozenset(
    "add subtract multiply larger smaller nonnegative where less less_equal greater greater_equal equal not_equal"
    " logical_and logical_or logical_not".split()
)
ZERO = const(0)


def checks_in_front(fun: Fun) -> Fun:
    """The function with integers moved out of its loops that are the same in each iteration, and checks of them."""
    return fun if fun.facts.kernel is not None else _InFront().fun(fun)


def checks_once(fun: Fun) -> Fun:
    """The function without checks that one in front of them has made."""
    return _Once().fun(fun)


class _InFront(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self._lets: dict[Atom, Let] = {}

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        if isinstance(stmt, Let) and len(stmt.targets) == 1 and stmt.target.type in (ir.I8, ir.B1):
            self._lets[stmt.target] = stmt

    def one(self, stmt: Stmt) -> Rewritten:
        stmt = self.inside(stmt)
        return self._loop(stmt) if isinstance(stmt, (For, ir.While)) else stmt

    def _loop(self, loop: For | ir.While) -> Rewritten:
        """What goes in front of the loop, and the loop."""
        changing: set[Atom] = {*walk.defined_inside(loop)}
        found: list[Stmt] = []
        blocks: dict[str, tuple[Stmt, ...]] = {}
        for name, block in walk.blocks(loop):
            left: list[Stmt] = []
            quiet = isinstance(loop, For) and isinstance(
                loop.step, Const
            )  # whether nothing that is left can be seen by who sees the error
            for stmt in block:
                if isinstance(stmt, Let) and _is_length(stmt) and changing.isdisjoint(stmt.args):
                    found.append(replace(stmt, span=None))
                elif quiet and isinstance(stmt, If) and is_check(stmt) and changing.isdisjoint(_read(stmt)):
                    assert isinstance(loop, For)
                    found += self._check(loop, stmt)
                else:
                    left.append(stmt)
                    quiet = quiet and not any(map(_seen, walk.walk((stmt,))))
                    changing.update(v for s in walk.walk((stmt,)) for v in walk.defined(s))
            blocks[name] = walk.kept(block, left)
        return (*found, walk.changed(loop, **blocks)) if found else loop

    def _check(self, loop: For, check: If) -> list[Stmt]:
        """The check, made where the loop makes an iteration."""
        if all(isinstance(a, Const) for a in (loop.start, loop.stop)):
            return [check] if _constant(loop) else []
        builder = Builder()
        bad = builder.let(logical_and, check.cond, _runs(builder, loop, self._lets))
        return [*builder.out, replace(check, cond=bad)]


def _runs(builder: Builder, loop: For, lets: Mapping[Atom, Let]) -> Atom:
    """Whether the loop makes an iteration."""
    count = iterations(loop, lets)
    if count is not None:
        return builder.let(greater, count, ZERO)
    assert isinstance(loop.step, Const)
    return builder.let(less if loop.step.value.real > 0 else greater, loop.start, loop.stop)


def _constant(loop: For) -> range:
    start, stop, step = (int(a.value.real) for a in (loop.start, loop.stop, loop.step) if isinstance(a, Const))
    return range(start, stop, step)


def iterations(loop: For, lets: Mapping[Atom, Let]) -> Var | None:
    """The variable that says how many iterations the loop makes: n in range(n), and from n - 1 down to 0."""
    if loop.start == ZERO and loop.step == const(1):
        return loop.stop if isinstance(loop.stop, Var) else None
    if loop.stop != const(-1) or loop.step != const(-1):
        return None
    last = lets.get(loop.start)
    if last is None or last.op is not subtract or last.args[1] != const(1):
        return None
    return last.args[0] if isinstance(last.args[0], Var) else None


def _is_length(let: Let) -> bool:
    """Whether it is an integer, or a truth about integers, that is defined for all operands."""
    if let.op is dim:
        return True
    types = [v.type for v in (*let.targets, *let.args)]
    return let.op.name in TOTAL and len(let.targets) == 1 and all(t in (ir.I8, ir.B1) for t in types)


def is_check(stmt: If) -> bool:
    """Whether all that it does is to raise an error."""
    (*before, last) = stmt.then or (None,)
    return isinstance(last, ir.Raise) and all(isinstance(s, Let) for s in before) and not stmt.orelse and not stmt.outs


def _read(stmt: If) -> Iterator[Atom]:
    """What a check looks at."""
    inner = {v for s in stmt.then for v in walk.defined(s)}
    yield stmt.cond
    yield from (a for s in stmt.then for a in (*walk.used(s), *walk.used_inside(s)) if a not in inner)


def _seen(stmt: Stmt) -> bool:
    return may_raise(stmt) or isinstance(stmt, ir.While)


class _Once(Rewriter):
    """false: what is false here, for otherwise an error would have been raised."""

    def __init__(self) -> None:
        super().__init__()
        self._false: frozenset[Atom] = frozenset()

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer = self._false
        super().region(stmts)
        self._false = outer

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, If) or not is_check(stmt):
            return self.inside(stmt)
        if stmt.cond in self._false:
            return ()
        self._false |= {stmt.cond}
        return stmt
