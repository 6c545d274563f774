"""Small things done to whole functions: binding parameters, choosing results, renaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.rules.language.integers import other_length
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.taped_calls import QUIET


def bind(fun: Fun, values: Mapping[Var, Atom]) -> Fun:
    """The function with these parameters fixed."""

    def atom(a: Atom) -> Atom:
        return values.get(a, a) if isinstance(a, Var) else a

    params = tuple(p for p in fun.params if p not in values)
    body = walk.substitute(fun.body, values)
    return replace(fun, params=params, body=body, results=tuple(map(atom, fun.results)))


def select(fun: Fun, places: Sequence[int]) -> Fun:
    """The function with these of its results, in this order."""
    return replace(fun, results=tuple(fun.results[k] for k in places))


def rename(fun: Fun, name: str) -> Fun:
    return replace(fun, name=name)


def without_effects(fun: Fun, but: str | None = None) -> Fun:
    """The function without what passes through (raise, assert, print, a seed): of a run that is not the first.

    but: functions whose names end so are called as before.
    """

    def quieter(stmt: Stmt) -> Rewritten:
        if isinstance(stmt, ir.Effect):
            return ()
        if but is not None and isinstance(stmt, ir.Call) and stmt.callee.endswith(but):
            return replace(stmt, loud=False)
        return calling_without_effects(stmt) if isinstance(stmt, ir.Call) else stmt

    return rewrite(fun, quieter)


def calling_without_effects(call: ir.Call) -> ir.Call:
    """A call of the same function without what passes through, which `function` makes where it is asked for."""
    return replace(call, callee=call.callee + QUIET, loud=False) if call.loud else call


def loud(fun: Fun) -> bool:
    return any(isinstance(s, ir.Effect) or (isinstance(s, ir.Call) and s.loud) for s in walk.walk(fun.body))


def function(callees: Mapping[str, Fun], name: str) -> Fun:
    """The function of this name, or another's without its effects."""
    if name in callees or not name.endswith(QUIET):
        return callees[name]
    return rename(without_effects(callees[name.removesuffix(QUIET)]), name)


def reachable(program: Program) -> Program:
    """The program with those functions only that its main reaches."""
    found: dict[str, Fun] = {}
    todo = [program.main]
    while todo:
        for stmt in walk.walk(todo.pop().body):
            if isinstance(stmt, ir.Call) and stmt.callee not in found:
                found[stmt.callee] = function(program.callees, stmt.callee)
                todo.append(found[stmt.callee])
    return Program(program.main, found)


def expect_shape(builder: Builder, array: Var, like: Var, message: str) -> None:
    """Raise ValueError where an array that is given has not the shape that it must have."""
    for axis in range(array.type.rank):
        length = builder.let(dim, like, axis=axis, name="n")
        wrong = builder.let(other_length, array, length, axis=axis, name="wrong")
        failure = ir.Failure("ValueError", message, message, "give it that shape", None)
        builder.put(ir.If(wrong, (ir.failing(failure),), ()))


def with_own_results(fun: Fun) -> Fun:
    """The function with copies in place of the arrays that it is given and would give back: the caller's stay his."""
    builder = Builder(fun)

    def own(result: Atom) -> Atom:
        if not isinstance(result, Var) or not result.type.ref or result not in fun.params:
            return result
        return builder.alloc(result.type.dtype, (), builder.load(result), result.name)

    results = tuple(map(own, fun.results))
    return replace(fun, body=(*fun.body, *builder.out), results=results) if builder.out else fun
