"""Where room is made in memory that grows: once for all that is stored to side by side.

    for ...:                                  for ...:
        x_kept = grow(x_kept, k)                  if k >= x_kept.shape[0]:
        x_kept[k] = x                                 x_kept, v_kept = grow(x_kept, k), grow(v_kept, k)
        v_kept = grow(v_kept, k)                  x_kept[k] = x
        v_kept[k] = v                             v_kept[k] = v

Memory that is made in one block, grows along the same axis, and is stored to once only, in one block and at the same
place, is always of the same length there.
"""

from __future__ import annotations

from collections.abc import Iterator

from srcgrad.core import ir, walk
from srcgrad.core.ir import Fun, Stmt, Var
from srcgrad.printer.memory import Memory


def rooms(fun: Fun, memory: Memory) -> dict[Stmt, tuple[Var, ...]]:
    """For each store to memory that grows along one axis, the memory in which room is made in front of it."""
    if not memory.growing:
        return {}
    made = {s.target: (s, block) for s, block in _placed(fun.body, 0) if isinstance(s, ir.Alloc)}
    stores = [(s, block) for s, block in _placed(fun.body, 0) if _grows(s, memory)]
    times: dict[frozenset[Var], int] = {}
    for store, _ in stores:
        assert isinstance(store, (ir.Store, ir.Accumulate))
        times[memory.of(store.ref)] = times.get(memory.of(store.ref), 0) + 1
    groups: dict[object, list[ir.Store | ir.Accumulate]] = {}
    for store, block in stores:
        assert isinstance(store, (ir.Store, ir.Accumulate))
        alloc, home = made.get(store.ref, (None, 0))
        axes = [k for k, n in enumerate(alloc.shape) if n is None] if isinstance(alloc, ir.Alloc) else []
        if len(axes) == 1:
            item = store.index[axes[0]]
            alone = times[memory.of(store.ref)] == 1
            groups.setdefault((block, home, axes[0], item) if alone else store, []).append(store)
    out: dict[Stmt, tuple[Var, ...]] = {}
    for first, *rest in groups.values():
        out[first] = (first.ref, *(s.ref for s in rest))
        out.update((s, ()) for s in rest)
    return out


def _grows(stmt: Stmt, memory: Memory) -> bool:
    return isinstance(stmt, (ir.Store, ir.Accumulate)) and memory.grows(stmt.ref)


def _placed(stmts: tuple[Stmt, ...], block: int) -> Iterator[tuple[Stmt, int]]:
    """All statements, each with what stands for the block that it stands in."""
    for stmt in stmts:
        yield stmt, block
        for _, inner in walk.blocks(stmt):
            yield from _placed(inner, id(inner))
