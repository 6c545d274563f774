"""Special methods: what Python calls for a truth value, a length, a loop, a subscript or an operator is read in place.

Where a class has none of its own, the lowering of tuples, lists and dicts follows; a class that has what cannot be read
(a library's, a descriptor) is refused.
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import FALSE, TRUE, Known, Rows, Struct, Value
from srcgrad.frontend.source import classes
from srcgrad.frontend.source.classes import Found
from srcgrad.frontend.source.structure import Records

CONTAINERS = (list, tuple, dict)
BY_KEY = (values.Keyed, values.KeyedSet, set, frozenset)
BINARY: dict[Any, str] = {
    operator.add: "add", operator.sub: "sub", operator.mul: "mul", operator.truediv: "truediv", operator.mod: "mod",
    operator.floordiv: "floordiv", operator.pow: "pow", operator.matmul: "matmul", operator.and_: "and",
    operator.or_: "or", operator.xor: "xor", operator.lshift: "lshift", operator.rshift: "rshift", divmod: "divmod",
    pow: "pow",
}  # fmt: skip
# what is called with one object, the methods that Python tries, and the kind of number that must come of it
UNARY: dict[Any, tuple[tuple[str, ...], str]] = {
    operator.neg: (("__neg__",), ""),
    operator.pos: (("__pos__",), ""),
    operator.invert: (("__invert__",), ""),
    abs: (("__abs__",), ""),
    round: (("__round__",), ""),
    float: (("__float__", "__index__"), "f"),
    int: (("__int__", "__index__", "__trunc__"), "i"),
    complex: (("__complex__", "__float__", "__index__"), "cf"),
    math.floor: (("__floor__",), ""),
    math.ceil: (("__ceil__",), ""),
    math.trunc: (("__trunc__",), ""),
}


class Iterated:
    """The kind of what `iter` gives inside an `__iter__`."""


def kind_of(value: Value) -> type | None:
    """The class of an object; None of a number, an array or a function that is made here."""
    if isinstance(value, Struct):
        return value.kind
    return type(value.value) if isinstance(value, Known) else None


def own(low: Lowering, value: Value, name: str) -> Found | None:
    """The special method that an object's class has written; a library's is refused, but for what is only looked at."""
    kind = kind_of(value)
    found = None if kind is None else classes.written(kind, name)
    if found is None or not found.foreign:
        return found
    if isinstance(value, Known):
        return None
    return low.refuse(f"`{name}` of `{found.owner.__name__}` is called, which is a library's", "write it out")


def invoke(low: Lowering, found: Found, value: Value, name: str, args: Sequence[Value]) -> Value:
    """What a class's method gives for an object."""
    method, kind = found.value, kind_of(value)
    assert kind is not None
    if isinstance(method, staticmethod):
        return low.constructs.call(Known(method.__func__), args)
    if isinstance(method, classmethod):
        return low.constructs.call(Known(method.__func__), [Known(kind), *args])
    if not isinstance(method, types.FunctionType) or found.generated:
        low.refuse(f"the `{name}` of `{kind.__name__}` is not a function that can be read", "write it as a method")
    return low.constructs.inline(method, [value, *args], {}, low.frame.node)


def special(low: Lowering, value: Value, name: str, *args: Value) -> Value | None:
    """value.name(*args), if the value's class has written such a method."""
    found = own(low, value, name)
    return None if found is None else invoke(low, found, value, name, args)


def unimplemented(value: Value | None) -> bool:
    """Whether a method said that it does not know the other operand."""
    return isinstance(value, Known) and value.value is NotImplemented


def contains_items(value: Value) -> bool:
    """Whether this is a tuple, list or dict, of whatever class."""
    return isinstance(value, Struct) and issubclass(value.kind, CONTAINERS)


def mapping(low: Lowering, value: Value) -> dict[str, Value] | None:
    """The items of a dict; None of anything else."""
    if not isinstance(value, Struct) or not issubclass(value.kind, dict):
        return None
    name = next((n for n in ("keys", "__iter__", "__getitem__") if classes.written(value.kind, n) is not None), "")
    if name:
        low.refuse(f"a {value.kind.__name__} is taken apart, and has `{name}` of its own", "copy it outside: dict(...)")
    return dict(zip(value.keys, value.items, strict=True))


# ---- truth, length, what is looped over


def truth(low: Lowering, value: Struct | Known) -> Atom:
    """Whether an object counts as true."""
    told = special(low, value, "__bool__")
    if told is not None:
        if not isinstance(told, (Var, Const)) or told.type != ir.B1:
            low.refuse(f"`__bool__` gives {values.describe(told)}", "let it return a bool: bool(...)")
        return low.truth(told)
    count = special(low, value, "__len__")
    if count is not None:
        return low.truth(low.integer(count))
    if isinstance(value, Known):
        if isinstance(value.value, (set, bytearray)):
            low.refuse(f"the truth of {values.describe(value)} may change", "use a tuple or a frozenset")
        return TRUE if value.value else FALSE
    if value.kind in BY_KEY:
        return low.truth(low.constructs.builtin(len, [value]))
    if isinstance(value.rows, Rows):
        return low.converted(value.rows.count, ir.B1)
    return TRUE if not contains_items(value) or value.items else FALSE


def length(low: Lowering, value: Value) -> Value | None:
    """len(value), if its class says how long it is."""
    count = special(low, value, "__len__")
    if (
        count is None
        and isinstance(value, Struct)
        and not contains_items(value)
        and value.kind not in (*BY_KEY, Records)
    ):
        low.refuse(f"a {value.kind.__name__} has no `__len__`", "take the length of what it holds")
    return None if count is None else low.integer(count)


def iterable(low: Lowering, value: Value) -> Value:
    """What a loop over this goes over: the value itself, unless its class has an `__iter__`."""
    if isinstance(value, Struct) and value.kind is values.Keyed:
        return value.held[0]
    if isinstance(value, Struct) and value.kind in (set, frozenset, values.KeyedSet):
        return low.constructs.ordered(value)
    if isinstance(value, Struct) and value.kind is values.KeyedItems:
        low.refuse("`items` of a dict with computed keys is kept", "loop over it where it is made")
    if isinstance(value, Struct) and value.kind is Records:
        return value
    made = special(low, value, "__iter__")
    if isinstance(value, Struct) and value.kind is values.Generated:
        return low.constructs.exhausted(value)
    if isinstance(made, Struct) and made.kind is values.Generated:
        return low.constructs.exhausted(made)
    if made is None:
        if isinstance(value, Struct) and not contains_items(value):
            indexed = classes.written(value.kind, "__getitem__") is not None
            hint = "loop over a range of its length" if indexed else "loop over what it holds"
            low.refuse(f"a {value.kind.__name__} has no `__iter__`", hint)
        return value
    if isinstance(made, Struct) and made.kind is Iterated:
        return made.items[0]
    if contains_items(made):
        return made
    return low.refuse(
        f"`__iter__` gives {values.describe(made)}", "let it return iter(...) of a tuple, a list or an array"
    )


def iterator(low: Lowering, value: Value) -> Value:
    """iter(value), as what an `__iter__` returns"""
    if low.frame.name != "__iter__":
        low.refuse("`iter` is outside the language, but for the result of an `__iter__`", "loop over the value itself")
    return Struct(Iterated, ("0",), (low.settle(iterable(low, value), "a"),), value=True, locked="it is an iterator")


def member(low: Lowering, value: Value, item: Value) -> Atom | None:
    """item in value, if the value's class says so itself."""
    told = special(low, value, "__contains__", item)
    return None if told is None else low.truth(told)


# ---- operators


def operated(low: Lowering, function: Any, left: Value, right: Value) -> Value | None:
    """left op right by the methods of their classes, in Python's order; None if neither has such a method."""
    if function not in BINARY or (kind_of(left) is None and kind_of(right) is None):
        return None
    name, other = f"__{BINARY[function]}__", f"__r{BINARY[function]}__"
    tries = [(left, name, right), (right, other, left)]
    a: Any = kind_of(left)
    b: Any = kind_of(right)
    if a is not None and b is not None:
        if a is b:
            del tries[1]
        elif issubclass(b, a) and classes.found(a, other) != classes.found(b, other):
            tries.reverse()
    asked = False
    for owner, method, operand in tries:
        found = own(low, owner, method)
        if found is None:
            continue
        asked = True
        if owner is right:
            _defers(low, left, right)
        result = invoke(low, found, owner, method, [operand])
        if not unimplemented(result):
            return result
    if asked:
        low.refuse(
            f"`{name}` of {values.describe(left)} and {values.describe(right)} is not implemented", "convert one"
        )
    for side, method in ((left, name), (right, other)):
        if isinstance(side, Struct) and not contains_items(side) and side.kind not in (*BY_KEY, values.Text):
            low.refuse(f"a {side.kind.__name__} has no `{method}`", "define it, or compute with what the object holds")
    return None


def _defers(low: Lowering, left: Value, right: Value) -> None:
    """An array takes an object on its right apart, unless its class sets `__array_ufunc__` to None."""
    kind = kind_of(right)
    says = None if kind is None else classes.found(kind, "__array_ufunc__")
    if isinstance(left, Var) and left.type.rank and (says is None or says.value is not None):
        name = "an object" if kind is None else f"a {kind.__name__}"
        low.refuse(f"an array stands on the left of {name}, which NumPy would take apart", "put the object on the left")


def in_place(low: Lowering, function: Any, old: Value, right: Value) -> Value | None:
    """old op= right by `__iadd__` and its like; None if the class of the old value has none."""
    if function not in BINARY:
        return None
    result = special(low, old, f"__i{BINARY[function]}__", right)
    return None if unimplemented(result) else result


def converted(low: Lowering, function: Any, args: Sequence[Value]) -> Value | None:
    """abs, float, int, - and their like, and operators called as functions, of an object; None of other values."""
    if len(args) == 2 and function in BINARY:
        return operated(low, function, *args)
    if function not in UNARY or not args or kind_of(args[0]) is None:
        return None
    names, kinds = UNARY[function]
    for name in names:
        result = special(low, args[0], name, *args[1:])
        if result is not None:
            return _number(low, name, kinds, result)
    return None


def _number(low: Lowering, name: str, kinds: str, result: Value) -> Value:
    if not kinds or unimplemented(result):
        return result
    atom = low.atom(result)
    wanted = "i" if name in ("__index__", "__int__", "__trunc__") else kinds
    if not atom.type.is_scalar or atom.type.dtype[0] not in wanted:
        low.refuse(f"`{name}` gives {values.describe(atom)}", "let it return the number that it is asked for")
    return low.converted(atom, {"f": ir.F8, "i": ir.I8}.get(kinds, ir.C16))


def is_sequence(value: Struct) -> bool:
    """Whether NumPy takes an object for a sequence of its items: a tuple or list with no methods that say otherwise."""
    names = ("__iter__", "__len__", "__getitem__", "__array__", "__array_ufunc__", "__array_function__")
    return contains_items(value) and not any(classes.written(value.kind, name) for name in names)
