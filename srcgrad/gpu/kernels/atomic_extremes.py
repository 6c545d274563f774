"""cuda.atomic.max and min: the cotangent goes to what won, in equal parts where several did.

Who wins is known when all threads have run, so a launch of the kernel finds the values that are left, and another one
counts those that are equal to them: arrays `m_left` and `m_ties`. Then what a thread contributes is linear in it:
`m += v / m_ties` where v is what is left. The derivative computes v once more, and a compiler that fuses products with
sums may round it otherwise there. So it counts its winners, too (`m_won`), for the host to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Accumulate, Const, Fun, KernelFacts, Stmt, Var
from srcgrad.core.rewrite import rewrite_block
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import divide
from srcgrad.rules.scalar.compare import equal
from srcgrad.transform.refuse import unsupported


@dataclass(frozen=True)
class Extremes:
    """refs: the parameters that hold extremes.   left: the kernel that finds them.   ties: the one that counts winners.
    linear: the kernel to differentiate. (The last two also take what is left, and the counts; the last one also arrays
    of integers that it counts winners in: those that its facts call `counted`.)
    """

    refs: tuple[Var, ...]
    left: Fun
    ties: Fun
    linear: Fun


def extremes(fun: Fun) -> Extremes | None:
    """What is needed for the extremes of floats in a kernel; None if there are none."""
    sites = [s for s in walk(fun.body) if isinstance(s, Accumulate) and _is_extreme(s)]
    refs = tuple(dict.fromkeys(s.ref for s in sites))
    for site in sites:
        _check(site, fun)
    if not refs:
        return None
    lefts = {ref: Var(f"{ref.name}_left", ref.type) for ref in refs}
    counts = {ref: Var(f"{ref.name}_ties", ref.type) for ref in refs}
    wons = {ref: Var(f"{ref.name}_won", replace(ref.type, dtype="i8")) for ref in refs}
    more = (*lefts.values(), *counts.values())

    def counting(b: Builder, site: Accumulate) -> None:
        b.put(Accumulate(counts[site.ref], site.index, Const(1.0, site.value.type), ir.Atomic.ADD, span=site.span))

    def sharing(b: Builder, site: Accumulate) -> None:
        part = b.let(divide, site.value, b.load(counts[site.ref], site.index, "ties"), name="part")
        b.put(Accumulate(wons[site.ref], site.index, Const(1, ir.I8), ir.Atomic.ADD, span=site.span))
        b.put(replace(site, value=part, atomic=ir.Atomic.ADD))

    def where_left(do: Callable[[Builder, Accumulate], None]) -> Callable[[Accumulate], Iterator[Stmt]]:
        def site(stmt: Accumulate) -> Iterator[Stmt]:
            b = Builder()
            with b.at(stmt.span):
                won = b.let(equal, stmt.value, b.load(lefts[stmt.ref], stmt.index, "left"), name="won")
                with b.block() as inside:
                    do(b, stmt)
                b.put(ir.If(won, tuple(inside), (), span=stmt.span))
            yield from b.out

        return site

    params = (*fun.params, *more)
    ties = Fun(f"{fun.name}_ties", params, _changed(fun.body, where_left(counting)), tuple(counts.values()), fun.facts)
    counted = tuple(wons.values())
    linear = replace(
        fun,
        params=(*params, *counted),
        body=_changed(fun.body, where_left(sharing)),
        results=(*fun.results, *counted),
        facts=replace(fun.facts, kernel=KernelFacts(counted)),
    )
    return Extremes(refs, replace(fun, name=f"{fun.name}_left", results=refs), ties, linear)


def _is_extreme(stmt: Accumulate) -> bool:
    return stmt.atomic in (ir.Atomic.MAX, ir.Atomic.MIN) and stmt.ref.type.is_float


def _name(site: Accumulate) -> str:
    assert site.atomic is not None
    return site.atomic.value


def _check(site: Accumulate, fun: Fun) -> None:
    if site.ref not in fun.params:
        message = f"cuda.atomic.{_name(site)} is supported on kernel arguments only"
        raise unsupported(site.span, message, "find it by a tree of comparisons, or in an argument of the kernel")
    for other in walk(fun.body):
        if isinstance(other, Accumulate) and other.ref is site.ref and other.atomic != site.atomic:
            message = f"`{site.ref.name}` is updated in two ways"
            raise unsupported(other.span, message, "use an array for each, or two kernels")


def _changed(stmts: tuple[Stmt, ...], site: Callable[[Accumulate], Iterator[Stmt]]) -> tuple[Stmt, ...]:
    return rewrite_block(stmts, lambda s: site(s) if isinstance(s, Accumulate) and _is_extreme(s) else s)
