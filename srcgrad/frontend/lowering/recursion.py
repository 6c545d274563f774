"""Recursion: a function that calls itself becomes a function of its own in the program; what it returns is found by a
fixed point that starts from its paths without a recursive call."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from srcgrad.bounds.insert_checks import checked
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases, written
from srcgrad.core.ir import Atom, Var
from srcgrad.core.layouts import TWICE, Doubt
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering import joining, values
from srcgrad.frontend.lowering.capture import Captured, Captures
from srcgrad.frontend.lowering.lifted import handed
from srcgrad.frontend.lowering.new_function import NewFunction, copy_of
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.state import Unresolved
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
    return key in low.calls.stack


def call_itself(low: Lowering, fun: types.FunctionType, key: Any, env: dict[str, Value], body: Body) -> Value:
    return emit_call(low, made_callee(low, fun.__name__, key, env, body), env)


def made_callee(low: Lowering, name: str, key: Any, env: dict[str, Value], body: Body) -> Callee:
    recursions: Recursions = low.calls.recursions
    callee = recursions.find(key)
    if callee is None:
        callee = Callee(key, recursions.unused(name))
        recursions.callees.append(callee)
        _resolve(low, callee, env, body)
    return callee


def emit_call(low: Lowering, callee: Callee, env: dict[str, Value]) -> Value:
    if callee.result is None:
        raise Unresolved
    args = [atom for value in env.values() for atom in values.leaves(values.seen(value))]
    args += [low.captures.adopt(captured) for captured in callee.captured]
    targets = [Var(callee.name, atom.type) for atom in values.leaves(callee.result)]
    changed = {k: ref for k in sorted(callee.written) if isinstance(ref := args[k], Var)}
    contents = [Var(ref.name, ref.type) for ref in changed.values()]
    low.calls.given.append((callee, tuple(args)))
    for k, ref in changed.items():
        args[k] = copy_of(low, ref)  # the way back reads again what the call was given
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
        targets = [copy_of(low, t) if t.type.ref else t for t in targets]
    for j, k in callee.together:
        low.b.layouts.doubtful(targets[j], targets[k], TWICE)
    return values.refill(callee.result, iter(targets))


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """What an attempt to lower a callee has found."""

    value: Value
    captured: list[Captured]
    core: ir.Fun
    shares: bool
    written: frozenset[int]
    together: tuple[tuple[int, int], ...]
    doubts: Sequence[Doubt]


def _resolve(low: Lowering, callee: Callee, env: dict[str, Value], body: Body) -> None:
    """Lower the callee until its result and what it captures stay the same."""
    callees = low.calls.recursions.callees
    provisional = len(callees)

    def run() -> Found | None:
        try:
            return _attempt(low, callee, env, body)
        except Unresolved:
            del callees[provisional:]
            if callee.result is not None:
                raise
            return None

    def again(found: Found | None) -> bool:
        stable = found is not None and _stable(callee, found)
        if found is None:
            callee.result = Var("result", ir.F8)  # nothing is known: a float, unless the next round says otherwise
        else:
            callee.result = values.map_leaves(found.value, lambda atom: Var("result", atom.type))
            callee.captured, callee.core = found.captured, found.core
            callee.shares, callee.written, callee.together = found.shares, found.written, found.together
        if not stable:
            del callees[provisional:]  # they were made with what was known of this one
        return not stable

    found = low.retry.until_stable(run, again)
    assert found is not None
    if _surely_calls(found.core.body, callee.name):
        message = f"`{_plain(callee.name)}` calls itself whatever its arguments are"
        low.refuse(message, "end it: return something else first")
    clash = conflict(found.core, found.doubts)
    if clash is not None:
        why = clash[1].why
        low.refuse(why.message.format(clash[1].base.name), why.hint)


def _stable(callee: Callee, found: Found) -> bool:
    """Whether an attempt has found what was assumed."""
    result = callee.result
    if result is None or _types(result) != _types(found.value) or not values.same_shape(result, found.value):
        return False
    same = [c.origin.key for c in found.captured] == [c.origin.key for c in callee.captured]
    return same and (callee.shares, callee.written, callee.together) == (found.shares, found.written, found.together)


def _surely_calls(stmts: Sequence[ir.Stmt], name: str) -> bool:
    """Whether every way through the statements meets a call of this function."""
    return any(
        (isinstance(s, ir.Call) and s.callee == name)
        or (isinstance(s, ir.If) and _surely_calls(s.then, name) and _surely_calls(s.orelse, name))
        for s in stmts
    )


def _types(value: Value) -> list[ir.Type]:
    return [atom.type for atom in values.leaves(value)]


def _attempt(low: Lowering, callee: Callee, env: dict[str, Value], body: Body) -> Found:
    other = Lowering(Captures(), replace(low.setting, threads=False))
    other.calls.recursions, other.calls.helpers = low.calls.recursions, low.calls.helpers
    other.frame = low.frame
    made = NewFunction(other)

    def param(name: str) -> Callable[[Atom], Atom]:
        def make(atom: Atom) -> Atom:
            made.params.append(Var(name, atom.type))
            return made.params[-1]

        return make

    locked = "a function that calls itself must not change its arguments"
    plain = {name: handed(low, values.copied(value, locked=locked, lock=False)) for name, value in env.items()}
    fresh = {name: values.map_leaves(value, param(name)) for name, value in plain.items()}
    made.copy_overwritten(callee.written)
    given = {name: values.map_leaves(v, lambda a: made.copies.get(a, a)) for name, v in fresh.items()}
    value = made.run(lambda: body(other, given))
    if made.changes_older:
        low.refuse("a function that calls itself changes what is not its own", "return a new object instead")
    value = _as_known(other, values.copied(value), callee)
    low.captures.statics.update(other.captures.statics)
    results = tuple(values.leaves(value))
    core = checked(made.finished(callee.name, (*results, *made.copies.values())))
    shares, overwritten = _memory_of(low, made, core, results)
    together = Aliases(core.body, given_back=True).together(results)
    check_apart(other)
    doubts = other.b.layouts.doubts
    return Found(value, list(made.captured), core, shares, callee.written | overwritten, together, doubts)


def _as_known(low: Lowering, value: Value, callee: Callee) -> Value:
    """What a callee returns, in the types that it has as far as is known."""
    if callee.result is None or not values.same_shape(value, callee.result):
        return value
    pairs = list(zip(values.leaves(value), values.leaves(callee.result), strict=True))
    return values.refill(value, iter([low.converted(a, joining.join_atoms(a, b)) for a, b in pairs]))


def _memory_of(low: Lowering, made: NewFunction, core: ir.Fun, results: Sequence[Atom]) -> tuple[bool, frozenset[int]]:
    """Whether what is returned may be an argument's memory, and which arguments are written into."""
    aliases, overwritten = Aliases(core.body, given_back=True), frozenset(core.params.index(p) for p in written(core))
    if any(k >= len(made.params) for k in overwritten):
        message = f"`{_plain(core.name)}` calls itself and writes into what is not its own"
        low.refuse(message, "pass it as an argument")
    refs = {aliases.of(r) for r in results if isinstance(r, Var) and r.type.ref}
    if any(aliases.of(p) in refs for p in made.copies.values()):
        message = f"`{_plain(core.name)}` calls itself, writes into an array that it is given, and returns it"
        low.refuse(message, "return nothing: who calls it has the array")
    return any(aliases.of(p) in refs for p in core.params if p.type.ref), overwritten


def _plain(name: str) -> str:
    return name.removesuffix("_inner")


def check_apart(low: Lowering) -> None:
    """Refuse calls that give a recursive function an array that it writes into, and the same memory once more."""
    aliases = Aliases(low.b.out, given_back=True)
    for callee, args in low.calls.given:
        roots = [aliases.of(a) if isinstance(a, Var) and a.type.ref else None for a in args]
        if any(roots.count(roots[k]) > 1 for k in callee.written):
            message = f"`{_plain(callee.name)}`, which calls itself, writes into memory that it is given twice"
            raise UnsupportedError(message, hint="give it a copy")
