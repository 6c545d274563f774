"""Lists, dicts and other objects: what is read from them, and how they are changed in place."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import growing_lists, keyed_dicts, sets, sorting, strings, values
from srcgrad.frontend.lowering.expressions import element, unpacked
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import iterable, mapping, own, special
from srcgrad.frontend.lowering.special_methods import length as length_of
from srcgrad.frontend.lowering.values import Known, Rows, Struct, Value
from srcgrad.frontend.source import classes
from srcgrad.frontend.source.structure import Records, is_table
from srcgrad.python import functions as python

Args = Sequence[Value]
Named = dict[str, Value]


# ---- items


def get_item(low: Lowering, owner: Value, key: Value) -> Value:
    """owner[key]"""
    given = special(low, owner, "__getitem__", low.settle(key, "key"))
    if given is not None:
        return given
    if isinstance(owner, Known) and is_table(owner.value) and isinstance(key, Known) and isinstance(key.value, str):
        return low.captures.column(owner, key.value)
    if not isinstance(owner, Struct):
        hint = "pass an array, a tuple or a list"
        if isinstance(owner, Known) and hasattr(owner.value, "__array__"):
            hint = "pass its NumPy array: .to_numpy(), or np.asarray(...)"
        low.refuse(f"{values.describe(owner)} has no elements", hint)
    return item_of(low, owner, key)


def item_of(low: Lowering, owner: Struct, key: Value) -> Value:
    """The same, whatever the class says."""
    if owner.kind is values.Keyed:
        return keyed_dicts.get_item(low, owner, key)
    if owner.kind in (Records, values.Record):
        return _of_records(low, owner, key)
    if issubclass(owner.kind, dict):
        name = _key(low, owner, key)
        item = owner.get(name)
        return _missing(low, owner, name) if item is None else item
    if _sequence(low, owner) and not isinstance(owner.rows, Rows) and isinstance(key, Const):
        return owner.items[_position(low, owner, key)]
    index = low.integer(key)
    rows = growing_lists.indexable(low, owner)
    return growing_lists.item(low, rows, growing_lists.place(low, rows, index))


def _of_records(low: Lowering, owner: Struct, key: Value) -> Value:
    """A field of a structured array, or of one of its records; a record."""
    if isinstance(key, Known) and isinstance(key.value, str):
        item = owner.get(key.value)
        if item is None:
            low.refuse(f"there is no field {key.value!r}", f"the fields are {', '.join(owner.keys)}")
        return item
    if owner.kind is values.Record:
        low.refuse("a record is indexed by a number", "give the field's name")
    return record(low, owner, low.integer(key))


def record(low: Lowering, owner: Struct, index: Atom, checks: bool = True) -> Value:
    """One record of a structured array."""
    items: list[Value] = []
    for field in owner.items:
        if isinstance(field, Struct):
            items.append(record(low, field, index, checks))
            continue
        ref = low.memory(low.atom(field))
        assert isinstance(ref, Var)
        if checks:
            low.in_range(ref, (index, *[ir.Slice()] * (ref.type.rank - 1)))
        items.append(element(low, ref, index))
    return Struct(values.Record, owner.keys, tuple(items), value=True, locked="it is a record of a structured array")


def _missing(low: Lowering, owner: Struct, name: str) -> Value:
    """A key that is not there."""
    given = special(low, owner, "__missing__", values.of_key(name))
    if given is None:
        low.may_raise(KeyError, lambda: values.TRUE)
        there = ", ".join(key if key.isidentifier() else values.shown_key(key) for key in owner.keys)
        low.refuse(f"there is no key {values.shown_key(name)}", f"the keys are {there}")
    return given


def _sequence(low: Lowering, owner: Struct) -> bool:
    if not issubclass(owner.kind, (list, tuple)):
        low.refuse(f"a {owner.kind.__name__} has no items", "read its attributes")
    return True


def _key(low: Lowering, owner: Struct, key: Value) -> str:
    known = values.key_of(key)
    if known is None:
        strings.expect_known(low, key)
        low.setting.keyed.asked.update({owner.site} - {0})
        message = "the key of a dict is not a string or an integer that is known here"
        low.expect_known(message, "use strings or integers that are known as keys")
    return known


def _position(low: Lowering, owner: Struct, key: Const) -> int:
    index = low.integer(key)
    assert isinstance(index, Const)
    position = int(index.value.real)
    if not -len(owner.items) <= position < len(owner.items):
        low.may_raise(IndexError, lambda: values.TRUE)
        low.refuse(f"item {position} of {len(owner.items)} does not exist", f"the last is item {len(owner.items) - 1}")
    return position % len(owner.items)


def set_item(low: Lowering, owner: Struct, key: Value, value: Value) -> None:
    """owner[key] = value"""
    if special(low, owner, "__setitem__", low.settle(key, "key"), low.settle(value, "a")) is None:
        set_item_of(low, owner, key, value)


def set_item_of(low: Lowering, owner: Struct, key: Value, value: Value) -> None:
    """The same, whatever the class says."""
    value = low.settle(value, owner.label or "a")
    if owner.kind is values.Keyed:
        return keyed_dicts.set_item(low, owner, key, value)
    if issubclass(owner.kind, dict):
        return hold(low, owner, _key(low, owner, key), value)
    if not issubclass(owner.kind, list):
        low.refuse(f"a {owner.kind.__name__} is changed in place", "make a new one, or use a list or an array")
    if not isinstance(owner.rows, Rows) and isinstance(key, Const):
        return hold(low, owner, str(_position(low, owner, key)), value)
    index = low.integer(key)
    if not isinstance(owner.rows, Rows):
        low.change(owner, owner.content)
        growing_lists.become(low, owner, growing_lists.Wanted(growing_lists.model(low, [*owner.items, value]), False))
    growing_lists.set_item(low, owner, index, value)


def hold(low: Lowering, owner: Struct, key: str, value: Value) -> None:
    """What stands under this key, which may be new."""
    items = dict(zip(owner.keys, owner.items, strict=True))
    items[key] = value
    low.change(owner, (tuple(items), tuple(items.values()), None))


def part(low: Lowering, owner: Struct, bounds: list[Value | None]) -> Value:
    """owner[a:b:c], a new list or tuple"""
    if own(low, owner, "__getitem__") is not None:
        what = f"a slice of a {owner.kind.__name__} goes to its `__getitem__`"
        low.refuse(what, "write a method that takes the bounds")
    _sequence(low, owner)
    kind = list if issubclass(owner.kind, list) else tuple
    if isinstance(owner.rows, Rows):
        return _part_of_rows(low, owner.rows, bounds)
    known = [None if b is None else _known_integer(low, b) for b in bounds]
    return values.struct(owner.items[slice(*known)], kind)


def _part_of_rows(low: Lowering, rows: Rows, bounds: list[Value | None]) -> Value:
    if any(m.type.many for m in rows.memory):
        low.refuse("a slice of a list of arrays of unknown length", "make it an array: np.array(...)")
    index = (ir.Slice(*(None if b is None else low.integer(b) for b in bounds)),)
    views = [low.b.view(m, index) for m in growing_lists.whole(low, rows)]
    memory = tuple(low.b.alloc(v.type.dtype, (), init=low.b.load(v), name=v.name) for v in views)
    count = low.length(memory[0])
    return Struct(list, (), (), dataclasses.replace(rows, memory=memory, count=count, exact=True, grows=False))


def _known_integer(low: Lowering, value: Value) -> int:
    index = low.integer(value)
    if not isinstance(index, Const):
        low.refuse("the bound of a slice of a list is not known here", "use an array")
    return int(index.value.real)


# ---- methods of lists and dicts


def extend(low: Lowering, owner: Struct, more: Value) -> None:
    """owner.extend(more)"""
    if isinstance(more, Var) or (isinstance(more, Struct) and isinstance(more.rows, Rows)):
        given = growing_lists.same(low, owner) if more is owner else more
        low.constructs.call(Known(python.extend_by), [owner, given])
        return
    for item in unpacked(low, more):
        growing_lists.append(low, owner, item)


def update(low: Lowering, owner: Struct, *others: Value, **named: Value) -> None:
    """owner.update(other, **named)"""
    for other in others:
        items = mapping(low, other)
        if items is None:
            low.refuse("a dict is updated by something else", "give a dict or keywords")
        named = {**items, **named}
    for key, value in named.items():
        hold(low, owner, key, low.settle(value, key))


def _append(low: Lowering, owner: Struct, value: Value) -> Value:
    growing_lists.append(low, owner, value)
    return Known(None)


def _extend(low: Lowering, owner: Struct, more: Value) -> Value:
    extend(low, owner, more)
    return Known(None)


def _update(low: Lowering, owner: Struct, *others: Value, **named: Value) -> Value:
    update(low, owner, *others, **named)
    return Known(None)


def _pop(low: Lowering, owner: Struct, *where: Value) -> Value:
    last: tuple[Value, ...] = (Const(-1, ir.I8),)
    if isinstance(owner.rows, Rows):
        if where and where != last:
            return low.constructs.call(Known(python.pop_at), [owner, *where])
        return growing_lists.pop(low, owner)
    (key, *default) = where or last
    if issubclass(owner.kind, dict):
        name = _key(low, owner, key)
        if name not in owner.keys and default:
            return default[0]
        return _without(low, owner, name, get_item(low, owner, key))
    if not isinstance(key, Const):
        return _of_rows(low, owner, python.pop_at, key)
    position = _position(low, owner, key)
    items = list(owner.items)
    value = items.pop(position)
    low.change(owner, (tuple(map(str, range(len(items)))), tuple(items), None))
    return value


def _without(low: Lowering, owner: Struct, key: str, value: Value) -> Value:
    items = {k: v for k, v in zip(owner.keys, owner.items, strict=True) if k != key}
    low.change(owner, (tuple(items), tuple(items.values()), None))
    return value


def _of_rows(low: Lowering, owner: Struct, function: Callable[..., object], *args: Value) -> Value:
    """function(owner, *args), of a list that becomes one of unknown length."""
    low.change(owner, owner.content)
    growing_lists.indexable(low, owner)
    return low.constructs.call(Known(function), [owner, *args])


def _insert(low: Lowering, owner: Struct, where: Value, value: Value) -> Value:
    if isinstance(owner.rows, Rows) or not isinstance(low.integer(where), Const):
        return _of_rows(low, owner, python.insert_at, where, value)
    items, place = list(owner.items), _known_integer(low, where)
    items.insert(place, low.settle(value, owner.label or "a"))
    low.change(owner, (tuple(map(str, range(len(items)))), tuple(items), None))
    return Known(None)


def _reverse(low: Lowering, owner: Struct) -> Value:
    if isinstance(owner.rows, Rows):
        return _of_rows(low, owner, python.reverse_items)
    low.change(owner, (owner.keys, owner.items[::-1], None))
    return Known(None)


def _sort(low: Lowering, owner: Struct, *, key: Value = Known(None), reverse: Value = values.FALSE) -> Value:  # noqa: B008
    if sorting.is_given(key):
        if isinstance(owner.rows, Rows):
            low.refuse("`key` of a list of unknown length", "make it an array, and sort the keys: x[np.argsort(keys)]")
        low.change(owner, (owner.keys, tuple(sorting.by_key(low, owner.items, key, reverse)), None))
        return Known(None)
    if isinstance(owner.rows, Rows):
        return _of_rows(low, owner, python.sort_items, reverse)
    if len(owner.items) > 1:
        made = low.constructs.call(Known(python.ordered), [low.apply(np.array, values.struct(owner.items)), reverse])
        low.change(owner, (owner.keys, tuple(unpacked(low, made, len(owner.items))), None))
    return Known(None)


def _remove(low: Lowering, owner: Struct, value: Value) -> Value:
    if not isinstance(owner.rows, Rows) and not all(isinstance(item, (Var, Const)) for item in owner.items):
        place = _index(low, owner, value)
        assert isinstance(place, Const)
        _pop(low, owner, place)
        return Known(None)
    return _of_rows(low, owner, python.remove_value, value)


def _count(low: Lowering, owner: Struct, value: Value) -> Value:
    return low.constructs.call(Known(python.count_of), [owner, value])


def delete_slice(low: Lowering, owner: Struct, bounds: list[Value | None]) -> None:
    """del owner[a:b]"""
    replace_slice(low, owner, bounds, values.struct([], list))


def replace_slice(low: Lowering, owner: Struct, bounds: list[Value | None], value: Value) -> None:
    """owner[a:b] = value"""
    if not issubclass(owner.kind, list):
        low.refuse(f"a slice of a {owner.kind.__name__} is changed", "use a list")
    atoms = [None if b is None else low.integer(b) for b in bounds]
    known = all(b is None or isinstance(b, Const) for b in atoms)
    if owner.rows is None and known:
        items = list(owner.items)
        where = slice(*(None if b is None else _known_integer(low, b) for b in atoms))
        new = [low.settle(item, owner.label or "a") for item in unpacked(low, value)]
        try:
            items[where] = new
        except ValueError:
            low.refuse(f"{len(new)} items are put into a slice of another length", "give it as many as it has")
        return low.change(owner, (tuple(map(str, range(len(items)))), tuple(items), None))
    if len(bounds) > 2 and bounds[2] is not None:
        low.refuse("a slice with a step of a list of unknown length is changed", "assign its items one by one")
    low.change(owner, owner.content)
    growing_lists.indexable(low, owner)
    count: Value = length(low, [owner])
    start, stop = low.constructs.call(Known(python.bounds_of), [count, *map(_or_none, atoms[:2])]).items  # type: ignore[union-attr]
    low.constructs.call(Known(python.delete_part), [owner, start, stop])
    low.constructs.call(Known(python.insert_part), [owner, start, value])


def _or_none(value: Value | None) -> Value:
    return Known(None) if value is None else value


def _clear(low: Lowering, owner: Struct) -> Value:
    rows = owner.rows
    if not isinstance(rows, Rows):
        low.change(owner, ((), (), None))
    elif any(m.type.many for m in rows.memory):
        low.refuse("a list of arrays of unknown length is emptied", "make a new one")
    else:
        low.change(owner, ((), (), dataclasses.replace(rows, count=growing_lists.ZERO, exact=False)))
    return Known(None)


def copy(low: Lowering, owner: Struct) -> Value:
    """A new object that holds the same."""
    if issubclass(owner.kind, list):
        return growing_lists.same(low, owner)
    return Struct(owner.kind, owner.keys, owner.items)


def _get(low: Lowering, owner: Struct, key: Value, default: Value = Known(None)) -> Value:  # noqa: B008
    found = owner.get(_key(low, owner, key))
    return default if found is None else found


def _setdefault(low: Lowering, owner: Struct, key: Value, default: Value = Known(None)) -> Value:  # noqa: B008
    name = _key(low, owner, key)
    if name not in owner.keys:
        hold(low, owner, name, low.settle(default, name))
    return owner.items[owner.keys.index(name)]


def _keys(low: Lowering, owner: Struct) -> Value:
    return values.struct([values.of_key(key) for key in owner.keys])


def _values(low: Lowering, owner: Struct) -> Value:
    return values.struct(owner.items)


def _items(low: Lowering, owner: Struct) -> Value:
    return values.struct([values.struct([values.of_key(k), v]) for k, v in zip(owner.keys, owner.items, strict=True)])


def _index(low: Lowering, owner: Struct, value: Value) -> Value:
    if isinstance(value, (Var, Const)):
        return low.constructs.call(Known(python.place_of), [owner, value])
    known = [item.value for item in owner.items if isinstance(item, Known)]
    if not isinstance(value, Known) or len(known) < len(owner.items) or value.value not in known:
        low.refuse("the place of a value that is not known here", "loop over the list")
    return Const(known.index(value.value), ir.I8)


LIST: dict[str, Callable[..., Value]] = {
    "append": _append,
    "extend": _extend,
    "pop": _pop,
    "insert": _insert,
    "remove": _remove,
    "reverse": _reverse,
    "sort": _sort,
    "count": _count,
    "clear": _clear,
    "copy": copy,
    "index": _index,
}
DICT: dict[str, Callable[..., Value]] = {
    "get": _get,
    "keys": _keys,
    "values": _values,
    "items": _items,
    "update": _update,
    "pop": _pop,
    "copy": copy,
    "setdefault": _setdefault,
    "clear": _clear,
}


def method(low: Lowering, owner: Struct, name: str, args: Args, named: Named) -> Value | None:
    """A method of a list, a dict or a tuple, or of what makes NamedTuples; None if it is of the user's class."""
    found = classes.written(owner.kind, name)
    if found is not None and not found.foreign:
        return None
    if found is not None and not classes.is_named_tuple(owner.kind):
        low.refuse(f"`{name}` of a {found.owner.__name__} is called, which is a library's", "use a dict")
    return plain_method(low, owner, name, args, named)


def plain_method(low: Lowering, owner: Struct, name: str, args: Args, named: Named) -> Value | None:
    """The same, whatever the class says."""
    table = LIST if issubclass(owner.kind, list) else DICT if issubclass(owner.kind, dict) else {}
    table = keyed_dicts.METHODS if owner.kind is values.Keyed else sets.METHODS if sets.is_set(owner) else table
    if name in table:
        try:
            inspect.signature(table[name]).bind(low, owner, *args, **named)
        except TypeError:
            low.refuse(f"`{name}` is not understood with these arguments")
        return table[name](low, owner, *args, **named)
    if issubclass(owner.kind, tuple) and name == "index":
        return _index(low, owner, *args)
    if hasattr(owner.kind, "_fields") and name == "_replace":
        return replaced(low, owner, named)
    if hasattr(owner.kind, "_fields") and name == "_asdict":
        return Struct(dict, owner.keys, owner.items)
    return None


def replaced(low: Lowering, owner: Value, named: Named) -> Value:
    """dataclasses.replace, and _replace of a NamedTuple"""
    if not isinstance(owner, Struct) or set(named) - set(owner.keys):
        low.refuse("this replaces what is not there", "name the object's fields")
    items = [low.settle(named.get(key, item), key) for key, item in zip(owner.keys, owner.items, strict=True)]
    return Struct(owner.kind, owner.keys, tuple(items))


# ---- builtins


def length(low: Lowering, args: Args) -> Value:
    given = length_of(low, args[0]) if len(args) == 1 else None
    if given is not None:
        return given
    match args:
        case [Struct(kind=kind, held=(keys, *_))] if kind is values.Keyed:
            return length(low, [keys])
        case [Struct(kind=kind) as struct] if kind is Records:
            return length(low, [struct.items[0]])
        case [Struct() as struct] if sets.is_set(struct):
            return sets.count(low, struct)
        case [Struct(rows=Rows() as rows)]:
            return rows.count
        case [Struct() as struct]:
            return Const(len(struct.items), ir.I8)
        case [Known() as known] if isinstance(known.value, (str, tuple)):
            return Const(len(known.value), ir.I8)
        case [Var() as array] if array.type.rank:
            return low.length(array)
    return low.refuse("len takes an array, a tuple, a list or a dict", "pass one of these")


def as_list(low: Lowering, value: Value, kind: type) -> Value:
    """list(value) or tuple(value)"""
    value = iterable(low, value)
    if isinstance(value, Struct) and isinstance(value.rows, Rows):
        if kind is list:
            return growing_lists.same(low, value)
        known = growing_lists.fixed(low, value)
        if known is None:
            held = growing_lists.same(low, value).rows
            assert isinstance(held, Rows)
            return Struct(tuple, (), (), dataclasses.replace(held, own=False))
        return values.struct(known, tuple)
    return values.struct(unpacked(low, value), kind)
