"""Sets. One of integers and strings that are known holds them apart; one whose items are computed is a list of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import growing_lists, values
from srcgrad.frontend.lowering.expressions import unpacked
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import KeyedSet, Known, Struct, Value
from srcgrad.python import functions as python

DISCARDED = -1  # the site of a set out of which something was taken: its order is not known


def display(low: Lowering, node: ast.Set) -> Value:
    items: list[Value] = []
    for part in node.elts:
        items += unpacked(low, low.ex(part.value)) if isinstance(part, ast.Starred) else [low.ex(part)]
    return made(low, items, node)


def made(low: Lowering, items: Sequence[Value], node: ast.AST, kind: type = set) -> Struct:
    """A set of these, made by a node."""
    new = Struct(kind, (), (), value=False)
    new.locked, new.site, new.label = "", id(node), values.spelling(low.naming.now)
    if id(node) in low.setting.keyed.sites:
        held = Struct(list, (), ())
        held.label = new.label or "items"
        new = Struct(KeyedSet, ("@items",), (held,), value=True)
    for item in items:
        _add(low, new, item)
    if kind is frozenset:
        new.locked = new.locked or "it is a frozenset"
    return new


def is_set(value: Value) -> bool:
    return isinstance(value, Struct) and (value.kind is KeyedSet or value.kind in (set, frozenset))


def _name(low: Lowering, owner: Struct, item: Value) -> str:
    name = values.key_of(item)
    if name is None:
        if isinstance(item, (Var, Const)) or (isinstance(item, Struct) and item.kind is tuple):
            low.setting.keyed.asked.update({owner.site} - {0, DISCARDED})
        low.expect_known("an item of a set is not known here", "use integers, or strings that are known")
    return name


def ordered(low: Lowering, owner: Struct) -> list[Value]:
    """The items in the order in which Python goes over them."""
    numbers = [int(key[1:]) for key in owner.keys if isinstance(key, values.Integer)]
    if owner.kind is KeyedSet or owner.site == DISCARDED or (len(numbers) < len(owner.keys) > 1):
        low.refuse("the order of a set is not known here", "loop over it sorted: sorted(...)")
    if len(owner.keys) == 1:
        return [values.of_key(owner.keys[0])]
    whole: set[int] = set()
    for number in numbers:
        whole.add(number)
    return [Const(number, ir.I8) for number in whole]


def items_of(low: Lowering, owner: Struct) -> Struct:
    """The items in any order, for what does not depend on it."""
    if owner.kind is KeyedSet:
        held = owner.held[0]
        assert isinstance(held, Struct)
        return held
    return values.struct([values.of_key(key) for key in owner.keys], list)


def contains(low: Lowering, owner: Struct, item: Value) -> Atom:
    if owner.kind is KeyedSet:
        return low.truth(low.constructs.call(Known(python.has_key), [owner.held[0], item]))
    name = values.key_of(item)
    if name is not None:
        return values.TRUE if name in owner.keys else values.FALSE
    if owner.keys and not isinstance(item, Struct):
        return low.truth(low.constructs.call(Known(python.has_key), [items_of(low, owner), item]))
    _name(low, owner, item)
    return values.FALSE


# ---- methods and operators


def _hold(low: Lowering, owner: Struct, names: Sequence[str]) -> None:
    names = tuple(dict.fromkeys(names))
    low.change(owner, (names, tuple(values.of_key(name) for name in names), None))


def _add(low: Lowering, owner: Struct, item: Value) -> Value:
    if owner.kind is KeyedSet:
        if isinstance(item, Known):
            low.refuse(f"a set has computed items beside {values.describe(item)}", "use two sets")
        low.constructs.call(Known(python.add_item), [owner.held[0], item])
    else:
        _hold(low, owner, [*owner.keys, _name(low, owner, item)])
    return Known(None)


def _discard(low: Lowering, owner: Struct, item: Value) -> Value:
    if owner.kind is KeyedSet:
        low.constructs.call(Known(python.discard_item), [owner.held[0], item])
    else:
        name = _name(low, owner, item)
        _hold(low, owner, [key for key in owner.keys if key != name])
        owner.site = DISCARDED
    return Known(None)


def _remove(low: Lowering, owner: Struct, item: Value) -> Value:
    if owner.kind is KeyedSet:
        low.constructs.call(Known(python.remove_value), [owner.held[0], item])
        return Known(None)
    if _name(low, owner, item) not in owner.keys:
        low.may_raise(KeyError, lambda: values.TRUE)
        low.refuse("what is removed is not in the set", "use discard")
    return _discard(low, owner, item)


def _update(low: Lowering, owner: Struct, *others: Value) -> Value:
    for other in others:
        for item in _known_items(low, other):
            _add(low, owner, item)
    return Known(None)


def _known_items(low: Lowering, value: Value) -> list[Value]:
    if isinstance(value, Struct) and is_set(value):
        value = items_of(low, value)
    return unpacked(low, value)


def _copy(low: Lowering, owner: Struct) -> Value:
    return combined(low, "union", owner, owner)


def _clear(low: Lowering, owner: Struct) -> Value:
    if owner.kind is KeyedSet:
        low.constructs.call(Known(python.clear_items), [owner.held[0]])
    else:
        _hold(low, owner, [])
    return Known(None)


def combined(low: Lowering, how: str, left: Struct, *others: Value) -> Value:
    """Union, intersection, difference and symmetric difference of sets of known items."""
    names = list(left.keys)
    if left.kind is KeyedSet:
        low.refuse("sets whose items are computed are put together", "add the items in a loop")
    for other in others:
        items = [_name(low, left, item) for item in _known_items(low, other)]
        found = getattr(dict.fromkeys(names).keys(), OPERATORS[how])(dict.fromkeys(items).keys())
        names = [name for name in dict.fromkeys([*names, *items]) if name in found]
    new = Struct(set, tuple(names), tuple(values.of_key(name) for name in names), value=False)
    new.locked, new.site = "", DISCARDED
    return new


OPERATORS = {
    "union": "__or__",
    "intersection": "__and__",
    "difference": "__sub__",
    "symmetric_difference": "__xor__",
}


def _combining(how: str) -> Callable[..., Value]:
    return lambda low, owner, *others: combined(low, how, owner, *others)


def compared(low: Lowering, how: str, left: Struct, right: Value) -> Atom | None:
    """left == right and its like, of sets of known items; None of another kind of value."""
    if not isinstance(right, Struct) or not is_set(right):
        return None
    if KeyedSet in (left.kind, right.kind):
        low.refuse("sets whose items are computed are compared", "compare their lengths and items")
    told: Any = getattr(set(left.keys), how)(set(right.keys))
    return values.TRUE if told else values.FALSE


METHODS: dict[str, Callable[..., Value]] = {
    "add": _add,
    "discard": _discard,
    "remove": _remove,
    "update": _update,
    "copy": _copy,
    "clear": _clear,
    **{how: _combining(how) for how in OPERATORS},
}


def count(low: Lowering, owner: Struct) -> Atom:
    """len(owner)"""
    rows = items_of(low, owner).rows
    return rows.count if isinstance(rows, values.Rows) else Const(len(items_of(low, owner).items), ir.I8)


def listed(low: Lowering, owner: Struct) -> Struct:
    """A copy of the items, to be sorted."""
    return growing_lists.same(low, items_of(low, owner))
