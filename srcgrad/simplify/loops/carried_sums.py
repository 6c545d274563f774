"""Sums that go round a loop, so that its iterations need not wait for one another.

What goes round is replaced by what each iteration adds to it. It may be added to in steps, on sides of branches and in
inner loops, but nothing else may look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import blocks, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add, negative, subtract
from srcgrad.simplify.loops.shared_by_iterations import Serial


def summed(loop: ir.For) -> ir.For:
    """The loop with `total = total + part` for each carry as the last statements of its body."""
    for carry in loop.carry:
        if not carry.inner.type.is_scalar or carry.inner.type == ir.B1:
            raise Serial(f"`{carry.inner.name}` is carried between iterations but is not a sum")
    parts = _Parts({c.inner: zero_of(c.inner.type) for c in loop.carry})
    body = list(parts.block(loop.body))
    carries = []
    for carry in loop.carry:
        part = parts.of(carry.next, carry)
        total = Var(carry.inner.name, carry.inner.type)
        body.append(ir.Let((total,), add, (carry.inner, part), span=parts.span.get(carry.next)))
        carries.append(ir.Carry(carry.inner, carry.init, total, carry.out))
    return replace(loop, body=tuple(body), carry=tuple(carries))


def zero_of(type: ir.Type) -> Const:
    return Const(0, type) if type == ir.I8 else Const(0j if type.is_complex else 0.0, type)


def _is_zero(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value == 0


class _Parts(Rewriter):
    """now: of each total as it stands, what has been added in this iteration; a total that was added to is gone.
    first: what it was as the iteration began."""

    def __init__(self, now: Mapping[Var, Atom], gone: Iterable[Atom] = ()) -> None:
        super().__init__()
        self.now: dict[Atom, Atom] = {total: part for total, part in now.items()}
        self.gone = set(gone)
        self.first: dict[ir.Atom, Var] = {total: total for total in now}
        self.span: dict[Atom, ir.Span | None] = {}

    def of(self, atom: Atom, carry: ir.Carry) -> Atom:
        """What has been added to what goes round here; not to another total that takes its place."""
        part = self.now.pop(atom, None)
        if part is None or self.first[atom] is not carry.inner:
            raise Serial(f"`{carry.inner.name}` is carried between iterations but is not a sum")
        return part

    def take(self, total: Atom) -> Atom:
        self.gone.add(total)
        return self.now.pop(total)

    def one(self, stmt: Stmt) -> Rewritten:
        read = _reads(stmt)
        for var in read & self.gone:
            raise Serial(f"`{var.name}` is carried between iterations, and is used on the way")
        totals = [var for var in self.now if var in read]
        if not totals:
            return stmt
        match stmt:
            case ir.Let(op=op) if op is add or op is subtract:
                return self.added(stmt, totals)
            case ir.If():
                return self.branch(stmt, totals)
            case ir.For() | ir.While():
                return self.loop(stmt, totals)
        raise Serial(f"`{totals[0].name}` is carried between iterations, and is used on the way")

    def added(self, let: ir.Let, totals: Sequence[Var]) -> list[Stmt]:
        left, right = let.args
        if len(totals) > 1 or left is right or (let.op is subtract and left is not totals[0]):
            raise Serial(f"`{totals[0].name}` is carried between iterations but is not a sum")
        before, new = self.take(totals[0]), right if left is totals[0] else left
        self.span[let.target], self.first[let.target] = let.span, self.first[totals[0]]
        if _is_zero(before) and let.op is add:
            self.now[let.target] = new
            return []
        part = Var(let.target.name, let.target.type)
        self.now[let.target] = part
        args = (new,) if _is_zero(before) else (before, new)
        return [ir.Let((part,), negative if _is_zero(before) else let.op, args, span=let.span)]

    def branch(self, stmt: ir.If, totals: Sequence[Var]) -> Stmt:
        then, orelse = (_Parts({v: self.now[v] for v in totals}, self.gone) for _ in range(2))
        new = replace(stmt, then=then.block(stmt.then), orelse=orelse.block(stmt.orelse))
        for total in totals:
            self.take(total)
        outs = []
        for out in stmt.outs:
            ends = [(then, out.then), (orelse, out.orelse)]
            if any(end in side.gone for side, end in ends) or len({end in side.now for side, end in ends}) == 2:
                raise Serial(f"`{out.target.name}` is carried between iterations but is not a sum")
            if out.then not in then.now:
                outs.append(out)
                continue
            entered = {side.first[end] for side, end in ends}
            if len(entered) > 1:
                raise Serial(f"`{out.target.name}` is carried between iterations but is not a sum")
            part = Var(out.target.name, out.target.type)
            outs.append(ir.Out(part, *(side.take(end) for side, end in ends)))
            self.now[out.target], self.first[out.target] = part, self.first[entered.pop()]
            self.span[out.target] = stmt.span
        return replace(new, outs=tuple(outs))

    def loop(self, stmt: ir.For | ir.While, totals: Sequence[Var]) -> Stmt:
        """An inner loop that goes on summing starts from what this iteration has added."""
        carries = [c for c in stmt.carry if c.init in totals]
        inner = _Parts({c.inner: zero_of(c.inner.type) for c in carries})
        for _, block in blocks(stmt):
            inner.block(block)
        for carry in carries:
            inner.of(carry.next, carry)
        others = {a for c in stmt.carry if c not in carries for a in (c.init, c.next)} | _inside(stmt)
        for total in totals:
            if total in others or sum(c.init is total for c in stmt.carry) != 1:
                raise Serial(f"`{total.name}` is carried between iterations, and is used on the way")
        starts = {c.inner: self.take(c.init) for c in carries}
        self.first.update({c.out: self.first[c.init] for c in carries})
        self.now.update({c.out: c.out for c in carries})
        self.span.update({c.out: stmt.span for c in carries})
        new = tuple(ir.Carry(c.inner, starts.get(c.inner, c.init), c.next, c.out) for c in stmt.carry)
        return replace(stmt, carry=new)


def _inside(stmt: ir.For | ir.While) -> set[Atom]:
    """What a loop reads beside its carry."""
    ends = {stmt.exit, stmt.cond} if isinstance(stmt, ir.While) else {stmt.exit, stmt.start, stmt.stop, stmt.step}
    return {a for a in ends if a is not None}.union(*(_reads(s) for _, block in blocks(stmt) for s in block))


def _reads(stmt: Stmt) -> set[Var]:
    """All variables that are read in the statement, inner blocks and their ends too."""
    atoms = (a for s in walk((stmt,)) for a in (*used(s), *used_inside(s)))
    return {a for a in atoms if isinstance(a, Var)}
