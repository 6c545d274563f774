"""Comprehensions. Over known items they give one value each; all others are the loops that they stand for."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Const
from srcgrad.frontend.lowering import generators, keyed_dicts, sets, values
from srcgrad.frontend.lowering.calls import call
from srcgrad.frontend.lowering.loop_domains import Domain, domain
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.statements import assign
from srcgrad.frontend.lowering.values import Closure, Known, Struct, Value
from srcgrad.frontend.source.liveness import assigned
from srcgrad.python import functions as python

Comprehension = ast.ListComp | ast.GeneratorExp | ast.DictComp
LIMIT = 32  # longer ranges are loops
SEQUENCE, TOTAL = "@sequence", "@total"


class _Unknown(Exception):
    """The items are not known apart."""


def comprehension(low: Lowering, node: Comprehension) -> Value:
    if any(isinstance(n, ast.NamedExpr) for n in ast.walk(node)):
        low.refuse("a walrus stands in a comprehension", "write the loop out")
    known = _known(low, node)
    if known is not None:
        return known
    if isinstance(node, ast.DictComp):
        made = keyed_dicts.made(low, [], [])
        return _run(low, node, _setting, made)
    items = Struct(list, (), ())
    items.label = values.spelling(low.naming.now) or "items"
    return _run(low, node, _appending, items)


def set_(low: Lowering, node: ast.SetComp) -> Value:
    """The set of what the list comprehension gives."""
    inner = _SETS.setdefault(id(node), (node, ast.copy_location(ast.ListComp(node.elt, node.generators), node)))[1]
    items = low.ex(inner)
    if isinstance(items, Struct) and items.rows is None:
        return sets.made(low, items.items, node)
    low.setting.keyed.sites.add(id(node))
    new = sets.made(low, [], node)
    low.constructs.call(Known(python.add_items), [new.held[0], items])
    return new


_SETS: dict[int, tuple[ast.AST, ast.ListComp]] = {}


# ---- known items


def _known(low: Lowering, node: Comprehension) -> Value | None:
    """The items one by one; None (and nothing is emitted) if they are not known apart."""
    frame, names = low.frame, low.frame.locals
    frame.locals = names | frozenset(assigned([part.target for part in node.generators]))
    items: list[Value] = []
    with low.attempt() as tried:
        try:
            _generate(low, node, 0, items)
            done = True
        except _Unknown:
            done = False
    frame.locals = names
    if not done:
        return None
    low.keep(tried)
    if isinstance(node, ast.DictComp):
        return low.constructs.call(Known(dict), [values.struct(items)])
    return values.struct(items, list)


def _generate(low: Lowering, node: Comprehension, depth: int, items: list[Value]) -> None:
    if depth == len(node.generators):
        if isinstance(node, ast.DictComp):
            items.append(values.struct([low.ex(node.key), low.settle(low.ex(node.value), "a")]))
        else:
            items.append(low.settle(low.ex(node.elt), "a"))
        return
    part = node.generators[depth]
    if generators.generated(low, part.iter) is not None:
        raise _Unknown
    for item in _known_items(domain(low, part.iter)):
        assign(low, part.target, item)
        tests = [low.truth(low.ex(test)) for test in part.ifs]
        if not all(isinstance(test, Const) for test in tests):
            raise _Unknown
        if all(isinstance(test, Const) and test.value for test in tests):
            _generate(low, node, depth + 1, items)


def _known_items(over: Domain | Struct) -> Iterable[Value]:
    if isinstance(over, Struct):
        return over.items
    turns = over.known
    if turns is None or len(turns) > LIMIT or not (over.plain or over.apart):
        raise _Unknown
    return (over.item(Const(k, ir.I8)) for k in turns)


# ---- as loops


def _run(low: Lowering, node: Comprehension, make: Callable[[Any], ast.FunctionDef], *args: Value) -> Value:
    """The function that a comprehension stands for, called."""
    function = _MADE.setdefault((id(node), make), (node, make(node)))[1]
    return call(low, Closure(function, low.frame), args, {}, node)


# the same tree each time, for what is known of a loop is kept by its node
_MADE: dict[tuple[int, Any], tuple[ast.AST, ast.FunctionDef]] = {}


def _appending(node: ast.ListComp | ast.GeneratorExp) -> ast.FunctionDef:
    append = ast.Attribute(ast.Name(SEQUENCE, ast.Load()), "append", ast.Load())
    return _function(node, "comprehension", SEQUENCE, lambda elt: ast.Expr(ast.Call(append, [elt], [])))


def _setting(node: ast.DictComp) -> ast.FunctionDef:
    """{key: value for ...}"""
    pairs = ast.ListComp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)
    ast.copy_location(pairs, node)
    return _function(pairs, "comprehension", SEQUENCE, _stored)


def _stored(pair: ast.expr) -> ast.stmt:
    assert isinstance(pair, ast.Tuple)
    key, value = pair.elts
    return ast.Assign([ast.Subscript(ast.Name(SEQUENCE, ast.Load()), key, ast.Store())], value)


def _summing(node: ast.ListComp | ast.GeneratorExp) -> ast.FunctionDef:
    """sum: from the number that is the argument."""
    return _function(node, "sum", TOTAL, lambda elt: ast.AugAssign(ast.Name(TOTAL, ast.Store()), ast.Add(), elt))


def _function(
    node: ast.ListComp | ast.GeneratorExp, name: str, result: str, step: Callable[[ast.expr], ast.stmt]
) -> ast.FunctionDef:
    """def name(result): for ...: step(elt); return result"""
    node = _renamed(node)
    body: list[ast.stmt] = [step(node.elt)]
    for part in reversed(node.generators):
        for test in reversed(part.ifs):
            body = [ast.If(test, body, [])]
        body = [ast.For(part.target, part.iter, body, [])]
    return _defined(node, name, result, [*body, ast.Return(ast.Name(result, ast.Load()))])


def _defined(node: ast.AST, name: str, argument: str, body: list[ast.stmt]) -> ast.FunctionDef:
    args = [ast.arg(argument)] if argument else []
    signature = ast.arguments(posonlyargs=[], args=args, kwonlyargs=[], kw_defaults=[], defaults=[])
    function = ast.FunctionDef(name, signature, body, [])
    for inner in ast.walk(function):
        if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
            ast.copy_location(inner, node)
    return ast.fix_missing_locations(function)


def _renamed(node: ast.ListComp | ast.GeneratorExp) -> ast.ListComp | ast.GeneratorExp:
    """The first iterable is evaluated outside: names of the comprehension that it reads too get others."""
    first = node.generators[0].iter
    outside = {n.id for n in ast.walk(first) if isinstance(n, ast.Name)}
    clashing = outside & set(assigned([part.target for part in node.generators]))
    if not clashing:
        return node
    new = copy.deepcopy(node)
    inside = set(ast.walk(new)) - set(ast.walk(new.generators[0].iter))
    for name in inside:
        if isinstance(name, ast.Name) and name.id in clashing:
            name.id = f"{name.id}_"
    return new


def _deciding(both: bool) -> Callable[[ast.ListComp | ast.GeneratorExp], ast.FunctionDef]:
    """any and all: the loop stops at the item that decides."""

    def make(node: ast.ListComp | ast.GeneratorExp) -> ast.FunctionDef:
        node = _renamed(node)
        test: ast.expr = ast.UnaryOp(ast.Not(), node.elt) if both else node.elt
        body: list[ast.stmt] = [ast.If(test, [ast.Return(ast.Constant(not both))], [])]
        for part in reversed(node.generators):
            for cond in reversed(part.ifs):
                body = [ast.If(cond, body, [])]
            body = [ast.For(part.target, part.iter, body, [])]
        return _defined(node, "all" if both else "any", "", [*body, ast.Return(ast.Constant(both))])

    return make


_ANY, _ALL = _deciding(False), _deciding(True)
_OVER: dict[int, tuple[ast.Call, ast.GeneratorExp]] = {}


def consume(low: Lowering, function: Any, node: ast.Call) -> Value | None:
    """sum, any and all of a generator, and of a list of unknown length: a loop without a list."""
    generator: ast.expr = node.args[0]
    if isinstance(generator, ast.GeneratorExp) and _known_domains(low, generator):
        return None
    with low.attempt():
        yielded = generators.generated(low, generator) is not None
    start: list[Value] = [low.ex(n) for n in (*node.args[1:], *(k.value for k in node.keywords))]
    if yielded:
        generator = _OVER.setdefault(id(node), (node, _each(node, generator)))[1]
    if not isinstance(generator, ast.GeneratorExp):
        if isinstance(generator, (ast.List, ast.Tuple)):
            return None
        value = low.ex(generator)
        if not isinstance(value, Struct) or not isinstance(value.rows, values.Rows):
            return low.constructs.builtin(function, [value, *start])
        low.frame.env[SEQUENCE] = value
        generator = _OVER.setdefault(id(node), (node, _each(node, ast.Name(SEQUENCE, ast.Load()))))[1]
    try:
        if function is sum:
            return _run(low, generator, _summing, start[0] if start else Const(0, ir.I8))
        return _run(low, generator, _ALL if function is all else _ANY)
    finally:
        low.frame.env.pop(SEQUENCE, None)


def _each(node: ast.Call, over: ast.expr) -> ast.GeneratorExp:
    part = ast.comprehension(ast.Name("item", ast.Store()), over, [], 0)
    new = ast.GeneratorExp(ast.Name("item", ast.Load()), [part])
    for inner in ast.walk(new):
        if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
            ast.copy_location(inner, node.args[0])
    return new


def _known_domains(low: Lowering, node: ast.GeneratorExp) -> bool:
    """Whether the first thing that a generator goes over has items that are known apart."""
    with low.attempt():
        if generators.generated(low, node.generators[0].iter) is not None:
            return False
        over = domain(low, node.generators[0].iter)
    return isinstance(over, Struct) or over.apart
