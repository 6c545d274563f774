"""Recursion: a function that calls itself becomes a function of its own in the program; what it returns is found by a
fixed point that starts from its paths without a recursive call."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from srcgrad.bounds.insert_checks import checked
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases, written
from srcgrad.core.ir import Atom, Var
from srcgrad.core.layouts import TWICE, Doubt
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import changed, walk
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.capture import Captured, Captures
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.state import Reported, Unresolved
from srcgrad.frontend.lowering.values import Value
from srcgrad.frontend.lowering.view_conflicts import conflict

Body = Callable[[Lowering, dict[str, Value]], Value]


@dataclass(eq=False)
class Callee:
    """A recursive function: its result's model as far as it is known, what it captures, and its core."""

    key: Any
    name: str
    result: Value | None = None
    captured: list[Captured] = field(default_factory=list)
    core: ir.Fun | None = None
    shares: bool = False  # what it returns may be an argument's memory
    together: tuple[tuple[int, int], ...] = ()  # the results that may be one array, in pairs
    doubts: Sequence[Doubt] = ()
    written: frozenset[int] = frozenset()  # the arguments that it writes into: their new contents are results, too


@dataclass(eq=False)
class Recursions:
    """The recursive functions of one program."""

    callees: list[Callee] = field(default_factory=list)

    def find(self, key: Any) -> Callee | None:
        return next((c for c in self.callees if c.key == key), None)

    def unused(self, name: str) -> str:
        taken = {c.name for c in self.callees}
        return next(n for n in (f"{name}_inner{k or ''}" for k in range(10**6)) if n not in taken)


def is_active(low: Lowering, key: Any) -> bool:
    return key in low.stack


def call_itself(low: Lowering, fun: types.FunctionType, key: Any, env: dict[str, Value], body: Body) -> Value:
    recursions: Recursions = low.recursions
    callee = recursions.find(key)
    if callee is None:
        callee = Callee(key, recursions.unused(fun.__name__))
        recursions.callees.append(callee)
        _resolve(low, callee, env, body)
    return emit_call(low, callee, env)


def emit_call(low: Lowering, callee: Callee, env: dict[str, Value]) -> Value:
    if callee.result is None:
        raise Unresolved
    args = [atom for value in env.values() for atom in values.leaves(values.seen(value))]
    args += [low.captures.adopt(captured) for captured in callee.captured]
    targets = [Var(callee.name, atom.type) for atom in values.leaves(callee.result)]
    changed = {k: ref for k in sorted(callee.written) if isinstance(ref := args[k], Var)}
    contents = [Var(ref.name, ref.type) for ref in changed.values()]
    low.handed.append((callee, tuple(args)))
    for k, ref in changed.items():
        args[k] = _copy(low, ref)  # the way back reads again what the call was given
    call = ir.Call((*targets, *contents), callee.name, tuple(args), shares=callee.shares, span=low.b.span)
    low.b.put(call)
    for ref, new in zip(changed.values(), contents, strict=True):
        low.b.store(ref, None, low.b.load(new))
    if callee.shares:
        refs = [a for a in args if isinstance(a, Var) and a.type.ref]
        for target in (t for t in targets if t.type.ref):
            for ref in refs:
                low.b.layouts.doubtful(target, ref)
    if not callee.shares:
        targets = [_copy(low, t) if t.type.ref else t for t in targets]
    for j, k in callee.together:
        low.b.layouts.doubtful(targets[j], targets[k], TWICE)
    return values.refill(callee.result, iter(targets))


def _copy(low: Lowering, ref: Var) -> Var:
    return low.b.alloc(ref.type.dtype, (), low.b.load(ref), ref.name)


def mark_effectful_calls(program: ir.Program) -> ir.Program:
    """The program with the calls marked that may raise or print, or draw random numbers."""
    loud: set[str] = set()

    def speaks(stmt: ir.Stmt) -> bool:
        if isinstance(stmt, ir.Call):
            return stmt.loud or stmt.callee in loud
        return isinstance(stmt, (ir.Effect, ir.Draw))

    while more := {n for n, f in program.callees.items() if n not in loud and any(map(speaks, walk(f.body)))}:
        loud |= more
    if not loud:
        return program

    def marked(stmt: ir.Stmt) -> ir.Stmt:
        return changed(stmt, loud=True) if isinstance(stmt, ir.Call) and stmt.callee in loud else stmt

    callees = {name: rewrite(fun, marked) for name, fun in program.callees.items()}
    return ir.Program(rewrite(program.main, marked), callees)


def _resolve(low: Lowering, callee: Callee, env: dict[str, Value], body: Body) -> None:
    """Lower the callee until its result and what it captures stay the same."""
    callees = low.recursions.callees
    while True:
        provisional = len(callees)
        before = callee.shares, callee.written, callee.together
        try:
            value, captured, core = _attempt(low, callee, env, body)
        except Unresolved:
            del callees[provisional:]
            if callee.result is not None:
                raise
            callee.result = Var("result", ir.F8)  # nothing is known: a float, unless the next round says otherwise
            continue
        same = (
            callee.result is not None
            and _types(callee.result) == _types(value)
            and values.same_shape(callee.result, value)
        )
        settled = same and [c.origin.key for c in captured] == [c.origin.key for c in callee.captured]
        settled = settled and before == (callee.shares, callee.written, callee.together)
        callee.result = values.map_leaves(value, lambda atom: Var("result", atom.type))
        callee.captured, callee.core = captured, core
        if settled:
            if _surely_calls(core.body, callee.name):
                name = callee.name.removesuffix("_inner")
                low.refuse(f"`{name}` calls itself whatever its arguments are", "end it: return something else first")
            found = conflict(core, callee.doubts)
            if found is not None:
                why = found[1].why
                low.refuse(why.message.format(found[1].base.name), why.hint)
            return
        del callees[provisional:]  # they were made with what was known of this one


def _surely_calls(stmts: Sequence[ir.Stmt], name: str) -> bool:
    """Whether every way through the statements meets a call of this function."""
    return any(
        (isinstance(s, ir.Call) and s.callee == name)
        or (isinstance(s, ir.If) and _surely_calls(s.then, name) and _surely_calls(s.orelse, name))
        for s in stmts
    )


def _types(value: Value) -> list[ir.Type]:
    return [atom.type for atom in values.leaves(value)]


def _attempt(low: Lowering, callee: Callee, env: dict[str, Value], body: Body) -> tuple[Value, list[Captured], ir.Fun]:
    other = Lowering(Captures(), low.single)
    other.recursions = low.recursions
    other.frame = low.frame
    params: list[Var] = []

    def param(name: str) -> Callable[[Atom], Atom]:
        def make(atom: Atom) -> Atom:
            params.append(Var(name, atom.type))
            return params[-1]

        return make

    locked = "a function that calls itself must not change its arguments"
    plain = {name: values.copied(value, locked=locked, lock=False) for name, value in env.items()}
    fresh = {name: values.map_leaves(value, param(name)) for name, value in plain.items()}
    born = values.now()
    own: dict[Atom, Var] = {p: _copy(other, p) for k, p in enumerate(params) if k in callee.written}
    try:
        value = body(other, {name: values.map_leaves(v, lambda a: own.get(a, a)) for name, v in fresh.items()})
    except Reported:
        other.raise_refusals()
        raise
    other.raise_refusals()
    if any(struct.born < born for struct in other.changed):
        low.refuse("a function that calls itself changes what is not its own", "return a new object instead")
    value = values.copied(value)
    if callee.result is not None and values.same_shape(value, callee.result):
        joined = [
            values.join_atoms(a, b) for a, b in zip(values.leaves(value), values.leaves(callee.result), strict=True)
        ]
        value = values.refill(
            value, iter([other.converted(a, t) for a, t in zip(values.leaves(value), joined, strict=True)])
        )
    captured = list(other.captures.entries.values())
    low.captures.statics.update(other.captures.statics)
    every = (*params, *(c.param for c in captured))
    results = tuple(values.leaves(value))
    core = checked(ir.Fun(callee.name, every, tuple(other.b.out), (*results, *own.values())))
    aliases, more = Aliases(core.body, given_back=True), [every.index(p) for p in written(core)]
    if any(k >= len(params) for k in more):
        message = f"`{_plain(callee.name)}` calls itself and writes into what is not its own"
        low.refuse(message, "pass it as an argument")
    callee.written |= frozenset(more)
    refs = {aliases.of(r) for r in results if isinstance(r, Var) and r.type.ref}
    callee.shares = any(aliases.of(p) in refs for p in every if p.type.ref)
    if any(aliases.of(p) in refs for p in own.values()):
        message = f"`{_plain(callee.name)}` calls itself, writes into an array that it is given, and returns it"
        low.refuse(message, "return nothing: who calls it has the array")
    callee.together = aliases.together(results)
    callee.doubts = other.b.layouts.doubts
    check_apart(other)
    return value, captured, core


def _plain(name: str) -> str:
    return name.removesuffix("_inner")


def check_apart(low: Lowering) -> None:
    """Refuse calls that give a recursive function an array that it writes into, and the same memory once more."""
    aliases = Aliases(low.b.out, given_back=True)
    for callee, args in low.handed:
        roots = [aliases.of(a) if isinstance(a, Var) and a.type.ref else None for a in args]
        if any(roots.count(roots[k]) > 1 for k in callee.written):
            message = f"`{_plain(callee.name)}`, which calls itself, writes into memory that it is given twice"
            raise UnsupportedError(message, hint="give it a copy")
