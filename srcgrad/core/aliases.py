"""Which references may reach the same memory, and which array values are memory of their own.

References are in one *class* if they may reach the same memory; flow-insensitive union is enough, because single
assignment has removed `b = a`. A class is *merged* when a reference of it is chosen at run time (carried, out of a
branch, in a list, given back by a call); else it is *simple*: each reference is a view of one root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from weakref import WeakKeyDictionary

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Stmt, Var
from srcgrad.core.walk import walk

_BINDING = frozenset({ir.View, ir.NewList, ir.Append, ir.RefAt, ir.For, ir.While, ir.If})
_CALLS = frozenset({ir.Call, ir.Custom})


class Aliases:
    """Union-find over the references and lists of references of some statements.

    given_back: whether memory that a call may give back is that of its arguments. So it is for lowering, which refuses
    what would write into both, and for printing, which moves reads past calls. For what lies between, nothing is
    written through either, and each has an adjoint of its own.
    """

    def __init__(self, stmts: Iterable[Stmt], given_back: bool = False) -> None:
        self._up: dict[Var, Var] = {}
        self._chosen: set[Var] = set()
        self._held: dict[Var, Var] = {}  # of lists: what stands for all that is in them
        self._views: set[Var] = set()
        scanned = _BINDING | _CALLS if given_back else _BINDING
        for stmt in walk(stmts):
            if type(stmt) in scanned:
                self._scan(stmt)
        self._merged = {self.of(var) for var in self._chosen}

    def of(self, var: Var) -> Var:
        """The representative of var's class (of what is in it, for a list)."""
        var = self._held.get(var, var)
        root = var
        while root in self._up:
            root = self._up[root]
        while var is not root:  # shorter for the next who asks
            self._up[var], var = root, self._up[var]
        return root

    def simple(self, var: Var) -> bool:
        """Whether every reference of var's class is a view of one known root."""
        return self.of(var) not in self._merged

    def together(self, atoms: Sequence[Atom]) -> tuple[tuple[int, int], ...]:
        """The pairs of references among these, by position, that may share memory."""
        classes = [self.of(a) if isinstance(a, Var) and a.type.ref else None for a in atoms]
        pairs = combinations(range(len(atoms)), 2)
        return tuple((j, k) for j, k in pairs if classes[j] is classes[k] and classes[j] is not None)

    def viewed(self, var: Var) -> bool:
        """Whether var may be a part of larger memory."""
        return self.of(var) in {self.of(view) for view in self._views}

    def _unify(self, *atoms: Atom, chosen: bool = True) -> None:
        members = [a for a in atoms if isinstance(a, Var) and (a.type.ref or a.type.many)]
        if not members:
            return
        if members[0].type.many:
            members = [self._held.setdefault(m, self._held.get(members[0], m)) for m in members]
        if chosen:
            self._chosen.update(members)
        for member in members[1:]:
            a, b = self.of(members[0]), self.of(member)
            if a is not b:
                self._up[b] = a

    def _scan(self, stmt: Stmt) -> None:
        match stmt:
            case ir.View():
                self._unify(stmt.base, stmt.target, chosen=False)
                self._views.add(stmt.target)
            case ir.NewList():
                # what is appended to it joins, the reference that gave its type does not
                self._held[stmt.target] = Var(stmt.target.name, stmt.like.type)
                self._chosen.add(self._held[stmt.target])
            case ir.Append():
                self._unify(self._of_list(stmt.refs, stmt.ref), stmt.ref)
            case ir.RefAt():
                self._unify(self._of_list(stmt.refs, stmt.target), stmt.target)
            case ir.For() | ir.While():
                for c in stmt.carry:
                    self._unify(c.inner, c.init, c.next, c.out)
            case ir.If():
                for o in stmt.outs:
                    self._unify(o.target, o.then, o.orelse)
            case ir.Call():
                if stmt.shares:
                    self._unify(*(a for a in (*stmt.args, *stmt.targets) if a.type.ref))
            case ir.Custom():
                self._given_back(stmt)

    def _of_list(self, refs: Var, like: Var) -> Var:
        """What stands for all that is in a list, which may have been made before the first of the statements."""
        return self._held.setdefault(refs, Var(refs.name, like.type))

    def _given_back(self, stmt: ir.Custom) -> None:
        """What the function gives back of what it was given."""
        inside = Aliases(stmt.primal.body, given_back=True)
        for result, target in zip(stmt.primal.results, stmt.targets, strict=True):
            if isinstance(result, Var) and result.type.ref:
                for param, arg in zip(stmt.primal.params, stmt.args, strict=True):
                    if param.type.ref and inside.of(param) is inside.of(result):
                        self._unify(arg, target)


_KNOWN: WeakKeyDictionary[ir.Fun, Aliases] = WeakKeyDictionary()


def aliases_of(fun: ir.Fun) -> Aliases:
    """The classes of a function's memory, found once for the many passes that ask."""
    found = _KNOWN.get(fun)
    if found is None:
        found = _KNOWN[fun] = Aliases(fun.body)
    return found


def written(fun: ir.Fun) -> set[Var]:
    """The parameters that the function may write into, through any alias."""
    aliases = Aliases(fun.body, given_back=True)
    touched = {aliases.of(s.ref) for s in walk(fun.body) if isinstance(s, (ir.Store, ir.Accumulate))}
    return {p for p in fun.params if p.type.ref and aliases.of(p) in touched}


def makes_fresh(let: ir.Let) -> bool:
    """Whether the operation's result surely shares no memory with its arguments."""
    traits = let.op.traits
    return traits.fresh and not traits.transparent([a.type for a in let.args], let.params)
