"""Statements other than loops and calls."""

from __future__ import annotations

import ast
import operator

from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import keyed_dicts, records, values
from srcgrad.frontend.lowering.attributes import attribute, set_attribute
from srcgrad.frontend.lowering.expressions import BINARY, binary, closure, dimension, element, unpacked
from srcgrad.frontend.lowering.loop_domains import arith
from srcgrad.frontend.lowering.objects import delete_slice, extend, get_item, plain_method, set_item, update
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import in_place as operated_in_place
from srcgrad.frontend.lowering.subscripts import augment, in_place, write
from srcgrad.frontend.lowering.values import TRUE, Cell, Keyed, Known, Struct, Value
from srcgrad.frontend.source import hooks
from srcgrad.frontend.source.functions import of_user_code


def assignment(low: Lowering, node: ast.Assign) -> None:
    before = len(low.b.out)
    maybe = low.perhaps(node.value)
    if maybe is not None and all(isinstance(target, ast.Name) for target in node.targets):
        value: Value = maybe
    elif isinstance(node.targets[0], ast.Name):
        with low.named(node.targets[0].id):
            value = low.ex(node.value)
        value = low.spelled(value, node.targets[0].id, before)
    else:
        value = low.ex(node.value)
        if low.setting.threads and isinstance(node.targets[0], ast.Tuple) and isinstance(value, Struct):
            value = low.spelled_each(value, node.targets[0].elts, before)
    if len(node.targets) > 1:
        value = low.settle(value, "a")
    for target in node.targets:
        assign(low, target, value)


def annotated_assignment(low: Lowering, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(low, node.target, low.ex(node.value))


def assign(low: Lowering, target: ast.expr, value: Value) -> None:
    if records.assignment(low, target, value, None):
        return
    match target:
        case ast.Name(id=name):
            low.bind(name, value)
        case ast.Tuple() | ast.List():
            _unpack(low, target.elts, value)
        case ast.Subscript():
            write(low, target, value)
        case ast.Attribute():
            set_attribute(low, low.ex(target.value), target.attr, value)
        case _:
            low.refuse(f"`{ast.unparse(target)}` is assigned to", "assign to names, elements, slices or attributes")


def _unpack(low: Lowering, targets: list[ast.expr], value: Value) -> None:
    star = next((k for k, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    if star is not None and isinstance(value, Var) and value.type.rank:
        value = _rest_in_middle(low, value, star, len(targets) - star - 1)
        targets = [t.value if isinstance(t, ast.Starred) else t for t in targets]
    elif star is not None:
        items, after = unpacked(low, value), len(targets) - star - 1
        if len(items) < len(targets) - 1:
            low.refuse(
                f"{len(items)} values are unpacked into at least {len(targets) - 1} names",
                "use as many names as there are values",
            )
        middle = values.struct(items[star : len(items) - after], list)
        value = values.struct([*items[:star], middle, *items[len(items) - after :]])
        targets = [t.value if isinstance(t, ast.Starred) else t for t in targets]
    for target, item in zip(targets, unpacked(low, value, len(targets)), strict=True):
        assign(low, target, item)


def _rest_in_middle(low: Lowering, array: Var, before: int, after: int) -> Struct:
    """The first and last elements of an array, and the list of those between them."""
    ref = low.memory(array)
    assert isinstance(ref, Var)
    length = dimension(low, ref, 0)
    left = arith(low, operator.sub, length, Const(before + after, ir.I8))
    said = "ValueError", f"fewer than {before + after} values are unpacked", "give it a longer array"
    low.demand("nonnegative", left, Const(0, ir.I8), said, low.frame.node)
    stop = arith(low, operator.sub, length, Const(after, ir.I8))
    first = [element(low, ref, Const(k, ir.I8)) for k in range(before)]
    last = [element(low, ref, arith(low, operator.add, stop, Const(k, ir.I8))) for k in range(after)]
    middle = low.b.view(ref, (ir.Slice(Const(before, ir.I8), stop), *[ir.Slice()] * (ref.type.rank - 1)))
    return values.struct([*first, low.constructs.builtin(list, [middle]), *last])


def augmented_assignment(low: Lowering, node: ast.AugAssign) -> None:
    if records.assignment(low, node.target, node.value, node.op):
        return
    match node.target:
        case ast.Subscript():
            owner = low.ex(node.target.value)
            if isinstance(owner, Struct):
                return _augmented_item(low, node, node.target, owner)
            augment(low, node, BINARY[type(node.op)], owner)
        case ast.Name(id=name):
            old, before = low.lookup(name), len(low.b.out)
            right = low.ex(node.value)
            new = low.spelled(augmented(low, node, old, right), name, before)
            if new is not old:
                low.bind(name, new)
        case ast.Attribute(value=owner_node, attr=attr):
            owner = low.ex(owner_node)
            old = attribute(low, owner, attr)
            new = augmented(low, node, old, low.ex(node.value))
            if new is not old:
                set_attribute(low, owner, attr, new)


def _augmented_item(low: Lowering, node: ast.AugAssign, target: ast.Subscript, owner: Struct) -> None:
    """owner[key] op= value, of a list or dict"""
    key = low.ex(target.slice)
    if owner.kind is Keyed:
        return keyed_dicts.augmented(low, owner, key, lambda old: augmented(low, node, old, low.ex(node.value)))
    old = get_item(low, owner, key)
    new = augmented(low, node, old, low.ex(node.value))
    if new is not old:
        set_item(low, owner, key, new)


def augmented(low: Lowering, node: ast.AugAssign, old: Value, right: Value) -> Value:
    """old op= right; what is changed in place is given back itself."""
    function = BINARY[type(node.op)]
    if isinstance(old, Var) and old.type.ref:
        adds = isinstance(node.op, (ast.Add, ast.Sub)) and old.type.is_float
        in_place(low, old, whole(old), right, function, None, adds)
        return old
    given = operated_in_place(low, function, old, right)
    if given is not None:
        return given
    if isinstance(old, Struct) and issubclass(old.kind, list) and isinstance(node.op, ast.Add):
        extend(low, old, right)
        return old
    if isinstance(old, Struct) and issubclass(old.kind, dict) and isinstance(node.op, ast.BitOr):
        update(low, old, right)
        return old
    return binary(low, function, old, right)


def delete(low: Lowering, node: ast.Delete) -> None:
    for target in node.targets:
        match target:
            case ast.Name(id=name):
                low.lookup(name)
                box = low.frame.env.get(name)
                if isinstance(box, Struct) and box.kind is Cell:
                    low.refuse("a name that a nested function writes is deleted", "leave it out")
                low.frame.env.pop(name, None)
            case ast.Subscript() if not isinstance(target.slice, ast.Slice):
                owner = low.ex(target.value)
                if not isinstance(owner, Struct) or plain_method(low, owner, "pop", [low.ex(target.slice)], {}) is None:
                    low.refuse(f"`del {ast.unparse(target)}` is outside the language", "make a new list or dict")
            case ast.Subscript(slice=ast.Slice(lower, upper, step)):
                owner = low.ex(target.value)
                if not isinstance(owner, Struct) or not issubclass(owner.kind, list):
                    what = f"`del {ast.unparse(target)}` is outside the language"
                    low.refuse(what, "make a new array: np.delete(...)")
                delete_slice(low, owner, [None if b is None else low.ex(b) for b in (lower, upper, step)])
            case _:
                low.refuse(f"`del {ast.unparse(target)}` is outside the language", "make a new list, array or object")


def if_(low: Lowering, node: ast.If) -> None:
    cond = low.truth(low.ex(node.test))
    low.branch(cond, lambda: low.block(node.body), lambda: low.block(node.orelse), low.live_after(node))


def return_(low: Lowering, node: ast.Return) -> None:
    if getattr(node, "bare", False):  # of a function whose result is not asked for on this path
        return low.set_flags(returned=TRUE)
    value = Known(None) if node.value is None else low.ex(node.value)
    low.set_flags(returned=TRUE, result=low.settle(value, "result"))


def break_(low: Lowering, node: ast.Break) -> None:
    low.set_flags(broken=TRUE)


def continue_(low: Lowering, node: ast.Continue) -> None:
    low.set_flags(continued=TRUE)


def pass_(low: Lowering, node: ast.Pass) -> None:
    """Nothing to do (`global` and `nonlocal` of names that are written are refused by the fence)."""


def expression_statement(low: Lowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant) and not records.call(low, node.value):
        low.ex(node.value)


def nested_function(low: Lowering, node: ast.FunctionDef) -> None:
    value: Value = closure(low, node)
    for decorator in reversed([low.ex(d) for d in node.decorator_list]):
        target = decorator.value if isinstance(decorator, Known) else None
        target = getattr(target, "func", target)
        if isinstance(decorator, Known) and not (hooks.inside(target) or of_user_code(target)):
            name = getattr(target, "__name__", repr(target))
            low.refuse(f"a nested function is decorated with `{name}`", "leave it out, or define the function outside")
        value = low.constructs.call(decorator, [value])
    low.bind(node.name, value)
