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
from srcgrad.errors import NotDifferentiableError
from srcgrad.syntax import lists, scope, words
from srcgrad.syntax.lower_base import Lowering
from srcgrad.syntax.lower_expressions import attribute, binary, unpacked
from srcgrad.syntax.lower_objects import as_list, length, replaced, set_attribute
from srcgrad.syntax.lower_objects import copy as copy_object
from srcgrad.syntax.scope import Known, Struct, Value

Args = Sequence[Value]
Named = dict[str, Value]
Builtin = Callable[[Lowering, Args, Named], "Value | None"]


def _call(low: Lowering, function: Value, *args: Value) -> Value:
    return low.hooks["call"](low, function, args)  # type: ignore[no-any-return]


def known_length(low: Lowering, value: Value) -> Value:
    """The value with lists whose length is a number that is known in the place of lists of rows."""
    if not isinstance(value, Struct):
        return value
    items = lists.fixed(low, value)
    if items is None:
        low.refuse("a list of unknown length is handed on", "make it an array: np.array(...)")
    keys = value.keys if value.rows is None else tuple(map(str, range(len(items))))
    return Struct(value.kind, keys, tuple(known_length(low, item) for item in items), value=True, locked=value.locked)


# ---- reductions and sequences


def _len(low: Lowering, args: Args, named: Named) -> Value | None:
    return length(low, args)


def _sum(low: Lowering, args: Args, named: Named) -> Value | None:
    if not args or not isinstance(args[0], Struct):
        return None
    total: Value = args[1] if len(args) > 1 else named.get("start", Const(0, ir.I8))
    for item in args[0].items:
        counts = isinstance(item, (Var, Const)) and item.type.dtype == "b1"
        total = item if total == Const(0, ir.I8) and not counts else binary(low, operator.add, total, item)
    return total


def _extremum(function: Callable[..., Any], on_array: Callable[..., Any]) -> Builtin:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if "key" in named:
            low.refuse(f"`key` of {function.__name__}", "write the loop out")
        one = args[0] if len(args) == 1 else None
        if isinstance(one, Struct) and isinstance(one.rows, scope.Rows) and not named:
            return low.apply(on_array, lists.array(low, one))
        items = list(one.items) if isinstance(one, Struct) else list(args)
        if not items and "default" in named:
            return named["default"]
        if (named and not isinstance(one, Struct)) or (len(items) < 2 and not isinstance(one, Struct)) or not items:
            return None
        return items[0] if len(items) == 1 else low.apply(function, *items)

    return call_


def _truths(both: bool) -> Builtin:
    """any and all of items that are known apart."""

    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if len(args) != 1 or not isinstance(args[0], Struct):
            return None
        found: Atom = scope.FALSE
        for item in args[0].items:
            cond = low.truth(item)
            found = low.either(found, low.negated(cond)) if both else low.either(found, cond)
        return low.negated(found) if both else found

    return call_


def _sequence(kind: type) -> Builtin:
    def call_(low: Lowering, args: Args, named: Named) -> Value | None:
        if not args:
            return scope.struct([], kind)
        array = args[0]
        if isinstance(array, Var) and array.type.rank:
            if kind is not list or array.type.rank != 1:
                low.refuse(f"an array is turned into a {kind.__name__}", "keep it an array")
            return listed(low, array)
        return as_list(low, array, kind)

    return call_


def listed(low: Lowering, array: Var) -> Struct:
    """list(array): its numbers."""
    value = low.b.load(array) if array.type.ref else array
    memory = low.b.alloc(array.type.dtype, (), init=value, name=low.naming or "items")
    item = Var("item", scalar_of(memory.type))
    return Struct(list, (), (), scope.Rows(item, (memory,), low.length(memory)))


def _dict(low: Lowering, args: Args, named: Named) -> Value | None:
    if args:
        given = args[0]
        if isinstance(given, Struct) and issubclass(given.kind, dict):
            named = {**dict(zip(given.keys, given.items, strict=True)), **named}
        else:
            named = {**_pairs(low, given), **named}
    return Struct(dict, tuple(named), tuple(low.settle(v, k) for k, v in named.items()))


def _pairs(low: Lowering, value: Value) -> Named:
    """dict(zip(names, values)): pairs whose first is a string."""
    pairs = [unpacked(low, pair, 2) for pair in unpacked(low, value)]
    if not all(isinstance(key, Known) and isinstance(key.value, str) for key, _ in pairs):
        low.refuse("dict() takes keywords, a dict or pairs with strings", "write the dict out")
    return {key.value: item for key, item in pairs if isinstance(key, Known)}


def _zip(low: Lowering, args: Args, named: Named) -> Value | None:
    return scope.struct([scope.struct(items) for items in zip(*(unpacked(low, a) for a in args), strict=False)])


def _enumerate(low: Lowering, args: Args, named: Named) -> Value | None:
    return scope.struct([scope.struct([Const(k, ir.I8), item]) for k, item in enumerate(unpacked(low, args[0]))])


def _range(low: Lowering, args: Args, named: Named) -> Value | None:
    bounds = [low.integer(a) for a in args]
    if not all(isinstance(b, Const) for b in bounds):
        low.refuse("a range of unknown length is kept", "loop over it, or use np.arange")
    return scope.struct([Const(k, ir.I8) for k in range(*(int(b.value.real) for b in bounds if isinstance(b, Const)))])


def _reversed(low: Lowering, args: Args, named: Named) -> Value | None:
    return scope.struct(unpacked(low, args[0])[::-1])


# ---- functions applied to items


def _map(low: Lowering, args: Args, named: Named) -> Value | None:
    rows = zip(*(unpacked(low, a) for a in args[1:]), strict=False)
    return scope.struct([low.settle(_call(low, args[0], *items), "a") for items in rows], list)


def _reduce(low: Lowering, args: Args, named: Named) -> Value | None:
    items = unpacked(low, args[1])
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


def construct(low: Lowering, kind: type, args: Args, named: Named, node: Any) -> Value:
    """A NamedTuple, a dataclass, or an object of another class of the user's."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        defaults = dict(getattr(kind, "_field_defaults", {}))
        given = _fields(low, kind, tuple(kind._fields), defaults, args, named)
        return Struct(kind, tuple(kind._fields), tuple(given.values()))
    own = kind.__dict__.get("__init__")
    if dataclasses.is_dataclass(kind) and getattr(kind, "__dataclass_params__").init:  # noqa: B009
        return _dataclass(low, kind, args, named)
    if kind.__module__ == "builtins" or not isinstance(own, types.FunctionType) or "__new__" in vars(kind):
        message = f"there is no rule for `{kind.__name__}`"
        raise NotDifferentiableError(message, hint="use a tuple, a NamedTuple or a dataclass")
    made = Struct(kind, (), ())
    low.hooks["inline"](low, own, [made, *args], named, node)
    return made


def _dataclass(low: Lowering, kind: type, args: Args, named: Named) -> Value:
    fields = dataclasses.fields(kind)
    names = tuple(f.name for f in fields if f.init)
    if any(f.kw_only for f in fields) and len(args) > sum(not f.kw_only for f in fields if f.init):
        low.refuse(f"the arguments do not fit `{kind.__name__}`", f"its fields are {words.joined(names)}")
    defaults = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    made = {f.name: f.default_factory for f in fields if f.default_factory is not dataclasses.MISSING}
    if not all(factory in (list, dict) for factory in made.values()):
        low.refuse(f"`{kind.__name__}` has a default_factory", "give the value when it is made")
    later = {name: Struct(factory, (), ()) for name, factory in made.items() if name not in named}  # type: ignore[arg-type]
    missing = {k: v for k, v in later.items() if k in names[len(args) :]}
    given = _fields(low, kind, names, defaults, args, {**named, **missing})
    given |= {f.name: literal(low, f.default) for f in fields if not f.init and f.default is not dataclasses.MISSING}
    ordered = {f.name: given[f.name] for f in fields if f.name in given}
    struct = Struct(kind, tuple(ordered), tuple(ordered.values()))
    if hasattr(kind, "__post_init__"):
        locked, struct.locked = struct.locked, ""  # a frozen one may be set up with object.__setattr__ only
        if locked:
            low.refuse(f"`{kind.__name__}` is frozen and has a __post_init__", "leave it out")
        _call(low, Known(kind.__post_init__), struct)
    return struct


def _fields(
    low: Lowering, kind: type, names: tuple[str, ...], defaults: dict[str, Any], args: Args, named: Named
) -> Named:
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or set(named) - set(names) or set(given) & set(named):
        low.refuse(f"the arguments do not fit `{kind.__name__}`", f"its fields are {words.joined(names)}")
    given.update(named)
    for name in names:
        if name not in given:
            if name not in defaults:
                low.refuse(f"`{kind.__name__}` misses its argument `{name}`", f"its fields are {words.joined(names)}")
            given[name] = literal(low, defaults[name])
    return {name: low.settle(given[name], name) for name in names}


def literal(low: Lowering, value: Any) -> Value:
    """A Python object that cannot change: a number is a literal."""
    if isinstance(value, np.ndarray):
        low.refuse("an array is bound to a function", "pass it as an argument")
    return Const(value, ir.F8) if isinstance(value, float) else low.captures.plain(value)


def _isinstance(low: Lowering, args: Args, named: Named) -> Value | None:
    value, kinds = args
    if isinstance(kinds, Struct):
        classes = tuple(k.value for k in kinds.items if isinstance(k, Known))
    else:
        classes = (kinds.value,) if isinstance(kinds, Known) else ()
    return scope.TRUE if any(issubclass(class_of(value), c) for c in classes) else scope.FALSE


SCALARS: dict[str, type] = {"f": float, "i": int, "b": bool, "c": complex}


def class_of(value: Value) -> type:
    match value:
        case Struct():
            return value.kind
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
        return scope.TRUE if calls(value.kind) or value.kind is functools.partial else scope.FALSE
    can = not isinstance(value, (Var, Const)) and (not isinstance(value, Known) or callable(value.value))
    return scope.TRUE if can else scope.FALSE


def calls(kind: type) -> bool:
    """Whether objects of this class can be called."""
    return any("__call__" in vars(base) for base in kind.__mro__)


def _getattr(low: Lowering, args: Args, named: Named) -> Value | None:
    return attribute(low, args[0], _name(low, args))


def _setattr(low: Lowering, args: Args, named: Named) -> Value | None:
    set_attribute(low, args[0], _name(low, args), args[2])
    return Known(None)


def _hasattr(low: Lowering, args: Args, named: Named) -> Value | None:
    owner, name = args[0], _name(low, args)
    if isinstance(owner, Struct):
        found = name in owner.keys and not issubclass(owner.kind, (list, dict))
        return scope.TRUE if found or hasattr(owner.kind, name) else scope.FALSE
    return scope.TRUE if isinstance(owner, Known) and hasattr(owner.value, name) else scope.FALSE


def _name(low: Lowering, args: Args) -> str:
    if len(args) < 2 or not isinstance(args[1], Known):
        low.refuse("an attribute's name is not known here", "use a string literal")
    return str(args[1].value)


def _bool(low: Lowering, args: Args, named: Named) -> Value | None:
    return low.truth(args[0]) if len(args) == 1 else None


# ---- copies


def _replace(low: Lowering, args: Args, named: Named) -> Value | None:
    owner = args[0]
    if isinstance(owner, Struct) and hasattr(owner.kind, "__post_init__"):
        low.refuse(f"`{owner.kind.__name__}` has a __post_init__", "make the new one with its class")
    return replaced(low, owner, named)


def _copy(low: Lowering, args: Args, named: Named) -> Value | None:
    if isinstance(args[0], Struct):
        return copy_object(low, args[0]) if not issubclass(args[0].kind, tuple) else args[0]
    return _deep(low, args[0])


def _deepcopy(low: Lowering, args: Args, named: Named) -> Value | None:
    return _deep(low, args[0])


def _deep(low: Lowering, value: Value) -> Value:
    if isinstance(value, Var) and value.type.rank:
        return low.b.alloc(value.type.dtype, (), init=low.b.load(low.memory(value)), name=value.name)  # type: ignore[arg-type]
    if isinstance(value, Struct):
        if isinstance(value.rows, scope.Rows):
            return lists.same(low, value)
        return Struct(value.kind, value.keys, tuple(_deep(low, item) for item in value.items))
    return value


def _astuple(low: Lowering, args: Args, named: Named) -> Value | None:
    return scope.struct(args[0].items) if isinstance(args[0], Struct) else None


def _asdict(low: Lowering, args: Args, named: Named) -> Value | None:
    return Struct(dict, args[0].keys, args[0].items) if isinstance(args[0], Struct) else None


# How many arguments they take at least.
LEAST: dict[Any, int] = {
    enumerate: 1, reversed: 1, map: 2, functools.reduce: 2, functools.partial: 1, isinstance: 2, type: 1, callable: 1,
    getattr: 2, setattr: 3, hasattr: 2, dataclasses.replace: 1, dataclasses.asdict: 1, dataclasses.astuple: 1,
    copy.copy: 1, copy.deepcopy: 1, len: 1, sum: 1, any: 1, all: 1,
}  # fmt: skip
BUILTINS: dict[Any, Builtin] = {
    len: _len, sum: _sum, max: _extremum(max, np.max), min: _extremum(min, np.min), any: _truths(False),
    all: _truths(True), tuple: _sequence(tuple), list: _sequence(list), dict: _dict, zip: _zip, enumerate: _enumerate,
    range: _range, reversed: _reversed, map: _map, functools.reduce: _reduce, functools.partial: _partial,
    isinstance: _isinstance, type: _type, callable: _callable, getattr: _getattr, setattr: _setattr,
    hasattr: _hasattr, bool: _bool, dataclasses.replace: _replace, dataclasses.asdict: _asdict,
    dataclasses.astuple: _astuple, copy.copy: _copy, copy.deepcopy: _deepcopy,
}  # fmt: skip
