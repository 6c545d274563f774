"""Functions that call one another become one function that calls itself: Numba's cache cannot hold the former."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Program, Stmt, Type, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.rules.language import registry


def merged(program: Program) -> Program:
    """The program in which no two functions call one another, directly or by way of others."""
    rings = _rings(program)
    if not rings:
        return program
    merges = {name: _Merge(ring, program.callees) for ring in rings for name in ring}
    made = {merge.name: merge.function() for merge in dict.fromkeys(merges.values())}
    kept = {name: fun for name, fun in program.callees.items() if name not in merges}
    funs = {name: _redirected(fun, merges) for name, fun in {**kept, **made}.items()}
    return Program(_redirected(program.main, merges), funs)


def _rings(program: Program) -> list[tuple[str, ...]]:
    calls = {
        name: {s.callee for s in walk.walk(fun.body) if isinstance(s, ir.Call)} for name, fun in program.callees.items()
    }
    reach = {name: _reached(name, calls) for name in calls}
    rings = (tuple(n for n in calls if n in reach[name] and name in reach[n]) for name in calls)
    return list(dict.fromkeys(ring for ring in rings if len(ring) > 1))


def _reached(name: str, calls: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        new = calls[todo.pop()] - found
        found |= new
        todo.extend(new)
    return found


@dataclass(eq=False)
class _Merge:
    """Functions that call one another, as one: its first parameter says which, the others are those of all."""

    ring: tuple[str, ...]
    callees: Mapping[str, Fun]

    @property
    def name(self) -> str:
        return "_or_".join(self.ring)

    @property
    def funs(self) -> list[Fun]:
        return [self.callees[name] for name in self.ring]

    def function(self) -> Fun:
        which = Var("which", ir.I8)
        params = [[Var(p.name, p.type) for p in fun.params] for fun in self.funs]
        body, results = self._choice(which, 0, params)
        return Fun(self.name, (which, *(p for own in params for p in own)), body, results)

    def _choice(self, which: Var, k: int, params: Sequence[Sequence[Var]]) -> tuple[tuple[Stmt, ...], tuple[Atom, ...]]:
        """What the functions from the k-th on do, and the results of all."""
        builder = Builder()
        body, own = walk.instantiate(self.funs[k], params[k])
        results = self.padded(builder, k, own, [fun.results for fun in self.funs])
        builder.out.extend(body)
        if k == len(self.funs) - 1:
            return tuple(builder.out), results
        rest, others = self._choice(which, k + 1, params)
        outs = tuple(ir.Out(Var("result", a.type), a, b) for a, b in zip(results, others, strict=True))
        chooser = Builder()
        chosen = chooser.let(registry.PRIMITIVES["equal"], which, Const(k, ir.I8), name="chosen")
        chooser.put(ir.If(chosen, tuple(builder.out), rest, outs))
        return tuple(chooser.out), tuple(out.target for out in outs)

    def padded(
        self, builder: Builder, k: int, own: Sequence[Atom], every: Sequence[Sequence[Atom]]
    ) -> tuple[Atom, ...]:
        """The atoms of the k-th function, with what stands in the places of the others' atoms."""
        out: list[Atom] = []
        for j, atoms in enumerate(every):
            out.extend(own if j == k else (_unused(builder, atom.type) for atom in atoms))
        return tuple(out)

    def call(self, old: ir.Call) -> tuple[Stmt, ...]:
        """A call of one of the functions."""
        k, builder = self.ring.index(old.callee), Builder()
        args = self.padded(builder, k, old.args, [fun.params for fun in self.funs])
        targets: list[Var] = []
        for j, fun in enumerate(self.funs):
            targets.extend(old.targets if j == k else (Var("unused", r.type) for r in fun.results))
        call = replace(old, targets=tuple(targets), callee=self.name, args=(Const(k, ir.I8), *args), given=0)
        return (*builder.out, call)


def _unused(builder: Builder, type: Type) -> Atom:
    if type.ref:
        return builder.alloc(type.dtype, [Const(0, ir.I8)] * type.rank, name="unused")
    return Const(False if type == ir.B1 else 0, type)


def _redirected(fun: Fun, merges: Mapping[str, _Merge]) -> Fun:
    """The function with its calls going to what the functions have become."""

    def called(stmt: Stmt) -> Rewritten:
        return merges[stmt.callee].call(stmt) if isinstance(stmt, ir.Call) and stmt.callee in merges else stmt

    return rewrite(fun, called)
