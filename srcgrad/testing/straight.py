"""Straight-line programs of one primitive, differentiated by the rules alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Let, Var
from srcgrad.core.run import run
from srcgrad.rules.language.declare import Literal, total
from srcgrad.rules.language.values import Val
from srcgrad.testing.samples import Case, Values, type_of


def program(case: Case) -> Fun:
    """y = primitive(*args)"""
    builder = Builder()
    single = any(type_of(a).dtype == "f4" for a in case.given)
    args = [_argument(a, k, single) for k, a in enumerate(case.args)]
    out = builder.let_many(case.primitive, *args, name="y", **case.params)
    params = tuple(a for a in args if isinstance(a, Var))
    return Fun(case.primitive.name, params, tuple(builder.out), out)


def _argument(value: object, place: int, single: bool) -> Atom:
    """A parameter, or a literal (of float32 beside other float32)."""
    if not isinstance(value, Literal):
        return Var(f"x{place}", type_of(value))
    kind = type_of(value.value)
    return Const(value.value, ir.F4 if single and kind.is_float else kind)


def floats(atoms: Sequence[Atom]) -> list[Atom]:
    return [a for a in atoms if a.type.is_float]


class _Straight:
    """The statements of a program of Lets put into a builder again."""

    def __init__(self, fun: Fun) -> None:
        self.builder = Builder()
        self.lets = [stmt for stmt in fun.body if isinstance(stmt, Let)]

    def val(self, atom: Atom) -> Val:
        return Val(self.builder, atom)

    def seed(self, atom: Atom, suffix: str) -> Var:
        """A parameter of atom's type and shape."""
        var = Var((atom.name if isinstance(atom, Var) else "zero") + suffix, atom.type)
        if isinstance(atom, Var):
            self.builder.copy_dims(var, atom)
        return var

    def or_zero(self, value: Val | None, like: Atom) -> Atom:
        if value is not None:
            return value.atom
        return (self.val(like) * 0.0).atom if like.type.rank else Const(0.0, like.type)


def tangent(fun: Fun, active: Collection[Atom] | None = None) -> Fun:
    """(*params, *dots of the active params) -> (*results, *dots of the float results); all floats are active if None"""
    straight = _Straight(fun)
    seeds = {p: straight.seed(p, "_dot") for p in floats(fun.params) if active is None or p in active}
    dots: dict[Atom, Val | None] = {p: straight.val(seed) for p, seed in seeds.items()}
    for stmt in straight.lets:
        straight.builder.put(stmt)
        given = [dots.get(a) for a in stmt.args]
        if stmt.op.jvp is not None and any(d is not None for d in given):
            outs = [straight.val(t) for t in stmt.targets]
            got = stmt.op.jvp(given, [straight.val(a) for a in stmt.args], outs, stmt.params)
            dots.update(zip(stmt.targets, got, strict=True))
    results = [straight.or_zero(dots.get(r), r) for r in floats(fun.results)]
    params = (*fun.params, *seeds.values())
    return Fun(fun.name, params, tuple(straight.builder.out), (*fun.results, *results))


def adjoint(fun: Fun) -> Fun:
    """(*params, *bars of the float results) -> bars of the float params"""
    straight = _Straight(fun)
    for stmt in straight.lets:
        straight.builder.put(stmt)
    bars: dict[Atom, list[Val | None]] = {}
    seeds = [straight.seed(r, "_bar") for r in floats(fun.results)]
    for result, seed in zip(floats(fun.results), seeds, strict=True):
        bars.setdefault(result, []).append(straight.val(seed))
    for stmt in reversed(straight.lets):
        given = [total(bars.get(t, [])) for t in stmt.targets]
        if stmt.op.vjp is not None and any(g is not None for g in given):
            outs = [straight.val(t) for t in stmt.targets]
            got = stmt.op.vjp(given, [straight.val(a) for a in stmt.args], outs, stmt.params)
            for arg, part in zip(stmt.args, got, strict=True):
                bars.setdefault(arg, []).append(part)
    results = tuple(straight.or_zero(total(bars.get(p, [])), p) for p in floats(fun.params))
    params = (*fun.params, *seeds)
    return Fun(fun.name, params, tuple(straight.builder.out), results)


class Derived:
    """A program with its tangent and its adjoint, and theirs, each made when it is first asked for."""

    def __init__(self, fun: Fun) -> None:
        self.fun = fun

    def __call__(self, *args: object) -> Values:
        return run(self.fun, *args)

    @cached_property
    def ahead(self) -> Derived:
        return Derived(tangent(self.fun))

    @cached_property
    def back(self) -> Derived:
        return Derived(adjoint(self.fun))


class Programs:
    """The programs of one primitive: those of arguments of the same types are made once."""

    def __init__(self) -> None:
        self.made: dict[object, Derived] = {}

    def of(self, case: Case) -> Derived:
        args = tuple(repr(a) if isinstance(a, Literal) else type_of(a) for a in case.args)
        key = args, repr(sorted(case.params.items()))
        if key not in self.made:
            self.made[key] = Derived(program(case))
        return self.made[key]
