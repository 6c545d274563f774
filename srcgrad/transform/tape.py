"""What one emission keeps for the reverse sweep, and where it is found again. The plan says what, and in what.

Each thing is kept once: by the run of the region in which its memory's life ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from srcgrad.core import ir
from srcgrad.core.build import Builder, whole
from srcgrad.core.ir import Atom, Carry, Stmt, Var
from srcgrad.rules.language.integers import larger
from srcgrad.rules.scalar.arithmetic import subtract
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.context import Context
from srcgrad.transform.counters import told
from srcgrad.transform.iterations import INT_ZERO, Loop, emit_length
from srcgrad.transform.plan import Plan, Site
from srcgrad.transform.storage import Listed, Rows

K = TypeVar("K")
V = TypeVar("V")


def row_of(loops: Sequence[Loop], ctx: Context) -> tuple[Atom, ...]:
    """Where in a kept array with an axis for each of these loops the present visit goes."""
    return tuple(atom for loop, atom in ctx.counters if loop in loops) or (INT_ZERO,)


def append(builder: Builder, refs: Var, ref: Var) -> Var:
    """Append a reference to a list; its position there."""
    pos = Var("place", ir.I8)
    builder.put(ir.Append(refs, ref, pos))
    return pos


def reference_at(builder: Builder, refs: Var, pos: Atom, name: str) -> Var:
    """The reference at this position of a list."""
    target = Var(name, ir.Type(refs.type.dtype, refs.type.rank, ref=True))
    builder.put(ir.RefAt(target, refs, pos))
    return target


class Tape:
    """Makes what the plan keeps, writes into it where the primal runs, and reads it where it is run again."""

    def __init__(self, builder: Builder, plan: Plan) -> None:
        self._b, self._plan = builder, plan
        self._arrays: dict[Site, Var] = {}
        self._values: dict[Var, Var] = {}  # of each kept value, its array
        self._lists: dict[Site, tuple[Var, Var]] = {}  # the list, and the position of each visit's array in it
        self._entries: dict[Var, Var] = {}  # what enters each iteration, or the list of its shadows
        self._snapshots: dict[tuple[Loop, Var], Var] = {}
        self._counts: dict[Loop, Var] = {}
        self._taken: dict[Loop, Var] = {}

    # ---- before the statement that holds what is kept

    def make_sites(self, stmt: Stmt, ctx: Context) -> None:
        """Arrays for what is kept inside stmt."""
        for site in self._plan.sites.get(stmt, ()):
            storage = self._plan.storage[site]
            if isinstance(storage, Listed):
                refs = self._new_list(storage.memory, storage.name)
                _once(self._lists, site, (refs, self._new_rows(storage.positions, ctx)))
            else:
                _once(self._arrays, site, self._new_rows(storage, ctx))

    def make_values(self, stmt: Stmt, ctx: Context) -> None:
        """Arrays for the values that are kept inside stmt, which stands in a region that is run once."""
        for var in self._plan.values_in.get(stmt, ()):
            _once(self._values, var, self._new_rows(self._plan.values[var].rows, ctx))

    def make_entries(self, loop: Loop, ctx: Context) -> None:
        """Arrays for what enters each iteration of a loop, and for its snapshots."""
        extent = self._plan.rows[loop]
        rows = None if extent is None else emit_length(self._b, extent, ctx)
        for carry in self._plan.entries[loop]:
            kind, name = carry.inner.type, carry.inner.name
            if kind.ref:
                _once(self._entries, carry.inner, self._new_list(kind, f"{name}_bars"))
            else:
                _once(self._entries, carry.inner, self._b.alloc(kind.dtype, [rows], ir.Init.EMPTY, f"{name}_kept"))
        for root in self._plan.snapshots[loop]:
            lengths = [self._longest(loop, root, axis, ctx) for axis in range(root.type.rank)]
            kept = self._b.alloc(root.type.dtype, [rows, *lengths], ir.Init.EMPTY, f"{root.name}_kept")
            _once(self._snapshots, (loop, root), kept)

    def _new_rows(self, rows: Rows, ctx: Context) -> Var:
        lengths = [None if n is None else emit_length(self._b, n, ctx) for n in rows.lengths]
        return self._b.alloc(rows.dtype, lengths, ir.Init.EMPTY, rows.name)

    def _new_list(self, memory: ir.Type, name: str) -> Var:
        like = self._b.alloc(memory.dtype, [INT_ZERO] * memory.rank, ir.Init.EMPTY, "none")
        refs = Var(name, ir.Type(memory.dtype, memory.rank, many=True))
        self._b.put(ir.NewList(refs, like))
        return refs

    def _longest(self, loop: Loop, root: Var, axis: int, ctx: Context) -> Atom:
        """The axis's length in a snapshot; swapped buffers may differ in it."""
        if not any(root is c.inner for c in loop.carry):
            return self._b.let(dim, ctx(root), axis=axis, name="n")
        of = self._plan.facts.classes.of
        swapped = [c for c in loop.carry if c.inner.type == root.type and of(c.inner) is of(root)]
        first, *more = (self._b.let(dim, ctx(c.init), axis=axis, name="n") for c in swapped)
        for other in more:
            first = self._b.let(larger, first, other, name="n")
        return first

    # ---- what a visit of a site loads, draws, appends or makes

    def put_value(self, site: ir.Load | ir.Draw | ir.Let, value: Atom, ctx: Context) -> None:
        place = self._visit(site, ctx)
        if site in self._arrays:
            self._b.store(self._arrays[site], (*place, *whole(site.target)), value)
            return
        refs, positions = self._lists[site]
        copy = self._b.alloc(value.type.dtype, (), value, site.target.name)
        self._b.store(positions, place, append(self._b, refs, copy))

    def value(self, site: ir.Load | ir.Draw | ir.Let, ctx: Context) -> Var:
        if site in self._arrays:
            return self._b.load(self._arrays[site], (*self._visit(site, ctx), *whole(site.target)), site.target.name)
        return self._b.load(self.reference(site, site.target.name, ctx), None, site.target.name)

    def put_reference(self, site: ir.Alloc, ref: Var, ctx: Context) -> None:
        place = self._visit(site, ctx)
        refs, positions = self._lists[site]
        self._b.store(positions, place, append(self._b, refs, ref))

    def reference(self, site: ir.Load | ir.Draw | ir.Let | ir.Alloc, name: str, ctx: Context) -> Var:
        place = self._visit(site, ctx)
        refs, positions = self._lists[site]
        return reference_at(self._b, refs, self._b.load(positions, place, "place"), name)

    def put_position(self, site: ir.Append, pos: Atom, ctx: Context) -> None:
        self._b.store(self._arrays[site], self._visit(site, ctx), pos)

    def position(self, site: ir.Append, ctx: Context) -> Var:
        return self._b.load(self._arrays[site], self._visit(site, ctx), site.pos.name)

    def _visit(self, site: Site, ctx: Context) -> tuple[Atom, ...]:
        return row_of(self._plan.axes(site), ctx)

    # ---- values that could be computed again

    def keep(self, var: Var, ctx: Context) -> None:
        """Keep the value of this visit."""
        self._b.store(self._values[var], (*self._row(var, ctx), *whole(var)), ctx(var))

    def kept(self, var: Var, ctx: Context) -> Var:
        """What this visit has kept."""
        return self._b.load(self._values[var], (*self._row(var, ctx), *whole(var)), var.name)

    def _row(self, var: Var, ctx: Context) -> tuple[Atom, ...]:
        return row_of(self._plan.values[var].loops, ctx)

    # ---- what enters an iteration

    def put_entries(self, loop: Loop, place: Atom, ctx: Context) -> None:
        """Keep all of it for the iteration of this row, which finds it in ctx."""
        for carry in self._plan.entries[loop]:
            kept = self._entries[carry.inner]
            if kept.type.many:
                append(self._b, kept, ctx.bar[carry.inner])
            else:
                self._b.store(kept, (place,), ctx(carry.inner))
        for root in self._plan.snapshots[loop]:
            ref = ctx.ref(root)
            lengths = [self._b.let(dim, ref, axis=k, name="n") for k in range(ref.type.rank)]
            index = (place, *(ir.Slice(None, n) for n in lengths))
            self._b.store(self._snapshots[loop, root], index, self._b.load(ref, whole(ref), ref.name))

    def entry(self, loop: Loop, carry: Carry, place: Atom, ctx: Context) -> Atom:
        """The scalar that entered the iteration of this row, which is that of ctx."""
        if carry.inner in self._plan.values:
            return self.kept(carry.inner, ctx)
        if carry in self._plan.counters:
            return told(self._b, loop, carry, self._plan.counters[carry], place, ctx)
        return self._b.load(self._entries[carry.inner], (place,), carry.inner.name)

    def shadow(self, carry: Carry, iteration: Atom, name: str) -> Var:
        """The shadow of the reference that entered this iteration, which is counted from 0."""
        return reference_at(self._b, self._entries[carry.inner], iteration, name)

    def snapshot(self, loop: Loop, root: Var) -> Var:
        """The array with a row an iteration."""
        return self._snapshots[loop, root]

    # ---- how many iterations there were

    def put_count(self, loop: Loop, count: Var) -> None:
        _once(self._counts, loop, count)

    def count(self, loop: Loop) -> Var | None:
        """None of a loop whose bounds tell it."""
        return self._counts.get(loop)

    # ---- which iteration found what a loop looks for

    def put_taken(self, loop: Loop, index: Var) -> None:
        _once(self._taken, loop, index)

    def taken(self, loop: Loop) -> Var:
        """The index of the last iteration that took something; the one before the first, if none did."""
        return self._taken[loop]

    def none_taken(self, loop: ir.For, ctx: Context) -> Atom:
        before: Atom = self._b.let(subtract, ctx(loop.start), ctx(loop.step), name="before")
        return before


def _once(things: dict[K, V], key: K, value: V) -> None:
    assert key not in things, "what is kept is made once"
    things[key] = value
