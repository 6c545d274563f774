"""Which references and array values of a function may share memory: a plain, conservative union."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from srcgrad.core import ir, walk
from srcgrad.core.aliases import makes_fresh
from srcgrad.core.ir import Atom, Fun, Stmt, Var


class Aliases:
    def __init__(self, fun: Fun) -> None:
        self._parent: dict[Var, Var] = {}
        self._shared: dict[Var, frozenset[Var]] = {}  # array values that are views: members of the classes they look at
        self.growing: set[Var] = set()
        for stmt in walk.walk(fun.body):
            for a, b in _same_memory(stmt):
                self._union(a, b)
            self._note(stmt)

    def of(self, atom: Atom) -> frozenset[Var]:
        """The classes of memory that reading this atom reads (none for scalars and for values of their own)."""
        if not isinstance(atom, Var):
            return frozenset()
        if atom.type.ref or atom.type.many:
            return frozenset((self._find(atom),))
        return frozenset(map(self._find, self._shared.get(atom, ())))

    def grows(self, var: Atom) -> bool:
        return bool(self.of(var) & {self._find(g) for g in self.growing})

    def reads(self, stmt: Stmt) -> frozenset[Var]:
        """The classes whose contents the statement itself reads."""
        out: set[Var] = set()
        match stmt:
            case ir.Load():
                out |= self.of(stmt.ref)
            case ir.RefAt():
                out |= self.of(stmt.refs)
            case ir.Call() | ir.Custom():
                out.update(*map(self.of, stmt.args))
        for atom in walk.used(stmt):
            if not (atom.type.ref or atom.type.many) or self.grows(atom):
                out |= self.of(atom)
        return frozenset(out)

    def writes(self, stmt: Stmt) -> frozenset[Var]:
        """The classes that the statement, or one inside it, writes."""
        out: set[Var] = set()
        for one in walk.walk((stmt,)):
            match one:
                case ir.Store() | ir.Accumulate():
                    out |= self.of(one.ref)
                case ir.Append():
                    out |= self.of(one.refs)
        return frozenset(out)

    def _find(self, var: Var) -> Var:
        while (up := self._parent.get(var, var)) is not var:
            self._parent[var] = var = self._parent.get(up, up)
        return var

    def _union(self, a: Atom, b: Atom) -> None:
        if isinstance(a, Var) and isinstance(b, Var) and (a.type.ref or a.type.many):
            x, y = self._find(a), self._find(b)
            if x is not y:
                self._parent[x] = y

    def _note(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Load(target, ref, _, copy) if not copy and target.type.rank:
                self._shared[target] = frozenset((ref,))
            case ir.Let(targets, _, args) if not makes_fresh(stmt):
                shared: frozenset[Var] = frozenset().union(
                    *(self._shared.get(a, frozenset()) for a in args if isinstance(a, Var))
                )
                self._shared.update({t: shared for t in targets if t.type.rank and shared})
            case ir.Alloc(target, shape) if None in shape:
                self.growing.add(target)


def _same_memory(stmt: Stmt) -> Iterator[tuple[Atom, Atom]]:
    match stmt:
        case ir.View():
            yield stmt.target, stmt.base
        case ir.NewList():
            yield from ()
        case ir.Append():
            yield stmt.ref, stmt.refs
        case ir.RefAt():
            yield stmt.target, stmt.refs
        case ir.Call() | ir.Custom():
            yield from ((a, t) for a in stmt.args for t in stmt.targets if t.type.ref and a.type.ref)
        case ir.For() | ir.While():
            for c in stmt.carry:
                yield from _all(c.out, (c.inner, c.init, c.next))
        case ir.If():
            for o in stmt.outs:
                yield from _all(o.target, (o.then, o.orelse))


def _all(one: Atom, others: Iterable[Atom]) -> Iterator[tuple[Atom, Atom]]:
    return ((one, other) for other in others)
