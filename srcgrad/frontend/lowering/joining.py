"""How the values of two paths become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering.values import (
    EITHER,
    FALSE,
    LATER,
    NONE,
    TRUE,
    UNBOUND,
    Absent,
    Known,
    Maybe,
    Poison,
    Rows,
    Struct,
    Value,
    View,
    copied,
    describe,
    leaves,
    map_leaves,
    placeholder,
    same_shape,
    spelling,
)


class Mismatch(Exception):
    """Two paths give a name values that cannot be one."""


def join_type(a: ir.Type, b: ir.Type, weak_a: bool = False, weak_b: bool = False) -> ir.Type:
    """The type of a name that is a on one path and b on another; a literal gives way to the other side's precision."""
    if a == b:
        return a
    if not (a.is_scalar and b.is_scalar):
        raise Mismatch
    if a.is_complex or b.is_complex:
        return ir.Type(np.result_type(np.dtype(a.dtype), np.dtype(b.dtype)).str[1:])
    order = ["b1", "i8", "f4", "f8"]
    if a.dtype not in order or b.dtype not in order:
        raise Mismatch
    pair = {a.dtype, b.dtype}
    if pair == {"f4", "f8"} and (weak_a if a.dtype == "f8" else weak_b):
        return ir.F4
    return ir.Type(max(pair, key=order.index))


def join_atoms(a: Atom, b: Atom) -> ir.Type:
    return join_type(a.type, b.type, isinstance(a, Const), isinstance(b, Const))


def align(
    a: Value | None,
    b: Value | None,
    name: str,
    view_a: View = {},  # noqa: B006
    view_b: View = {},  # noqa: B006
) -> tuple[Value, Value] | Poison:
    """The two values in one structure, or why there is none. A name bound on one side only becomes a `Maybe`.
    The views are what objects hold on either side, where it is not what they hold now."""
    ours = name.isidentifier()  # of a variable of the user's
    name = spelling(name)
    a, b = (None if side is LATER else side for side in (a, b))
    if isinstance(a, Poison):
        return a
    if isinstance(b, Poison):
        return b
    either = [isinstance(side, (Maybe, Absent)) for side in (a, b)]
    if a is None or b is None or any(either) or (ours and _nothing(a) != _nothing(b)):
        a, b = maybe(a, b, view_a, view_b), maybe(b, a, view_b, view_a)
    for side in (a, b):
        if isinstance(side, Absent):
            return Poison(f"`{name}` may be {side.missing.state} here", side.missing.hint)
    if a is None or b is None:
        return Poison(f"`{name}` may be unbound here", "assign it before the branch or the loop")
    a, b = paired(a, b, view_a, view_b)
    if not same_shape(a, b) or not all(map(joinable, leaves(a), leaves(b))):
        return Poison(f"`{name}` is {describe(a)} on one path and {describe(b)} on another", one_kind(a, b), (a, b))
    return a, b


def one_kind(a: Value | None, b: Value | None) -> str:
    """What to write where a name is of two kinds."""
    types = [v.type for v in (a, b) if isinstance(v, (Var, Const))]
    ranks = sorted(t.rank for t in types)
    if len(types) == 2 and ranks[0] == 0 < ranks[1]:
        return f"make it an array from the start: np.zeros({'n' if ranks[1] == 1 else '(n, m)'})"
    if len(types) == 2 and ranks[0] == ranks[1] > 0 and {t.dtype[0] for t in types} <= set("iub") | {"f"}:
        return "make it an array of floats from the start: np.array([1.0, 0.0])"
    if _nothing(a) or _nothing(b):
        return "start with a number or an array: -np.inf, np.zeros(n)"
    return "use two names"


def paired(a: Value, b: Value, view_a: View, view_b: View) -> tuple[Value, Value]:
    """Two values such that different objects in the same place are replaced by what they hold; from here on nobody may
    change those objects, for whoever holds the joined one would not see it."""
    if isinstance(a, Maybe) and isinstance(b, Maybe):
        x, y = paired(a.value, b.value, view_a, view_b)
        return replace(a, value=x), replace(b, value=y)
    if a is b or not isinstance(a, Struct) or not isinstance(b, Struct):
        return a, b
    (keys_a, held_a, rows_a), (keys_b, held_b, rows_b) = view_a.get(a, a.content), view_b.get(b, b.content)
    if isinstance(rows_a, Rows) and isinstance(rows_b, Rows) and rows_a.memory == rows_b.memory and a.value and b.value:
        return a, b
    for struct in (a, b):
        struct.locked = struct.locked or EITHER
    if rows_a is None and rows_b is None and keys_a == keys_b:
        pairs = [paired(x, y, view_a, view_b) for x, y in zip(held_a, held_b, strict=True)]
        held_a, held_b = tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
        return tuple(Struct(s.kind, keys_a, h, value=True, locked=EITHER) for s, h in ((a, held_a), (b, held_b)))  # type: ignore[return-value]
    return copied(a, view_a, EITHER), copied(b, view_b, EITHER)


def joinable(a: Atom, b: Atom) -> bool:
    try:
        join_atoms(a, b)
    except Mismatch:
        return False
    return True


def _nothing(value: Value | None) -> bool:
    return isinstance(value, Known) and value.value is None


def maybe(value: Value | None, other: Value | None, view: View = {}, view_other: View = {}) -> Value | None:  # noqa: B006
    """value as a `Maybe`, beside the value that the name has on the other path; None if it has no place for that."""
    if isinstance(value, Maybe):
        return value
    if value is not None and not _nothing(value) and not isinstance(value, Absent):
        missing = other.missing if isinstance(other, (Maybe, Absent)) else NONE if _nothing(other) else UNBOUND
        held = copied(value, view)
        return Maybe(held, TRUE, missing) if all(map(_has_place, leaves(held))) else value
    shape = other.value if isinstance(other, Maybe) else None if other is None else copied(other, view_other)
    missing = UNBOUND if value is None else value.missing if isinstance(value, Absent) else NONE
    if shape is None or _rows_inside(shape) or not all(map(_has_place, leaves(shape))):
        return value
    return Maybe(map_leaves(shape, lambda atom: placeholder(atom.type)), FALSE, missing)


def _has_place(atom: Atom) -> bool:
    return atom.type.is_scalar or (atom.type.ref and not atom.type.many)


def _rows_inside(value: Value) -> bool:
    return isinstance(value, Struct) and (value.rows is not None or any(map(_rows_inside, value.held)))
