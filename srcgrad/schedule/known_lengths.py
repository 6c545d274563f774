"""Lengths that a check has made known: after `if theta.shape[0] != 4: raise ...` that length is the literal 4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import NamedTuple

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewritten, ShapeRewriter
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import blocks, rebuild
from srcgrad.rules.scalar.compare import greater
from srcgrad.schedule.checks_in_front import ZERO, iterations
from srcgrad.schedule.literals import folded


class Known(NamedTuple):
    """The lengths of a parameter's axes, and the statement of the function's body after which they hold (None: from the
    start)."""

    shape: tuple[int, ...]
    after: Stmt | None


def replace_known_lengths(fun: Fun) -> Fun:
    """The function with lengths that are surely a literal replaced by it, where that is known."""
    return _Lengths(fun).fun(fun)


def known_lengths(fun: Fun) -> Mapping[Var, Known]:
    """The parameters whose lengths the caller has fixed or a check at the top of the body makes known."""
    known = {p: Known(shape, None) for p, shape in fun.facts.lengths.items() if p.type.ref}
    open_ = [p for p in fun.params if p.type.ref and p.type.rank and p not in known]
    learner = Learner(Shapes(fun))
    for stmt in fun.body if open_ else ():
        learner.shapes.note(stmt)
        if not learner.note(stmt):
            continue
        for param in open_:
            shape = tuple(takewhile(lambda n: n is not None, map(learner.literal, learner.shapes.dims(param))))
            if len(shape) == param.type.rank:
                known[param] = Known(tuple(n for n in shape if n is not None), stmt)
        open_ = [p for p in open_ if p not in known]
    return known


class Learner:
    """What checks that have been passed tell of integers.   either: pairs of which one is false, as checks in front of
    loops tell: that a length is wrong, and that the loop makes an iteration."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.lets: dict[Atom, Let] = {}
        self.either: list[tuple[Atom, Atom]] = []

    @contextmanager
    def region(self) -> Iterator[None]:
        """What is learned inside a block holds inside (`shapes` has a region of its own)."""
        count = len(self.either)
        yield
        del self.either[count:]

    def enter(self, loop: Stmt) -> bool:
        """Learn from being in an iteration of a loop; whether that tells something."""
        count = iterations(loop, self.lets) if isinstance(loop, ir.For) else None
        if count is None:
            return False
        told = [a for pair in self.either for a, b in (pair, pair[::-1]) if self.is_positive(b, count)]
        return any([self.learn(a, False) for a in told])

    def is_positive(self, truth: Atom, count: Var) -> bool:
        """Whether this says that the count is more than 0."""
        let = self.lets.get(truth)
        return let is not None and let.op is greater and let.args == (count, ZERO)

    def literal(self, dim: object) -> int | None:
        first = self.shapes.first(dim)
        return int(first.value.real) if isinstance(first, Const) else None

    def note(self, stmt: Stmt) -> bool:
        """Learn from a statement; whether it is a check that tells something."""
        match stmt:
            case Let(targets=(target,)) if target.type in (ir.B1, ir.I8):
                self.lets[target] = stmt
            case ir.If(then=then, orelse=orelse):
                if _raises(then):
                    return self.learn(stmt.cond, False)
                if _raises(orelse):
                    return self.learn(stmt.cond, True)
            case ir.Assert():
                return self.learn(stmt.cond, True)
        return False

    def learn(self, cond: Atom, truth: bool) -> bool:
        """The condition is true, or false, from here on; whether that tells of an integer."""
        let = self.lets.get(cond) if isinstance(cond, Var) else None
        if let is None:
            return False
        match let.op.name:
            case "logical_not":
                return self.learn(let.args[0], not truth)
            case "logical_or" | "logical_and" if truth is (let.op.name == "logical_and"):
                return any([self.learn(arg, truth) for arg in let.args])
            case "logical_and":
                self.either.append((let.args[0], let.args[1]))
            case "equal" | "not_equal" if truth is (let.op.name == "equal"):
                return self.unite(*let.args)
        return False

    def unite(self, a: Atom, b: Atom) -> bool:
        if a.type != ir.I8 or b.type != ir.I8:
            return False
        first, second = (self.shapes.first(self.shapes.length(atom)) for atom in (a, b))
        if isinstance(second, Const):
            first, second = second, first
        if not isinstance(second, Const):  # two literals that differ: what follows is never reached
            self.shapes.unite(first, second)
        return True


def _raises(block: tuple[Stmt, ...]) -> bool:
    return bool(block) and isinstance(block[-1], ir.Raise)


class _Lengths(ShapeRewriter):
    """learned: the literals that variables are known to be here, by checks around or in front."""

    def __init__(self, fun: Fun) -> None:
        super().__init__(Shapes(fun))
        self.learner = Learner(self.shapes)
        self.measured = [p for p in fun.params if p.type == ir.I8]  # with lengths: what a check may tell of
        self.learned: dict[Var, Const] = {}

        self.entered: Stmt | None = None

    def enter(self, stmt: Stmt) -> None:
        super().enter(stmt)
        self.entered = stmt

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer, count = self.learned, len(self.measured)
        with self.learner.region():
            super().region(stmts)
        self.learned = outer
        del self.measured[count:]

    def put_all(self, stmts: tuple[Stmt, ...]) -> None:
        """The statements of a block, at the head of which the loop around tells something, too."""
        loop, self.entered = self.entered, None
        if loop is not None and self.learner.enter(loop):
            self.learn()
        super().put_all(stmts)

    def atom(self, a: Atom) -> Atom:
        found = super().atom(a)
        return self.learned.get(found, found) if isinstance(found, Var) else found

    def inside(self, stmt: Stmt) -> Stmt:
        if blocks(stmt) or not self.learned:
            return super().inside(stmt)
        return rebuild(stmt, self.atom, self.bind, self.block)

    def one(self, stmt: Stmt) -> Rewritten:
        new = self.inside(stmt)
        if isinstance(new, Let) and len(new.targets) == 1:
            known = self.value(new)
            if known is not None:
                self.env[new.target] = known
                return ()
        return new

    def value(self, let: Let) -> Const | None:
        if not let.op.traits.measures:
            return folded(let)
        if not isinstance(let.args[0], Var):
            return None
        dim = self.shapes.first(self.shapes.dims(let.args[0])[let.params["axis"]])
        self.measured.append(let.target)
        return dim if isinstance(dim, Const) else None

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        if self.learner.note(stmt):
            self.learn()

    def learn(self) -> None:
        firsts = {var: self.shapes.first(self.shapes.length(var)) for var in self.measured}
        self.learned = {**self.learned, **{v: dim for v, dim in firsts.items() if isinstance(dim, Const)}}
