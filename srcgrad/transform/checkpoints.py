"""Loops whose reverse sweep keeps snapshots of the state, from which the loop is run again.

Before the function is differentiated, each outermost loop that would keep something becomes an operation with a rule of
its own: `checkpoint_sweeps` has its two sweeps, and the adjoint of the iterations that are reversed at once is made as
that of any function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.build import Builder, const, whole
from srcgrad.core.ir import Alloc, Atom, Fun, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import blocks, defined, substitute, used
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.checkpoint_sweeps import TAKEN, Adjoint, Sweeps, size_of
from srcgrad.transform.iterations import Loop
from srcgrad.transform.outlined_loops import OPERATION, Outlined
from srcgrad.transform.outlining import NotAgain, outlined
from srcgrad.transform.refuse import unsupported

# The adjoint of a function by these parameters, its bars alone; those of the arrays `into` are added up in memory that
# comes in as further parameters.
Transpose = Callable[[Fun, Sequence[Var], Sequence[Var]], Fun]


def checkpointed(fun: Fun, active: Sequence[Var], transpose: Transpose) -> Fun:
    """The function with its outermost loops as operations that are run again, as its facts ask for."""
    limit = fun.facts.checkpoint
    if limit is None:
        return fun
    fun = replace(fun, facts=replace(fun.facts, checkpoint=None))
    place = 0
    while place < len(list(_outermost(fun.body))):
        fun = _inside(fun, place, active, limit, transpose)
        made = _one(fun, list(_outermost(fun.body))[place], active, limit, transpose)
        if made is None:
            place += 1
        else:
            fun = made
    return fun


def _inside(fun: Fun, place: int, active: Sequence[Var], limit: ir.Checkpoints, transpose: Transpose) -> Fun:
    """The function with such operations inside of the loop at this place: of loops that go over no array."""
    limit, tried = replace(limit, strict=False, bytes=limit.bytes // 2), set[Stmt]()
    while True:
        outer, facts = list(_outermost(fun.body))[place], Facts(fun)
        found = (s for s in _inner(outer) if s not in tried and not _by_length(facts, s))
        loop = next(found, None)
        if loop is None:
            return fun
        tried.add(loop)
        fun = _one(fun, loop, active, limit, transpose) or fun


def _inner(stmt: Stmt) -> Iterator[Loop]:
    """The loops inside, those that lie in others first."""
    for _, block in blocks(stmt):
        for inner in block:
            yield from _inner(inner)
            if isinstance(inner, ir.While) or (isinstance(inner, ir.For) and not inner.parallel):
                yield inner


def _by_length(facts: Facts, loop: Loop) -> bool:
    """Whether the number of iterations follows from literals, lengths and indices of other loops."""

    def known(atom: Atom) -> bool:
        if not isinstance(atom, Var):
            return True
        made = facts.makes.get(atom)
        if isinstance(made, ir.Let):
            return made.op is dim or all(map(known, made.args))
        return isinstance(made, ir.For) and made.index is atom

    return isinstance(loop, ir.For) and known(loop.start) and known(loop.stop)


def _outermost(stmts: Sequence[Stmt]) -> Iterator[Loop]:
    for stmt in stmts:
        if isinstance(stmt, ir.While) or (isinstance(stmt, ir.For) and not stmt.parallel):
            yield stmt
        elif not isinstance(stmt, ir.For):
            for _, block in blocks(stmt):
                yield from _outermost(block)


def _one(fun: Fun, loop: Loop, active: Sequence[Var], limit: ir.Checkpoints, transpose: Transpose) -> Fun | None:
    """The function with this loop as such an operation; None if it keeps nothing, or cannot be run again."""
    facts = Facts(fun)
    activity = Activity(facts, active)
    try:
        made = outlined(facts, loop)
    except NotAgain as error:
        if limit.strict and loop.span is not None:
            raise unsupported(loop.span, f"this loop cannot be checkpointed: {error.message}", error.hint) from None
        return None
    if not any(v in activity for v in made.state) or (made.unsure and not limit.strict):
        return None
    adjoint = _adjoint(made, activity.__contains__, limit, transpose)
    if adjoint is None:
        return None
    replaced = _Replaced(facts, made, Sweeps(made, activity.__contains__, limit, adjoint, OPERATION)).fun(fun)
    plan = (*fun.facts.plan, *_told(made), *adjoint.fun.facts.plan)
    return replace(replaced, facts=replace(fun.facts, plan=plan))


def _told(o: Outlined) -> Iterator[ir.Kept]:
    """What the snapshots are kept in."""
    line = o.loop.span.line if o.loop.span else None
    yield ir.Kept(TAKEN, ir.Type("i8", 1, ref=True), line, "the iterations at which snapshots were taken")
    for v in o.state:
        kind = ir.Type(v.type.dtype, 1 + v.type.rank, ref=True)
        yield ir.Kept(f"{v.name}_snapshots", kind, line, "snapshots, from which the loop is run again")


# ---- the adjoint of the iterations that are reversed at once


def _adjoint(
    o: Outlined, active: Callable[[Atom], bool], limit: ir.Checkpoints, transpose: Transpose
) -> Adjoint | None:
    """None if it keeps nothing."""
    made = limit.tidy(_transposed(o, active, transpose, single=False))
    kept = {(k.name, k.type) for k in made.facts.plan if not k.shadow}
    holds = [s for s in made.body if isinstance(s, (Alloc, ir.NewList)) and (s.target.name, s.target.type) in kept]
    if not holds:
        return None
    if limit.snapshots:
        return Adjoint(limit.tidy(_transposed(o, active, transpose, single=True)), None)
    return Adjoint(made, limit.tidy(_bytes(o, made, [s for s in holds if isinstance(s, Alloc)], active)))


def _transposed(o: Outlined, active: Callable[[Atom], bool], transpose: Transpose, single: bool) -> Fun:
    """The adjoint of the iterations from `first` up to `last`, or of the first of them alone; it overwrites the memory
    of the state that the loop writes into, and of its adjoint."""
    b, args = Builder(), (*o.state, *o.given)
    first, last = Var("first", ir.I8), Var("last", ir.I8)
    params = {v: Var(v.name, v.type) for v in args}
    env: dict[Var, Atom] = dict(params)
    for c in o.references:
        env[c.inner] = b.alloc(c.inner.type.dtype, (), b.load(params[c.inner]), c.inner.name)
    left: Sequence[Atom] = o.one(b, first, env) if single else o.run(b, first, last, env, reversible=True)[0]
    left = (*left, *(env[v] for v in o.roots))
    results = tuple(out for v, out in zip(o.state, left, strict=True) if active(v))
    fun = Fun("steps", (first, last, *params.values()), tuple(b.out), results)
    in_place = [params[v] for v in (*o.roots, *o.given) if active(v) and v.type.ref]
    others = [params[v] for v in args if active(v) and params[v] not in in_place]
    return transpose(fun, others, in_place)


def _bytes(o: Outlined, made: Fun, arrays: Sequence[Alloc], active: Callable[[Atom], bool]) -> Fun:
    """Of the adjoint's parameters without the bars: how many bytes these arrays take."""
    count = 2 + len(o.state) + len(o.given)
    own, bars = made.params[:count], made.params[count:]
    like = dict(zip((*o.state, *o.given), own[2:], strict=True))
    of_bars = [c.inner for c in o.carried if active(c.inner)]
    of_bars += [v for v in (*o.roots, *o.given) if active(v) and v.type.ref]
    env: dict[Var, Atom] = {bar: like[v] for bar, v in zip(bars, of_bars, strict=True)}
    makes = {v: stmt for stmt in made.body if isinstance(stmt, SIMPLE) for v in defined(stmt)}
    b, needed = Builder(), set[Stmt]()
    known = [a for a in arrays if all(n is not None and _slice(n, makes, {*own, *bars}, needed) for n in a.shape)]
    for stmt in substitute([s for s in made.body if s in needed], env):
        b.put(stmt)
    total: Atom = const(0)
    for alloc in known:
        size: Atom = const(size_of(alloc.target))
        for n in alloc.shape:
            assert n is not None
            size = b.let(multiply, size, env.get(n, n) if isinstance(n, Var) else n, name="size")
        total = b.let(add, total, size, name="step_bytes")
    return Fun("step_bytes", own, tuple(b.out), (total,))


SIMPLE = (ir.Let, Load, Alloc, ir.View)


def _slice(atom: Atom, makes: Mapping[Var, Stmt], params: set[Var], needed: set[Stmt]) -> bool:
    """Whether the atom follows from parameters by simple statements, which are noted."""
    if not isinstance(atom, Var) or atom in params:
        return True
    stmt = makes.get(atom)
    if stmt is None:
        return False
    if stmt not in needed:
        needed.add(stmt)
        return all([_slice(a, makes, params, needed) for a in used(stmt)])
    return True


# ---- the operation in the place of the loop


class _Replaced(Rewriter):
    """Puts the loop as an operation in its place."""

    def __init__(self, facts: Facts, o: Outlined, sweeps: Sweeps) -> None:
        super().__init__()
        self.facts, self.o, self.sweeps = facts, o, sweeps

    def one(self, stmt: Stmt) -> Rewritten:
        return self.operation(stmt) if stmt is self.o.loop else self.inside(stmt)

    def operation(self, loop: Stmt) -> Iterator[Stmt]:
        o = self.o
        args: list[Atom] = []
        for atom in (*o.inits, *o.given):
            copied = isinstance(atom, Var) and atom.type.ref and (atom not in o.given or self.changes(atom))
            if copied and isinstance(atom, Var):
                value, copy = Var(atom.name, atom.type.value()), Var(atom.name, atom.type)
                yield Load(value, atom, whole(atom))
                yield Alloc(copy, (), value)
                atom = copy
            args.append(atom)
        targets = [c.out if not c.out.type.ref else Var(c.out.name, c.out.type) for c in o.carried]
        memory = [Var(v.name, v.type) for v in o.roots]
        s = self.sweeps
        yield ir.Custom((*targets, *memory), tuple(args), s.primal, fwd=s.forward, bwd=s.back, span=loop.span)
        for target, carry in zip(targets, o.carried, strict=True):
            if carry.out.type.ref:
                value = Var(target.name, target.type.value())
                yield Load(value, target, whole(target))
                yield Alloc(carry.out, (), value)
        for target, root in zip(memory, o.roots, strict=True):
            value = Var(target.name, target.type.value())
            yield Load(value, target, whole(target))
            yield Store(root, whole(root), value)

    def changes(self, ref: Var) -> bool:
        """Whether the sweep back may find something else under the name of what the loop reads."""
        return self.facts.written(ref) or not self.facts.classes.simple(ref)
