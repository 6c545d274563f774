"""Arrays made anew in each iteration of a loop and carried to the next, as memory that is written in place.

`m = a @ m` in a loop makes an array an iteration. If it has the same shape in each, and the array of the iteration
before is done with when it is made, one buffer serves all iterations; if the old one is still read afterwards
(`new[i] = 2 * old[i - 1]`), two that are swapped do. The program computes the same; its adjoint then keeps one array
with a row an iteration, where it would else keep a list of references and of their shadows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.kept_shapes import lengths
from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Alloc, Atom, Carry, Fun, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite_block
from srcgrad.core.walk import blocks, changed, substitute, used, used_inside, walk
from srcgrad.rules.shapes.shape import dim

Loop = ir.For | ir.While
HARMLESS = (Load, Store, ir.Accumulate, ir.Let, ir.View)  # what they do with a reference ends with them


@dataclass(frozen=True, eq=False)
class Fresh:
    """A carried reference whose next is made in the loop's body.

    made: the allocations, of which one is reached at most: one in the body, or one on either side of a branch there.
    place: which statement of the body that is. out: of that branch. old: every name of the array of the iteration
    before.
    """

    loop: Loop
    carry: Carry
    made: tuple[Alloc, ...]
    place: int
    out: ir.Out | None
    old: frozenset[Var]

    @property
    def done_with(self) -> bool:
        """Whether the array of the iteration before is not used any more when the next is made."""
        if any(_mentions(stmt, self.old) for stmt in self.loop.body[self.place + 1 :]):
            return False
        branch = self.loop.body[self.place]
        for _, block in blocks(branch):
            after = [k for k, stmt in enumerate(block) if stmt in self.made]
            if after and any(_mentions(stmt, self.old) for stmt in block[after[0] + 1 :]):
                return False
        return True


def carried_arrays_to_buffers(fun: Fun) -> Fun:
    """The function with such arrays as buffers, as far as their shapes are known to stay."""
    while True:
        loops = (stmt for stmt in walk(fun.body) if isinstance(stmt, (ir.For, ir.While)))
        found = [fresh for loop in loops for fresh in _candidates(loop)]
        facts = Facts(fun) if found else None
        proved = _of_one_shape(fun, [fresh for fresh in found if facts is not None and _unshared(facts, fresh)])
        if not proved:
            return fun
        fun = _rewritten(fun, proved[0])


# ---- which arrays


def _candidates(loop: Loop) -> Iterator[Fresh]:
    for carry in loop.carry:
        if not carry.inner.type.ref or not isinstance(carry.next, Var):
            continue
        fresh = _made(loop, carry)
        if fresh is None or not _private(loop, carry, fresh):
            continue
        if fresh.done_with or fresh.out is None:
            yield fresh


def _made(loop: Loop, carry: Carry) -> Fresh | None:
    old = _names([loop], carry.inner)
    for place, stmt in enumerate(loop.body):
        if isinstance(stmt, Alloc) and stmt.target is carry.next:
            return Fresh(loop, carry, (stmt,), place, None, old) if None not in stmt.shape else None
        if isinstance(stmt, ir.If):
            out = next((o for o in stmt.outs if o.target is carry.next), None)
            if out is not None:
                made = _made_in_branch(stmt, out, carry.inner)
                return Fresh(loop, carry, made, place, out, old) if made else None
    return None


def _made_in_branch(branch: ir.If, out: ir.Out, old: Var) -> tuple[Alloc, ...]:
    """The allocations that the branch chooses between, the old array aside; none if it is otherwise."""
    made = []
    for block, side in ((branch.then, out.then), (branch.orelse, out.orelse)):
        alloc = next((s for s in block if isinstance(s, Alloc) and s.target is side and None not in s.shape), None)
        if alloc is not None:
            made.append(alloc)
        elif side is not old:
            return ()
    return tuple(made)


def _names(stmts: Iterable[Stmt], ref: Var) -> frozenset[Var]:
    """ref and the views of it."""
    names = {ref}
    for stmt in walk(stmts):
        if isinstance(stmt, ir.View) and stmt.base in names:
            names.add(stmt.target)
    return frozenset(names)


def _private(loop: Loop, carry: Carry, fresh: Fresh) -> bool:
    """Whether both the old array and the new are only read, written and viewed, and handed on by this carry alone."""
    new = [alloc.target for alloc in fresh.made] + ([] if fresh.out is None else [fresh.out.target])
    names = fresh.old.union(*(_names([loop], ref) for ref in new))
    handed = 0
    for stmt in walk([loop]):
        if stmt is not loop and not isinstance(stmt, HARMLESS) and any(a in names for a in used(stmt)):
            return False
        allowed = {carry.next} if stmt is loop else set()
        outs = stmt.outs if isinstance(stmt, ir.If) else ()
        if any(a in names and a not in allowed for a in used_inside(stmt)):
            if fresh.out is None or fresh.out not in outs:
                return False
            others = (a for o in outs if o is not fresh.out for a in (o.then, o.orelse))
            if any(a in names for a in others):
                return False
        handed += sum(c.next is carry.next for c in loop.carry) if stmt is loop else 0
    return handed == 1


def _unshared(facts: Facts, fresh: Fresh) -> bool:
    """Whether nobody sees that the first array is copied: from then on nothing is written into its memory by another
    name, and nothing read by one if this loop's own names write."""
    carry, of = fresh.carry, facts.classes.of
    made = [alloc.target for alloc in fresh.made] + ([] if fresh.out is None else [fresh.out.target])
    own = fresh.old.union(*(_names(facts.fun.body, ref) for ref in (*made, carry.out)))
    cls, region = of(carry.inner), facts.level_of(carry.inner)
    written = any(store.ref in own for store in facts.stores.get(cls, ()))

    def others(atoms: Iterable[Atom]) -> list[Var]:
        refs = (a for a in atoms if isinstance(a, Var) and (a.type.ref or a.type.many))
        return [ref for ref in refs if of(ref) is cls and ref not in own]

    for stmt in facts.where:
        seen = others((*used(stmt), *used_inside(stmt))) if stmt is not fresh.loop else ()
        stores = isinstance(stmt, (Store, ir.Accumulate)) and stmt.ref in seen
        if (stores or (written and seen)) and facts.runs_after(stmt, fresh.loop, region):
            return False
    return not (written and others(facts.fun.results))


def _mentions(stmt: Stmt, names: frozenset[Var]) -> bool:
    return any(a in names for s in walk([stmt]) for a in (*used(s), *used_inside(s)))


# ---- whose shape stays


def _of_one_shape(fun: Fun, candidates: Sequence[Fresh]) -> list[Fresh]:
    stays = lengths(fun).stays if candidates else set()
    return [fresh for fresh in candidates if fresh.carry in stays]


# ---- the program with buffers


def _rewritten(fun: Fun, fresh: Fresh) -> Fun:
    """One buffer: the loop carries nothing, and allocations in it become stores. Two: it carries both, swapped."""
    ref, carry = fresh.carry.inner, fresh.carry
    buffer, second = Var(ref.name, ref.type), Var(ref.name, ref.type)
    inside = buffer if fresh.done_with else Var(ref.name, ref.type)
    names = [alloc.target for alloc in fresh.made] + ([] if fresh.out is None else [fresh.out.target])
    env: dict[Var, Atom] = dict.fromkeys(names, inside)
    carries = [c for c in fresh.loop.carry if c is not carry]
    if fresh.done_with:
        env.update({ref: buffer, carry.out: buffer})
    else:
        last = Var(ref.name, ref.type)
        carries += [replace(carry, init=buffer, next=inside), Carry(inside, second, ref, last)]

    class Buffered(Rewriter):
        def one(self, stmt: Stmt) -> Rewritten:
            if stmt in fresh.made:
                return () if fresh.done_with and _is_copy(stmt, ref, self.out) else _filled(stmt, inside)
            if stmt is fresh.loop:
                started = (*_started(carry.init, buffer), *(() if fresh.done_with else _alike(buffer, second)))
                return (*started, self.inside(replace(fresh.loop, carry=tuple(carries))))
            if isinstance(stmt, ir.If) and fresh.out in stmt.outs:
                stmt = replace(stmt, outs=tuple(o for o in stmt.outs if o is not fresh.out))
            return self.inside(stmt)

    body = substitute(rewrite_block(Buffered().block(fun.body), _copying), env)
    results = tuple(env.get(r, r) if isinstance(r, Var) else r for r in fun.results)
    return replace(fun, body=body, results=results)


def _started(init: Atom, buffer: Var) -> Iterator[Stmt]:
    """Memory with the contents of the first array."""
    assert isinstance(init, Var)
    value = Var(init.name, init.type.value())
    yield Load(value, init, whole(init))
    yield Alloc(buffer, (), value)


def _alike(buffer: Var, second: Var) -> Iterator[Stmt]:
    lengths = tuple(Var("n", ir.I8) for _ in range(buffer.type.rank))
    yield from (ir.Let((n,), dim, (buffer,), {"axis": k}) for k, n in enumerate(lengths))
    yield Alloc(second, lengths, ir.Init.EMPTY)


def _filled(alloc: Stmt, ref: Var) -> Iterator[Stmt]:
    """What an allocation puts into its memory."""
    assert isinstance(alloc, Alloc)
    if alloc.init is not ir.Init.EMPTY:
        value = ir.Const(0.0, ir.Type(ref.type.dtype)) if isinstance(alloc.init, ir.Init) else alloc.init
        yield Store(ref, whole(ref), value, span=alloc.span)


def _is_copy(alloc: Stmt, old: Var, before: Sequence[Stmt]) -> bool:
    """Whether the new array is the old one, copied a moment ago: nothing changes in a buffer."""
    last = before[-1] if before else None
    return (
        isinstance(alloc, Alloc)
        and isinstance(last, Load)
        and (last.ref, last.target) == (old, alloc.init)
        and last.index == whole(old)
    )


def _copying(stmt: Stmt) -> Stmt:
    """Every load as a copy again: what was proved of memory that was not overwritten does not hold any more."""
    return changed(stmt, copy=True) if isinstance(stmt, Load) else stmt
