"""Which parameters a function may write into, through any alias."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Var
from srcgrad.core.walk import walk


class Aliases:
    """References that may share memory, joined whichever way they come together."""

    def __init__(self, stmts: Iterable[ir.Stmt]) -> None:
        self.parent: dict[Var, Var] = {}
        self.views: set[Var] = set()
        for stmt in walk(stmts):
            match stmt:
                case ir.View():
                    self.join(stmt.target, stmt.base)
                    self.views.add(stmt.target)
                case ir.Append():
                    self.join(stmt.refs, stmt.ref)
                case ir.RefAt():
                    self.join(stmt.refs, stmt.target)
                case ir.For() | ir.While():
                    for c in stmt.carry:
                        self.join(c.inner, c.init, c.next, c.out)
                case ir.If():
                    for out in stmt.outs:
                        self.join(out.target, out.then, out.orelse)
                case ir.Call(shares=True):
                    refs = [a for a in (*stmt.args, *stmt.targets) if isinstance(a, Var) and a.type.ref]
                    self.join(*refs)  # a recursive function may return its argument

    def root(self, var: Var) -> Var:
        while var in self.parent:
            var = self.parent[var]
        return var

    def join(self, *atoms: Atom) -> None:
        refs = [a for a in atoms if isinstance(a, Var) and (a.type.ref or a.type.many)]
        for other in refs[1:]:
            a, b = self.root(refs[0]), self.root(other)
            if a is not b:
                self.parent[b] = a

    def together(self, atoms: Sequence[Atom]) -> tuple[tuple[int, int], ...]:
        """The pairs of references among these, by position, that may share memory."""
        roots = [self.root(a) if isinstance(a, Var) and a.type.ref else None for a in atoms]
        pairs = combinations(range(len(atoms)), 2)
        return tuple((j, k) for j, k in pairs if roots[j] is roots[k] and roots[j] is not None)

    def viewed(self, var: Var) -> bool:
        """Whether var may be a part of larger memory."""
        return any(self.root(v) is self.root(var) for v in self.views)


def written(fun: ir.Fun) -> set[Var]:
    """The parameters that the function may write into."""
    aliases = Aliases(fun.body)
    touched = {aliases.root(s.ref) for s in walk(fun.body) if isinstance(s, (ir.Store, ir.Accumulate))}
    return {p for p in fun.params if p.type.ref and aliases.root(p) in touched}
