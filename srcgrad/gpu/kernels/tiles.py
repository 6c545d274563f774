"""Shared memory that a loop fills anew in each iteration (tiles): the sweep back fills it again, rather than keeping
what was read of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from srcgrad.analysis.effects import Region
from srcgrad.analysis.threads import Threads
from srcgrad.core import ir
from srcgrad.core.ir import Const, Stmt, Var
from srcgrad.core.walk import walk

Loop = ir.For | ir.While
Access = ir.Load | ir.Store | ir.Accumulate
Place = tuple[Hashable, ...]


def tiled(cls: Var, threads: Threads) -> Loop | None:
    """The loop that fills all of this memory that it reads, in each iteration before it reads it."""
    facts = threads.facts
    accesses: list[Access] = [
        s for s in facts.where if isinstance(s, (ir.Load, ir.Store, ir.Accumulate)) and facts.classes.of(s.ref) is cls
    ]
    loops = {facts.chain(s, facts.top)[0][1] for s in accesses}
    loop = loops.pop() if len(loops) == 1 else None
    if not isinstance(loop, (ir.For, ir.While)):
        return None
    body = facts.region[loop, "body"]
    if not all(facts.where[s].within(body) for s in accesses):
        return None
    tile = _Tile(cls, threads, body)
    filled = set(tile.filled(loop.body))
    written = {tile.place(s) for s in accesses if not isinstance(s, ir.Load)}
    return loop if written and None not in written and written <= filled else None


class _Tile:
    def __init__(self, cls: Var, threads: Threads, body: Region) -> None:
        self._cls, self._threads, self._body = cls, threads, body

    def filled(self, stmts: Iterable[Stmt]) -> Iterator[Place | None]:
        """The places that are surely written here, in every iteration the same, before any is read."""
        for stmt in stmts:
            if any(self._mine(s) and not isinstance(s, ir.Store) for s in walk((stmt,))):
                return
            yield from self._of(stmt)

    def _of(self, stmt: Stmt) -> Iterator[Place | None]:
        match stmt:
            case ir.Store() if self._mine(stmt):
                place = self.place(stmt)
                if place is not None:
                    yield place
            case ir.If():
                yield from set(self.filled(stmt.then)) & set(self.filled(stmt.orelse))
            case ir.For() if stmt.exit is None and all(map(self._fixed, (stmt.start, stmt.stop, stmt.step))):
                yield from self.filled(stmt.body)

    def _mine(self, stmt: Stmt) -> bool:
        accesses = isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate))
        return accesses and self._threads.facts.classes.of(stmt.ref) is self._cls  # type: ignore[attr-defined]

    def place(self, stmt: Access) -> Place | None:
        """The index, if it is the same in every iteration (but for the iterations of loops inside)."""
        items: list[Hashable] = []
        for item in self._threads.items(stmt):
            if isinstance(item, ir.Slice):
                return None
            poly = self._threads.poly(item)
            if not all(self._still(symbol) for symbol in poly.symbols()):
                return None
            items.append(poly.key)
        return tuple(items) or None

    def _fixed(self, atom: ir.Atom) -> bool:
        return isinstance(atom, Const) or all(map(self._still, self._threads.poly(atom).symbols()))

    def _still(self, symbol: object) -> bool:
        """Whether it is the same in every iteration of the loop."""
        facts = self._threads.facts
        if isinstance(symbol, Var):
            return not facts.bound[symbol].within(self._body)
        if isinstance(symbol, tuple) and symbol[0] in ("turn", "down"):
            return facts.where[symbol[1]].within(self._body)
        return isinstance(symbol, tuple)
