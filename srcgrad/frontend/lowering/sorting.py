"""Items in order, or in the order of what a function gives for them: `sorted`, and `sort` with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import growing_lists, sets, values
from srcgrad.frontend.lowering.expressions import unpacked
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import iterable
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.python import functions as python


def is_given(key: Value) -> bool:
    return not isinstance(key, Known) or key.value is not None


def by_key(low: Lowering, items: Sequence[Value], key: Value, reverse: Value) -> list[Value]:
    """Of a known number of items. They become rows, of which places that are found at run time are taken."""
    if len(items) < 2:
        return list(items)
    scores = low.apply(np.array, values.struct([low.constructs.call(key, [item]) for item in items]))
    order = low.constructs.call(Known(python.places_by), [scores, reverse])
    rows = growing_lists.indexable(low, values.struct(items, list))
    places = unpacked(low, order, len(items))
    return [growing_lists.item(low, rows, low.atom(place)) for place in places]


def _sorted_by(low: Lowering, one: Value, key: Value, reverse: Value) -> Value:
    if isinstance(one, Struct) and one.rows is None:
        return values.struct(by_key(low, unpacked(low, one), key, reverse), list)
    if isinstance(one, Struct):
        item = one.rows.item if isinstance(one.rows, values.Rows) else one
        if not isinstance(item, (Var, Const)) or item.type.rank:
            low.refuse("`key` of a list of unknown length", "make it an array, and sort the keys: x[np.argsort(keys)]")
        one = growing_lists.array(low, one)
    return low.constructs.call(Known(list), [low.constructs.call(Known(python.ordered_by), [one, key, reverse])])


def sorted_(low: Lowering, args: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
    """sorted(...): a list."""
    if len(args) != 1:
        low.refuse("sorted takes one thing to sort by place", "name the others: sorted(x, key=f, reverse=True)")
    given, key, reverse = args[0], named.get("key", Known(None)), named.get("reverse", values.FALSE)
    one = sets.listed(low, given) if isinstance(given, Struct) and sets.is_set(given) else iterable(low, given)
    if is_given(key):
        return _sorted_by(low, one, key, reverse)
    if isinstance(one, Struct) and one.rows is None and all(isinstance(item, Known) for item in one.items):
        texts = sorted([item.value for item in one.items if isinstance(item, Known)])
        return values.struct([Known(text) for text in texts], list)
    known = unpacked(low, one) if isinstance(one, Struct) and one.rows is None else None
    array = low.apply(np.array, one) if known else growing_lists.array(low, one) if isinstance(one, Struct) else one
    made = low.constructs.call(Known(python.ordered), [array, reverse])
    if known is not None:
        return values.struct(unpacked(low, made, len(known)), list)
    return low.constructs.call(Known(list), [made])
