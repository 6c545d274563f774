"""What a kernel must not do, for its derivative would depend on which thread comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.threads import Coordinate, Threads
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.transform.refuse import unsupported

Access = ir.Load | ir.Store | ir.Accumulate


def check(fun: Fun, varying: frozenset[Coordinate]) -> None:
    """Refuse barriers that some threads do not reach, and arguments that threads write and read crosswise."""
    facts = Facts(fun)
    threads = Threads(fun, facts, varying)
    for stmt in facts.where:
        if isinstance(stmt, ir.Barrier):
            _check_barrier(stmt, threads)
        elif isinstance(stmt, ir.Alloc) and stmt.space is ir.Space.LOCAL:
            _check_alone(stmt, facts)
    for param in fun.params:
        if param.type.ref:
            _check_memory(param, threads)
    block = Threads(fun, facts, frozenset(c for c in varying if c[0] == "threadIdx"))
    for stmt in facts.where:
        if isinstance(stmt, ir.Alloc) and stmt.space is ir.Space.SHARED:
            _check_one_writer(facts.stores.get(facts.classes.of(stmt.target), []), block, stmt.target.name)


def _check_barrier(stmt: ir.Barrier, threads: Threads) -> None:
    if not all(map(threads.uniform, _decisions(stmt, threads.facts))):
        raise unsupported(
            stmt.span,
            "not all threads of a block may come to this barrier",
            "put it where all do: test bounds around loads and stores, not around cuda.syncthreads()",
        )


def _check_alone(local: ir.Alloc, facts: Facts) -> None:
    """Refuse a name for this memory or other threads': what is added to the one must be atomic, to the other cannot."""
    cls, name = facts.classes.of(local.target), local.target.name
    shared = (s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED)
    if any(facts.classes.of(ref) is cls for ref in (*(p for p in facts.fun.params if p.type.ref), *shared)):
        message = f"one name stands for `{name}`, which is this thread's, or for an array that threads share"
        raise unsupported(local.span, message, "copy its elements into a cuda.local.array")


def _decisions(stmt: Stmt, facts: Facts) -> Iterator[Atom]:
    """What decides whether, and how often, stmt is run."""
    region: Region | None = facts.where[stmt]
    while region is not None and region.stmt is not None:
        match region.stmt:
            case ir.If(cond=cond):
                yield cond
            case ir.For(start=start, stop=stop, step=step, exit=leave):
                yield from (start, stop, step, *(() if leave is None else (leave,)))
            case ir.While(cond=cond, exit=leave):
                yield from (cond, *(() if leave is None else (leave,)))
        region = region.parent


def _check_memory(param: Var, threads: Threads) -> None:
    facts = threads.facts
    cls = facts.classes.of(param)
    written = facts.stores.get(cls, [])
    if not written:
        return
    accesses: list[Access] = [
        s for s in facts.where if isinstance(s, (ir.Load, ir.Store, ir.Accumulate)) and facts.classes.of(s.ref) is cls
    ]
    loads = [s for s in accesses if isinstance(s, ir.Load)]
    atomic = [s for s in written if isinstance(s, ir.Accumulate) and s.atomic]
    plain = [s for s in written if s not in atomic]
    name = param.name
    if atomic and (loads or plain):
        other = (loads or plain)[0]
        what = "read" if loads else "written"
        message = f"`{name}` is {what} here, and updated atomically by other threads: the order is not known"
        raise unsupported(other.span, message, "do it in a kernel of its own, before or after")
    if loads and threads.own(accesses, "grid") is None:
        message = f"`{name}` may be read here at places that other threads write"
        hint = "write into another array, or add with cuda.atomic.add"
        raise unsupported(loads[0].span, message, hint)
    if any(isinstance(s, ir.Accumulate) for s in plain) and threads.own(accesses, "grid") is None:
        added = next(s for s in plain if isinstance(s, ir.Accumulate))
        message = f"several threads may add to one place of `{name}` at a time"
        raise unsupported(added.span, message, "use cuda.atomic.add")
    _check_one_writer(plain, threads, name)


def _check_one_writer(stores: Iterable[ir.Store | ir.Accumulate], threads: Threads, name: str) -> None:
    """Refuse what all threads write to one place, but for a literal, whose adjoint is nothing."""
    for store in stores:
        literal = isinstance(store, ir.Store) and isinstance(store.value, ir.Const)
        atomic = isinstance(store, ir.Accumulate) and store.atomic
        if not literal and not atomic and not threads.told_apart(store):
            message = f"several threads write one place of `{name}`"
            hint = "let one of them write (if cuda.threadIdx.x == 0), or add with cuda.atomic.add"
            raise unsupported(store.span, message, hint)
