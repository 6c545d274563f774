"""What is in scope at one point of an emission, and the adjoints of scalars and array values in one region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Renamed
from srcgrad.printer.names import ANONYMOUS
from srcgrad.rules.language.values import Val


@dataclass
class Context:
    """env: the primal's variables as they stand.   bar: the shadows of references.
    counters: the rows of the enclosing loops, outermost first.   residuals: of statements with the user's own rule."""

    env: dict[Var, Atom]
    bar: dict[Var, Var] = field(default_factory=dict)
    counters: list[tuple[Stmt, Atom]] = field(default_factory=list)
    residuals: dict[Stmt, tuple[Atom, ...]] = field(default_factory=dict)

    def inner(self) -> Context:
        return Context(dict(self.env), dict(self.bar), list(self.counters), dict(self.residuals))

    def __call__(self, atom: Atom) -> Atom:
        return self.env[atom] if isinstance(atom, Var) else atom

    def argument(self, atom: Atom) -> Atom:
        """An argument as it stands; where a reference is not there, its shadow tells the shape as well."""
        return self.bar[atom] if isinstance(atom, Var) and atom not in self.env and atom in self.bar else self(atom)

    def ref(self, var: Var) -> Var:
        found = self.env[var]
        assert isinstance(found, Var)
        return found


def bar_name(var: Var) -> str:
    return f"{var.name}_bar"


def zero(type: ir.Type) -> Const:
    return Const(0.0, ir.Type(type.dtype))


class Bars:
    """Adjoints of one region's values.

    A scalar from outside that is met in a loop's body becomes a carried sum (`incoming`). The builder is told what
    contributions that have no name are to be called.
    """

    def __init__(self, builder: Builder, facts: Facts, activity: Activity, region: Region, looping: bool) -> None:
        self._builder, self._facts, self._activity = builder, facts, activity
        self._region, self._looping = region, looping
        self.own: dict[Var, Atom] = {}
        self.incoming: dict[Var, Var] = {}
        self.parts: Counter[Var] = Counter()  # how many contributions each has

    def add(self, target: Atom, bar: Atom | None) -> None:
        if bar is None or not isinstance(target, Var) or target not in self._activity:
            return
        if isinstance(bar, Const) and bar.value == 0.0:
            return
        self._begin(target)
        self.parts[target] += 1
        if target in self.own:
            total = Val(self._builder, self.own[target]) + Val(self._builder, bar)
            self.own[target] = _renamed(self._builder, total.atom, bar_name(target))
        else:
            self.own[target] = bar
            if isinstance(bar, Var) and bar.name == ANONYMOUS != target.name:
                self._builder.wishes.setdefault(bar, bar_name(target))

    def take(self, target: Atom) -> Atom | None:
        return self.own.get(target) if isinstance(target, Var) else None

    def touch(self, target: Var) -> Atom:
        """The value so far of what an inner loop goes on summing into."""
        self._begin(target)
        self.parts[target] += 1
        return self.own.get(target, zero(target.type))

    def _begin(self, target: Var) -> None:
        outside = self._facts.bound[target] is not self._region
        if self._looping and outside and target not in self.own:
            self.incoming[target] = Var(bar_name(target), target.type)
            self.own[target] = self.incoming[target]


def named(fun: Fun, wishes: Mapping[Var, str]) -> Fun:
    """The function with those of these variables named so that adjoint statements bind."""
    names = {
        v: Var(wishes[v], v.type)
        for stmt in walk.walk(fun.body)
        if stmt.span is not None and stmt.span.back
        for v in walk.defined(stmt)
        if v in wishes
    }
    return Renamed(names).fun(fun) if names else fun


def _renamed(builder: Builder, atom: Atom, name: str) -> Atom:
    """The atom just emitted by the builder, under a better name."""
    last = builder.out[-1] if builder.out else None
    if not isinstance(last, ir.Let) or last.targets != (atom,) or not isinstance(atom, Var):
        return atom
    better = Var(name, atom.type)
    builder.out[-1] = ir.Let((better,), last.op, last.args, last.params, span=last.span)
    builder.copy_dims(better, atom)
    return better
