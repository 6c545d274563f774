"""What the iterations of a loop share: whether they may run at once.

Memory that is made inside the body is an iteration's own. Memory from outside that the body writes must be reached at
places that are apart in different iterations (`analysis/overwrites.py`), or be added to and nothing else: then it is a
sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import defined_inside, used, walk
from srcgrad.printer.parallel_iterations import may_raise


class Serial(Exception):
    """Why a loop is not run in parallel."""


@dataclass(frozen=True, eq=False, slots=True)
class Access:
    """A place of memory from outside that the body reads, writes or adds to."""

    ref: Var
    index: ir.Index
    stmt: Stmt

    @property
    def writes(self) -> bool:
        return isinstance(self.stmt, (ir.Store, ir.Accumulate))


def check_quiet(loop: ir.For) -> None:
    """Nothing in the body may raise."""
    if any(map(may_raise, walk(loop.body))):
        raise Serial("an iteration may raise an error, which a thread would lose")


def check_repeatable(facts: Facts, loop: ir.For) -> None:
    """That the iterations may be made once more after all have been made: they leave nothing that they look at."""
    for stmt in walk(loop.body):
        if isinstance(stmt, ir.Draw):
            raise Serial("it draws random numbers, one after another")
        if isinstance(stmt, ir.Print):
            raise Serial("it prints")
        if isinstance(stmt, (ir.Call, ir.Custom)):
            raise Serial("a function that calls itself is called, which may raise an error")
    if loop.carry:
        raise Serial("an iteration may raise an error, and numbers are summed")
    for memory in _by_memory(facts, loop).values():
        if any(a.writes for a in memory) and not all(isinstance(a.stmt, ir.Store) for a in memory):
            raise Serial("an iteration may raise an error, and changes what it has read")


def shared_sums(facts: Facts, loop: ir.For) -> list[Var]:
    """The references from outside that the body adds to at places which iterations may share; `Serial` if iterations
    may meet in another way."""
    ranges, shared = Overwrites(facts), dict[Var, None]()
    inside = facts.region[loop, "body"]
    for memory in _by_memory(facts, loop).values():
        roots = {facts.root(a.ref): None for a in memory}
        for root in {facts.root(a.ref): None for a in memory if a.writes}:
            _check_known(facts, root, roots, inside)
            accesses = [a for a in memory if facts.root(a.ref) is root]
            written = [a for a in accesses if a.writes]
            if all(ranges.apart(loop, (a.ref, a.index), (w.ref, w.index)) for a in accesses for w in written):
                continue
            if not all(isinstance(a.stmt, ir.Accumulate) for a in accesses):
                raise Serial(f"iterations may meet in `{root.name}`")
            shared.update((outer(facts, a.ref, inside), None) for a in accesses)
    return list(shared)


def outer(facts: Facts, ref: Var, inside: Region) -> Var:
    """The reference from outside the region that this is a view of."""
    while facts.bound[ref].within(inside):
        ref = facts.base[ref].base
    return ref


def _check_known(facts: Facts, root: Var, others: Iterable[Var], inside: Region) -> None:
    """That the memory is one and the same in all iterations, and no other reference's."""
    if facts.bound[root].within(inside):
        raise Serial(f"which memory `{root.name}` is, is chosen in each iteration")
    cls = facts.classes.of(root)
    for made in facts.makes.values():
        if isinstance(made, ir.Alloc) and None in made.shape and facts.classes.of(made.target) is cls:
            raise Serial(f"`{root.name}` grows")
    for other in others:
        if other is not root and not distinct(facts, root, other):
            raise Serial(f"`{root.name}` and `{other.name}` may be the same memory")


def distinct(facts: Facts, a: Var, b: Var) -> bool:
    """Whether two references that are no views surely reach different memory, where both are known."""
    if a is b:
        return False
    if _fresh(facts, a, b) or _fresh(facts, b, a):
        return True
    loop = facts.makes.get(a)
    if not isinstance(loop, (ir.For, ir.While)) or facts.makes.get(b) is not loop:
        return False
    # swapped in each iteration of a loop: different if they were at first
    carries = [c for c in loop.carry if c.inner.type.ref and facts.classes.of(c.inner) is facts.classes.of(a)]
    inners, outs = {c.inner for c in carries}, {c.out for c in carries}
    swapped = {c.next for c in carries} == inners and ({a, b} <= inners or {a, b} <= outs)
    firsts = [facts.root(c.init) for c in carries if isinstance(c.init, Var)]
    return swapped and all(distinct(facts, x, y) for k, x in enumerate(firsts) for y in firsts[:k])


def _fresh(facts: Facts, new: Var, old: Var) -> bool:
    """Whether `new` is memory that was made when `old` was there already."""
    made = facts.makes.get(new)
    if new is old or not isinstance(made, ir.Alloc) or not facts.where[made].within(facts.bound[old]):
        return False
    origin = facts.makes.get(old)
    if origin is None or old in defined_inside(origin):
        return True
    holder = facts.chain(made, facts.bound[old])[0][1]
    return facts.order[origin] < facts.order[holder]


def _by_memory(facts: Facts, loop: ir.For) -> dict[Var, list[Access]]:
    """The accesses to memory from outside, by its class."""
    inside, out = facts.region[loop, "body"], dict[Var, list[Access]]()
    for stmt in walk(loop.body):
        for access in _accesses(stmt):
            if not facts.level_of(access.ref).within(inside):
                out.setdefault(facts.classes.of(access.ref), []).append(access)
    return out


def _accesses(stmt: Stmt) -> Iterator[Access]:
    match stmt:
        case ir.Load() | ir.Store() | ir.Accumulate():
            yield Access(stmt.ref, stmt.index, stmt)
        case ir.Append() | ir.NewList():
            raise Serial("arrays are gathered in a list")
        case ir.Let() | ir.View() | ir.RefAt() | ir.For() | ir.While() | ir.If() | ir.Alloc() | ir.Remark():
            pass
        case _:  # calls, what is printed or raised
            refs = (a for a in used(stmt) if isinstance(a, Var) and a.type.ref)
            yield from (Access(ref, whole(ref), stmt) for ref in refs)
