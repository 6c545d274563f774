"""Adding to memory that threads share is atomic, but where every place is one thread's own.

A place is a thread's own if the index tells the thread at every access to that memory in the kernel, in the same way:
`i = cuda.grid(1)` does, so does an index that goes on from there by the grid's size, and `cuda.blockIdx.x` where one
thread of the block comes through. Memory that a block shares is given up at barriers, so there the accesses of the
whole kernel are looked at, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.threads import Coordinate, Sign, Threads, asked
from srcgrad.core import ir
from srcgrad.core.ir import Const, Fun, Stmt, Var
from srcgrad.core.rewrite import GONE, Rewriter, rewrite_block
from srcgrad.core.walk import kept, walk
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract

Access = ir.Load | ir.Store | ir.Accumulate


def remove_atomics(fun: Fun, varying: frozenset[Coordinate], shadows: Iterable[Var]) -> Fun:
    """The function with additions to the shadows that need not be atomic made plain, and a word on why."""
    facts = Facts(fun)
    threads, anywhere = Threads(fun, facts, varying), Threads(fun, facts, varying | asked(fun))
    plain: set[Stmt] = set()
    reasons: dict[str, list[str]] = {}
    for shadow in shadows:
        accesses = [s for s in facts.where if isinstance(s, Access) and facts.root(s.ref) is shadow]
        added = {s for s in accesses if isinstance(s, ir.Accumulate) and s.atomic is ir.Atomic.ADD}
        scope = "grid" if shadow in fun.params else "block"
        signs = threads.own(accesses, scope) if added else None
        if signs is not None and facts.classes.simple(shadow):
            plain |= added
            here = "" if anywhere.own(accesses, scope) is not None else ", in launches like this one"
            reasons.setdefault(_told(threads.items(accesses[0]), signs, facts) + here, []).append(shadow.name)
    if not plain:
        return fun

    def made_plain(stmt: Stmt) -> Stmt:
        return replace(stmt, atomic=None) if isinstance(stmt, ir.Accumulate) and stmt in plain else stmt

    body = _Moves(facts).block(rewrite_block(fun.body, made_plain))
    return replace(fun, body=_with_reasons(body, reasons))


def _told(index: ir.Index, signs: Iterable[Sign], facts: Facts) -> str:
    """How the thread is told, in the user's names."""
    axes = sorted({axis for s in signs for axis in s.axes})
    words = [_name(index[k], facts) for k in axes]
    if not words:
        return "no other thread comes there"
    pinned = any(not s.axes for s in signs)
    share = " (one thread of those that share it)" if pinned else ""
    return f"no other thread has the same {' and '.join(dict.fromkeys(words))}{share}"


def _name(item: ir.Item, facts: Facts) -> str:
    made = facts.makes.get(item) if isinstance(item, Var) else None
    computed = isinstance(made, ir.Let) and made.op in (add, subtract, multiply)
    return item.name if isinstance(item, Var) and not (computed and item.name == "t") else "index"


def _with_reasons(body: tuple[Stmt, ...], reasons: dict[str, list[str]]) -> tuple[Stmt, ...]:
    said = tuple(ir.Remark(f"no atomics for {', '.join(names)}: {told}") for told, names in reasons.items())
    at = next((k for k, s in enumerate(body) if isinstance(s, ir.Remark)), -1) + 1
    return (*body[:at], *said, *body[at:])


# ---- what was taken and is given back


class _Moves(Rewriter):
    """`b[i] = 0; ...; b[i] += v` is `b[i] = v`, and nothing at all if v is what stood there."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.root = facts.root

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        out = list(super().block(stmts))
        for at, stmt in enumerate(out):
            if isinstance(stmt, ir.Store) and isinstance(stmt.value, Const) and stmt.value.value == 0.0:
                self._give_back(out, at, stmt)
        return kept(stmts, (s for s in out if s is not GONE))

    def _give_back(self, stmts: list[Stmt], at: int, zero: ir.Store) -> None:
        later = next((k for k in range(at + 1, len(stmts)) if self._touches(stmts[k], zero.ref)), None)
        added = stmts[later] if later is not None else None
        if later is None or not isinstance(added, ir.Accumulate) or added.atomic or not _same_place(added, zero):
            return
        earlier = next((k for k in range(at - 1, -1, -1) if self._touches(stmts[k], zero.ref)), None)
        found = stmts[earlier] if earlier is not None else None
        untouched = isinstance(found, ir.Load) and _same_place(found, zero) and found.target is added.value
        stmts[at] = GONE
        stmts[later] = GONE if untouched else ir.Store(added.ref, added.index, added.value, span=added.span)

    def _touches(self, stmt: Stmt, ref: Var) -> bool:
        """Whether it reaches that memory, by any view of it, or waits for other threads."""
        return any(
            isinstance(s, ir.Barrier) or (isinstance(s, Access) and self.root(s.ref) is self.root(ref))
            for s in walk((stmt,))
        )


def _same_place(a: Access, b: Access) -> bool:
    return a.ref is b.ref and len(a.index) == len(b.index) and all(map(_same, a.index, b.index))


def _same(a: ir.Item, b: ir.Item) -> bool:
    return a is b or (isinstance(a, Const) and a == b)
