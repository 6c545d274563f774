"""Reading and writing through subscripts. Ints and slices give views of memory; integer arrays give copies."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import index_rank, whole
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.rules import registry
from srcgrad.rules.values import Val, contents
from srcgrad.syntax import scope
from srcgrad.syntax.lower_base import Lowering, handles
from srcgrad.syntax.lower_expressions import dimension
from srcgrad.syntax.scope import Known, Struct, Value


@handles(ast.Subscript)
def _subscript(low: Lowering, node: ast.Subscript) -> Value:
    inner = node.value
    if isinstance(inner, ast.Attribute) and inner.attr == "shape":
        owner = low.ex(inner.value)
        axis = _static_integer(node.slice)
        if (
            isinstance(owner, Var)
            and owner.type.rank
            and axis is not None
            and -owner.type.rank <= axis < owner.type.rank
        ):
            return dimension(low, owner, axis % owner.type.rank)
    value = low.ex(inner)
    match value:
        case Struct():
            return _item(low, value, node.slice)
        case Var() if value.type.rank:
            ref = low.memory(value)
            assert isinstance(ref, Var)
            items = _items(low, node.slice)
            return _with_new_axes(low, at(low, ref, _completed(low, ref, items)), items)
    return low.refuse(f"{scope.describe(value)} has no elements")


def _static_integer(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def _item(low: Lowering, value: Struct, node: ast.expr) -> Value:
    """An item of a tuple, list or dict."""
    if isinstance(node, ast.Slice):
        bounds = [
            None if part is None else _known_integer(low, low.ex(part)) for part in (node.lower, node.upper, node.step)
        ]
        return scope.struct(value.items[slice(*bounds)], value.kind if value.kind is list else tuple)
    key = low.ex(node)
    if isinstance(key, Known) and isinstance(key.value, str) and issubclass(value.kind, dict):
        item = value.get(key.value)
        return low.refuse(f"there is no key {key.value!r}") if item is None else item
    position = _known_integer(low, key)
    if not -len(value.items) <= position < len(value.items):
        low.refuse(f"item {position} of {len(value.items)} does not exist")
    return value.items[position]


def _known_integer(low: Lowering, value: Value) -> int:
    if not isinstance(value, Const) or not isinstance(value.value, int):
        low.refuse(
            "an item of a tuple or list is chosen by a number that is not known here",
            "loop over the tuple itself, or use an array",
        )
    return value.value


def _target_index(low: Lowering, ref: Var, items: list[Any]) -> ir.Index:
    """The complete index of what is assigned to."""
    if None in items:
        low.refuse("a new axis is assigned to", "assign to the array itself")
    return _completed(low, ref, items)


def _items(low: Lowering, node: ast.expr) -> list[Any]:
    """What stands in a subscript: atoms, slices, None for a new axis, Ellipsis."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return [item for part in nodes for item in _part(low, part)]


def _completed(low: Lowering, ref: Var, items: list[Any]) -> ir.Index:
    items = [_array_index(low, item) for item in items if item is not None]
    count = sum(item is not Ellipsis for item in items)
    if count > ref.type.rank:
        low.refuse(f"{count} indices for an array of {ref.type.rank} axes")
    fill = [ir.Slice()] * (ref.type.rank - count)
    where = next((k for k, item in enumerate(items) if item is Ellipsis), len(items))
    return tuple([*items[:where], *fill, *items[where + 1 :]])


def _part(low: Lowering, node: ast.expr) -> list[Any]:
    if isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        return [ir.Slice(*(None if part is None else low.integer(low.ex(part)) for part in bounds))]
    value = low.ex(node)
    match value:
        case Struct() if value.kind is tuple:
            return [_place(low, item) for item in value.items]
        case Known() if value.value is Ellipsis or value.value is None:
            return [value.value]
        case Var() if value.type.rank:
            return [contents(Val(low.b, value)).atom]
    return [_place(low, value)]


def _place(low: Lowering, value: Value) -> Atom:
    """A number as an index; NumPy takes a bool for a mask of no axes."""
    if low.atom(value).type.dtype == "b1":
        low.refuse("a bool stands as an index, which NumPy takes for a mask", "use int(...) or an if")
    return low.integer(value)


def _with_new_axes(low: Lowering, value: Value, items: list[Any]) -> Value:
    """x[:, None]: the same elements with axes of length 1."""
    if None not in items:
        return value
    array = low.atom(value)
    if not isinstance(array, Var) or any(isinstance(i, Var) and i.type.rank for i in items):
        return low.refuse("a new axis beside array indices is outside the language", "index in two steps")
    kept = array.type.rank
    before = [i for i in items if i is None or i is Ellipsis or isinstance(i, ir.Slice)]
    shown = sum(isinstance(i, ir.Slice) for i in before)
    rest: list[Any] = [ir.Slice()] * (kept - shown)
    where = next((k for k, i in enumerate(before) if i is Ellipsis), len(before))
    axes = [*before[:where], *rest, *before[where + 1 :]]
    lengths, axis = [], 0
    for item in axes:
        lengths.append(Const(1, ir.I8) if item is None else dimension(low, array, axis))
        axis += item is not None
    return low.inward(registry.METHODS["reshape"](low.b, low.outward(array), *map(low.outward, lengths)))


def _array_index(low: Lowering, item: Any) -> Any:
    """An integer array as it is; a mask as the places where it is true."""
    if not isinstance(item, Var) or not item.type.rank:
        return item
    if item.type.dtype == "b1":
        if item.type.rank != 1 or np.flatnonzero not in registry.FUNCTIONS:
            low.refuse("boolean masks are not understood here", "use np.where(mask, a, b), or a loop")
        return low.atom(low.apply(np.flatnonzero, item))
    if item.type.dtype[0] not in "iu":
        low.refuse("an array of floats is not an index")
    return item


def is_basic(index: ir.Index) -> bool:
    return all(isinstance(item, ir.Slice) or item.type.rank == 0 for item in index)


def is_element(index: ir.Index) -> bool:
    return all(not isinstance(item, ir.Slice) and item.type.rank == 0 for item in index)


def at(low: Lowering, ref: Var, index: ir.Index) -> Value:
    if is_element(index):
        return low.b.load(ref, index)
    return low.b.view(ref, index) if is_basic(index) else low.b.load(ref, advanced(low, index))


def advanced(low: Lowering, index: ir.Index) -> ir.Index:
    """An index with arrays in it; NumPy puts their axes first if a slice stands between them: refused."""
    places = [k for k, item in enumerate(index) if not isinstance(item, ir.Slice)]
    if places != list(range(places[0], places[-1] + 1)):
        low.refuse("a slice between array indices is outside the language", "index in two steps")
    return index


def stored(low: Lowering, value: Value, ref: Var, rank: int) -> Atom:
    """A value as it goes into memory: loaded, in the memory's dtype."""
    atom = contents(Val(low.b, low.atom(value))).atom
    if atom.type.rank > rank:
        low.refuse(f"{scope.describe(atom)} does not fit into {'an element' if rank == 0 else f'{rank} axes'}")
    kind, own = ref.type.dtype[0], atom.type.dtype[0]
    if own == "f" and kind not in "fc":
        low.refuse(
            f"a float is stored into an array of {ref.type.dtype}, which would cut it off", "make the array float"
        )
    if own == "c" and kind != "c":
        low.refuse(
            f"a complex number is stored into an array of {ref.type.dtype}", "make the array complex, or take `.real`"
        )
    if kind in "iu":
        return low.converted(atom, ir.I8) if own == "b" else atom
    return low.converted(atom, ref.type)


def write(low: Lowering, node: ast.Subscript, value: Value) -> None:
    """target[index] = value"""
    ref = _writable(low, node)
    items = _items(low, node.slice)
    mask = _mask(ref, items)
    if mask is not None:
        return _masked(low, ref, mask, stored(low, value, ref, 0))
    index = _target_index(low, ref, items)
    if not is_basic(index):
        index = advanced(low, index)
    low.b.store(ref, index, stored(low, value, ref, index_rank(index)))


def _mask(ref: Var, items: list[Any]) -> Var | None:
    """The mask of x[mask], a boolean array of x's rank."""
    match items:
        case [Var() as mask] if mask.type.dtype == "b1" and mask.type.rank == ref.type.rank:
            return mask
    return None


def _masked(low: Lowering, ref: Var, mask: Atom, value: Atom) -> None:
    """What is written where the mask is true: the rest is written as it was."""
    low.b.store(ref, whole(ref), low.atom(low.apply(np.where, mask, value, low.b.load(ref))))


def _writable(low: Lowering, node: ast.Subscript) -> Var:
    owner = low.ex(node.value)
    if isinstance(owner, Struct):
        low.refuse(f"a {owner.kind.__name__} is changed in place", "make a new one, or use an array")
    if not isinstance(owner, Var) or not owner.type.ref:
        low.refuse(f"{scope.describe(owner)} has no elements to assign to")
    return owner


def augment(low: Lowering, node: ast.AugAssign, function: Any) -> None:
    """target[index] op= value"""
    assert isinstance(node.target, ast.Subscript)
    ref = _writable(low, node.target)
    items = _items(low, node.target.slice)
    mask = _mask(ref, items)
    if mask is not None:
        amount = low.atom(low.ex(node.value))
        if amount.type.rank:
            low.refuse("an array is put where a mask is true", "use np.where(mask, a, b)")
        return _masked(low, ref, mask, stored(low, low.apply(function, low.b.load(ref), amount), ref, ref.type.rank))
    index = _target_index(low, ref, items)
    if not is_basic(index):
        index = advanced(low, index)
    adds = isinstance(node.op, (ast.Add, ast.Sub)) and ref.type.is_float and is_basic(index)
    mark = len(low.b.out)
    early = is_element(index) or not is_basic(index)  # elements and fancy copies are read before the right side
    old = low.b.load(ref, index) if early and not adds else None
    right = low.ex(node.value)
    if early and adds and has_stores(low, mark):
        with low.b.block() as loads:
            old = low.b.load(ref, index)
        low.b.out[mark:mark] = loads
    in_place(low, ref, index, right, function, old, adds and old is None)


def has_stores(low: Lowering, mark: int) -> bool:
    from_here = low.b.out[mark:]
    return any(isinstance(s, (ir.Store, ir.Accumulate, ir.For, ir.While, ir.If, ir.Call)) for s in from_here)


def in_place(
    low: Lowering, ref: Var, index: ir.Index, right: Value, function: Any, old: Atom | None, adds: bool
) -> None:
    """ref[index] = function(ref[index], right); a sum is accumulated."""
    rank = index_rank(index)
    if adds:
        added = stored(low, right, ref, rank)
        if function.__name__ == "sub":
            added = (
                Const(-added.value, added.type) if isinstance(added, Const) else low.atom(low.apply(np.negative, added))
            )
        low.b.accumulate(ref, index, added)
        return
    given = contents(Val(low.b, low.atom(right))).atom
    old = low.b.load(ref, index) if old is None else old
    low.b.store(ref, index, stored(low, low.apply(function, old, given), ref, rank))
