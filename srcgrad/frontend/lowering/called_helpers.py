"""Large functions of the user that are called from several places: functions of the program, as recursive ones are.

The text of what is read in place grows with the calls, and so does the time that it takes to compile. So a function is
read twice where it calls a large helper often: once to see which, and once more with calls of those. Which helper can
be called is found by trying: what depends on numbers that stand in the program, writes into what it is given, returns
it, or works on whole arrays, is better read in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Const, Stmt, Var
from srcgrad.core.walk import used, walk
from srcgrad.errors import SrcgradError
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.recursion import Body, Callee, emit_call, made_callee
from srcgrad.frontend.lowering.state import Unresolved
from srcgrad.frontend.lowering.values import Known, Struct, Value

SIZE = 40  # operations on floats of a helper that is called, at least
ROUNDS = 8  # how often a function is read, at most
LESS = 110  # so many fewer have to stand in the text

_CALLING: ContextVar[bool] = ContextVar("_CALLING", default=False)


@contextmanager
def calling_helpers(whether: bool) -> Iterator[None]:
    """Whether functions that are read inside call their large helpers; else they are read in place."""
    token = _CALLING.set(whether)
    try:
        yield
    finally:
        _CALLING.reset(token)


@dataclass(eq=False)
class Helpers:
    """The helpers of one function. places: where each is read, by call path.   sizes: how large each is.   called:
    those that are to be called.   unfit: those that have turned out to be no functions of their own."""

    places: dict[Any, set[Any]] = field(default_factory=dict)
    sizes: dict[Any, int] = field(default_factory=dict)
    called: set[Any] = field(default_factory=set)
    unfit: set[Any] = field(default_factory=set)
    rounds: int = 0

    def note(self, key: Any, path: Any, stmts: Sequence[Stmt]) -> None:
        """It was read in place here."""
        self.places.setdefault(key, set()).add(path)
        self.sizes[key] = max(size(stmts), self.sizes.get(key, 0))

    def more(self) -> bool:
        """Whether helpers were found that are to be called; the largest, for what it calls is read once then."""
        found = [k for k, places in self.places.items() if (len(places) - 1) * self.sizes[k] >= LESS]
        found = [k for k in found if self.sizes[k] >= SIZE]
        found = [k for k in found if k not in self.called and k not in self.unfit]
        self.called.update(sorted(found, key=lambda k: self.sizes[k])[-1:])
        self.places.clear()
        self.sizes.clear()
        self.rounds += 1
        return bool(found) and self.rounds <= ROUNDS


def helpers_of_function() -> Helpers | None:
    """The helpers of a function that is about to be read; None if all are read in place."""
    return Helpers() if _CALLING.get() else None


def size(stmts: Sequence[Stmt]) -> int:
    """How many operations on floats there are."""
    return sum(1 for s in walk(stmts) if isinstance(s, ir.Let) and any(t.type.is_float for t in s.targets))


def called_or_in_place(low: Lowering, name: str, key: Any, env: dict[str, Value], body: Body, node: Any) -> Value:
    """What the helper returns, called where that is better, and else read in place."""
    helpers: Helpers | None = low.calls.helpers
    if helpers is None or low.calls.tries or low.setting.threads or low.setting.single:
        return body(low, env)
    if not all(map(_is_data, env.values())):
        return body(low, env)
    fixed = _fixed(env)
    whole = (*key, tuple(sorted((n, v.value.real) for n, v in fixed.items())))
    if whole in helpers.called and (callee := _callee(low, name, whole, env, fixed, body)) is not None:
        return emit_call(low, callee, _without(env, fixed))
    out, before = low.b.out, len(low.b.out)
    value = body(low, env)
    if low.b.out is out and whole not in helpers.unfit:
        helpers.note(whole, (*low.frame.path, id(node)), out[before:])
    return value


def _callee(
    low: Lowering, name: str, key: Any, env: dict[str, Value], fixed: dict[str, Const], body: Body
) -> Callee | None:
    """The helper as a function of the program, if it can be one."""
    helpers: Helpers = low.calls.helpers
    if key in helpers.unfit:
        return None

    def run(other: Lowering, values: dict[str, Value]) -> Value:
        return body(other, {n: fixed[n] if n in fixed else values[n] for n in env})

    callees, refused = low.calls.recursions.callees, len(low.retry.refusals)
    before = len(callees)
    try:
        callee = made_callee(low, name, key, _without(env, fixed), run)
    except (SrcgradError, Unresolved):  # what is wrong is found again where it is read in place
        callee = None
    if callee is not None and fits(callee):
        return callee
    del callees[before:]
    del low.retry.refusals[refused:]
    helpers.unfit.add(key)
    return None


def _is_data(value: Value) -> bool:
    """Whether it is made of numbers, arrays and what is known: not a function, of which there is another each time."""
    if isinstance(value, Struct):
        return value.rows is None and all(map(_is_data, value.items))
    return isinstance(value, (Var, Const, Known))


def _fixed(env: dict[str, Value]) -> dict[str, Const]:
    """The arguments that are integers and stand in the program: a trip count or an index may depend on them."""
    return {n: v for n, v in env.items() if isinstance(v, Const) and not v.type.is_float}


def _without(env: dict[str, Value], fixed: dict[str, Const]) -> dict[str, Value]:
    return {n: v for n, v in env.items() if n not in fixed}


def fits(callee: Callee) -> bool:
    """Whether it is as good to call the helper as to read it in place: it makes scalars of what it is given."""
    fun = callee.core
    assert fun is not None
    if callee.written or callee.shares or callee.together:
        return False
    for stmt in walk(fun.body):
        if isinstance(stmt, (ir.Print, ir.Draw, ir.Seed, ir.Custom, ir.NewList, ir.Assert)):
            return False
        if any(a.type.rank and not a.type.ref for a in used(stmt)):
            return False
    return not any(r.type.ref for r in fun.results)
