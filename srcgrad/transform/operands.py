"""What the adjoint of an operation reads of the values that went into it and came out of it, asked of its rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language.values import Val

OF_SHAPES = frozenset({"broadcast_like", "unbroadcast"})  # they read the shape alone of their second argument
Given = Const | ir.Type  # a literal, or the type of a value


def operands(let: ir.Let, active: Sequence[bool]) -> list[Var]:
    """The arguments and results that the adjoint by the active arguments reads."""
    if let.op.vjp is None:
        return []
    given = tuple(a if isinstance(a, Const) else a.type for a in let.args)
    params = tuple(sorted(let.params.items()))
    types = tuple(t.type for t in let.targets)
    try:
        places = _places(let.op, given, types, params, tuple(active))
    except TypeError:  # params that cannot be hashed
        places = _places.__wrapped__(let.op, given, types, params, tuple(active))
    values = (*let.args, *let.targets)
    return [v for k in places if isinstance(v := values[k], Var) and not v.type.ref]


@lru_cache(maxsize=1024)
def _places(
    op: ir.Primitive,
    given: tuple[Given, ...],
    types: tuple[ir.Type, ...],
    params: tuple[tuple[str, Any], ...],
    active: tuple[bool, ...],
) -> tuple[int, ...]:
    """Where they stand among the arguments and, after them, the results."""
    builder = Builder()
    args: list[Atom] = [g if isinstance(g, Const) else Var("x", g) for g in given]
    outs = [Var("y", t) for t in types]
    bars = [Val(builder, Var("bar", ir.Type(t.dtype, t.rank))) for t in types]
    assert op.vjp is not None
    try:
        parts = op.vjp(bars, [Val(builder, a) for a in args], [Val(builder, y) for y in outs], dict(params))
    except UnsupportedError:  # the sweep itself says so, with the user's line
        return tuple(range(len(args) + len(outs)))
    wanted = {p.atom for p, wants in zip(parts, active, strict=True) if wants and p is not None}
    read = _read(builder.out, wanted)
    return tuple(k for k, atom in enumerate((*args, *outs)) if atom in read)


def _read(stmts: Sequence[ir.Stmt], wanted: set[Atom]) -> set[Atom]:
    """What is read to compute the wanted values, and they themselves; of lengths alone nothing is read."""
    found = set(wanted)
    for stmt in reversed(stmts):
        if isinstance(stmt, ir.Let):
            if not stmt.op.traits.is_length and any(t in found for t in stmt.targets):
                found.update(stmt.args[:1] if stmt.op.name in OF_SHAPES else stmt.args)
        else:  # rare: a rule that writes into memory
            for inner in walk([stmt]):
                found.update((*used(inner), *used_inside(inner)))
    return found
