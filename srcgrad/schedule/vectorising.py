"""Which loops a compiler can vectorise, as far as the program says it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from srcgrad.bounds.facts import Ranges
from srcgrad.core import ir, walk
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Atom, Stmt, Var

Access = ir.Load | ir.Store | ir.Accumulate
SUMS = {"add", "subtract", "min", "max", "minimum", "maximum", "larger", "fmin", "fmax", "logical_and", "logical_or"}


def vectorises(loop: ir.For, ranges: Ranges) -> bool:
    """Whether the loop is an innermost one that goes through elements, none of which needs the iteration before: at
    most it adds up. Calls of functions do not hinder here: some have vector forms."""
    if loop.parallel or loop.exit is not None or not all(map(_plain, walk.walk(loop.body))):
        return False
    return all(_is_sum(c, loop.body) for c in loop.carry) and not _waits(loop, ranges)


def _plain(stmt: Stmt) -> bool:
    match stmt:
        case ir.Let(targets=targets):
            return all(t.type.is_scalar for t in targets)
        case ir.Load(target=target):
            return target.type.is_scalar
        case ir.Store() | ir.Accumulate():
            return stmt.value.type.is_scalar and all(isinstance(i, (Var, ir.Const)) for i in stmt.index)
        case ir.If() | ir.Remark() | ir.View():
            return True
    return False


def _is_sum(carry: ir.Carry, body: Sequence[Stmt]) -> bool:
    """Whether what is carried is only added to, or compared with."""
    made = {t: s for s in body for t in walk.defined(s)}
    read = [s for s in walk.walk(body) if any(a is carry.inner for a in (*walk.used(s), *walk.used_inside(s)))]
    atom: Atom = carry.next
    links: list[Stmt] = []
    while atom is not carry.inner:
        stmt = made.get(atom) if isinstance(atom, Var) else None
        if not isinstance(stmt, ir.Let) or stmt.op.name.rstrip("_2345678") not in SUMS:
            return False
        links.append(stmt)
        atom = next((a for a in stmt.args if a is carry.inner or _leads(a, carry.inner, made)), stmt.target)
        if atom is stmt.target:
            return False
    return all(any(s is link for link in links) for s in read)


def _leads(atom: Atom, head: Var, made: dict[Var, Stmt]) -> bool:
    """Whether the atom is a sum that the head is a part of."""
    stmt = made.get(atom) if isinstance(atom, Var) else None
    if not isinstance(stmt, ir.Let) or stmt.op.name.rstrip("_2345678") not in SUMS:
        return False
    return any(a is head or _leads(a, head, made) for a in stmt.args)


def _waits(loop: ir.For, ranges: Ranges) -> bool:
    """Whether an iteration reads or adds to what another has written: the same row at another place."""
    stmts = list(walk.walk(loop.body))
    values = _values(stmts, ranges)
    touched = [s for s in stmts if isinstance(s, (ir.Load, ir.Store, ir.Accumulate))]
    written = [s for s in touched if not isinstance(s, ir.Load)]
    return any(w.ref is a.ref and _apart(loop, w, a, values) for w, a in product(written, touched))


def _values(stmts: Sequence[Stmt], ranges: Ranges) -> dict[Atom, Poly]:
    """The integers of the body as polynomials, without learning from them."""
    with ranges.scope():
        for stmt in stmts:
            if isinstance(stmt, ir.Let):
                ranges.note(stmt)
        subscripts = (i for s in stmts if isinstance(s, (ir.Load, ir.Store, ir.Accumulate)) for i in s.index)
        return {i: ranges.value(i) for i in subscripts if isinstance(i, (Var, ir.Const)) and not i.type.rank}


def _apart(loop: ir.For, a: Access, b: Access, values: dict[Atom, Poly]) -> bool:
    """Whether two subscripts of one array may be the same place in different iterations, and not in the same one."""
    gaps: list[Poly] = []
    moves = False
    for left, right in zip(a.index, b.index, strict=True):
        if isinstance(left, ir.Slice) or isinstance(right, ir.Slice) or left not in values or right not in values:
            return True
        gaps.append(values[left] - values[right])
        moves = moves or bool(values[left].degree(loop.index))
    along = [g for g, i in zip(gaps, a.index, strict=True) if values[i].degree(loop.index)]  # type: ignore[index]
    rows = [g for g, i in zip(gaps, a.index, strict=True) if not values[i].degree(loop.index)]  # type: ignore[index]
    if any(g.known is None or g.known for g in rows):
        return False  # other rows, as far as one sees
    return not moves or any(g.known is None or g.known for g in along)
