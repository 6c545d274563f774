"""What is kept in rows is stored to, and loaded from, the tape itself: at the place where the row begins, and so many
places behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import defined, defined_inside, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add, subtract

Access = ir.Load | ir.Store | ir.Accumulate


def on_tapes(fun: Fun, tapes: Collection[Var]) -> Fun:
    """The function without views of tapes that are only looked at element by element."""
    starts = {s.target: s for s in walk(fun.body) if isinstance(s, ir.View) and s.base in tapes}
    makes = {v: s for s in walk(fun.body) for v in (*defined(s), *defined_inside(s))}
    other = {a for s in walk(fun.body) for a in _not_by_element(s, makes)} | set(fun.results)
    direct: dict[Var, tuple[Var, Atom]] = {
        row: (view.base, start)
        for row, view in starts.items()
        if row not in other and (start := _start(view)) is not None
    }
    if not direct:
        return fun

    def one(stmt: Stmt) -> Rewritten:
        if isinstance(stmt, ir.View) and stmt.target in direct:
            return ()
        if not isinstance(stmt, Access) or stmt.ref not in direct:
            return stmt
        tape, start = direct[stmt.ref]
        (place,) = stmt.index
        assert not isinstance(place, ir.Slice)
        if place == Const(0, ir.I8):
            return _at(stmt, tape, start)
        at = Var("at", ir.I8)
        return ir.Let((at,), add, (start, place), span=stmt.span), _at(stmt, tape, at)

    return rewrite(fun, one)


def _at(stmt: Access, tape: Var, at: Atom) -> Stmt:
    match stmt:
        case ir.Load():
            return ir.Load(stmt.target, tape, (at,), stmt.copy, span=stmt.span)
        case ir.Store():
            return ir.Store(tape, (at,), stmt.value, span=stmt.span)
    return ir.Accumulate(tape, (at,), stmt.value, stmt.atomic, span=stmt.span)


def _start(view: ir.View) -> Atom | None:
    match view.how:
        case (ir.Slice(start, _, None),):
            return start
    return None


def _not_by_element(stmt: Stmt, makes: Mapping[Var, Stmt]) -> Iterator[Atom]:
    """What the statement reads in another way than as an element at a place counted from the start."""
    yield from used_inside(stmt)
    if isinstance(stmt, Access) and len(stmt.index) == 1 and _counted(stmt.index[0], makes):
        yield from (a for a in used(stmt) if a is not stmt.ref)
    else:
        yield from used(stmt)


def _counted(place: ir.Item, makes: Mapping[Var, Stmt]) -> bool:
    """Whether the index is surely not negative: then it counts from the start."""
    if isinstance(place, Const):
        return place.type == ir.I8 and place.value.real >= 0
    made = makes.get(place) if isinstance(place, Var) and place.type == ir.I8 else None
    match made:
        case ir.For() if made.index is place:
            if not isinstance(made.step, Const):
                return False
            upwards = made.step.value.real > 0
            return _counted(made.start, makes) if upwards else made.stop == Const(-1, ir.I8)
        case ir.For() | ir.While():
            carry = next((c for c in made.carry if c.inner is place), None)
            step = makes.get(carry.next) if carry is not None and isinstance(carry.next, Var) else None
            grows = isinstance(step, ir.Let) and step.op is add and step.args[0] is place
            return carry is not None and grows and _counted(carry.init, makes) and _counted(step.args[1], makes)  # type: ignore[union-attr]
        case ir.Let() if made.op is subtract:
            loop = makes.get(made.args[0]) if isinstance(made.args[0], Var) else None
            forwards = isinstance(loop, ir.For) and loop.index is made.args[0] and loop.start == made.args[1]
            return forwards and isinstance(loop.step, Const) and loop.step.value.real > 0  # type: ignore[union-attr]
    return False
