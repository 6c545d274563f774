"""Builtin functions on structures, what makes objects, and what applies functions to items."""

from __future__ import annotations

import copy
import dataclasses
import functools
import operator
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import scalar_of
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import growing_lists, keyed_dicts, sets, slices, sorting, strings, values
from srcgrad.frontend.lowering.attributes import attribute, has, set_attribute, super_
from srcgrad.frontend.lowering.expressions import binary, unpacked
from srcgrad.frontend.lowering.objects import as_list, length, replaced
from srcgrad.frontend.lowering.objects import copy as copy_object
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import contains_items, iterable, iterator, mapping, own
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.frontend.source import classes
from srcgrad.python import functions as python

Args = Sequence[Value]
Named = dict[str, Value]
Builtin = Callable[[Lowering, Args, Named], "Value | None"]


def _call(low: Lowering, function: Value, *args: Value) -> Value:
    return low.constructs.call(function, args)


def known_length(low: Lowering, value: Value) -> Value:
    """The value with lists whose length is a number that is known in the place of lists of rows."""
    if not isinstance(value, Struct):
        return value
    items = growing_lists.fixed(low, value)
    if items is None:
        low.refuse("a list of unknown length is handed on", "make it an array: np.array(...)")
    keys = value.keys if value.rows is None else tuple(map(str, range(len(items))))
    return Struct(value.kind, keys, tuple(known_length(low, item) for item in items), value=True, locked=value.locked)


# ---- reductions and sequences


def _len(low: Lowering, args: Args, named: Named) -> Value | None:
    return length(low, args)


def _set(kind: type) -> Builtin:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        node = low.frame.node
        if not args:
            return sets.made(low, [], node, kind)
        given = args[0]
        given = sets.items_of(low, given) if isinstance(given, Struct) and sets.is_set(given) else iterable(low, given)
        if isinstance(given, Struct) and given.rows is None:
            return sets.made(low, unpacked(low, given), node, kind)
        low.setting.keyed.sites.add(id(node))
        new = sets.made(low, [], node)
        low.constructs.call(Known(python.add_items), [new.held[0], given])
        return new

    return call_


def _sum(low: Lowering, args: Args, named: Named) -> Value | None:
    over = iterable(low, args[0]) if args else None
    if not isinstance(over, Struct):
        return None
    total: Value = args[1] if len(args) > 1 else named.get("start", Const(0, ir.I8))
    for item in unpacked(low, over):
        plain = total == Const(0, ir.I8) and isinstance(item, (Var, Const)) and item.type.dtype != "b1"
        total = item if plain else binary(low, operator.add, total, item)
    return total


def _extremum(function: Callable[..., Any], on_array: Callable[..., Any]) -> Builtin:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if "key" in named:
            return _extremum_by(low, function, args, named)
        one = iterable(low, args[0]) if len(args) == 1 else None
        if isinstance(one, Struct) and isinstance(one.rows, values.Rows) and not named:
            return low.apply(on_array, growing_lists.array(low, one))
        items = unpacked(low, one) if isinstance(one, Struct) else list(args)
        if not items and "default" in named:
            return named["default"]
        if (named and not isinstance(one, Struct)) or (len(items) < 2 and not isinstance(one, Struct)) or not items:
            return None
        return items[0] if len(items) == 1 else low.apply(function, *items)

    return call_


def _extremum_by(low: Lowering, function: Callable[..., Any], args: Args, named: Named) -> Value:
    """max or min by a key: the first of those whose key is it."""
    one, key = iterable(low, args[0]) if len(args) == 1 else values.struct(list(args)), named["key"]
    if set(named) != {"key"}:
        low.refuse(f"`{function.__name__}` with a key and a default", "test the length before")
    if isinstance(one, Struct) and one.rows is None:
        better = python.larger if function is max else python.smaller
        best, *items = unpacked(low, one)
        score = _call(low, key, best)
        for item in items:
            given = [best, score, item, _call(low, key, item)]
            best, score = unpacked(low, low.constructs.call(Known(better), given), 2)
        return best
    array = growing_lists.array(low, one) if isinstance(one, Struct) else one
    by = python.largest_by if function is max else python.smallest_by
    return low.constructs.call(Known(by), [array, key])


def _truths(both: bool) -> Builtin:
    """any and all of items that are known apart."""

    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        over = iterable(low, args[0]) if len(args) == 1 else None
        if not isinstance(over, Struct):
            return None
        found: Atom = values.FALSE
        for item in unpacked(low, over):
            cond = low.truth(item)
            found = low.either(found, low.negated(cond)) if both else low.either(found, cond)
        return low.negated(found) if both else found

    return call_


def _sequence(kind: type) -> Builtin:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if not args:
            return values.struct([], kind)
        array = args[0]
        if isinstance(array, Var) and array.type.rank:
            if kind is not list or array.type.rank != 1:
                low.refuse(
                    f"an array is turned into a {kind.__name__}", "keep it an array, or name its elements: a, b = x"
                )
            return listed(low, array)
        return as_list(low, array, kind)

    return call_


def listed(low: Lowering, array: Var) -> Struct:
    """list(array): its numbers."""
    value = low.b.load(array) if array.type.ref else array
    memory = low.b.alloc(array.type.dtype, (), init=value, name=low.naming.now or "items")
    item = Var("item", scalar_of(memory.type))
    return Struct(list, (), (), values.Rows(item, (memory,), low.length(memory)))


def _dict(low: Lowering, args: Args, named: Named) -> Value | None:
    if args and keyed_dicts.is_keyed(args[0]) and not named:
        return keyed_dicts.METHODS["copy"](low, args[0])
    if not args and not named:
        if id(low.frame.node) in low.setting.keyed.sites:
            return keyed_dicts.made(low, [], [])
        new = Struct(dict, (), ())
        new.site = id(low.frame.node)
        return new
    if args:
        items = mapping(low, args[0])
        named = {**(_pairs(low, args[0]) if items is None else items), **named}
    return Struct(dict, tuple(named), tuple(low.settle(v, k) for k, v in named.items()))


def _pairs(low: Lowering, value: Value) -> Named:
    """dict(zip(names, values)): pairs whose first is a string."""
    pairs = [unpacked(low, pair, 2) for pair in unpacked(low, value)]
    made = {values.key_of(key): item for key, item in pairs}
    if None in made:
        low.refuse("dict() takes keywords, a dict or pairs with keys that are known", "write the dict out")
    return {key: item for key, item in made.items() if key is not None}


def _zip(low: Lowering, args: Args, named: Named) -> Value | None:
    return values.struct([values.struct(items) for items in zip(*(unpacked(low, a) for a in args), strict=False)])


def _enumerate(low: Lowering, args: Args, named: Named) -> Value | None:
    return values.struct([values.struct([Const(k, ir.I8), item]) for k, item in enumerate(unpacked(low, args[0]))])


def _range(low: Lowering, args: Args, named: Named) -> Value | None:
    bounds = [low.integer(a) for a in args]
    if not all(isinstance(b, Const) for b in bounds):
        low.refuse("a range of unknown length is kept", "loop over it, or use np.arange")
    return values.struct([Const(k, ir.I8) for k in range(*(int(b.value.real) for b in bounds if isinstance(b, Const)))])


def _reversed(low: Lowering, args: Args, named: Named) -> Value | None:
    if contains_items(args[0]) and own(low, args[0], "__reversed__") is None:
        return values.struct(unpacked(low, args[0])[::-1])
    return low.refuse(f"{values.describe(args[0])} is reversed", "loop over a range that counts down")


# ---- functions applied to items


def _map(low: Lowering, args: Args, named: Named) -> Value | None:
    if any(isinstance(a, Var) for a in args[1:]):
        hint = "write a comprehension: [f(v) for v in x]"
        low.refuse("`map` over an array is kept", hint)
    rows = zip(*(unpacked(low, a) for a in args[1:]), strict=False)
    return values.struct([low.settle(_call(low, args[0], *items), "a") for items in rows], list)


def _reduce(low: Lowering, args: Args, named: Named) -> Value | None:
    over = iterable(low, args[1])
    if not isinstance(over, Struct) or over.rows is not None:
        array = growing_lists.array(low, over) if isinstance(over, Struct) else over
        fold = python.reduce if len(args) == 2 else python.reduce_from
        return low.constructs.call(Known(fold), [args[0], array, *args[2:]])
    items = unpacked(low, over)
    total, *rest = [*args[2:], *items]
    for item in rest:
        total = low.settle(_call(low, args[0], total, item), "a")
    return total


def _partial(low: Lowering, args: Args, named: Named) -> Value | None:
    """functools.partial: a function with arguments; called as any."""
    first = {str(k): low.settle(a, "a") for k, a in enumerate(args[1:])}
    given = {"@function": args[0], **first, **{k: low.settle(v, k) for k, v in named.items()}}
    return Struct(functools.partial, tuple(given), tuple(given.values()), value=True, locked="it is a function")


# ---- classes and attributes


def _isinstance(low: Lowering, args: Args, named: Named) -> Value | None:
    value, kinds = args
    if isinstance(kinds, Struct):
        given = [k.value for k in kinds.items if isinstance(k, Known)]
    else:
        given = [kinds.value] if isinstance(kinds, Known) else []
    return values.TRUE if any([is_instance(low, value, kind) for kind in given]) else values.FALSE


def is_instance(low: Lowering, value: Value, kind: type) -> bool:
    """isinstance(value, kind)"""
    asked = classes.written(type(kind), "__instancecheck__")
    if getattr(kind, "_is_protocol", False) or (asked is not None and not asked.foreign):
        low.refuse(f"`{kind.__name__}` says itself what its objects are", "ask for a plain class")
    return issubclass(class_of(value), kind)


PYTHONS_OWN: dict[type, type] = {values.Keyed: dict, values.KeyedSet: set, values.Text: str}
SCALARS: dict[str, type] = {"f": float, "i": int, "b": bool, "c": complex}


def class_of(value: Value) -> type:
    match value:
        case Struct():
            return PYTHONS_OWN.get(value.kind, value.kind)
        case Known():
            return type(value.value)
        case Var() | Const():
            return np.ndarray if value.type.rank else SCALARS[value.type.dtype[0]]
    return types.FunctionType


def _type(low: Lowering, args: Args, named: Named) -> Value | None:
    return Known(class_of(args[0])) if len(args) == 1 else None


def _callable(low: Lowering, args: Args, named: Named) -> Value | None:
    value = args[0]
    if isinstance(value, Struct):
        return values.TRUE if calls(value.kind) or value.kind is functools.partial else values.FALSE
    can = not isinstance(value, (Var, Const)) and (not isinstance(value, Known) or callable(value.value))
    return values.TRUE if can else values.FALSE


def calls(kind: type) -> bool:
    """Whether objects of this class can be called."""
    return any("__call__" in vars(base) for base in kind.__mro__)


def _getattr(low: Lowering, args: Args, named: Named) -> Value | None:
    name = _name(low, args)
    return args[2] if len(args) > 2 and not has(low, args[0], name) else attribute(low, args[0], name)


def _setattr(low: Lowering, args: Args, named: Named) -> Value | None:
    set_attribute(low, args[0], _name(low, args), args[2])
    return Known(None)


def _hasattr(low: Lowering, args: Args, named: Named) -> Value | None:
    return values.TRUE if has(low, args[0], _name(low, args)) else values.FALSE


def _name(low: Lowering, args: Args) -> str:
    if len(args) < 2 or not isinstance(args[1], Known):
        low.refuse("an attribute's name is not known here", "use a string literal")
    return str(args[1].value)


def _bool(low: Lowering, args: Args, named: Named) -> Value | None:
    return low.truth(args[0]) if len(args) == 1 else None


# ---- copies


def _replace(low: Lowering, args: Args, named: Named) -> Value | None:
    owner = args[0]
    if not isinstance(owner, Struct) or not dataclasses.is_dataclass(owner.kind):
        low.refuse(f"{values.describe(owner)} is not a dataclass", "make a new one of its class")
    kind, init = owner.kind, classes.found(owner.kind, "__init__")
    if classes.found(kind, "__post_init__") is not None:
        low.refuse(f"`{kind.__name__}` has a __post_init__", "make the new one with its class")
    if init is None or not init.generated or tuple(classes.fields_of(kind)) != owner.keys or _more_than_fields(kind):
        low.refuse(f"`{kind.__name__}` is not made of its fields alone", "make the new one with its class")
    return replaced(low, owner, named)


def _more_than_fields(kind: type) -> bool:
    """Whether its `__init__` takes other things than the fields that its objects have."""
    fields = getattr(kind, "__dataclass_fields__", {}).values()
    return any(not f.init or isinstance(f.type, dataclasses.InitVar) or "InitVar" in str(f.type) for f in fields)


HOOKS = ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__")


def _plainly(low: Lowering, value: Value) -> None:
    """Refuse to copy an object whose class says how."""
    if not isinstance(value, Struct) or classes.is_named_tuple(value.kind):
        return
    found = (classes.written(value.kind, name) for name in HOOKS)
    own_way = next((f for f in found if f is not None and getattr(f.value, "__module__", "") != "dataclasses"), None)
    if own_way is not None:
        low.refuse(f"`{value.kind.__name__}` says itself how it is copied", "make a new one of its class")


def _copy(low: Lowering, args: Args, named: Named) -> Value | None:
    _plainly(low, args[0])
    if isinstance(args[0], Struct):
        return copy_object(low, args[0]) if not issubclass(args[0].kind, tuple) else args[0]
    return _deep(low, args[0], {})


def _deepcopy(low: Lowering, args: Args, named: Named) -> Value | None:
    return _deep(low, args[0], {})


def _deep(low: Lowering, value: Value, made: dict[Value, Value]) -> Value:
    """A copy of all that a value holds; what stands in it twice does so in the copy."""
    if value in made:
        return made[value]
    _plainly(low, value)
    if isinstance(value, Var) and value.type.rank:
        made[value] = low.b.alloc(value.type.dtype, (), init=low.b.load(low.memory(value)), name=value.name)  # type: ignore[arg-type]
    elif isinstance(value, Struct) and isinstance(value.rows, values.Rows):
        made[value] = growing_lists.same(low, value)
    elif isinstance(value, Struct):
        made[value] = Struct(value.kind, value.keys, tuple(_deep(low, item, made) for item in value.items))
    return made.get(value, value)


def _astuple(low: Lowering, args: Args, named: Named) -> Value | None:
    return _fields_of(low, args[0], values.struct, "astuple")


def _asdict(low: Lowering, args: Args, named: Named) -> Value | None:
    return _fields_of(low, args[0], None, "asdict")


def _fields_of(low: Lowering, value: Value, sequence: Callable[..., Value] | None, name: str) -> Value:
    """asdict and astuple: copies of the fields, and of those of what stands in them."""
    if not isinstance(value, Struct) or not dataclasses.is_dataclass(value.kind):
        low.refuse(f"`{name}` takes a dataclass, not {values.describe(value)}", "give it one")

    def inner(item: Value) -> Value:
        if not isinstance(item, Struct) or isinstance(item.rows, values.Rows):
            return _deep(low, item, {})
        if dataclasses.is_dataclass(item.kind):
            return fields(item)
        if not contains_items(item):
            return _deep(low, item, {})
        return Struct(item.kind, item.keys, tuple(map(inner, item.items)))

    def fields(item: Struct) -> Value:
        keys = classes.fields_of(item.kind)
        items = [inner(attribute(low, item, key)) for key in keys]
        return Struct(dict, keys, tuple(items)) if sequence is None else sequence(items)

    return fields(value)


def _concatenate(*ranks: int) -> Builtin:
    """np.concatenate and its like along the first axis, of a list of unknown length; of arrays of these ranks."""

    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        over = args[0] if len(args) == 1 and not named else None
        if not isinstance(over, Struct) or not isinstance(over.rows, values.Rows):
            return None
        rank = over.rows.item.type.rank if isinstance(over.rows.item, Var) else 0
        if not rank:
            growing_lists.expect_items(low, over.rows)
        return growing_lists.concatenated(low, over.rows) if rank in ranks or (not ranks and rank) else None

    return call_


def _str(low: Lowering, args: Args, named: Named) -> Value | None:
    if len(args) > 1 or named:
        return None
    return strings.filled(low, args[0], ord("s")) if args else Known("")


def _repr(low: Lowering, args: Args, named: Named) -> Value | None:
    return strings.filled(low, args[0], ord("r")) if len(args) == 1 else None


def _format(low: Lowering, args: Args, named: Named) -> Value | None:
    spec = args[1] if len(args) > 1 else Known("")
    if not isinstance(spec, Known):
        low.refuse("a format that depends on values is outside the language", "write the format out")
    return strings.filled(low, args[0], -1, spec.value)


def _index_of(low: Lowering, args: Args, named: Named) -> Value | None:
    """Where a number stands in a list of numbers of unknown length."""
    items, value = args
    rows = items.rows if isinstance(items, Struct) else None
    if (
        not isinstance(rows, values.Rows)
        or not isinstance(value, (Var, Const))
        or not isinstance(rows.item, (Var, Const))
    ):
        return None
    if not value.type.is_scalar or not rows.item.type.is_scalar or not isinstance(items, Struct):
        return None
    return low.constructs.call(Known(python.index_of_number), [growing_lists.array(low, items), value])


def _iter(low: Lowering, args: Args, named: Named) -> Value | None:
    return iterator(low, args[0]) if len(args) == 1 else None


def _super(low: Lowering, args: Args, named: Named) -> Value | None:
    return super_(low, args)


# How many arguments they take at least.
LEAST: dict[Any, int] = {
    enumerate: 1, reversed: 1, map: 2, functools.reduce: 2, functools.partial: 1, isinstance: 2, type: 1, callable: 1,
    getattr: 2, setattr: 3, hasattr: 2, dataclasses.replace: 1, dataclasses.asdict: 1, dataclasses.astuple: 1,
    copy.copy: 1, copy.deepcopy: 1, len: 1, sum: 1, any: 1, all: 1, iter: 1, format: 1,
}  # fmt: skip
BUILTINS: dict[Any, Builtin] = {
    len: _len, sum: _sum, max: _extremum(max, np.max), min: _extremum(min, np.min), any: _truths(False),
    all: _truths(True), tuple: _sequence(tuple), list: _sequence(list), dict: _dict, set: _set(set),
    frozenset: _set(frozenset), zip: _zip, enumerate: _enumerate,
    range: _range, slice: slices.made, reversed: _reversed,
    map: _map, functools.reduce: _reduce, functools.partial: _partial,
    isinstance: _isinstance, type: _type, callable: _callable, getattr: _getattr, setattr: _setattr,
    hasattr: _hasattr, bool: _bool, dataclasses.replace: _replace, dataclasses.asdict: _asdict,
    np.concatenate: _concatenate(), np.hstack: _concatenate(1), np.vstack: _concatenate(2),
    np.stack: _concatenate(-1), sorted: sorting.sorted_,
    dataclasses.astuple: _astuple, copy.copy: _copy, copy.deepcopy: _deepcopy, iter: _iter, super: _super,
    str: _str, repr: _repr, format: _format, python.index_of: _index_of,
}  # fmt: skip
