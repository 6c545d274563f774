"""What a `for` goes over, by the functions of itertools and NumPy that make one loop of several, or of an array."""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.expressions import binary, unpacked
from srcgrad.frontend.lowering.loop_domains import (
    ONE,
    OTHERS,
    ZERO,
    Domain,
    arith,
    at_place,
    counted,
    domain,
    itself,
    nested,
    over,
    over_places,
    parts_of,
)
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Struct, Value
from srcgrad.python import functions as python

Part = Domain | Struct
MANY = 1000  # items that are known, at most


def _keywords(low: Lowering, node: ast.Call, *names: str) -> dict[str, Value]:
    for keyword in node.keywords:
        if keyword.arg not in names:
            low.refuse(f"`{ast.unparse(node.func)}` does not take `{keyword.arg}` here", "write the loop out")
    return {str(k.arg): low.ex(k.value) for k in node.keywords}


def _items(part: Part) -> tuple[Value, ...] | None:
    """The items, if each is known apart."""
    if isinstance(part, Struct):
        return None if isinstance(part.rows, values.Rows) else part.items
    return None if part.known is None or not part.plain else tuple(Const(k, ir.I8) for k in part.known)


def _tuples(low: Lowering, rows: Iterable[Sequence[Value]]) -> Struct:
    made = [values.struct(row) for row in itertools.islice(rows, MANY + 1)]
    if len(made) > MANY:
        low.refuse(f"a loop over more than {MANY} tuples of known items", "write loops over ranges")
    return values.struct(made)


def mapped(low: Lowering, node: ast.Call) -> Value | None:
    """map(f, array) as the list [f(v) for v in array]; None where its items are known apart."""
    if len(node.args) != 2 or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    with low.attempt():
        over_ = domain(low, node.args[1])
    if isinstance(over_, Struct):
        return None
    if not isinstance(node.args[0], (ast.Name, ast.Attribute, ast.Lambda)):
        low.refuse("`map` of a function that is made in the call", "give the function a name before")
    return low.ex(_COMPREHENSIONS.setdefault(id(node), (node, _comprehension(node)))[1])


_COMPREHENSIONS: dict[int, tuple[ast.Call, ast.ListComp]] = {}


def _comprehension(node: ast.Call) -> ast.ListComp:
    used, name = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}, "item"
    while name in used:
        name += "_"
    call = ast.Call(node.args[0], [ast.Name(name, ast.Load())], [])
    made = ast.ListComp(call, [ast.comprehension(ast.Name(name, ast.Store()), node.args[1], [], 0)])
    for inner in ast.walk(made):
        if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
            ast.copy_location(inner, node)
    return made


def kept(low: Lowering, part: Part) -> Struct:
    """The items, where no loop goes over them at once."""
    if isinstance(part, Domain) and part.source is not None:
        return part.source
    items = _items(part)
    if items is None:
        low.refuse("an iterator over what is not known here is kept", "loop over it where it is made")
    return values.struct(items)


# ---- several loops as one


def _product(low: Lowering, node: ast.Call) -> Part:
    parts = parts_of(low, node)
    repeat = _keywords(low, node, "repeat").get("repeat", ONE)
    if not isinstance(repeat, Const):
        low.refuse("`repeat` is not known here", "write a number")
    parts *= int(repeat.value.real)
    lists = [_items(part) for part in parts]
    few = int(np.prod([len(items) for items in lists if items is not None])) <= MANY
    known = [items for items in lists if items is not None]
    if len(known) == len(parts) and (few or any(isinstance(p, Struct) for p in parts)):
        return _tuples(low, itertools.product(*known))
    bases = [counted(low, part) for part in parts if isinstance(part, Domain)]
    if len(bases) < len(parts):
        low.refuse("a product of a tuple and a range or array of unknown length", "write one loop inside the other")
    return nested(low, bases)


def _ndindex(low: Lowering, node: ast.Call) -> Part:
    _keywords(low, node)
    given: list[Value] = []
    for arg in node.args:
        value = low.ex(arg.value if isinstance(arg, ast.Starred) else arg)
        given += unpacked(low, value) if isinstance(value, Struct) else [value]
    return nested(low, [Domain(ZERO, low.integer(n), ONE, itself) for n in given])


def _ndenumerate(low: Lowering, node: ast.Call) -> Part:
    _keywords(low, node)
    ref, places = over_places(low, low.ex(node.args[0]), "np.ndenumerate")

    def item(index: Atom) -> Value:
        at = places.item(index)
        return values.struct([at, low.b.load(ref, at_place(at))])

    return Domain(ZERO, places.stop, ONE, item)


# ---- neighbours, choices, running totals


def _pairwise(low: Lowering, node: ast.Call) -> Part:
    _keywords(low, node)
    (part,) = parts_of(low, node)
    items = _items(part)
    if items is not None:
        return _tuples(low, itertools.pairwise(items))
    assert isinstance(part, Domain)
    base = counted(low, part)
    stop = arith(low, operator.sub, base.stop, ONE)

    def item(index: Atom) -> Value:
        return values.struct([base.item(index), base.item(arith(low, operator.add, index, ONE))])

    return Domain(ZERO, stop, ONE, item)


def _chosen(function: Callable[..., Iterable[tuple[Value, ...]]]) -> Callable[[Lowering, ast.Call], Part]:
    """combinations and permutations of items that are known apart."""

    def made(low: Lowering, node: ast.Call) -> Part:
        _keywords(low, node)
        items = _items(domain(low, node.args[0]))
        count = low.ex(node.args[1]) if len(node.args) > 1 else None
        if items is None or (count is not None and not isinstance(count, Const)):
            name = getattr(function, "__name__", "")
            hint = "write loops inside one another: for i in range(n): for j in range(i + 1, n)"
            low.refuse(f"`{name}` of items that are not known here", hint)
        return _tuples(low, function(items, len(items) if count is None else int(count.value.real)))

    return made


def _zip_longest(low: Lowering, node: ast.Call) -> Part:
    fill = _keywords(low, node, "fillvalue").get("fillvalue", Known(None))
    lists = [_items(part) for part in parts_of(low, node)]
    known = [items for items in lists if items is not None]
    if len(known) < len(lists):
        low.refuse("`zip_longest` of arrays or of ranges whose lengths are not known", "loop over the longest length")
    return _tuples(low, itertools.zip_longest(*known, fillvalue=fill))


def _chain(low: Lowering, node: ast.Call) -> Part:
    _keywords(low, node)
    lists = [_items(part) for part in parts_of(low, node)]
    known = [items for items in lists if items is not None]
    if len(known) < len(lists):
        low.refuse("`chain` of arrays or of ranges whose lengths are not known", "use np.concatenate, or several loops")
    return values.struct([item for items in known for item in items])


def _accumulate(low: Lowering, node: ast.Call) -> Part:
    named = _keywords(low, node, "func", "initial")
    function = low.ex(node.args[1]) if len(node.args) > 1 else named.get("func")
    items = _items(domain(low, node.args[0]))
    if items is None:
        return over(low, _running(low, low.ex(node.args[0]), function, named))
    first = [named["initial"]] if "initial" in named else []
    made: list[Value] = []
    for item in (*first, *items):
        made.append(item if not made else _together(low, function, made[-1], item))
    return values.struct(made)


def _running(low: Lowering, items: Value, function: Value | None, named: dict[str, Value]) -> Value:
    """The running totals of an array or of a list of unknown length."""
    if function is None and not named and isinstance(items, Var) and items.type.rank == 1:
        return low.apply(np.cumsum, items)
    step = Known(operator.add) if function is None else function
    stand_in = python.accumulate_from if "initial" in named else python.accumulate
    return low.constructs.call(Known(stand_in), [items, step, *([named["initial"]] if "initial" in named else [])])


def _together(low: Lowering, function: Value | None, total: Value, item: Value) -> Value:
    if function is None:
        return binary(low, operator.add, total, item)
    return low.settle(low.constructs.call(function, [total, item]), "a")


OTHERS.update(
    {
        itertools.product: _product,
        itertools.pairwise: _pairwise,
        itertools.combinations: _chosen(itertools.combinations),
        itertools.permutations: _chosen(itertools.permutations),
        itertools.zip_longest: _zip_longest,
        itertools.chain: _chain,
        itertools.accumulate: _accumulate,
        np.ndindex: _ndindex,
        np.ndenumerate: _ndenumerate,
    }
)
