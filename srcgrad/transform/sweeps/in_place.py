"""Calls of adjoints that add to the arrays that they are given, in the place of calls that return new ones.

`f_rev(mark, args, cotangents) -> one adjoint a float argument` becomes `f_rev(mark, args, cotangents, shadows) -> the
adjoints of scalars, then the shadows`: one for each array of floats, or the literal 0 where nobody reads it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.rewrite import GONE, Rewriter, Rewritten
from srcgrad.core.shapes import FULL
from srcgrad.core.walk import defined, used, used_inside, walk
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.taped_calls import ADJOINT, NOWHERE

# The name of a function that is paired -> how many parameters it has.
Signatures = Mapping[str, int]


def is_adjoint(stmt: Stmt, signatures: Signatures) -> bool:
    """Whether the statement is a call of an adjoint that goes through what was kept."""
    if not isinstance(stmt, ir.Call) or not stmt.callee.endswith(ADJOINT):
        return False
    return stmt.callee.removesuffix(ADJOINT) in signatures and stmt.args[0] != NOWHERE


def add_in_place(fun: Fun, shadows: Sequence[Var], signatures: Signatures) -> Fun:
    """shadows: of parameters, which are only added to, by the function itself and by those that it calls."""
    if not any(is_adjoint(s, signatures) for s in walk(fun.body)):
        return fun
    return _InPlace(fun, shadows, signatures).fun(fun)


@dataclass(eq=False)
class _Uses:
    """The statements that read each variable."""

    fun: Fun
    of: dict[Var, list[Stmt]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for stmt in walk(self.fun.body):
            for atom in (*used(stmt), *used_inside(stmt)):
                if isinstance(atom, Var):
                    self.of[atom].append(stmt)
        for result in self.fun.results:
            if isinstance(result, Var):
                self.of[result].append(GONE)

    def added_to(self, bar: Var) -> tuple[ir.Load, ir.Accumulate] | None:
        """Where the whole of it is added to an array, if nothing else is done with it."""
        match self.of.get(bar, []):
            case [ir.Load() as load] if all(item == FULL for item in load.index):
                match self.of.get(load.target, []):
                    case [ir.Accumulate(atomic=None) as add] if all(item == FULL for item in add.index):
                        return (load, add) if add.value is load.target and add.ref is not bar else None
        return None


class _InPlace(Rewriter):
    def __init__(self, fun: Fun, shadows: Sequence[Var], signatures: Signatures) -> None:
        super().__init__()
        self.uses, self.shadows, self.signatures = _Uses(fun), set(shadows), signatures
        self.base = {s.target: s.base for s in walk(fun.body) if isinstance(s, ir.View)}
        self.order = {v: k for k, s in enumerate(walk(fun.body)) for v in defined(s)}
        self.place = {s: k for k, s in enumerate(walk(fun.body))}
        self.gone: set[Stmt] = set()

    def one(self, stmt: Stmt) -> Rewritten:
        if stmt in self.gone:
            return ()
        if not is_adjoint(stmt, self.signatures):
            return self.inside(stmt)
        assert isinstance(stmt, ir.Call)
        return self.call(stmt)

    def call(self, stmt: ir.Call) -> Rewritten:
        count = self.signatures[stmt.callee.removesuffix(ADJOINT)]
        floats = [a for a in stmt.args[1 : 1 + count] if a.type.is_float]
        given: list[Atom] = []
        scalars: list[Var] = []
        arrays: list[Var] = []
        taken: set[Var] = set()
        builder = Builder()
        for arg, bar in zip(floats, stmt.targets, strict=True):
            if not bar.type.ref:
                scalars.append(bar)
                continue
            arrays.append(bar)
            given.append(self.shadow(stmt, arg, bar, taken, builder))
        args = (*map(self.atom, stmt.args), *given)
        return (*builder.out, replace(stmt, targets=(*scalars, *arrays), args=args, loud=True))

    def shadow(self, stmt: ir.Call, arg: Atom, bar: Var, taken: set[Var], builder: Builder) -> Atom:
        """What the call adds to: the shadow that its result would be added to, or new zeros."""
        if not self.uses.of.get(bar):
            return const(0)
        found = self.uses.added_to(bar)
        if found is not None:
            add = found[1]
            root = self.root(add.ref)
            here = add.ref in self.shadows or self.order.get(add.ref, self.place[stmt]) < self.place[stmt]
            if root in self.shadows and root not in taken and here:
                taken.add(root)
                self.gone.update(found)
                return self.atom(add.ref)
        return zeros_like(builder, arg, bar.name)

    def root(self, ref: Var) -> Var:
        while ref in self.base:
            ref = self.base[ref]
        return ref


def zeros_like(builder: Builder, like: Atom, name: str) -> Var:
    dims = [builder.let(dim, like, axis=axis, name="n") for axis in range(like.type.rank)]
    return builder.alloc(like.type.dtype, dims, ir.Init.ZEROS, name)
