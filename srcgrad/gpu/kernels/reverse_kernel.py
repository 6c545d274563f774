"""Kernels: the adjoint of one thread, whose memory is partly that of others.

The adjoint of a kernel is that of a function whose array parameters are memory in and out: its bars are given, hold the
cotangents of what is there at the end, and afterwards those of what was there at the start. What is written for others
to read is a matter of barriers, and those keep their order, reversed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite_block
from srcgrad.core.walk import walk
from srcgrad.gpu.kernels.thread_memory import ThreadMemory, ThreadShadows
from srcgrad.rules.language.integers import trips
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.transform.adjoint import Adjoint
from srcgrad.transform.context import Bars, Context, bar_name
from srcgrad.transform.iterations import INT_ONE, INT_ZERO, Loop, Numbering, counted, numbering
from srcgrad.transform.plan import Plan
from srcgrad.transform.reverse import transposed
from srcgrad.transform.taped_calls import adjoint_name


@dataclass(frozen=True)
class AdjointKernel:
    """The adjoint kernel; its parameters are the primal's, one bar for each float array, and how many rows what is kept
    needs in each loop of the primal."""

    fun: Fun
    bars: tuple[Var, ...]
    shadows: tuple[Var, ...]  # the bars, and those of memory that a block shares
    refilled: tuple[Var, ...]  # shared memory that the reverse sweep fills again
    rows: Mapping[Var, Loop]


def adjoint(fun: Fun, own: int) -> AdjointKernel:
    """The adjoint of a kernel with respect to the float arrays among its first parameters."""
    facts = Facts(fun)
    active = [p for p in fun.params[:own] if p.type.ref and p.type.is_float]
    memory = ThreadMemory(facts)
    plan = Plan(facts, active=active, memory=memory)
    b, top = Builder(fun), facts.top
    shadows = ThreadShadows(b)
    sweeps = Adjoint(b, plan, shadows, transposed)
    ctx = Context({p: p for p in (*fun.params, *memory.counted.values())})
    given = tuple(Var(bar_name(p), p.type) for p in active)
    for param, bar in zip(active, given, strict=True):
        b.copy_dims(bar, param)
        ctx.bar[param] = bar
    sweeps.replay.run(fun.body, top, top, ctx)
    b.put(ir.Remark("reverse", opens=True))
    sweeps.create_shadows(fun.body, ctx)
    shared = tuple(v for v, alloc in shadows.made.items() if alloc.space is ir.Space.SHARED and v in ctx.bar.values())
    if shared:
        b.put(ir.Barrier())
    sweeps.back(fun.body, top, ctx, Bars(b, facts, plan.activity, top, False))
    rows = {count: loop for loop, count in memory.counted.items()}
    results = (*given, *(fun.facts.kernel.counted if fun.facts.kernel else ()))
    made = replace(fun.facts, plan=tuple(plan.made), same_shapes=tuple(zip(given, active, strict=True)))
    params = (*fun.params, *given, *rows)
    refilled = tuple(v for v, alloc in shadows.made.items() if facts.classes.of(alloc.target) in plan.refilled)
    kernel = Fun(adjoint_name(fun.name), params, tuple(b.out), results, made)
    return AdjointKernel(kernel, given, (*given, *shared), refilled, rows)


def without_unread(fun: Fun, refilled: Collection[Var]) -> Fun:
    """The function without stores of the forward sweep into memory that only the reverse sweep reads, and fills."""
    end = next((k for k, s in enumerate(fun.body) if isinstance(s, ir.Remark)), 0)
    forward, back = fun.body[:end], fun.body[end:]
    of = aliases_of(fun).of
    read = {of(s.ref) for s in walk(forward) if isinstance(s, ir.Load)}
    gone = set(map(of, refilled)) - read

    def read_later(stmt: Stmt) -> Rewritten:
        return () if isinstance(stmt, (ir.Store, ir.Accumulate)) and of(stmt.ref) in gone else stmt

    return replace(fun, body=(*rewrite_block(forward, read_later), *back)) if gone else fun


# ---- counting iterations


def counting_kernel(fun: Fun, loops: list[Loop]) -> Fun:
    """The kernel that finds how many rows each of these loops needs: the most that any thread does."""
    found = Var("rows", ir.Type("i8", 1, ref=True))
    memory = ThreadMemory(Facts(fun))

    class Counted(Rewriter):
        def one(self, stmt: Stmt) -> Rewritten:
            if memory.left_out(stmt):
                return ()
            new = self.inside(stmt)
            if stmt not in loops:
                return new
            return _counting(new, const(loops.index(stmt)), found)  # type: ignore[arg-type]

    facts = replace(fun.facts, same_shapes=())
    return Fun(f"{fun.name}_rows", (*fun.params, found), Counted().block(fun.body), (found,), facts)


def _counting(loop: Loop, place: Const, found: Var) -> Iterator[Stmt]:
    """The loop, and a note of how many rows its iterations take in what is kept."""
    if not counted(loop):
        assert isinstance(loop, ir.For)
        rows: Atom = loop.stop
        if numbering(loop) is not Numbering.INDEX:
            rows = Var("turns", ir.I8)
            yield ir.Let((rows,), trips, (loop.start, loop.stop, loop.step))
        yield ir.Accumulate(found, (place,), rows, atomic=ir.Atomic.MAX, span=loop.span)
        yield loop
        return
    number, after, following = (Var(name, ir.I8) for name in ("turn", "turns", "turn"))
    init = loop.start if isinstance(loop, ir.For) and numbering(loop) is Numbering.INDEX else INT_ZERO
    count = ir.Let((following,), add, (number, INT_ONE))
    carry = (*loop.carry, ir.Carry(number, init, following, after))
    yield replace(loop, body=(count, *loop.body), carry=carry)
    yield ir.Accumulate(found, (place,), after, atomic=ir.Atomic.MAX, span=loop.span)
