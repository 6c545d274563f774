"""Dicts whose keys are computed (`counts[k[i]] += 1`): a list of keys, and a list of what stands under them.

A dict starts with keys that are each known. Where one is asked for by a key that is not, the whole function is read
again with that dict as one of these (`retry.KeyedSites`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.core.ir import Atom
from srcgrad.frontend.lowering import growing_lists, values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Keyed, Known, Rows, Struct, Value
from srcgrad.python import functions as python


def is_keyed(value: Value) -> bool:
    return isinstance(value, Struct) and value.kind is Keyed


def empty(label: str) -> Struct:
    lists = []
    for name in ("keys", label or "items"):
        lists.append(Struct(list, (), ()))
        lists[-1].label = name
    return Struct(Keyed, ("@keys", "@values"), tuple(lists), value=True)


def made(low: Lowering, keys: Sequence[Value], items: Sequence[Value]) -> Struct:
    """A dict of the user's that is made here with these keys."""
    new = empty(values.spelling(low.naming.now))
    for key, item in zip(keys, items, strict=True):
        set_item(low, new, key, item)
    return new


def _lists(owner: Struct) -> tuple[Struct, Struct]:
    keys, items = owner.held
    assert isinstance(keys, Struct) and isinstance(items, Struct)
    return keys, items


def _call(low: Lowering, function: Callable[..., Any], *args: Value) -> Value:
    return low.constructs.call(Known(function), args)


def _key(low: Lowering, key: Value) -> Value:
    if isinstance(key, Known):
        hint = "use integers for all keys, or two dicts"
        low.refuse(f"a dict has computed keys beside {values.describe(key)}", hint)
    return key


def get_item(low: Lowering, owner: Struct, key: Value) -> Value:
    keys, items = _lists(owner)
    return _item(low, items, _call(low, python.place_of_key, keys, _key(low, key)))


def _item(low: Lowering, items: Struct, place: Value) -> Value:
    if not isinstance(items.rows, Rows) and not items.items:
        low.refuse("a dict that is empty here is asked for a key", "put something into it before")
    rows = growing_lists.indexable(low, items)
    return growing_lists.item(low, rows, growing_lists.place(low, rows, low.integer(place)))


def set_item(low: Lowering, owner: Struct, key: Value, value: Value) -> None:
    keys, items = _lists(owner)
    _call(low, python.set_under, keys, items, _key(low, key), value)


def augmented(low: Lowering, owner: Struct, key: Value, new: Callable[[Value], Value]) -> None:
    """owner[key] op= value: the key is looked for once."""
    keys, items = _lists(owner)
    place = low.integer(_call(low, python.place_of_key, keys, _key(low, key)))
    old = _item(low, items, place)
    given = new(old)
    if given is not old:
        growing_lists.set_item(low, items, place, given)


def contains(low: Lowering, owner: Struct, key: Value) -> Atom:
    return low.truth(_call(low, python.has_key, _lists(owner)[0], _key(low, key)))


# ---- methods


def _get(low: Lowering, owner: Struct, key: Value, default: Value = Known(None)) -> Value:  # noqa: B008
    if isinstance(default, Known):
        low.refuse("`get` of a dict with computed keys has no default that is a number", "write get(key, 0.0)")
    return _call(low, python.get_under, *_lists(owner), _key(low, key), default)


def _pop(low: Lowering, owner: Struct, key: Value) -> Value:
    return _call(low, python.pop_under, *_lists(owner), _key(low, key))


def _setdefault(low: Lowering, owner: Struct, key: Value, default: Value) -> Value:
    return _call(low, python.default_under, *_lists(owner), _key(low, key), default)


def _keys(low: Lowering, owner: Struct) -> Value:
    return _lists(owner)[0]


def _values(low: Lowering, owner: Struct) -> Value:
    return _lists(owner)[1]


def _items(low: Lowering, owner: Struct) -> Value:
    return Struct(values.KeyedItems, owner.keys, owner.held, value=True)


def _clear(low: Lowering, owner: Struct) -> Value:
    for items in _lists(owner):
        _call(low, python.clear_items, items)
    return Known(None)


def _copy(low: Lowering, owner: Struct) -> Value:
    return Struct(Keyed, owner.keys, tuple(growing_lists.same(low, items) for items in _lists(owner)), value=True)


METHODS: dict[str, Callable[..., Value]] = {
    "get": _get, "pop": _pop, "setdefault": _setdefault, "keys": _keys, "values": _values, "items": _items,
    "clear": _clear, "copy": _copy,
}  # fmt: skip
