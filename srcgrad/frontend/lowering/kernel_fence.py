"""What a kernel may contain, beyond what any function may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcgrad.bounds.demands import Check
from srcgrad.core import ir
from srcgrad.core.aliases import written
from srcgrad.core.ir import Fun, KernelFacts, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import walk
from srcgrad.errors import Problem, UnsupportedError
from srcgrad.frontend.source.read import Source

Refused = tuple[Stmt, str, str]
KEEPS = 'make it with mode="forward", or give its loops literal lengths'


def checked(main: Fun, source: Source) -> Fun:
    """The kernel as lowered, if it can be differentiated. The arrays that it writes are its results: what is written
    to them is seen from outside, as what a function returns is. Indices are not checked on the device."""
    problems = list(_problems(main, source))
    if problems:
        raise UnsupportedError(problems[0].message, problems=problems)
    outputs = written(main)
    facts = replace(main.facts, kernel=KernelFacts())
    body = rewrite(main, _on_device).body
    return replace(main, body=body, results=tuple(p for p in main.params if p in outputs), facts=facts)


def _on_device(stmt: Stmt) -> Rewritten:
    if isinstance(stmt, Check):
        return ()
    return replace(stmt, space=ir.Space.LOCAL) if isinstance(stmt, ir.Alloc) and _is_kept(stmt) else stmt


def _is_kept(alloc: ir.Alloc) -> bool:
    """Whether a derivative that is called in the kernel keeps values of a loop in it, of literal length."""
    literal = all(isinstance(n, ir.Const) for n in alloc.shape)
    return alloc.span is None and not alloc.space and alloc.init is ir.Init.EMPTY and literal


def _problems(main: Fun, source: Source) -> Iterator[Problem]:
    if main.results:
        yield source.problem(source.node, "the kernel returns a value", "write it into an array")
    for stmt, message, hint in _refused(main):
        place = source.span(source.node) if stmt.span is None else stmt.span
        yield source.problem_at(place, message, hint)


def _refused(main: Fun) -> Iterator[Refused]:
    top = set(main.body)
    for stmt in walk(main.body):
        match stmt:
            case ir.Alloc(space=None) if not _is_kept(stmt) and stmt.span is None:
                yield stmt, "a derivative that is called here keeps values of a loop", KEEPS
            case ir.Alloc(space=None) if not _is_kept(stmt):
                yield stmt, "an array is made in a kernel", "use cuda.local.array, cuda.shared.array or an argument"
            case ir.Alloc(space=ir.Space.SHARED) if stmt not in top:
                yield stmt, "shared memory is declared in a branch or a loop", "declare it at the top of the kernel"
            case ir.Let() | ir.Load() if any(v.type.rank and not v.type.ref for v in _made(stmt)):
                yield stmt, "a whole array is read in a kernel", "write a loop over its elements"
            case ir.Call():
                yield stmt, "a recursive function is called in a kernel", "write it as a loop"
            case ir.Draw():
                yield stmt, "random numbers are drawn in a kernel", "draw them before, and pass them as an argument"
            case ir.NewList():
                yield stmt, "a list of unknown length in a kernel", "use cuda.local.array"


def _made(stmt: ir.Let | ir.Load) -> tuple[Var, ...]:
    return stmt.targets if isinstance(stmt, ir.Let) else (stmt.target,)
