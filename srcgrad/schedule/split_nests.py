"""Innermost loops over more arrays than alias checks of compiled code bear become several.

    for i in range(n):                           for i in range(n):
        t = f(a[i]); b[i] = t      becomes           b[i] = f(a[i])
        c[i] = g(t, ...)                         for i in range(n):
                                                     c[i] = g(b[i], ...)

LLVM asks of each two arrays, of which one is written, whether they overlap, before it runs the vector code of a loop;
beyond some number of such checks it makes none. Which arrays a loop goes through is known when those that nobody needs
are gone: so this comes after loops are fused. Where there is a choice, a loop is cut where all that the rest needs lies
in memory already; else a few values are kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Carry, For, Fun, Let, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import defined, substitute, used
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.schedule.dependences import INNERMOST, Dependences, Kind

MOST_CHECKS = 100  # LLVM makes up to 128, which it counts in its own way
MOST_KEPT = 4  # values for which there is no memory yet, at one cut
ZERO, ONE, MINUS_ONE = const(0), const(1), const(-1)
KEPT = (ir.F8, ir.Type("f4"), ir.I8)
STRAIGHT = (Let, Load, Store, ir.Accumulate, ir.Remark)


def split_nests(fun: Fun, most: int = MOST_CHECKS) -> Fun:
    """The function with such loops split; the same object if there are none."""
    return fun if fun.facts.kernel is not None else _Split(fun, most).fun(fun)


class _Split(Rewriter):
    def __init__(self, fun: Fun, most: int) -> None:
        super().__init__()
        self._dependences = Dependences(fun)
        self._most = most

    def one(self, stmt: Stmt) -> Rewritten:
        new = self.inside(stmt)
        if new is not stmt or not isinstance(stmt, For) or not _is_straight(stmt):
            return new
        if self._checks(stmt.body) <= self._most or not self._dependences.iterations_apart(stmt):
            return stmt
        return list(self._parts(stmt))

    def _parts(self, loop: For) -> Iterator[Stmt]:
        cut = self._best_cut(loop) if self._checks(loop.body) > self._most else None
        if cut is None:
            yield loop
            return
        yield from cut.memory()
        yield from self._parts(replace(loop, body=cut.first(), carry=cut.carries(first=True)))
        second = replace(loop, index=cut.index, body=cut.second(), carry=cut.carries(first=False))
        self._dependences.integers.learn((second,), INNERMOST)
        yield from self._parts(second)

    def _best_cut(self, loop: For) -> _Cut | None:
        """The place to cut at, if there is one: without new memory if that can be, and with two parts alike."""
        best: tuple[tuple[bool, int, int], _Cut] | None = None
        total = self._checks(loop.body)
        for at in range(1, len(loop.body)):
            if isinstance(loop.body[at - 1], ir.Remark) or self._checks(loop.body[:at]) >= total:
                continue
            cut = _Cut(loop, at, self._dependences)
            larger = max(self._checks(cut.first()), self._checks((*cut.reads, *loop.body[at:])))
            rank = larger > self._most, len(cut.kept), larger
            if cut.possible and larger < total and (best is None or rank < best[0]):
                best = rank, cut
        return None if best is None else best[1]

    def _checks(self, stmts: Iterable[Stmt]) -> int:
        """The pairs of streams, of which one is written: those a known distance apart in a row are one."""
        streams: dict[object, bool] = {}
        for stmt in stmts:
            for accesses in self._dependences.touched(stmt).accesses.values():
                for a in accesses:
                    stream = a.root, *map(_row, a.place[:-1]), *map(_from, a.place[-1:])
                    streams[stream] = streams.get(stream, False) or a.kind is not Kind.LOAD
        written = sum(streams.values())
        return written * (written - 1) // 2 + written * (len(streams) - written)


class _Cut:
    """A loop in two, of which the second begins with the statement `at`.

    again: the statements that get for the second what it needs of the first.   reads: those that read memory, with the
    first's index.   kept: what is stored for it, and where.   env: what these are in the second.
    """

    def __init__(self, loop: For, at: int, dependences: Dependences) -> None:
        self.loop, self.at = loop, at
        self.index = Var(loop.index.name, loop.index.type)
        self.again: list[Stmt] = []
        self.reads: list[Load] = []
        self.kept: dict[Var, Var] = {}
        self.env: dict[Var, Var] = {loop.index: self.index}
        self._dependences = dependences
        self._made = {v: k for k, s in enumerate(loop.body[:at]) for v in defined(s)}
        self._stores = {s.value: k for k, s in enumerate(loop.body[:at]) if isinstance(s, Store)}
        rest = loop.body[at:]
        self._apart = all(self._side(c) is not None for c in loop.carry)
        for atom in (a for s in rest for a in used(s)):
            self._get(atom)

    @property
    def possible(self) -> bool:
        integers = self._dependences.integers
        top, least = (self.loop.start, -1) if self._downward else (self.loop.stop, 0)
        simple = (self._upward or self._downward) and integers.at_least(integers.of(top), least)
        small = len(self.kept) <= MOST_KEPT and all(v.type in KEPT for v in self.kept)
        return self._apart and (not self.kept or (simple and small))

    @property
    def _upward(self) -> bool:
        return self.loop.start == ZERO and self.loop.step == ONE

    @property
    def _downward(self) -> bool:
        return self.loop.stop == MINUS_ONE == self.loop.step

    def memory(self) -> Iterator[Stmt]:
        """What makes room for what is kept."""
        builder = Builder()
        builder.span = self.loop.span
        length = builder.let(add, self.loop.start, ONE) if self.kept and self._downward else self.loop.stop
        yield from builder.out
        for buffer in self.kept.values():
            yield ir.Alloc(buffer, (length,), ir.Init.EMPTY, span=self.loop.span)

    def carries(self, first: bool) -> tuple[Carry, ...]:
        return tuple(c for c in self.loop.carry if self._side(c) is first)

    def first(self) -> tuple[Stmt, ...]:
        body = []
        for stmt in self.loop.body[: self.at]:
            body.append(stmt)
            body += [
                Store(self.kept[v], (self.loop.index,), v, span=stmt.span) for v in defined(stmt) if v in self.kept
            ]
        return tuple(body)

    def second(self) -> tuple[Stmt, ...]:
        return *self.again, *substitute(self.loop.body[self.at :], self.env)

    def _side(self, carry: Carry) -> bool | None:
        """Whether a sum is the first's; None if it is neither's alone."""
        sides = {
            k < self.at for k, s in enumerate(self.loop.body) if {carry.inner, carry.next} & {*used(s), *defined(s)}
        }
        return sides.pop() if len(sides) == 1 else None

    # ---- what the second needs

    def _get(self, atom: Atom) -> None:
        """Make the first's value known to the second."""
        if not isinstance(atom, Var) or atom not in self._made or atom in self.env:
            return
        if not self._loaded(atom) and not self._computed(atom):
            self._keep(atom)

    def _keep(self, var: Var) -> None:
        buffer = self.kept[var] = Var(var.name, replace(var.type, rank=1, ref=True))
        self._read(var, buffer, (self.loop.index,))

    def _read(self, var: Var, ref: Var, index: ir.Index) -> None:
        new = self.env[var] = Var(var.name, var.type)
        self.reads.append(Load(new, ref, index))
        now = tuple(self.env.get(item, item) if isinstance(item, Var) else item for item in index)
        self.again.append(Load(new, ref, now, span=self.loop.span))

    def _loaded(self, var: Var) -> bool:
        """Whether it lies in memory still, from where it has come, or where it was stored."""
        at = self._stores.get(var, self._made[var])  # the last store
        stmt = self.loop.body[at]
        if not isinstance(stmt, (Load, Store)) or var.type != ir.Type(stmt.ref.type.dtype) or self._changed(stmt, at):
            return False
        for item in stmt.index:
            if not isinstance(item, ir.Slice):
                self._get(item)
        self._read(var, stmt.ref, stmt.index)
        return True

    def _changed(self, stmt: Load | Store, at: int) -> bool:
        """Whether the first writes to such memory after this."""
        family = self._dependences.classes.of(stmt.ref)
        written = (s for s in self.loop.body[at + 1 : self.at] if isinstance(s, (Store, ir.Accumulate)))
        return any(self._dependences.classes.of(s.ref) is family for s in written)

    def _computed(self, var: Var) -> bool:
        """Whether it is computed again: integers, and truths, of what comes out the same."""
        stmt = self.loop.body[self._made[var]]
        if not isinstance(stmt, Let) or var.type.is_float or len(stmt.targets) != 1 or stmt.op.traits.effort == "much":
            return False
        for a in stmt.args:
            self._get(a)
        args = tuple(self.env.get(a, a) if isinstance(a, Var) else a for a in stmt.args)
        new = self.env[var] = Var(var.name, var.type)
        self.again.append(replace(stmt, targets=(new,), args=args))
        return True


def _is_straight(loop: For) -> bool:
    return loop.exit is None and not loop.parallel and all(isinstance(s, STRAIGHT) for s in loop.body)


def _row(index: Poly | None) -> object:
    return None if index is None else index.key


def _from(index: Poly | None) -> object:
    """Where in a row a stream goes on from, but for a literal distance."""
    return None if index is None else (index - index.offset).key
