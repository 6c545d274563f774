"""Counters of loops whose iterations are counted as they run: `i += 1` in a `while` is told by the number of the
iteration, so that nothing is kept of it."""

from __future__ import annotations

from collections.abc import Mapping

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Carry, Const, Stmt, Var
from srcgrad.core.walk import defined
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.transform.context import Context
from srcgrad.transform.iterations import INT_ONE, INT_ZERO, Loop, Numbering, numbering


def counters_of(facts: Facts, loop: Loop) -> dict[Carry, Atom]:
    """The counters that the loop carries, with what each goes on by."""
    return {c: by for c in loop.carry if c.inner.type == ir.I8 and (by := _by(facts, loop, c)) is not None}


def counts_iterations(carry: Carry, counters: Mapping[Carry, Atom]) -> bool:
    """Whether the counter is 0, 1, 2, ... in the iterations."""
    return carry.init == INT_ZERO and counters.get(carry) == INT_ONE


def _by(facts: Facts, loop: Loop, carry: Carry) -> Atom | None:
    """By how much it goes on in each iteration that another one follows, if that is the same in all of them."""
    following = _going_on(facts, loop, carry)
    made = None if following is None else facts.makes.get(following)
    if not isinstance(made, ir.Let) or not _every_time(facts, loop, carry, made):
        return None
    if made.op is add and carry.inner in made.args:
        by = made.args[1] if made.args[0] is carry.inner else made.args[0]
        return by if _before(facts, loop, by) else None
    if made.op is subtract and made.args[0] is carry.inner and isinstance(made.args[1], Const):
        return Const(-made.args[1].value, ir.I8)
    return None


def _before(facts: Facts, loop: Loop, atom: Atom) -> bool:
    """Whether the atom is there before the loop."""
    if not isinstance(atom, Var):
        return True
    return atom.type == ir.I8 and not facts.bound[atom].within(facts.region[loop, "body"])


def _going_on(facts: Facts, loop: Loop, carry: Carry) -> Var | None:
    """What goes into the next iteration: where a branch leaves the loop on one side, what comes out of the other."""
    if not isinstance(carry.next, Var):
        return None
    branch = facts.makes.get(carry.next)
    side = _staying(branch, loop.exit) if isinstance(branch, ir.If) else None
    if side is None:
        return carry.next
    assert isinstance(branch, ir.If)
    value = next(getattr(o, side) for o in branch.outs if o.target is carry.next)
    return value if isinstance(value, Var) else None


def _staying(branch: ir.If, leave: Atom | None) -> str | None:
    """The side of the branch that does not leave the loop, if the other always does."""
    if not isinstance(leave, Var):
        return None
    if branch.cond is leave:
        return "orelse"
    for out in branch.outs:
        if out.target is leave and isinstance(out.then, Const) and isinstance(out.orelse, Const):
            if bool(out.then.value) is not bool(out.orelse.value):
                return "orelse" if out.then.value else "then"
    return None


def _every_time(facts: Facts, loop: Loop, carry: Carry, made: Stmt) -> bool:
    """Whether the statement is reached in each iteration that another one follows."""
    region, body = facts.where[made], facts.region[loop, "body"]
    if region is body:
        return True
    branch = region.stmt
    return region.parent is body and isinstance(branch, ir.If) and carry.next in defined(branch)


def told(b: Builder, loop: Loop, carry: Carry, by: Atom, row: Atom, ctx: Context) -> Atom:
    """The counter as it enters the iteration of this row."""
    number = row
    if isinstance(loop, ir.For) and numbering(loop) is Numbering.INDEX:
        number = _let(b, subtract, row, ctx(loop.start), "turn")
    return _let(b, add, ctx(carry.init), _let(b, multiply, ctx(by), number, carry.inner.name), carry.inner.name)


def _let(b: Builder, op: ir.Primitive, first: Atom, second: Atom, name: str) -> Atom:
    """The result of an operation on integers, without what is idle."""
    if (op is add and first == INT_ZERO) or (op is multiply and first == INT_ONE):
        return second
    if op is subtract and second == INT_ZERO:
        return first
    made: Atom = b.let(op, first, second, name=name)
    return made
