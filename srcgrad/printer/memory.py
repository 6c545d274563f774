"""Which references and array values of a function may share memory: a plain, conservative union."""

from __future__ import annotations

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases, makes_fresh
from srcgrad.core.ir import Atom, Fun, Stmt, Var


class Memory:
    """The classes of memory that statements read and write, array values that are views included."""

    def __init__(self, fun: Fun) -> None:
        self._aliases = Aliases(fun.body, given_back=True)
        self._shared: dict[Var, frozenset[Var]] = {}  # array values that are views: members of the classes they look at
        self.growing: set[Var] = set()
        for stmt in walk.walk(fun.body):
            self._note(stmt)

    def of(self, atom: Atom) -> frozenset[Var]:
        """The classes of memory that reading this atom reads (none for scalars and for values of their own)."""
        if not isinstance(atom, Var):
            return frozenset()
        if atom.type.ref or atom.type.many:
            return frozenset((self._aliases.of(atom),))
        return frozenset(map(self._aliases.of, self._shared.get(atom, ())))

    def grows(self, var: Atom) -> bool:
        return bool(self.of(var) & {self._aliases.of(g) for g in self.growing})

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
                case ir.Call() if one.writes:
                    out |= frozenset().union(*map(self.of, one.args[-one.writes :]))
        return frozenset(out)

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
