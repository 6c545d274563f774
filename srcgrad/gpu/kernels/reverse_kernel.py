"""Kernels: the tangent and the adjoint of one thread, whose memory is partly that of others.

The adjoint of a kernel is that of a function whose array parameters are memory in and out: its bars are given, hold the
cotangents of what is there at the end, and afterwards those of what was there at the start. What one thread reads,
others may read, so adding to the cotangent of memory that threads share is atomic (`simplify/atomics.py` says where it
need not be). What is written for others to read is a matter of barriers, and those keep their order, reversed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.threads import Threads
from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite_block
from srcgrad.core.walk import map_index, walk
from srcgrad.gpu.kernels.tiles import tiled
from srcgrad.rules import cuda_names
from srcgrad.rules.language.integers import trips
from srcgrad.rules.scalar.arithmetic import add, floor_divide, multiply, right_shift
from srcgrad.rules.scalar.compare import greater, less, less_equal
from srcgrad.transform.adjoint import adjoint_name
from srcgrad.transform.context import Bars, Context, bar_name
from srcgrad.transform.plan import Access, Loop, Plan
from srcgrad.transform.refuse import unsupported
from srcgrad.transform.reverse import Reverse
from srcgrad.transform.tape import INT_ONE, INT_ZERO, Keeper, counted, direct
from srcgrad.transform.where_guard import Guards


@dataclass(frozen=True)
class Adjoint:
    """The adjoint kernel; its parameters are the primal's, one bar for each float array, and how many rows what is kept
    needs in each loop of the primal."""

    fun: Fun
    bars: tuple[Var, ...]
    shadows: tuple[Var, ...]  # the bars, and those of memory that a block shares
    refilled: tuple[Var, ...]  # shared memory that the sweep back fills again
    rows: Mapping[Var, Loop]


class Memory:
    """Whose memory it is, and which arguments a thread reads again after it has written them."""

    def __init__(self, facts: Facts, plan: Plan) -> None:
        self.facts = facts
        classes = facts.classes
        self.given = {classes.of(p) for p in facts.fun.params if p.type.ref}
        shared = (s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space == "shared")
        self.shared = {classes.of(v) for v in shared}
        self.read_back = {cls for cls in self.given if self._read_back(cls, plan)}

    def of_others(self, ref: Var) -> bool:
        """Whether other threads reach this memory too."""
        return self.facts.classes.of(ref) in self.given | self.shared

    def unseen(self, stmt: Stmt) -> bool:
        """Whether it is a store into an argument that the kernel does not look at again."""
        if not isinstance(stmt, (ir.Store, ir.Accumulate)):
            return False
        cls = self.facts.classes.of(stmt.ref)
        return cls in self.given and cls not in self.read_back

    def _read_back(self, cls: Var, plan: Plan) -> bool:
        loads = [s for s in self.facts.where if isinstance(s, ir.Load) and self.facts.classes.of(s.ref) is cls]
        stores = self.facts.stores.get(cls, ())
        return any(plan.overwrites.reads_back(load, store, self.facts.top) for load in loads for store in stores)


class KernelPlan(Plan):
    """A plan that knows that other threads run too. No snapshots: they would be of memory that others write."""

    def __init__(self, facts: Facts) -> None:
        self._memory: Memory | None = None
        self.refilled: set[Region] = set()  # bodies of loops whose run fills shared memory again
        super().__init__(facts, "keep")
        for cls in self.memory.shared:
            self._refill(cls)

    @property
    def memory(self) -> Memory:
        if self._memory is None:
            self._memory = Memory(self.facts, self)
        return self._memory

    def _refill(self, cls: Var) -> None:
        """Let the memory live in one turn of the loop that fills it in each, if something would be kept else."""
        loop = tiled(cls, self._threads)
        inside = [s for s in self.level if isinstance(s, Access) and self.facts.classes.of(s.ref) is cls]
        if loop is None or not any(map(self.kept, inside)):
            return
        body = self.facts.region[loop, "body"]
        self.refilled.add(body)
        for access in inside:
            self.level[access] = body
        for access in inside:
            if isinstance(access, ir.Load):
                self._decide(access)

    @cached_property
    def _threads(self) -> Threads:
        return Threads(self.facts.fun, self.facts)

    def overwritten_later(self, load: ir.Load, level: Region) -> bool:
        """Of memory that others reach, any store that may come later counts: it is theirs too, at other places."""
        cls = self.facts.classes.of(load.ref)
        if cls in self.memory.given and cls not in self.memory.read_back:
            return False  # the forward sweep leaves those stores out
        if self.memory.of_others(load.ref):
            return self.facts.overwritten_later(load, load.ref, level)
        return super().overwritten_later(load, level)


class KernelKeeper(Keeper):
    """Rows for loops whose number of turns is not a literal are counted by a launch of their own."""

    rows: dict[Loop, Var]

    def extent(self, loop: Loop, ctx: Context) -> Atom | None:
        mark = len(self._b.out)
        known = const(64) if self._doubles(loop) else super().extent(loop, ctx)
        if isinstance(known, Const):
            return known
        del self._b.out[mark:]
        return self.rows.setdefault(loop, Var("rows", ir.I8))

    def _doubles(self, loop: Loop) -> bool:
        """Whether the loop goes on while an integer that it halves is positive, or one that it doubles is below
        something: an integer has 64 bits."""
        test = None if isinstance(loop, ir.For) or not isinstance(loop.cond, Var) else self._facts.makes.get(loop.cond)
        if not isinstance(test, ir.Let) or not isinstance(loop, ir.While):
            return False
        for head in loop.carry:
            step = self._facts.makes.get(head.next) if isinstance(head.next, Var) else None
            if head.inner.type != ir.I8 or not isinstance(step, ir.Let) or step.args[0] is not head.inner:
                continue
            factor = step.args[1].value.real if isinstance(step.args[1], Const) else 0
            ends = test.args == (head.inner, INT_ZERO) and test.op is greater
            if ends and factor >= (1 if step.op is right_shift else 2):
                return step.op in (floor_divide, right_shift)
            starts = isinstance(head.init, Const) and head.init.value.real >= 1
            if starts and test.args[0] is head.inner and test.op in (less, less_equal) and factor >= 2:
                return step.op is multiply
        return False

    def _positions(self, site: Stmt, stmt: Stmt, region: Region, memory: ir.Type, name: str, ctx: Context) -> None:
        raise unsupported(site.span, "references are kept in a kernel", "choose between arrays outside the kernel")

    def new_list(self, memory: ir.Type, name: str) -> Var:
        raise unsupported(self._b.span, "references are kept in a kernel", "choose between arrays outside the kernel")


class KernelReverse(Reverse):
    """Builds the adjoint of one kernel."""

    plan: KernelPlan

    def __init__(self, fun: Fun, active: list[Var], plan: KernelPlan) -> None:
        super().__init__(fun, active, plan)
        self.keeper: KernelKeeper = KernelKeeper(self.b, plan)
        self.keeper.rows = {}
        self.made: dict[Var, ir.Alloc] = {}  # the memory that the adjoint makes, by reference

    def adjoint(self) -> Adjoint:
        fun, top = self.fun, self.facts.top
        ctx = Context({p: p for p in fun.params})
        bars = Bars(self.b, self.facts, self.activity, top, False)
        given = tuple(Var(bar_name(p), p.type) for p in self._active)
        for param, bar in zip(self._active, given, strict=True):
            self.b.copy_dims(bar, param)
            ctx.bar[param] = bar
        self.run(fun.body, top, top, ctx)
        self.b.put(ir.Remark("reverse", opens=True))
        self._bear_views_first(ctx)
        if any(self.made[v].space == "shared" for v in ctx.bar.values() if v in self.made):
            self.b.put(ir.Barrier())
        self.back(fun.body, top, ctx, bars)
        facts = replace(fun.facts, same_shapes=tuple(zip(given, self._active, strict=True)))
        rows = {var: loop for loop, var in self.keeper.rows.items()}
        params = (*fun.params, *given, *rows)
        shared = tuple(v for v in self.made if v in ctx.bar.values() and self.made[v].space == "shared")
        results = (*given, *_counted(fun))
        made = Fun(adjoint_name(fun.name), params, tuple(self.b.out), results, facts)
        refilled = tuple(v for v, alloc in self.made.items() if self._is_refilled(alloc.target))
        return Adjoint(made, given, (*given, *shared), refilled, rows)

    def _is_refilled(self, ref: Var) -> bool:
        accesses = (s for s, level in self.plan.level.items() if isinstance(s, Access) and level in self.plan.refilled)
        return any(self.facts.classes.of(s.ref) is self.facts.classes.of(ref) for s in accesses)

    # ---- forward

    def _run_one(self, stmt: Stmt, region: Region, current: Region, ctx: Context) -> None:
        if isinstance(stmt, ir.Barrier) and region in self.plan.refilled:
            self.b.put(ir.Barrier(span=stmt.span))
        elif not self.plan.memory.unseen(stmt):
            super()._run_one(stmt, region, current, ctx)

    def _run_alloc(self, stmt: ir.Alloc, region: Region, current: Region, ctx: Context) -> None:
        target = Var(stmt.target.name, stmt.target.type)
        self.b.put(replace(stmt, target=target))
        ctx.env[stmt.target] = target
        self.made[target] = stmt
        if self.halves(stmt.target, region)[1]:  # chosen at run time, as in `a, b = b, a`: so is its shadow
            ctx.bar[stmt.target] = self.shadow_of(target, bar_name(stmt.target))

    # ---- back

    def _back_one(self, stmt: Stmt, region: Region, ctx: Context, bars: Bars, guards: Guards) -> None:
        match stmt:
            case ir.Barrier():
                self.b.put(ir.Barrier(span=stmt.span))
            case ir.Load() if self.plan.memory.of_others(stmt.ref):
                bar = bars.take(stmt.target)
                if bar is not None:
                    index = map_index(stmt.index, ctx)
                    self.b.put(ir.Accumulate(ctx.bar[stmt.ref], index, bar, atomic="add", span=stmt.span))
            case ir.Accumulate() if stmt.ref in _counted(self.fun):  # here is where it is looked who won
                self.b.put(replace(stmt, index=map_index(stmt.index, ctx)))
            case ir.Accumulate(atomic="max" | "min") if stmt.ref in self.activity:
                raise unsupported(
                    stmt.span,
                    f"cuda.atomic.{stmt.atomic} of floats that are differentiated",
                    "write what is compared into an array, and reduce it in a kernel of its own",
                )
            case _:
                super()._back_one(stmt, region, ctx, bars, guards)

    def shadow_of(self, ref: Var, name: str) -> Var:
        """New zeros in ref's shape and space."""
        alloc = self.made[ref]
        shadow = Var(name, ref.type)
        made = ir.Alloc(shadow, alloc.shape, "empty", alloc.space)
        self.b.put(made)
        self.made[shadow] = made
        with self.b.at(None):
            self._clear(shadow, alloc, ())
        return shadow

    def _clear(self, shadow: Var, alloc: ir.Alloc, index: tuple[Atom, ...]) -> None:
        """Loops that store zeros; of memory that a block shares, its threads take turns."""
        axis = len(index)
        if axis == len(alloc.shape):
            self.b.store(shadow, index, const(0.0, ir.Type(shadow.type.dtype)))
            return
        start: Atom = INT_ZERO
        step: Atom = INT_ONE
        left = len(alloc.shape) - 1 - axis
        if alloc.space == "shared" and left < 3:
            start = self.b.let(cuda_names.coordinate, name="k", of="threadIdx", axis=left)
            step = self.b.let(cuda_names.coordinate, name="step", of="blockDim", axis=left)
        length = alloc.shape[axis]
        assert length is not None
        k = Var("k", ir.I8)
        with self.b.block() as body:
            self._clear(shadow, alloc, (*index, k))
        self.b.put(ir.For(k, start, length, step, (), tuple(body)))


def adjoint(fun: Fun, own: int) -> Adjoint:
    """The adjoint of a kernel with respect to the float arrays among its first parameters."""
    facts = Facts(fun)
    active = [p for p in fun.params[:own] if p.type.ref and p.type.is_float]
    return KernelReverse(fun, active, KernelPlan(facts)).adjoint()


def without_unread(fun: Fun, refilled: Collection[Var]) -> Fun:
    """The function without stores of the forward sweep into memory that only the sweep back reads, which fills it."""
    end = next((k for k, s in enumerate(fun.body) if isinstance(s, ir.Remark)), 0)
    head, tail = fun.body[:end], fun.body[end:]
    of = aliases_of(fun).of
    read = {of(s.ref) for s in walk(head) if isinstance(s, ir.Load)}
    gone = set(map(of, refilled)) - read

    def read_later(stmt: Stmt) -> Rewritten:
        return () if isinstance(stmt, (ir.Store, ir.Accumulate)) and of(stmt.ref) in gone else stmt

    return replace(fun, body=(*rewrite_block(head, read_later), *tail)) if gone else fun


# ---- counting turns


def turns(fun: Fun, loops: list[Loop]) -> Fun:
    """The kernel that finds how many rows each of these loops needs: the most that any thread does."""
    found = Var("rows", ir.Type("i8", 1, ref=True))
    plan = KernelPlan(Facts(fun))

    class Counted(Rewriter):
        def one(self, stmt: Stmt) -> Rewritten:
            if plan.memory.unseen(stmt):
                return ()
            new = self.inside(stmt)
            if stmt not in loops:
                return new
            return _counting(new, const(loops.index(stmt)), found)  # type: ignore[arg-type]

    facts = replace(fun.facts, same_shapes=())
    return Fun(f"{fun.name}_rows", (*fun.params, found), Counted().block(fun.body), (found,), facts)


def _counted(fun: Fun) -> tuple[Var, ...]:
    """The arrays in which it is counted who won."""
    return fun.facts.kernel.counted if fun.facts.kernel else ()


def _counting(loop: Loop, place: Const, found: Var) -> Iterator[Stmt]:
    """The loop, and a note of how many rows its turns take in what is kept."""
    if not counted(loop):
        assert isinstance(loop, ir.For)
        rows: Atom = loop.stop
        if not direct(loop):
            rows = Var("turns", ir.I8)
            yield ir.Let((rows,), trips, (loop.start, loop.stop, loop.step))
        yield ir.Accumulate(found, (place,), rows, atomic="max", span=loop.span)
        yield loop
        return
    turn, after, following = (Var(name, ir.I8) for name in ("turn", "turns", "turn"))
    init = loop.start if isinstance(loop, ir.For) and direct(loop) else INT_ZERO
    count = ir.Let((following,), add, (turn, INT_ONE))
    carry = (*loop.carry, ir.Carry(turn, init, following, after))
    yield replace(loop, body=(count, *loop.body), carry=carry)
    yield ir.Accumulate(found, (place,), after, atomic="max", span=loop.span)
