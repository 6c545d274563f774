"""Comparisons: of numbers by the rules, of all else as Python does it, method by method."""

from __future__ import annotations

import ast
import dataclasses
import operator
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import keyed_dicts, sets, strings, values
from srcgrad.frontend.lowering.expressions import short_circuit
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import (
    contains_items,
    invoke,
    iterable,
    kind_of,
    member,
    own,
    unimplemented,
)
from srcgrad.frontend.lowering.values import FALSE, TRUE, Closure, Known, Method, Struct, Value
from srcgrad.frontend.source import classes
from srcgrad.python import functions as python_text

Compare = Callable[[Any, Any], Any]
COMPARE: dict[type[ast.cmpop], Compare] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
NAMES: dict[Compare, str] = {
    operator.lt: "__lt__",
    operator.le: "__le__",
    operator.gt: "__gt__",
    operator.ge: "__ge__",
    operator.eq: "__eq__",
    operator.ne: "__ne__",
}
SWAPPED: dict[Compare, Compare] = {
    operator.lt: operator.gt,
    operator.le: operator.ge,
    operator.gt: operator.lt,
    operator.ge: operator.le,
    operator.eq: operator.eq,
    operator.ne: operator.ne,
}


def comparison(low: Lowering, node: ast.Compare) -> Value:
    maybe = low.perhaps(node.left)
    match node:
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]) if maybe is not None:
            return low.negated(maybe.bound)
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]) if maybe is not None:
            return maybe.bound
    return _chain(low, low.ex(node.left), list(zip(node.ops, node.comparators, strict=True)))


def _chain(low: Lowering, left: Value, rest: list[tuple[ast.cmpop, ast.expr]]) -> Value:
    """a < b < c: each operand is evaluated once, and none after a comparison that is false."""
    (op, node), *more = rest
    right = low.ex(node)
    first = compare(low, op, left, right)
    if not more:
        return first
    return short_circuit(low, low.truth(first), lambda: _chain(low, right, more), True)


def compare(low: Lowering, op: ast.cmpop, left: Value, right: Value) -> Value:
    match op:
        case ast.Is() | ast.IsNot():
            same = is_same(low, left, right)
            return truth_of(same == isinstance(op, ast.Is))
        case ast.In() | ast.NotIn():
            found = _membership(low, left, right)
            return found if isinstance(op, ast.In) else low.negated(found)
    return rich(low, COMPARE[type(op)], left, right)


def truth_of(value: bool) -> Const:
    return TRUE if value else FALSE


# ---- is


def is_same(low: Lowering, left: Value, right: Value) -> bool:
    if isinstance(left, Known) and isinstance(right, Known):
        return left.value is right.value
    if isinstance(left, Known) != isinstance(right, Known):
        return False
    if isinstance(left, Method) or isinstance(right, Method):
        low.refuse("`is` on methods is outside the language", "compare the objects")
    if left is right or (isinstance(left, Const) and values.identical(left, right)):
        return True
    if type(left) is not type(right) and not isinstance(left, (Var, Const)):
        return False
    if isinstance(left, Struct) and isinstance(right, Struct):
        return _is_same_object(low, left, right)
    if all(isinstance(side, Const) and side.type == ir.B1 for side in (left, right)):
        return False
    if isinstance(right, (Struct, Closure)):
        return False
    return low.refuse("`is` on numbers or arrays is outside the language", "use == or compare with None")


def _is_same_object(low: Lowering, left: Struct, right: Struct) -> bool:
    """Of two structures that are not the same here: whether they may still be one object in Python."""
    objects = not any(side.value or side.locked for side in (left, right))
    if left.kind is not right.kind or (objects and max(left.born, right.born) > low.retry.born):
        return False
    return low.refuse(
        f"whether two names stand for the same {left.kind.__name__} is not known here", "use == or compare with None"
    )


# ---- in


def _membership(low: Lowering, left: Value, right: Value) -> Atom:
    told = member(low, right, left)
    if told is not None:
        return told
    if isinstance(right, Known) and isinstance(left, Known) and isinstance(right.value, (str, bytes, frozenset)):
        return truth_of(bool(python(low, lambda item, whole: item in whole, left.value, right.value)))
    if isinstance(right, Struct) and sets.is_set(right):
        return sets.contains(low, right, left)
    if isinstance(right, Struct) and right.kind is values.Keyed:
        return keyed_dicts.contains(low, right, left)
    items = iterable(low, right)
    if not isinstance(items, Struct):
        low.refuse("`in` needs a tuple, a list or a dict", "for arrays use np.any(x == value)")
    if isinstance(items.rows, values.Rows) and isinstance(left, (Var, Const)):
        return low.truth(low.constructs.call(Known(python_text.has_key), [items, left]))
    if issubclass(items.kind, dict):
        return _key_in(low, left, items)
    found: Atom = FALSE
    for item in items.items:
        found = short(low, found, lambda item=item: equal(low, left, item), False)  # type: ignore[misc]
    return found


def _key_in(low: Lowering, left: Value, items: Struct) -> Atom:
    if isinstance(left, Const) and values.key_of(left) is not None:
        return truth_of(values.key_of(left) in items.keys)
    strings.expect_known(low, left)
    if isinstance(left, Var) and left.type.is_scalar and items.site:
        low.setting.keyed.asked.add(items.site)
        if not items.keys:
            low.expect_known("the key of a dict is not known here", "use strings or integers that are known as keys")
    if isinstance(left, (Var, Const)) and left.type.is_scalar and not values.integer_keys(items):
        return FALSE  # the keys are strings
    if not isinstance(left, Known) or own(low, left, "__eq__") is not None:
        low.refuse(f"{values.describe(left)} is looked up in a dict", "look for a string that is known here")
    return truth_of(left.value in items.keys)


def short(low: Lowering, left: Atom, rest: Callable[[], Value], both: bool) -> Atom:
    """left and rest, or left or rest: the rest is compared only where the left does not decide."""
    return low.atom(short_circuit(low, left, rest, both))


# ---- == != < <= > >=


def python(low: Lowering, function: Compare, left: Any, right: Any) -> Any:
    """What Python says of two objects that are known."""
    try:
        return function(left, right)
    except TypeError as error:
        return low.refuse(str(error).replace("'", "`"), "compare what Python can compare")


def equal(low: Lowering, left: Value, right: Value) -> Atom:
    """Whether two items of structures count as equal: the same, or equal."""
    if left is right and isinstance(left, Struct):
        return TRUE
    return low.truth(rich(low, operator.eq, left, right))


def rich(low: Lowering, function: Compare, left: Value, right: Value) -> Value:
    """left op right, in Python's order of methods."""
    a, b = kind_of(left), kind_of(right)
    if a is None and b is None:
        return _numbers(low, function, left, right)
    for side in (left, right):
        strings.expect_known(low, side)
    if isinstance(left, Struct) and sets.is_set(left):
        told = sets.compared(low, NAMES[function], left, right)
        if told is not None:
            return told
    tries = [(left, function, right), (right, SWAPPED[function], left)]
    if a is not None and b is not None and a is not b and issubclass(b, a):
        tries.reverse()
    for owner, method, other in tries:
        result = _method(low, method, owner, other)
        if not unimplemented(result):
            return result
    if function not in (operator.eq, operator.ne):
        objects = _plain(left) and _plain(right)
        hint = f"let `{NAMES[function]}` compare them" if objects else "compare numbers with numbers"
        low.refuse(f"{values.describe(left)} is compared with {values.describe(right)}", hint)
    return truth_of(is_same(low, left, right) == (function is operator.eq))


def _plain(value: Value) -> bool:
    return isinstance(value, Struct) and not contains_items(value)


def _numbers(low: Lowering, function: Compare, left: Value, right: Value) -> Value:
    if isinstance(left, Const) and isinstance(right, Const):
        return truth_of(bool(python(low, function, left.value, right.value)))
    if isinstance(left, Closure) and left is right and function in (operator.eq, operator.ne):
        return truth_of(function is operator.eq)
    return low.apply(function, left, right)


NOTHING = Known(NotImplemented)


def _method(low: Lowering, function: Compare, owner: Value, other: Value) -> Value:
    """owner.__eq__(other) and its like."""
    kind = kind_of(owner)
    if kind is None:
        return _of_number(low, owner, other)
    found = classes.found(kind, NAMES[function])
    if found is None:
        return NOTHING
    if found.owner is object and function is operator.ne:
        return _inverted(low, _method(low, operator.eq, owner, other))
    if isinstance(owner, Known):
        return _of_known(low, function, owner, other)
    if found.owner is object:
        return TRUE if function is operator.eq and owner is other and not owner.value else NOTHING  # type: ignore[union-attr]
    assert isinstance(owner, Struct)
    if found.generated and not contains_items(owner):
        return _fields(low, function, found.owner, owner, other)
    if not found.builtin:
        return _written(low, function, owner, other)
    if isinstance(other, Var) and other.type.rank:
        low.refuse(f"{values.describe(owner)} is compared with an array", "make both arrays: np.array(...)")
    return _containers(low, function, owner, other)


def _inverted(low: Lowering, result: Value) -> Value:
    return result if unimplemented(result) else low.negated(low.truth(result))


def _written(low: Lowering, function: Compare, owner: Value, other: Value) -> Value:
    found = own(low, owner, NAMES[function])
    assert found is not None
    return invoke(low, found, owner, NAMES[function], [other])


def _of_number(low: Lowering, owner: Value, other: Value) -> Value:
    """A number or an array knows no objects; NumPy's take what looks like a sequence apart."""
    array = isinstance(owner, Var) and owner.type.rank
    number = isinstance(owner, Var) and not array and not isinstance(other, Known) and contains_items(other)
    if array or (number and not issubclass(kind_of(other) or object, dict)):
        low.refuse(
            f"{values.describe(owner)} is compared with {values.describe(other)}", "compare numbers with numbers"
        )
    return NOTHING


def _of_known(low: Lowering, function: Compare, owner: Known, other: Value) -> Value:
    """An object that is seen: by its class's own method, or as Python compares it."""
    if own(low, owner, NAMES[function]) is not None:
        return _written(low, function, owner, other)
    if not isinstance(other, Known):
        return NOTHING
    method = getattr(type(owner.value), NAMES[function])
    return _seen(python(low, method, owner.value, other.value))


def _seen(result: Any) -> Value:
    return NOTHING if result is NotImplemented else truth_of(bool(result))


# ---- dataclasses and containers


def _fields(low: Lowering, function: Compare, base: type, owner: Struct, other: Value) -> Value:
    """What `@dataclass` writes: the fields that count, as tuples, if both are of the same class."""
    if not isinstance(other, Struct) or other.kind is not owner.kind:
        return NOTHING
    names = [f.name for f in dataclasses.fields(base) if f.compare]
    pair = [[_field(low, side, name) for name in names] for side in (owner, other)]
    return _sequences(low, function, *pair)


def _field(low: Lowering, owner: Struct, name: str) -> Value:
    value = owner.get(name)
    return low.refuse(f"the object has no attribute `{name}` here", "assign it first") if value is None else value


def _containers(low: Lowering, function: Compare, owner: Struct, other: Value) -> Value:
    """Tuples with tuples, lists with lists, dicts with dicts, in any class."""
    base = next(base for base in (tuple, list, dict) if issubclass(owner.kind, base))
    if not isinstance(other, Struct) or not issubclass(other.kind, base):
        return NOTHING
    if base is dict:
        if function not in (operator.eq, operator.ne):
            return NOTHING
        same = _dicts(low, owner, other)
        return same if function is operator.eq else low.negated(same)
    return _sequences(low, function, list(owner.items), list(other.items))


def _dicts(low: Lowering, left: Struct, right: Struct) -> Atom:
    ordered = issubclass(left.kind, OrderedDict) and issubclass(right.kind, OrderedDict)
    if set(left.keys) != set(right.keys) or (ordered and left.keys != right.keys):
        return FALSE
    theirs = dict(zip(right.keys, right.items, strict=True))
    return _all_equal(low, list(left.items), [theirs[key] for key in left.keys])


def _all_equal(low: Lowering, left: list[Value], right: list[Value]) -> Atom:
    same: Atom = TRUE
    for a, b in zip(left, right, strict=True):
        same = short(low, same, lambda a=a, b=b: equal(low, a, b), True)  # type: ignore[misc]
    return same


def _sequences(low: Lowering, function: Compare, left: list[Value], right: list[Value]) -> Value:
    """Item by item; the first pair that is not equal decides which is less."""
    if function in (operator.eq, operator.ne):
        same = _all_equal(low, left, right) if len(left) == len(right) else FALSE
        return same if function is operator.eq else low.negated(same)
    if not left or not right:
        return truth_of(bool(function(len(left), len(right))))
    (a, *more), (b, *others) = left, right
    same = equal(low, a, b)
    rest: Callable[[], Value] = lambda: _sequences(low, function, more, others)  # noqa: E731
    if isinstance(same, Const):
        return rest() if same.value else rich(low, function, a, b)
    decided = short(low, low.negated(same), lambda: low.truth(rich(low, function, a, b)), True)
    return short(low, decided, lambda: short(low, same, rest, True), False)
