"""Faults planted in srcgrad one at a time, and how many programs it takes to catch each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.overwrites import Overwrites, _Case
from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.walk import map_index
from srcgrad.rules.language import declare, registry
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar import elementwise
from srcgrad.rules.scalar.arithmetic import subtract
from srcgrad.simplify.memory.copies import _Copies
from srcgrad.simplify.values.cse import _Cse
from srcgrad.simplify.values.dce import _Liveness
from srcgrad.transform import adjoint, plan, replay, tape, where_guard
from srcgrad.transform.context import Bars
from srcgrad.transform.forward import _Forward
from srcgrad.transform.iterations import INT_ONE, INT_ZERO
from tests.fuzz.checks import Menu, judge
from tests.fuzz.programs import Fuzzed, directed_program, random_program

Planting = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """policy: the plan's, where the fault needs one.   patterns: the directed generators that look for it, where random
    programs are not expected to find it soon."""

    name: str
    plant: Planting
    policy: str = "auto"
    patterns: tuple[str, ...] = ()


FAULTS: list[Fault] = []


def fault(name: str, **options: Any) -> Callable[[Planting], Planting]:
    def enter(plant: Planting) -> Planting:
        FAULTS.append(Fault(name, plant, **options))
        return plant

    return enter


@contextmanager
def patched(owner: Any, name: str, new: Any) -> Iterator[None]:
    old = getattr(owner, name)
    put = object.__setattr__ if isinstance(owner, ir.Primitive) else setattr
    put(owner, name, new)
    try:
        yield
    finally:
        put(owner, name, old)


# ---- rules


@fault("a wrong sign in the adjoint of sin")
def sign() -> Any:
    old: Any = elementwise.sin.vjp
    return patched(elementwise.sin, "vjp", lambda *a: [None if p is None else -p for p in old(*a)])


@fault("the quotient's adjoint lacks the divisor")
def quotient() -> Any:
    divide = registry.PRIMITIVES["divide"]
    old: Any = divide.vjp
    return patched(divide, "vjp", lambda *a: [*old(*a)[:1], None])


@fault("the whole of a tie goes to the first", patterns=("ties",))
def tie() -> Any:
    maximum, where, equal = (registry.PRIMITIVES[n] for n in ("maximum", "where", "equal"))
    old: Any = maximum.vjp

    def greedy(bars: Any, args: Any, outs: Any, params: Any) -> Any:
        first, second = old(bars, args, outs, params)
        return first, None if second is None else emit(where, emit(equal, *args), second * 0.0, second)

    return patched(maximum, "vjp", greedy)


@fault("a broadcast argument's adjoint is not summed")
def unsummed() -> Any:
    old = declare.sum_to

    def short(value: Val, model: Val) -> Val:
        out = old(value, model)
        return out if out is value else out * 0.5

    return patched(declare, "sum_to", short)


@fault("the side of np.where that was not taken counts", patterns=("where beside a pole",))
def unguarded() -> Any:
    return patched(where_guard.Guarded, "_masked", lambda self, product: product)


# ---- memory


@fault("a stored element's shadow is not zeroed")
def unzeroed() -> Any:
    old = adjoint.Adjoint._back_store

    def back(self: Any, stmt: Any, *more: Any) -> None:
        old(self, stmt, *more)
        if isinstance(stmt, ir.Store):
            self.b.out.pop()

    return patched(adjoint.Adjoint, "_back_store", back)


@fault("views are taken for other memory")
def views_apart() -> Any:
    old = Aliases._scan
    return patched(Aliases, "_scan", lambda self, s: None if isinstance(s, ir.View) else old(self, s))


@fault("what a branch chooses is taken for other memory", patterns=("references chosen in loops", "merged classes"))
def outs_apart() -> Any:
    old = Aliases._scan
    return patched(Aliases, "_scan", lambda self, s: None if isinstance(s, ir.If) else old(self, s))


@fault("nothing is ever overwritten later")
def never_overwritten() -> Any:
    return patched(Overwrites, "overwritten_later", lambda *a: False)


@fault("places beside one another are taken for apart", policy="keep", patterns=("index ranges",))
def off_by_one() -> Any:
    old = _Case._at_least
    return patched(_Case, "_at_least", lambda self, sum_, least: old(self, sum_, least - 1))


@fault("a loop's later turns are forgotten", policy="keep", patterns=("recurrences in place",))
def no_back_edge() -> Any:
    old = Facts.runs_after

    def straight(self: Facts, later: Any, site: Any, region: Any) -> bool:
        for (_, a), (_, b) in zip(self.chain(site, region), self.chain(later, region), strict=False):
            if a is not b:
                return self.order[b] > self.order[a]
        return old(self, later, site, region) and not self.loops_between(site, region)

    return patched(Facts, "runs_after", straight)


@fault("effects on outer memory are repeated")
def repeated() -> Any:
    old = replay.Replay._run_one

    def run_one(self: Any, stmt: Any, region: Any, current: Any, ctx: Any) -> None:
        outer = isinstance(stmt, (ir.Store, ir.Accumulate)) and stmt.ref in ctx.env
        if outer and not self.plan.level[stmt].within(region):
            index, value = map_index(stmt.index, ctx), ctx(stmt.value)
            self.b.put(replace(stmt, ref=ctx.ref(stmt.ref), index=index, value=value))
        else:
            old(self, stmt, region, current, ctx)

    return patched(replay.Replay, "_run_one", run_one)


@fault("snapshots are read a row off", policy="snapshot", patterns=("snapshots with views",))
def row_off() -> Any:
    old = adjoint.Adjoint._restore

    def restore(self: Any, stmt: Any, root: Any, written: Any, place: Any, inner: Any) -> None:
        old(self, stmt, root, written, self.b.let(subtract, place, INT_ONE, name="row"), inner)

    return patched(adjoint.Adjoint, "_restore", restore)


@fault("a swap is not undone", patterns=("nested time loops", "buffers of two lengths"))
def swap_kept() -> Any:
    old = adjoint.Adjoint._enter

    def enter(self: Any, stmt: Any, place: Any, ctx: Any, inner: Any, bars: Any) -> Any:
        found = old(self, stmt, place, ctx, inner, bars)
        for carry, _ in found.shadows:
            del inner.bar[carry.next]
        inner.bar.update((carry.inner, var) for carry, var in found.shadows)
        return found

    return patched(adjoint.Adjoint, "_enter", enter)


@fault("a swap is not seen as one", patterns=("nested time loops",))
def always_swap() -> Any:
    return patched(plan, "_references", lambda loop: "swap")


@fault("what a loop loads is kept in one row", policy="keep", patterns=("recurrences in place",))
def one_row() -> Any:
    old = tape.row_of

    def row_of(*args: Any) -> Any:
        return tuple(INT_ZERO for _ in old(*args))

    return patched(tape, "row_of", row_of)


# ---- scalars, branches, loops


@fault("a carried value is not kept: its last one is read")
def not_kept() -> Any:
    old = adjoint.Adjoint._enter

    def enter(self: Any, stmt: Any, place: Any, ctx: Any, inner: Any, bars: Any) -> Any:
        found = old(self, stmt, place, ctx, inner, bars)
        inner.env.update((carry.inner, ctx(carry.out)) for carry in stmt.carry if not carry.inner.type.ref)
        return found

    return patched(adjoint.Adjoint, "_enter", enter)


@fault("what comes out of `else` gets no adjoint")
def no_else() -> Any:
    old = adjoint.Adjoint._back_if

    def back(self: Any, stmt: Any, ctx: Any, bars: Any) -> None:
        outs = tuple(replace(o, orelse=ir.Const(0.0, o.orelse.type)) if not o.target.type.ref else o for o in stmt.outs)
        short = replace(stmt, outs=outs)
        for which in ("then", "orelse"):
            self.facts.region[short, which] = self.facts.region[stmt, which]
        old(self, short, ctx, bars)

    return patched(adjoint.Adjoint, "_back_if", back)


@fault("the turns of a loop that is left are counted one short")
def turns_short() -> Any:
    old = adjoint.Adjoint._reversed_range

    def ranged(self: Any, stmt: Any, ctx: Any) -> Any:
        index, (last, before, step) = old(self, stmt, ctx)
        if self.tape.count(stmt) is not None:
            last = self.b.let(subtract, last, INT_ONE, name="last")
        return index, (last, before, step)

    return patched(adjoint.Adjoint, "_reversed_range", ranged)


@fault("a scalar from outside a loop gets the last turn's share only")
def last_share() -> Any:
    old = Bars._begin

    def begin(self: Any, target: Any) -> None:
        old(self, target)
        if target in self.incoming and self.own.get(target) is self.incoming[target]:
            self.own[target] = ir.Const(0.0, target.type)

    return patched(Bars, "_begin", begin)


# ---- simplification, forward mode


@fault("cse forgets that a store changes memory")
def cse_blind() -> Any:
    old = _Cse.touch
    return patched(_Cse, "touch", lambda self, s: None if isinstance(s, ir.Store) else old(self, s))


@fault("dce drops stores through views")
def dce_views() -> Any:
    old = _Liveness.needed

    def needed(self: Any, stmt: Any) -> bool:
        return bool(old(self, stmt)) and not (isinstance(stmt, ir.Store) and stmt.ref not in self.live)

    return patched(_Liveness, "needed", needed)


@fault("loads are never copies")
def no_copies() -> Any:
    return patched(_Copies, "one", lambda self, s, *m: replace(s, copy=False) if isinstance(s, ir.Load) else s)


@fault("forward mode keeps the tangent of what a constant overwrites")
def forward_store() -> Any:
    old = _Forward.beside

    def beside(self: Any, stmt: Any) -> None:
        if not isinstance(stmt, ir.Store) or self.tangent(stmt.value) is not None:
            old(self, stmt)

    return patched(_Forward, "beside", beside)


# ---- the hunt


MENU = Menu(second=False, reverse_twice=False, reverse_forward=False, forward_twice=False, verified=False)


def caught(f: Fault, p: Fuzzed, menu: Menu = MENU) -> bool:
    with f.plant():
        return judge(p, replace(menu, policy=f.policy)).bad


def needed(f: Fault, programs: Iterator[Fuzzed], most: int) -> int | None:
    """How many programs it takes to catch the fault; None if more than `most`."""
    for count, p in zip(range(1, most + 1), programs, strict=False):
        if caught(f, p):
            return count
    return None


def random_ones(first: int) -> Iterator[Fuzzed]:
    return (random_program(seed) for seed in range(first, first + 10**6))


def directed_ones(f: Fault, first: int) -> Iterator[Fuzzed]:
    return (directed_program(seed, name) for seed in range(first, first + 10**6) for name in f.patterns)


def table(starts: Sequence[int], most: int) -> str:
    """For each fault how many programs it took, from each start; random ones, then directed ones."""
    lines = []
    for f in FAULTS:
        ways = [("random", [needed(f, random_ones(start), most) for start in starts])]
        if f.patterns:
            ways.append(("directed", [needed(f, directed_ones(f, start), most) for start in starts]))
        lines.append(
            f"{f.name}: " + "; ".join(f"{way} {', '.join(str(n or f'> {most}') for n in got)}" for way, got in ways)
        )
        print(lines[-1], flush=True)
    return "\n".join(lines)
