"""Kept arrays: where they live, how large they are, and the rows in them."""

from __future__ import annotations

from functools import cached_property

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.kept_shapes import Lengths, lengths
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.shapes import Dim, Shorter
from srcgrad.core.walk import blocks, walk
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.scalar.arithmetic import add, subtract
from srcgrad.rules.shapes.shape import dim as length_of
from srcgrad.transform.context import Context
from srcgrad.transform.plan import Loop, Plan

INT_ZERO, INT_ONE = const(0), const(1)


def step_of(loop: Loop) -> int | None:
    """The loop's step if it is a literal."""
    if isinstance(loop, ir.For) and isinstance(loop.step, Const):
        return int(loop.step.value.real)
    return None


def direct(loop: Loop) -> bool:
    """Whether the loop's index serves as the row of kept arrays: step 1 from a small literal."""
    if not isinstance(loop, ir.For) or step_of(loop) != 1 or not isinstance(loop.start, Const):
        return False
    return 0 <= loop.start.value.real <= 8


def counted(loop: Loop) -> bool:
    """Whether the number of turns is known only after the loop."""
    return isinstance(loop, ir.While) or loop.exit is not None


def row(builder: Builder, loop: ir.For, index: Atom, start: Atom, step: Atom) -> Atom:
    """The row in kept arrays of the turn at this index."""
    if direct(loop):
        return index
    one = step_of(loop)
    first, last = (start, index) if one == -1 else (index, start)
    difference: Atom = builder.let(subtract, first, last, name="row")
    if one in (1, -1):
        return difference
    from_step: Atom = builder.let(trips, INT_ZERO, difference, step, name="row")
    return from_step


class Keeper:
    """Makes kept arrays before the statement that holds their sites."""

    def __init__(self, builder: Builder, plan: Plan) -> None:
        self._b, self._plan, self._facts = builder, plan, plan.facts

    def sites(self, stmt: Stmt, region: Region, escapes: set[Stmt], ctx: Context) -> None:
        """Before stmt, which stands in region: arrays for all the sites inside it whose memory lives in region."""
        for _, block in blocks(stmt):
            for site in walk(block):
                if site in escapes and self._facts.level_of(site.target) is region:  # type: ignore[attr-defined]
                    self._positions(site, stmt, region, site.target.type, f"{site.target.name}_bar", ctx)  # type: ignore[attr-defined]
                elif self._plan.kept(site) and self._plan.level[site] is region:
                    self._site(site, stmt, region, ctx)

    def _site(self, site: Stmt, stmt: Stmt, region: Region, ctx: Context) -> None:
        if isinstance(site, ir.Append):
            ctx.kept[site] = self._rows(site, stmt, region, "i8", f"{site.pos.name}_kept", ctx)
        elif isinstance(site, (ir.Load, ir.Draw)) and site.target.type.rank:
            if self._rows_of_arrays(site, stmt, region, ctx):
                return
            memory = ir.Type(site.target.type.dtype, site.target.type.rank, ref=True)
            self._positions(site, stmt, region, memory, f"{site.target.name}_kept", ctx)
        elif isinstance(site, (ir.Load, ir.Draw)):
            ctx.kept[site] = self._rows(site, stmt, region, site.target.type.dtype, f"{site.target.name}_kept", ctx)

    def _rows(self, site: Stmt, stmt: Stmt, region: Region, dtype: str, name: str, ctx: Context) -> Var:
        dims = [self.extent(loop, ctx) for loop in self._facts.loops_between(site, region)]
        return self._b.alloc(dtype, dims or [INT_ONE], "empty", name)

    def _rows_of_arrays(self, site: ir.Load | ir.Draw, stmt: Stmt, region: Region, ctx: Context) -> bool:
        """One array for all visits, if their number and the lengths of what is kept are known before stmt.

        Not where visits may be few among many turns: a list is as long as there are visits.
        """
        holders = [s for _, s in self._facts.chain(site, region)[:-1]]
        if len(holders) > 1 and any(isinstance(s, ir.If) or getattr(s, "exit", None) is not None for s in holders):
            return False
        rows = [self.extent(loop, ctx) for loop in self._facts.loops_between(site, region)] or [INT_ONE]
        axes = [self._length(d, ctx) for d in self._lengths.shapes.dims(site.target)]
        if None in rows or None in axes:
            return False
        ctx.kept[site] = self._b.alloc(site.target.type.dtype, [*rows, *axes], "empty", f"{site.target.name}_kept")
        return True

    @cached_property
    def _lengths(self) -> Lengths:
        return lengths(self._facts.fun)

    def _length(self, dim: Dim, ctx: Context) -> Atom | None:
        """The length that a token stands for, of what is in scope."""
        if isinstance(dim, Const) or (isinstance(dim, Var) and dim in ctx.env):
            length: Atom = self._b.let(nonnegative, ctx(dim), name="n")
            return length
        if isinstance(dim, Shorter):
            longer = self._length(dim.dim, ctx)
            cut = None if longer is None else self._b.let(subtract, longer, const(dim.cut), name="n")
            return None if cut is None else self._b.let(nonnegative, cut, name="n")
        match dim:
            case (Var() as of, int(axis)) if of in ctx.env:
                return self._b.let(length_of, ctx(of), axis=axis, name="n")
        return None

    def _positions(self, site: Stmt, stmt: Stmt, region: Region, memory: ir.Type, name: str, ctx: Context) -> None:
        """A list of arrays, and for each visit the place in it."""
        refs = self.new_list(memory, name + "s" if name.endswith("_bar") else name)
        ctx.kept[site] = refs, self._rows(site, stmt, region, "i8", "place_kept", ctx)

    def new_list(self, memory: ir.Type, name: str) -> Var:
        like = self._b.alloc(memory.dtype, [INT_ZERO] * memory.rank, "empty", "none")
        refs = Var(name, ir.Type(memory.dtype, memory.rank, many=True))
        self._b.put(ir.NewList(refs, like))
        return refs

    # ---- extents

    def extent(self, loop: Loop, ctx: Context) -> Atom | None:
        """How many rows the loop may need, from what is in scope; None: it grows."""
        if isinstance(loop, ir.While):
            return None
        start, stop, one = loop.start, loop.stop, step_of(loop)
        if one == -1:
            start, stop = stop, start
        if direct(loop):
            top = self._bound(stop, 1, ctx)
            return None if top is None else self._b.let(nonnegative, top, name="rows")
        if one in (1, -1):
            low, high = self._bound(start, -1, ctx), self._bound(stop, 1, ctx)
            if low is None or high is None:
                return None
            rows: Atom = self._b.let(nonnegative, self._b.let(subtract, high, low, name="rows"), name="rows")
            return rows
        if all(isinstance(a, Const) or a in ctx.env for a in (loop.start, loop.stop, loop.step)):
            turns: Atom = self._b.let(trips, ctx(loop.start), ctx(loop.stop), ctx(loop.step), name="rows")
            return turns
        return None

    def _bound(self, atom: Atom, sign: int, ctx: Context) -> Atom | None:
        """An upper (sign 1) or lower (-1) bound of an integer, of what is in scope."""
        if isinstance(atom, Const) or atom in ctx.env:
            return ctx(atom)
        made = self._facts.makes.get(atom)
        if isinstance(made, ir.For) and made.index is atom and step_of(made) is not None:
            upward = (step_of(made) or 0) > 0
            to_stop = upward == (sign > 0)
            bound = self._bound(made.stop if to_stop else made.start, sign, ctx)
            return bound if bound is None or not to_stop else self._b.let(subtract, bound, const(sign), name="rows")
        if isinstance(made, ir.Let) and made.op in (add, subtract) and isinstance(made.args[1], Const):
            bound = self._bound(made.args[0], sign, ctx)
            return None if bound is None else self._b.let(made.op, bound, made.args[1], name="rows")
        return None


def visit(facts: Facts, site: Stmt, level: Region, ctx: Context) -> tuple[Atom, ...]:
    """Where in a kept array this visit goes: the rows of the loops between its level and the site."""
    between = facts.loops_between(site, level)
    return tuple(atom for loop, atom in ctx.counters if loop in between) or (INT_ZERO,)
