"""Short loops over the elements of small arrays are written out, so that the arrays can live in scalars."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.schedule.literals import folded
from srcgrad.schedule.small_arrays import MOST, small_arrays

ITERATIONS = 64  # of the innermost body, in a nest that is written out
STATEMENTS = 400  # that a nest becomes
ALL_STATEMENTS = 2000  # that all nests of a function become: Numba's time grows faster than their number

Loops = frozenset[ir.For]


def unroll(fun: Fun) -> Fun:
    """The function without the short loops whose indices stand between small arrays and scalars; the same object if
    there are none."""
    return written_out(fun, chosen_loops(fun))


def written_out(fun: Fun, chosen: Loops) -> Fun:
    """The function without these loops, whose bounds are literals once those around them are written out."""
    return _Unroller(chosen).fun(fun) if chosen else fun


def chosen_loops(fun: Fun) -> Loops:
    """The loops that are to be written out: all that the places of an array which can live in scalars depend on."""
    too_large: set[ir.For] = set()
    while True:
        loose = _Loose(frozenset(too_large))
        loose.block(fun.body)
        if not loose.depends:
            return frozenset()
        small = small_arrays(fun, loose.depends)
        asked = (loose.depends[var] for variables in small.asked.values() for var in variables)
        chosen: Loops = frozenset().union(*asked)
        bad = _Size(chosen).too_large(fun.body)
        if not bad:
            return chosen
        too_large |= bad


class _Loose:
    """depends: the integers that are literals once loops are written out, with those loops."""

    def __init__(self, barred: frozenset[ir.For]) -> None:
        self.barred = barred
        self.depends: dict[Var, Loops] = {}

    def block(self, stmts: tuple[Stmt, ...]) -> None:
        for stmt in stmts:
            match stmt:
                case Let(targets=(target,)) if target.type == ir.I8 and self.all_known(stmt.args):
                    self.depends[target] = self.of(*stmt.args)
                case ir.For() if stmt.exit is None and not stmt.parallel and stmt not in self.barred:
                    bounds = (stmt.start, stmt.stop, stmt.step)
                    if self.all_known(bounds) and (len(self.of(*bounds)) or len(_range(bounds)) <= MOST):
                        self.depends[stmt.index] = self.of(*bounds) | {stmt}
            for _, inner in walk.blocks(stmt):
                self.block(inner)

    def all_known(self, atoms: tuple[Atom, ...]) -> bool:
        return bool(atoms) and all(isinstance(a, Const) or a in self.depends for a in atoms)

    def of(self, *atoms: Atom) -> Loops:
        return frozenset().union(*(self.depends[a] for a in atoms if isinstance(a, Var)))


def _range(bounds: tuple[Atom, ...]) -> range:
    start, stop, step = (int(b.value.real) if isinstance(b, Const) else 0 for b in bounds)
    return range(start, stop, step or 1)


class _TooLargeError(Exception):
    """A nest is too large to be written out."""


class _Size:
    """How many statements nests become, counted by going through them."""

    def __init__(self, chosen: Loops) -> None:
        self.chosen = chosen
        self.values: dict[Var, Const] = {}
        self.count = 0
        self.sizes: dict[ir.For, int] = {}  # what nests become

    def too_large(self, stmts: tuple[Stmt, ...]) -> set[ir.For]:
        """The outermost of the loops whose nests become too large: by themselves, or the largest of too many."""
        found = self._too_large(stmts)
        total = sum(self.sizes.values())
        for loop in sorted(self.sizes, key=self.sizes.__getitem__, reverse=True):
            if total <= ALL_STATEMENTS:
                break
            found.add(loop)
            total -= self.sizes[loop]
        return found

    def _too_large(self, stmts: tuple[Stmt, ...]) -> set[ir.For]:
        found: set[ir.For] = set()
        for stmt in stmts:
            if isinstance(stmt, ir.For) and stmt in self.chosen:
                self.count = 0
                try:
                    self.loop(stmt, 1)
                    self.sizes[stmt] = self.count
                except _TooLargeError:
                    found.add(stmt)
            else:
                for _, block in walk.blocks(stmt):
                    found |= self._too_large(block)
        return found

    def atom(self, atom: Atom) -> Atom:
        return self.values.get(atom, atom) if isinstance(atom, Var) else atom

    def loop(self, loop: ir.For, around: int) -> None:
        bounds = tuple(map(self.atom, (loop.start, loop.stop, loop.step)))
        turns = _range(bounds)
        if len(turns) > MOST or around * len(turns) > ITERATIONS or not all(isinstance(b, Const) for b in bounds):
            raise _TooLargeError
        for turn in turns:
            self.values[loop.index] = Const(turn, ir.I8)
            self.block(loop.body, around * len(turns))

    def block(self, stmts: tuple[Stmt, ...], around: int) -> None:
        for stmt in stmts:
            self.count += 1
            if self.count > STATEMENTS:
                raise _TooLargeError
            if isinstance(stmt, Let) and [t.type for t in stmt.targets] == [ir.I8]:
                known = folded(replace(stmt, args=tuple(map(self.atom, stmt.args))))
                if known is not None:
                    self.values[stmt.target] = known
            if isinstance(stmt, ir.For) and stmt in self.chosen:
                self.loop(stmt, around)
            else:
                for _, block in walk.blocks(stmt):
                    self.block(block, around)


class _Unroller(Rewriter):
    """copying: how many loops around are being written out: what is bound inside is bound anew in each iteration."""

    def __init__(self, chosen: Loops) -> None:
        super().__init__()
        self.chosen = chosen
        self.copying = 0
        self.again = False  # an iteration after the first
        self.placed: set[Stmt] = set()

    def put(self, stmt: Stmt) -> None:
        """A statement that no iteration changes is another one in each: passes tell statements apart by identity."""
        if self.copying:
            stmt = replace(stmt) if stmt in self.placed else stmt
            self.placed.add(stmt)
        super().put(stmt)

    def bind(self, var: Var) -> Var:
        if not self.copying:
            return var
        fresh = Var(var.name, var.type)
        self.env[var] = fresh
        return fresh

    def one(self, stmt: Stmt) -> Rewritten:
        match stmt:
            case ir.For() if stmt in self.chosen:
                return self.written_out(stmt)
            case ir.If():
                cond = self.atom(stmt.cond)
                if isinstance(cond, Const):
                    return self.side(stmt, bool(cond.value))
            case ir.Remark() if self.again:
                return ()
            case Let():
                return self.let(stmt)
        return self.inside(stmt)

    def let(self, stmt: Let) -> Rewritten:
        args = tuple(map(self.atom, stmt.args))
        known = folded(replace(stmt, args=args)) if args and all(isinstance(a, Const) for a in args) else None
        if known is None or known.type != stmt.target.type:
            return self.inside(stmt)
        self.env[stmt.target] = known
        return ()

    def side(self, stmt: ir.If, holds: bool) -> Rewritten:
        self.put_all(stmt.then if holds else stmt.orelse)
        self.env.update({out.target: self.atom(out.then if holds else out.orelse) for out in stmt.outs})
        return ()

    def written_out(self, loop: ir.For) -> Rewritten:
        bounds = tuple(map(self.atom, (loop.start, loop.stop, loop.step)))
        assert all(isinstance(b, Const) for b in bounds)
        carried = [self.atom(c.init) for c in loop.carry]
        outer, self.copying = self.again, self.copying + 1
        for turn in _range(bounds):
            self.env[loop.index] = Const(turn, ir.I8)
            self.env.update(zip((c.inner for c in loop.carry), carried, strict=True))
            self.put_all(loop.body)
            carried = [self.atom(c.next) for c in loop.carry]
            self.again = True
        self.again, self.copying = outer, self.copying - 1
        self.env.update(zip((c.out for c in loop.carry), carried, strict=True))
        return ()
