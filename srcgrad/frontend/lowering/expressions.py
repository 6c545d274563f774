"""Expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import LITERALS
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.frontend.lowering import growing_lists, keyed_dicts, strings, values
from srcgrad.frontend.lowering.growing_lists import expect_equal
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import converted, iterable, mapping, operated
from srcgrad.frontend.lowering.state import Unresolved
from srcgrad.frontend.lowering.values import FALSE, TRUE, VALUE, Closure, Known, Struct, Value

BINARY: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}


SETS = {
    operator.or_: "union",
    operator.and_: "intersection",
    operator.sub: "difference",
    operator.xor: "symmetric_difference",
}


def constant(low: Lowering, node: ast.Constant) -> Value:
    kind = LITERALS.get(type(node.value))
    return Known(node.value) if kind is None else Const(node.value, kind)  # type: ignore[arg-type]


def name_(low: Lowering, node: ast.Name) -> Value:
    return low.lookup(node.id)


def display(low: Lowering, node: ast.Tuple | ast.List) -> Value:
    items: list[Value] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            items.extend(unpacked(low, low.ex(item.value)))
        else:
            items.append(low.settle(low.ex(item), "a"))
    return values.struct(items, tuple if isinstance(node, ast.Tuple) else list)


def dict_(low: Lowering, node: ast.Dict) -> Value:
    made: dict[str, Value] = {}
    if id(node) in low.setting.keyed.sites and None not in node.keys:
        pairs = [(low.ex(part), low.ex(item)) for part, item in zip(node.keys, node.values, strict=True) if part]
        return keyed_dicts.made(low, [key for key, _ in pairs], [low.settle(item, "a") for _, item in pairs])
    for part, item in zip(node.keys, node.values, strict=True):
        key, value = None if part is None else low.ex(part), low.ex(item)
        if key is None and (items := mapping(low, value)) is not None:
            made.update(items)
        elif key is not None and (name := values.key_of(key)) is not None:
            made[name] = low.settle(value, "a")
        else:
            strings.expect_known(low, key or value)
            low.setting.keyed.asked.add(id(node))
            low.expect_known("a dict needs strings or integers that are known as keys", "use literals as keys")
    new = Struct(dict, tuple(made), tuple(made.values()))
    new.site = id(node)
    return new


def unpacked(low: Lowering, value: Value, count: int | None = None) -> list[Value]:
    """The items of a tuple or list; of an array, its `count` elements or rows."""
    value = iterable(low, value)
    match value:
        case Struct() if issubclass(value.kind, dict):
            items: list[Value] = [values.of_key(key) for key in value.keys]
        case Struct(rows=values.Rows() as rows) if count is not None:
            expect_equal(low, rows.count, Const(count, ir.I8), "wrong number of values to unpack")
            items = [growing_lists.item(low, rows, Const(k, ir.I8)) for k in range(count)]
        case Struct():
            items = list(value.items)
        case Var() if value.type.rank and count is not None:
            ref = low.memory(value)
            assert isinstance(ref, Var)
            expect_equal(low, dimension(low, ref, 0), Const(count, ir.I8), "wrong number of values to unpack")
            items = [element(low, ref, Const(k, ir.I8)) for k in range(count)]
        case _:
            low.refuse(f"{values.describe(value)} cannot be unpacked", "name what it holds one by one")
    if count is not None and len(items) != count:
        low.may_raise(ValueError, lambda: TRUE)
        low.refuse(f"{len(items)} values are unpacked into {count} names", "use as many names as there are values")
    return items


def element(low: Lowering, ref: Var, index: Atom) -> Value:
    """ref[index]: an element, or a row as a view."""
    full = (index, *[ir.Slice()] * (ref.type.rank - 1))
    return low.b.load(ref, full) if ref.type.rank == 1 else low.b.view(ref, full)


def binary_operation(low: Lowering, node: ast.BinOp) -> Value:
    return binary(low, BINARY[type(node.op)], low.ex(node.left), low.ex(node.right))


def binary(low: Lowering, function: Any, left: Value, right: Value) -> Value:
    given = operated(low, function, left, right)
    return _plain_binary(low, function, left, right) if given is None else given


def _plain_binary(low: Lowering, function: Any, left: Value, right: Value) -> Value:
    """The same where no class has a method for it."""
    match left, right:
        case Const(type=ir.I8), Const(type=ir.I8) if function in (operator.add, operator.sub, operator.mul):
            return Const(function(left.value, right.value), ir.I8)
        case Struct(), Struct() if function is operator.add and _sequence(left) is _sequence(right) is not None:
            return values.struct([*left.items, *right.items], _sequence(left) or tuple)
        case Struct(), Const(type=ir.I8) if function is operator.mul and _sequence(left) is not None:
            return values.struct(list(left.items) * int(right.value), _sequence(left) or tuple)  # type: ignore[arg-type]
        case Struct(kind=kind, rows=None), (Var() | Const()) if kind is list and function is operator.mul:
            return growing_lists.repeated(low, left, low.integer(right))
        case ((Var() | Const()), Struct(kind=kind, rows=None)) if kind is list and function is operator.mul:
            return growing_lists.repeated(low, right, low.integer(left))
        case Struct(kind=kind), Struct() if kind in (set, frozenset) and function in SETS:
            return low.constructs.combined(SETS[function], left, right)
        case Struct(), Struct() if function is operator.or_ and left.kind is right.kind is dict:
            both = {**dict(zip(left.keys, left.items, strict=True)), **dict(zip(right.keys, right.items, strict=True))}
            return Struct(dict, tuple(both), tuple(both.values()))
        case Known(value=str() as text), _ if function is operator.mod:
            return strings.percent(low, text, right)
        case _ if strings.is_text(left) and strings.is_text(right):
            if function is not operator.add:
                low.refuse("two strings are put together otherwise than by +", "use numbers or arrays here")
            return strings.joined(left, right)
        case Known(value=str() as text), Const(type=ir.I8) if function is operator.mul:
            return Known(text * int(right.value.real))
    return low.apply(function, left, right)


def _sequence(value: Struct) -> type | None:
    """What is made when it is added to another, or repeated."""
    return next((kind for kind in (tuple, list) if issubclass(value.kind, kind)), None)


SIGNS: dict[type[ast.unaryop], Any] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert}


def unary_operation(low: Lowering, node: ast.UnaryOp) -> Value:
    value = low.ex(node.operand)
    if isinstance(node.op, ast.Not):
        return low.negated(low.truth(value))
    if isinstance(value, Const) and value.type != ir.B1 and isinstance(node.op, (ast.USub, ast.UAdd)):
        return Const(-value.value, value.type) if isinstance(node.op, ast.USub) else value
    given = converted(low, SIGNS[type(node.op)], [value])
    return low.apply(SIGNS[type(node.op)], value) if given is None else given


# ---- conditions


def boolean_operation(low: Lowering, node: ast.BoolOp) -> Value:
    return _operands(low, node.values, isinstance(node.op, ast.And))


def _operands(low: Lowering, nodes: list[ast.expr], both: bool) -> Value:
    left = low.ex(nodes[0])
    if len(nodes) == 1:
        return left
    if isinstance(left, (Var, Const)) and left.type == ir.B1:
        return short_circuit(low, left, lambda: _operands(low, nodes[1:], both), both)
    cond = low.truth(left)
    rest: Callable[[], Value] = lambda: _operands(low, nodes[1:], both)  # noqa: E731
    return choose(low, cond, rest, lambda: left) if both else choose(low, cond, lambda: left, rest)


def short_circuit(low: Lowering, left: Atom, rest: Callable[[], Value], both: bool) -> Value:
    """left and rest, or left or rest. What is cheap and cannot fail is not worth a branch."""
    if isinstance(left, Const):
        return rest() if bool(left.value) == both else left
    right: Value | None = None
    with suppress(Unresolved), low.attempt() as tried:
        right = rest()
    plain = not tried.touched and tried.env == low.frame.env and all(map(harmless, tried.out))
    if isinstance(right, (Var, Const)) and right.type == ir.B1 and plain:
        low.b.out.extend(tried.out)
        if isinstance(right, Const):
            return left if bool(right.value) == both else right
        return low.connected("logical_and" if both else "logical_or", left, right)
    other = FALSE if both else TRUE
    return choose(low, left, rest, lambda: other) if both else choose(low, left, lambda: other, rest)


def harmless(stmt: Stmt) -> bool:
    """Arithmetic on scalars, which neither fails nor reads memory."""
    return isinstance(stmt, ir.Let) and all(a.type.is_scalar for a in (*stmt.args, *stmt.targets))


def choose(low: Lowering, cond: Atom, then: Callable[[], Value], orelse: Callable[[], Value]) -> Value:
    """The value of one of two expressions, of which only one is evaluated."""
    if isinstance(cond, Const):
        return then() if cond.value else orelse()

    value = low.branch(cond, lambda: low.settle(then(), "t"), lambda: low.settle(orelse(), "t"), None)
    if isinstance(value, values.Poison):
        low.refuse(value.message.replace(f"`{values.spelling(VALUE)}`", "the value"), "give both sides one type")
    return Known(None) if value is None else value  # both sides raise


def conditional(low: Lowering, node: ast.IfExp) -> Value:
    return choose(low, low.truth(low.ex(node.test)), lambda: low.ex(node.body), lambda: low.ex(node.orelse))


def walrus(low: Lowering, node: ast.NamedExpr) -> Value:
    low.bind(node.target.id, low.ex(node.value))
    return low.lookup(node.target.id)


def lambda_(low: Lowering, node: ast.Lambda) -> Value:
    return closure(low, node)


def closure(low: Lowering, node: ast.Lambda | ast.FunctionDef) -> Closure:
    defaults = tuple(low.settle(low.ex(d), "a") for d in node.args.defaults)
    kw_defaults = tuple(None if d is None else low.settle(low.ex(d), "a") for d in node.args.kw_defaults)
    return Closure(node, low.frame, defaults, kw_defaults)


def dimension(low: Lowering, value: Var, axis: int) -> Atom:
    """value.shape[axis]"""
    return low.length(value, axis)


def has_effects(stmts: list[Stmt]) -> bool:
    """Whether the statements write into memory or may stop."""
    kinds = (ir.Store, ir.Accumulate, ir.Effect, ir.Draw, ir.Barrier)
    return any(isinstance(s, kinds) for s in walk(stmts))
