"""Reading and writing through subscripts. Ints and slices give views of memory; arrays of places and masks copies."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import index_rank, whole
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.core.walk import walk
from srcgrad.frontend.lowering import slices, values
from srcgrad.frontend.lowering.expressions import dimension
from srcgrad.frontend.lowering.objects import get_item, part, replace_slice, set_item
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.numpy import functions
from srcgrad.rules.arrays import fancy_index
from srcgrad.rules.language import promotion, registry
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.shapes.shape import dims


def subscript(low: Lowering, node: ast.Subscript) -> Value:
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
        case Known() if value.value is np.mgrid or value.value is np.ogrid:
            return _grid(low, node, functions.mgrid if value.value is np.mgrid else functions.ogrid)
        case Known() if value.value is np.s_ or value.value is np.index_exp:
            return slices.written(low, value.value, node.slice)
        case Struct() if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            return part(low, value, [None if b is None else low.ex(b) for b in bounds])
        case Struct() | Known():
            item = low.ex(node.slice)
            known = slices.bounds(item) if isinstance(value, Struct) else None
            return get_item(low, value, item) if known is None else part(low, value, known)  # type: ignore[arg-type]
        case Var() if value.type.rank:
            ref = low.memory(value)
            assert isinstance(ref, Var)
            items = _items(low, node.slice)
            index = _completed(low, ref, items)
            low.in_range(ref, index)
            return _with_new_axes(low, at(low, ref, index), items)
    return low.refuse(f"{values.describe(value)} has no elements", "pass an array, a tuple or a list")


def _grid(low: Lowering, node: ast.Subscript, function: Callable[..., Any]) -> Value:
    """np.mgrid[a:b:c, ...] and np.ogrid: a step that is imaginary counts points."""
    axes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    ranges: list[Value] = []
    for axis in axes:
        if not isinstance(axis, ast.Slice) or axis.upper is None:
            low.refuse("a grid is made of slices with an end", "write np.mgrid[0:n, 0:m]")
        start: Value = Const(0, ir.I8) if axis.lower is None else low.ex(axis.lower)
        match axis.step:
            case ast.Constant(value=complex() as points):
                ranges.append(low.apply(np.linspace, start, low.ex(axis.upper), Const(int(abs(points)), ir.I8)))
            case step:
                more = [] if step is None else [low.ex(step)]
                ranges.append(low.apply(np.arange, start, low.ex(axis.upper), *more))
    return low.constructs.call(Known(function), ranges)


def _static_integer(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def _target_index(low: Lowering, ref: Var, items: list[Any]) -> ir.Index:
    """The complete index of what is assigned to."""
    if None in items:
        low.refuse("a new axis is assigned to", "assign to the array itself")
    settled = [low.memory(i, "places") if isinstance(i, Var) and i.type.dtype != "b1" else i for i in items]
    return _completed(low, ref, settled)


def _items(low: Lowering, node: ast.expr) -> list[Any]:
    """What stands in a subscript: atoms, slices, None for a new axis, Ellipsis."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return [item for part in nodes for item in _part(low, part, alone=nodes == [node])]


def _completed(low: Lowering, ref: Var, items: list[Any]) -> ir.Index:
    items = [_integers(low, item) for item in items if item is not None]
    count = sum(_axes_of(item) for item in items)
    if count > ref.type.rank:
        low.refuse(f"{count} indices for a {ref.type.rank}-D array", "give at most one index an axis")
    fill = [ir.Slice()] * (ref.type.rank - count)
    where = next((k for k, item in enumerate(items) if item is Ellipsis), len(items))
    mark = len(low.b.out)
    index = fancy_index.index_of(low.b, ref, [*items[:where], *fill, *items[where + 1 :]])
    low.inspect(mark)
    return index


def _axes_of(item: Any) -> int:
    """How many axes an item of an index takes: a mask as many as it has."""
    if item is Ellipsis:
        return 0
    return item.type.rank if isinstance(item, Var) and item.type.dtype == "b1" else 1


def _part(low: Lowering, node: ast.expr, alone: bool) -> list[Any]:
    if isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        return [ir.Slice(*(None if part is None else low.integer(low.ex(part)) for part in bounds))]
    value = low.ex(node)
    if isinstance(value, Struct) and value.kind is tuple and alone:
        return [_one_part(low, item) for item in value.items]
    return [_one_part(low, value)]


def _one_part(low: Lowering, value: Value) -> Any:
    given = slices.bounds(value)
    if given is not None:
        return ir.Slice(*(None if part is None else low.integer(part) for part in given))
    match value:
        case Struct() if issubclass(value.kind, (list, tuple)) and value.items:
            return low.atom(low.apply(np.array, value))
        case Known() if value.value is Ellipsis or value.value is None:
            return value.value
        case Var() if value.type.rank:
            return value
    return _place(low, value)


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


def _integers(low: Lowering, item: Any) -> Any:
    """An item of an index: arrays of integers and masks as they are."""
    if isinstance(item, Var) and item.type.rank and item.type.dtype[0] not in "iub":
        low.refuse("an array of floats is not an index", "use .astype(np.int64), or an array of integers")
    return item


def is_basic(index: ir.Index) -> bool:
    return all(isinstance(item, ir.Slice) or item.type.rank == 0 for item in index)


def is_element(index: ir.Index) -> bool:
    return all(not isinstance(item, ir.Slice) and item.type.rank == 0 for item in index)


def at(low: Lowering, ref: Var, index: ir.Index) -> Value:
    if is_element(index):
        return low.b.load(ref, index)
    return low.b.view(ref, index) if is_basic(index) else fancy_index.read(low.b, ref, index).atom


def stored(low: Lowering, value: Value, ref: Var, rank: int) -> Atom:
    """A value as it goes into memory: loaded, in the memory's dtype."""
    atom = contents(Val(low.b, low.atom(value))).atom
    if atom.type.rank > rank:
        low.refuse(
            f"{values.describe(atom)} does not fit into {'an element' if rank == 0 else f'a {rank}-D part'}",
            "index the value, or widen the target",
        )
    kind, own = ref.type.dtype[0], atom.type.dtype[0]
    if own == "f" and kind not in "fc":
        low.refuse(
            f"a float is stored into an array of {ref.type.dtype_name}, which would cut it off", "make the array float"
        )
    if own == "c" and kind != "c":
        low.refuse(
            f"a complex number is stored into an array of {ref.type.dtype_name}",
            "make the array complex, or take `.real`",
        )
    if kind in "iu":
        promotion.fits(np.dtype(ref.type.dtype), [Val(low.b, atom)])
        return low.converted(atom, ir.I8) if own == "b" else atom
    return low.converted(atom, ref.type)


def write(low: Lowering, node: ast.Subscript, value: Value) -> None:
    """target[index] = value"""
    owner = low.ex(node.value)
    if isinstance(owner, Struct):
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            return replace_slice(low, owner, [None if b is None else low.ex(b) for b in bounds], value)
        item = low.ex(node.slice)
        known = slices.bounds(item)
        return set_item(low, owner, item, value) if known is None else replace_slice(low, owner, known, value)
    ref = _writable(low, owner)
    items = _items(low, node.slice)
    mask = _mask(ref, items)
    if mask is not None and not low.atom(value).type.rank:
        return _masked(low, ref, mask, stored(low, value, ref, 0))
    index = _target_index(low, ref, items)
    low.in_range(ref, index, node)
    put(low, ref, index, value)


def put(low: Lowering, ref: Var, index: ir.Index, value: Value) -> None:
    """ref[index] = value"""
    atom = stored(low, value, ref, index_rank(index))
    if is_basic(index):
        low.fits(atom, ref, index)
        low.b.store(ref, index, atom)
    else:
        fancy_index.write(low.b, ref, index, Val(low.b, atom))


def _mask(ref: Var, items: list[Any]) -> Var | None:
    """The mask of x[mask], a boolean array of x's rank."""
    match items:
        case [Var() as mask] if mask.type.dtype == "b1" and mask.type.rank == ref.type.rank:
            return mask
    return None


def _masked(low: Lowering, ref: Var, mask: Var, value: Atom) -> None:
    """What is written where the mask is true: the rest is written as it was."""
    here, there = Val(low.b, ref), Val(low.b, mask)
    mark = len(low.b.out)
    for n, m in zip(dims(here), dims(there), strict=True):
        fancy_index.check_lengths(low.b, n, m, "a mask must have the shape of what it is a mask of", "IndexError")
    low.inspect(mark)
    low.b.store(ref, whole(ref), low.atom(low.apply(np.where, mask, value, low.b.load(ref))))


def _writable(low: Lowering, owner: Value) -> Var:
    if not isinstance(owner, Var) or not owner.type.ref:
        low.refuse(
            f"{values.describe(owner)} has no elements to assign to",
            "assign to the elements of an array that has a name",
        )
    return owner


def augment(low: Lowering, node: ast.AugAssign, function: Any, owner: Value) -> None:
    """owner[index] op= value"""
    assert isinstance(node.target, ast.Subscript)
    ref = _writable(low, owner)
    items = _items(low, node.target.slice)
    mask = _mask(ref, items)
    if mask is not None:
        return _augment_masked(low, node, ref, mask, function)
    index = _target_index(low, ref, items)
    low.in_range(ref, index, node.target)
    adds = isinstance(node.op, (ast.Add, ast.Sub)) and ref.type.is_float and is_basic(index)
    mark = len(low.b.out)
    early = is_element(index) or not is_basic(index)  # elements and fancy copies are read before the right side
    old = low.atom(at(low, ref, index)) if early and not adds else None
    right = low.ex(node.value)
    if early and adds and has_stores(low, mark):
        with low.b.block() as loads:
            old = low.b.load(ref, index)
        low.b.out[mark:mark] = loads
    in_place(low, ref, index, right, function, old, adds and old is None)


def _augment_masked(low: Lowering, node: ast.AugAssign, ref: Var, mask: Var, function: Any) -> None:
    """target[mask] op= value: a number by a choice everywhere, an array from place to place."""
    index = _target_index(low, ref, [mask])
    chosen, everywhere, old = contents(Val(low.b, mask)).atom, low.b.load(ref), at(low, ref, index)
    mark = len(low.b.out)
    right = low.ex(node.value)
    if not low.atom(right).type.rank:
        new = stored(low, low.apply(function, everywhere, right), ref, ref.type.rank)
        low.b.store(ref, whole(ref), low.atom(low.apply(np.where, chosen, new, everywhere)))
    elif isinstance(node.op, (ast.Add, ast.Sub)) and ref.type.is_float and not has_stores(low, mark):
        ufunc = np.add if isinstance(node.op, ast.Add) else np.subtract
        fancy_index.write(low.b, ref, index, Val(low.b, stored(low, right, ref, 1)), ufunc)
    else:
        put(low, ref, index, low.apply(function, old, right))


def has_stores(low: Lowering, mark: int) -> bool:
    """Whether what was emitted since the mark may write."""
    return any(isinstance(s, (ir.Store, ir.Accumulate, ir.Call)) for s in walk(low.b.out[mark:]))


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
        low.fits(added, ref, index)
        low.b.accumulate(ref, index, added)
        return
    given = contents(Val(low.b, low.atom(right))).atom
    low.fits(given, ref, index)
    old = low.b.load(ref, index) if old is None else old
    new = low.apply(function, old, given)
    if rank and is_basic(index):
        _keeps_kind(low, ref, low.atom(new))
    put(low, ref, index, new)


def _keeps_kind(low: Lowering, ref: Var, new: Atom) -> None:
    """Refuse what NumPy does not put back into the array that is changed in place."""
    kind, own = np.dtype(new.type.dtype), np.dtype(ref.type.dtype)
    if kind.kind in "iu" and not np.can_cast(kind, own, "same_kind"):
        low.refuse(
            f"{kind.name} numbers are put back into an array of {own.name}, which NumPy refuses",
            f"give the array the dtype {kind.name} before, or cast what stands on the right",
        )
