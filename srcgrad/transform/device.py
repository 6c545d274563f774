"""Programs that a thread of a GPU can run, where no memory can be made but local arrays of fixed length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Primitive, Program, Stmt
from srcgrad.syntax import device as templates
from srcgrad.transform.refuse import unsupported

HINT = 'use tuples of numbers for small vectors, or map the derivative over arrays: vmap(..., target="cuda")'


@dataclass(frozen=True, slots=True)
class Legal:
    """A program of scalars, local arrays and arrays that the caller gives.

    Its parameters are those of the program it was made of, then one array for each of its array results (`outs`: the
    places of these among the results, in order), then the work arrays.
    """

    program: Program
    outs: tuple[int, ...] = ()


def legal(program: Program, shapes: Mapping[int, tuple[int, ...]] | None = None) -> Legal:
    """shapes: the lengths of parameters that are known, by place."""
    if program.callees:
        raise unsupported(None, "a function that calls itself cannot run on the GPU", "write the recursion as a loop")
    main = program.main
    return Legal(Program(_fun(main)))


def _fun(fun: Fun) -> Fun:
    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(walk.rebuild(_scalar(stmt), lambda a: a, lambda v: v, block) for stmt in stmts)

    for result in fun.results:
        if result.type.rank:
            raise unsupported(None, "an array cannot be returned to a kernel", HINT)
    return replace(fun, body=block(fun.body))


def _scalar(stmt: Stmt) -> Stmt:
    if isinstance(stmt, ir.Let):
        if any(t.type.rank for t in stmt.targets):
            raise unsupported(stmt.span, f"`{stmt.op.name}` makes an array, which a kernel cannot", HINT)
        return replace(stmt, op=_on_device(stmt))
    if isinstance(stmt, (ir.Alloc, ir.NewList, ir.Append, ir.RefAt)):
        raise unsupported(stmt.span, "memory is made here, which a kernel cannot", HINT)
    return stmt


def on_device(fun: Fun) -> Fun:
    """A kernel with the numbers that it computes printed as the GPU can compute them."""

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(walk.rebuild(_computed(stmt), lambda a: a, lambda v: v, block) for stmt in stmts)

    return replace(fun, body=block(fun.body))


def _computed(stmt: Stmt) -> Stmt:
    return replace(stmt, op=_on_device(stmt)) if isinstance(stmt, ir.Let) else stmt


def _on_device(stmt: ir.Let) -> Primitive:
    made = device_primitive(stmt.op)
    assert callable(made.template)
    try:
        made.template(tuple(a.type for a in stmt.args), dict(stmt.params))
    except templates.NotOnDevice as error:
        message = f"`{stmt.op.name}` cannot run on the GPU: there is no {error} there"
        raise unsupported(stmt.span, message, 'use target="cpu", or write it with functions of `math`') from None
    return made


@cache
def device_primitive(op: Primitive) -> Primitive:
    """The primitive with its template for the GPU."""
    return replace(op, template=templates.template(op))
