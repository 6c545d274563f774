"""Expressions."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import LITERALS
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from srcgrad.rules import registry
from srcgrad.syntax import lists, lower_threads, scope, words
from srcgrad.syntax.lists import expect_equal
from srcgrad.syntax.lower_base import Lowering, handles
from srcgrad.syntax.scope import FALSE, TRUE, VALUE, Closure, Known, Method, Struct, Value

BINARY: dict[type[ast.operator], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow, ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@handles(ast.Constant)
def _constant(low: Lowering, node: ast.Constant) -> Value:
    kind = LITERALS.get(type(node.value))
    return Known(node.value) if kind is None else Const(node.value, kind)  # type: ignore[arg-type]


@handles(ast.Name)
def _name(low: Lowering, node: ast.Name) -> Value:
    return low.lookup(node.id)


@handles(ast.Tuple, ast.List)
def _display(low: Lowering, node: ast.Tuple | ast.List) -> Value:
    items: list[Value] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            items.extend(unpacked(low, low.ex(item.value)))
        else:
            items.append(low.settle(low.ex(item), "a"))
    return scope.struct(items, tuple if isinstance(node, ast.Tuple) else list)


@handles(ast.Dict)
def _dict(low: Lowering, node: ast.Dict) -> Value:
    made: dict[str, Value] = {}
    for part, item in zip(node.keys, node.values, strict=True):
        key, value = None if part is None else low.ex(part), low.ex(item)
        if key is None and isinstance(value, Struct) and issubclass(value.kind, dict):
            made.update(zip(value.keys, value.items, strict=True))
        elif isinstance(key, Known) and isinstance(key.value, str):
            made[key.value] = low.settle(value, "a")
        else:
            low.refuse("a dict needs string keys", "use string literals as keys")
    return Struct(dict, tuple(made), tuple(made.values()))


def unpacked(low: Lowering, value: Value, count: int | None = None) -> list[Value]:
    """The items of a tuple or list; of an array, its `count` elements or rows."""
    match value:
        case Struct() if issubclass(value.kind, dict):
            items: list[Value] = [Known(key) for key in value.keys]
        case Struct(rows=scope.Rows() as rows) if count is not None:
            expect_equal(low, rows.count, Const(count, ir.I8), "wrong number of values to unpack")
            items = [lists.item(low, rows, Const(k, ir.I8)) for k in range(count)]
        case Struct():
            items = list(value.items)
        case Var() if value.type.rank and count is not None:
            ref = low.memory(value)
            assert isinstance(ref, Var)
            expect_equal(low, dimension(low, ref, 0), Const(count, ir.I8), "wrong number of values to unpack")
            items = [element(low, ref, Const(k, ir.I8)) for k in range(count)]
        case _:
            low.refuse(f"{scope.describe(value)} cannot be unpacked", "name what it holds one by one")
    if count is not None and len(items) != count:
        low.refuse(f"{len(items)} values are unpacked into {count} names", "use as many names as there are values")
    return items


def element(low: Lowering, ref: Var, index: Atom) -> Value:
    """ref[index]: an element, or a row as a view."""
    full = (index, *[ir.Slice()] * (ref.type.rank - 1))
    return low.b.load(ref, full) if ref.type.rank == 1 else low.b.view(ref, full)


@handles(ast.BinOp)
def _binary(low: Lowering, node: ast.BinOp) -> Value:
    return binary(low, BINARY[type(node.op)], low.ex(node.left), low.ex(node.right))


def binary(low: Lowering, function: Any, left: Value, right: Value) -> Value:
    match left, right:
        case Const(type=ir.I8), Const(type=ir.I8) if function in (operator.add, operator.sub, operator.mul):
            return Const(function(left.value, right.value), ir.I8)
        case Struct(), Struct() if function is operator.add and left.kind is right.kind and left.kind in (tuple, list):
            return scope.struct([*left.items, *right.items], left.kind)
        case Struct(), Const(type=ir.I8) if function is operator.mul and left.kind in (tuple, list):
            return scope.struct(list(left.items) * int(right.value), left.kind)  # type: ignore[arg-type]
        case Struct(kind=kind, rows=None), (Var() | Const()) if kind is list and function is operator.mul:
            return lists.repeated(low, left, low.integer(right))
        case ((Var() | Const()), Struct(kind=kind, rows=None)) if kind is list and function is operator.mul:
            return lists.repeated(low, right, low.integer(left))
        case Struct(), Struct() if function is operator.or_ and left.kind is right.kind is dict:
            both = {**dict(zip(left.keys, left.items, strict=True)), **dict(zip(right.keys, right.items, strict=True))}
            return Struct(dict, tuple(both), tuple(both.values()))
        case Known(), Known() if isinstance(left.value, str) and isinstance(right.value, str):
            try:
                return Known(function(left.value, right.value))
            except TypeError:
                low.refuse("two strings are put together otherwise than by +", "use numbers or arrays here")
    return low.apply(function, left, right)


@handles(ast.UnaryOp)
def _unary(low: Lowering, node: ast.UnaryOp) -> Value:
    value = low.ex(node.operand)
    match node.op, value:
        case ast.Not(), _:
            return low.negated(low.truth(value))
        case ast.USub(), Const() if value.type != ir.B1:
            return Const(-value.value, value.type)
        case ast.USub(), _:
            return low.apply(operator.neg, value)
        case ast.UAdd(), _:
            return value if isinstance(value, Const) and value.type != ir.B1 else low.apply(operator.pos, value)
    return low.apply(operator.invert, value)


# ---- conditions


@handles(ast.Compare)
def _compare(low: Lowering, node: ast.Compare) -> Value:
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
            return _truth_of(_is(left, right) == isinstance(op, ast.Is))
        case ast.In() | ast.NotIn():
            return _membership(low, op, left, right)
    if isinstance(left, Known) and isinstance(right, Known):
        return _truth_of(bool(COMPARE[type(op)](left.value, right.value)))
    if isinstance(left, Known) or isinstance(right, Known):
        if type(op) in (ast.Eq, ast.NotEq):
            return _truth_of(isinstance(op, ast.NotEq))
        low.refuse(f"{scope.describe(left)} is compared with {scope.describe(right)}", "compare numbers with numbers")
    if isinstance(left, Const) and isinstance(right, Const):
        return _truth_of(bool(COMPARE[type(op)](left.value, right.value)))
    if isinstance(left, Struct) or isinstance(right, Struct):
        return _compare_structs(low, op, left, right)
    return low.apply(COMPARE[type(op)], left, right)


def _truth_of(value: bool) -> Const:
    return TRUE if value else FALSE


def _is(left: Value, right: Value) -> bool:
    if isinstance(left, Known) and isinstance(right, Known):
        return left.value is right.value
    if isinstance(left, Known) != isinstance(right, Known):
        return False
    if scope.identical(left, right):
        return True
    raise UnsupportedError("`is` on numbers or arrays is outside the language", hint="use == or compare with None")


def _membership(low: Lowering, op: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(left, Known) and isinstance(right, Struct):
        known = [item.value for item in right.items if isinstance(item, Known)]
        inside = left.value in (right.keys if issubclass(right.kind, dict) else known)
        return _truth_of(inside == isinstance(op, ast.In))
    if not isinstance(right, Struct):
        low.refuse("`in` needs a tuple, a list or a dict", "for arrays use np.any(x == value)")
    found: Atom = FALSE
    for item in right.items:
        found = low.either(found, low.truth(compare(low, ast.Eq(), left, item)))
    return found if isinstance(op, ast.In) else low.negated(found)


def _compare_structs(low: Lowering, op: ast.cmpop, left: Value, right: Value) -> Value:
    if type(op) not in (ast.Eq, ast.NotEq) or not isinstance(left, Struct) or not isinstance(right, Struct):
        low.refuse(f"{scope.describe(left)} is compared with {scope.describe(right)}", "compare numbers with numbers")
    if left.keys != right.keys:
        return _truth_of(isinstance(op, ast.NotEq))
    differs: Atom = FALSE
    for a, b in zip(left.items, right.items, strict=True):
        differs = low.either(differs, low.truth(compare(low, ast.NotEq(), a, b)))
    return differs if isinstance(op, ast.NotEq) else low.negated(differs)


@handles(ast.BoolOp)
def _boolean(low: Lowering, node: ast.BoolOp) -> Value:
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
    before, born = low.frame.env, scope.now()
    low.frame.env = dict(before)
    with low.changes() as changed, low.b.block() as out:
        right = rest()
        untouched = not changed
        low.undo(changed, born)
    plain = untouched and low.frame.env == before and all(map(harmless, out))
    if isinstance(right, (Var, Const)) and right.type == ir.B1 and plain:
        low.b.out.extend(out)
        if isinstance(right, Const):
            return left if bool(right.value) == both else right
        name = "logical_and" if both else "logical_or"
        return low.b.let(registry.PRIMITIVES[name], left, right)  # type: ignore[no-any-return]
    low.frame.env = before
    other = FALSE if both else TRUE
    return choose(low, left, rest, lambda: other) if both else choose(low, left, lambda: other, rest)


def harmless(stmt: Stmt) -> bool:
    """Arithmetic on scalars, which neither fails nor reads memory."""
    return isinstance(stmt, ir.Let) and all(a.type.is_scalar for a in (*stmt.args, *stmt.targets))


def choose(low: Lowering, cond: Atom, then: Callable[[], Value], orelse: Callable[[], Value]) -> Value:
    """The value of one of two expressions, of which only one is evaluated."""
    if isinstance(cond, Const):
        return then() if cond.value else orelse()

    def put(side: Callable[[], Value]) -> Callable[[], None]:
        def run() -> None:
            value = low.settle(side(), "t")
            low.frame.env[VALUE] = value

        return run

    low.branch(cond, put(then), put(orelse), None)
    value = low.frame.env.pop(VALUE)
    if isinstance(value, scope.Poison):
        low.refuse(value.message.replace(f"`{scope.spelling(VALUE)}`", "the value"), "give both sides one type")
    return value


@handles(ast.IfExp)
def _conditional(low: Lowering, node: ast.IfExp) -> Value:
    return choose(low, low.truth(low.ex(node.test)), lambda: low.ex(node.body), lambda: low.ex(node.orelse))


@handles(ast.NamedExpr)
def _walrus(low: Lowering, node: ast.NamedExpr) -> Value:
    low.bind(node.target.id, low.ex(node.value))
    return low.lookup(node.target.id)


@handles(ast.Lambda)
def _lambda(low: Lowering, node: ast.Lambda) -> Value:
    return closure(low, node)


def closure(low: Lowering, node: ast.Lambda | ast.FunctionDef) -> Closure:
    defaults = tuple(low.settle(low.ex(d), "a") for d in node.args.defaults)
    kw_defaults = tuple(None if d is None else low.settle(low.ex(d), "a") for d in node.args.kw_defaults)
    return Closure(node, low.frame, defaults, kw_defaults)


# ---- attributes


@handles(ast.Attribute)
def _attribute(low: Lowering, node: ast.Attribute) -> Value:
    return attribute(low, low.ex(node.value), node.attr)


def attribute(low: Lowering, value: Value, name: str) -> Value:
    match value:
        case Known() if lower_threads.of_threads(value.value):
            return lower_threads.attribute(low, value.value, name)
        case Known():
            return low.captures.attribute(value, name)
        case Struct():
            return _object_attribute(low, value, name)
        case Var() | Const() if name in ("real", "imag"):
            return low.apply(getattr(np, name), value)
        case Var() if value.type.rank:
            return _array_attribute(low, value, name)
        case Var() | Const() if name == "T":
            return value
        case Var() | Const() if not hasattr(np.float64, name):
            _no_attribute(low, value, name)
    return Method(value, name)


def _object_attribute(low: Lowering, value: Struct, name: str) -> Value:
    """A field, or what its class has under this name."""
    item = value.get(name) if not issubclass(value.kind, (dict, list)) else None
    if item is not None:
        return item
    found = inspect.getattr_static(value.kind, name, None)
    if isinstance(found, property):
        return low.hooks["call"](low, Known(found.fget), [value])  # type: ignore[no-any-return]
    if name == "__class__":
        return Known(value.kind)
    if found is None and not issubclass(value.kind, (dict, list, tuple)):
        other = "assign it first"
        low.refuse(f"the object has no attribute `{name}` here", words.meant(name, value.keys, other))
    if found is None and hasattr(value.kind, "_fields"):
        other = f"its fields are {words.joined(value.keys)}"
        low.refuse(f"a {value.kind.__name__} has no field `{name}`", words.meant(name, value.keys, other))
    if found is None or callable(found) or isinstance(found, (staticmethod, classmethod)):
        return Method(value, name)
    return low.captures.of_class(value.kind, name)


def _array_attribute(low: Lowering, value: Var, name: str) -> Value:
    match name:
        case "shape":
            return scope.struct([dimension(low, value, axis) for axis in range(value.type.rank)])
        case "ndim":
            return Const(value.type.rank, ir.I8)
        case "size":
            size: Value = dimension(low, value, 0)
            for axis in range(1, value.type.rank):
                size = binary(low, operator.mul, size, dimension(low, value, axis))
            return size
        case "dtype":
            return Known(np.dtype(value.type.dtype))
        case "T":
            if value.type.rank == 1:
                return value
            ref = low.memory(value)
            assert isinstance(ref, Var)
            return low.b.view(ref, ir.Transpose(tuple(reversed(range(ref.type.rank)))))
    if not hasattr(np.ndarray, name):
        _no_attribute(low, value, name)
    return Method(value, name)


def _no_attribute(low: Lowering, value: Value, name: str) -> NoReturn:
    """An array or a number has no such attribute: NumPy may have a function of this name."""
    names = [*registry.METHODS, "shape", "ndim", "size", "dtype", "T", "real", "imag"]
    library = getattr(np, name, None)
    other = f"write np.{name}(...)" if callable(library) else "look up how NumPy calls it"
    low.refuse(f"{scope.describe(value)} has no attribute `{name}`", words.meant(name, names, other))


def dimension(low: Lowering, value: Var, axis: int) -> Atom:
    """value.shape[axis]"""
    return low.length(value, axis)


@handles(ast.JoinedStr)
def _text(low: Lowering, node: ast.JoinedStr) -> Value:
    low.refuse("f-strings are only understood in print, assert and raise", "make the string outside the function")


def has_effects(stmts: list[Stmt]) -> bool:
    """Whether the statements write into memory or may stop."""
    kinds = (ir.Store, ir.Accumulate, ir.Effect, ir.Draw, ir.Barrier)
    return any(isinstance(s, kinds) for s in walk(stmts))
