"""Memory that a thread keeps: of literal size its own; else a column of an array that the launch is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import prod

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Type, Var
from srcgrad.core.rewrite import Rewritten, rewrite_block
from srcgrad.core.walk import walk
from srcgrad.rules import cuda_names
from srcgrad.rules.scalar.arithmetic import add, multiply

LARGEST = 2048  # numbers of local memory that one array may take


@dataclass(frozen=True)
class Work:
    """An array that the launch must be given: its type, and its lengths (variables stand for counted rows), to which
    the number of threads is added as the last."""

    dtype: str
    shape: tuple[Atom, ...]


def placed(fun: Fun, rows: Sequence[Var], dims: int) -> tuple[Fun, tuple[Work, ...]]:
    """The function with a place for all memory that it makes, for grids of so many dimensions.

    Neighbouring threads use neighbouring places.
    """
    allocs = [s for s in walk(fun.body) if isinstance(s, ir.Alloc) and not s.space]
    outside = [a for a in allocs if not _is_local(a)]
    params = {
        a.target: Var(a.target.name, Type(a.target.type.dtype, a.target.type.rank + 1, ref=True)) for a in outside
    }
    builder = Builder()
    thread = (_known(fun, set(params), dims) or _thread(builder, dims)) if params else None
    body = _rewritten(fun.body, params, thread)
    kept = tuple(p for p in fun.params if p not in rows)
    works = tuple(Work(a.target.type.dtype, tuple(n for n in a.shape if n is not None)) for a in outside)
    return replace(fun, params=(*kept, *params.values()), body=(*builder.out, *body)), works


def _is_local(alloc: ir.Alloc) -> bool:
    sizes = [int(n.value.real) if isinstance(n, Const) else LARGEST + 1 for n in alloc.shape]
    return prod(sizes) <= LARGEST


def _known(fun: Fun, kept: Set[Var], dims: int) -> Atom | None:
    """The thread's number where the kernel has asked for it, before it keeps anything."""
    for stmt in fun.body if dims == 1 else ():
        if isinstance(stmt, ir.Let) and stmt.op is cuda_names.grid and stmt.params["ndim"] == 1:
            return stmt.target
        if any(isinstance(s, (ir.Load, ir.Store)) and s.ref in kept for s in walk((stmt,))):
            return None
    return None


def _thread(builder: Builder, dims: int) -> Atom:
    """The number of the thread in the grid."""
    places = builder.let_many(cuda_names.grid, name="thread", ndim=dims)
    thread = places[-1]
    if dims == 1:
        return thread
    sizes = builder.let_many(cuda_names.gridsize, name="width", ndim=dims)
    for place, size in zip(places[-2::-1], sizes[-2::-1], strict=True):
        thread = builder.let(add, place, builder.let(multiply, thread, size, name="thread"), name="thread")
    return thread


def _rewritten(stmts: tuple[Stmt, ...], params: Mapping[Var, Var], thread: Atom | None) -> tuple[Stmt, ...]:
    def one(stmt: Stmt) -> Rewritten:
        match stmt:
            case ir.Alloc(space=None):
                return () if stmt.target in params else replace(stmt, space=ir.Space.LOCAL)
            case ir.Load() | ir.Store() if stmt.ref in params:
                assert thread is not None
                return replace(stmt, ref=params[stmt.ref], index=(*stmt.index, thread))
        return stmt

    return rewrite_block(stmts, one)
