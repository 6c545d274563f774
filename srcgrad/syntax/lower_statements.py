"""Statements other than loops and calls."""

from __future__ import annotations

import ast
import builtins

from srcgrad.core import ir
from srcgrad.core.build import whole
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.syntax import scope
from srcgrad.syntax.lower_base import Lowering, handles
from srcgrad.syntax.lower_expressions import BINARY, binary, closure, unpacked
from srcgrad.syntax.lower_subscripts import augment, in_place, write
from srcgrad.syntax.scope import BROKEN, CONTINUED, RAISED, RESULT, RETURNED, TRUE, Known, Struct, Value


@handles(ast.Assign)
def _assign(low: Lowering, node: ast.Assign) -> None:
    before = len(low.b.out)
    value = low.ex(node.value)
    if isinstance(node.targets[0], ast.Name):
        value = low.spelled(value, node.targets[0].id, before)
    if len(node.targets) > 1:
        value = low.settle(value, "a")
    for target in node.targets:
        assign(low, target, value)


@handles(ast.AnnAssign)
def _annotated(low: Lowering, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(low, node.target, low.ex(node.value))


def assign(low: Lowering, target: ast.expr, value: Value) -> None:
    match target:
        case ast.Name(id=name):
            low.bind(name, value)
        case ast.Tuple() | ast.List():
            _unpack(low, target.elts, value)
        case ast.Subscript():
            write(low, target, value)
        case _:
            low.refuse(f"`{ast.unparse(target)}` is assigned to", "only names, elements and slices can be assigned")


def _unpack(low: Lowering, targets: list[ast.expr], value: Value) -> None:
    star = next((k for k, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    if star is not None:
        items, after = unpacked(low, value), len(targets) - star - 1
        if len(items) < len(targets) - 1:
            low.refuse(f"{len(items)} values are unpacked into at least {len(targets) - 1} names")
        middle = scope.struct(items[star : len(items) - after], list)
        value = scope.struct([*items[:star], middle, *items[len(items) - after :]])
        targets = [t.value if isinstance(t, ast.Starred) else t for t in targets]
    for target, item in zip(targets, unpacked(low, value, len(targets)), strict=True):
        assign(low, target, item)


@handles(ast.AugAssign)
def _augmented(low: Lowering, node: ast.AugAssign) -> None:
    function = BINARY[type(node.op)]
    match node.target:
        case ast.Subscript():
            augment(low, node, function)
        case ast.Name(id=name):
            old, before = low.lookup(name), len(low.b.out)
            right = low.ex(node.value)
            if isinstance(old, Var) and old.type.ref:
                adds = isinstance(node.op, (ast.Add, ast.Sub)) and old.type.is_float
                in_place(low, old, whole(old), right, function, None, adds)
            elif isinstance(old, Struct) and old.kind is list:
                low.refuse("a list is changed in place", "write a = a + [...]")
            else:
                low.bind(name, low.spelled(binary(low, function, old, right), name, before))
        case _:
            low.refuse(
                f"`{ast.unparse(node.target)}` is assigned to", "only names, elements and slices can be assigned"
            )


@handles(ast.If)
def _if(low: Lowering, node: ast.If) -> None:
    cond = low.truth(low.ex(node.test))
    low.branch(cond, lambda: low.block(node.body), lambda: low.block(node.orelse), low.live_after(node))


@handles(ast.Return)
def _return(low: Lowering, node: ast.Return) -> None:
    value = Known(None) if node.value is None else low.ex(node.value)
    low.frame.env[RESULT] = low.settle(value, "result")
    low.frame.env[RETURNED] = TRUE


@handles(ast.Break)
def _break(low: Lowering, node: ast.Break) -> None:
    low.frame.env[BROKEN] = TRUE


@handles(ast.Continue)
def _continue(low: Lowering, node: ast.Continue) -> None:
    low.frame.env[CONTINUED] = TRUE


@handles(ast.Pass, ast.Global, ast.Nonlocal)
def _pass(low: Lowering, node: ast.Pass) -> None:
    """Nothing to do (`global` and `nonlocal` of names that are written are refused by the fence)."""


@handles(ast.Expr)
def _expression(low: Lowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        low.ex(node.value)


@handles(ast.FunctionDef)
def _function(low: Lowering, node: ast.FunctionDef) -> None:
    if node.decorator_list:
        low.refuse("a decorated nested function is outside the language", "define it outside")
    low.bind(node.name, closure(low, node))


# ---- what passes through


class _Holes:
    """What is dynamic in a printed text: `_0, _1, ...`."""

    def __init__(self, low: Lowering) -> None:
        self.low = low
        self.args: list[Atom] = []

    def hole(self, atom: Atom) -> str:
        if isinstance(atom, Const):
            return repr(atom.value)
        if atom not in self.args:
            self.args.append(atom)
        return f"_{self.args.index(atom)}"


def pieces(low: Lowering, node: ast.expr, holes: _Holes) -> list[str]:
    """An argument of print as Python expressions over the holes; an f-string gives one for each of its parts."""
    if isinstance(node, ast.JoinedStr):
        return [text for part in node.values for text in pieces(low, part, holes)]
    if isinstance(node, ast.FormattedValue):
        return pieces(low, node.value, holes)
    return [_text(low.settle(low.ex(node), "a"), holes)]


def _text(value: Value, holes: _Holes) -> str:
    match value:
        case Var() | Const():
            return holes.hole(value)
        case Struct() if not issubclass(value.kind, dict):
            items = [_text(item, holes) for item in value.items]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        case Known():
            return repr(value.value)
    return repr(scope.describe(value))


def message(node: ast.expr | None) -> str:
    """A text for assert and raise: compiled code only takes constants, so an f-string stays unfilled."""
    match node:
        case None:
            return ""
        case ast.Constant():
            return repr(node.value)
        case ast.JoinedStr():
            return repr(
                "".join(
                    str(p.value) if isinstance(p, ast.Constant) else "{" + ast.unparse(getattr(p, "value", p)) + "}"
                    for p in node.values
                )
            )
    return repr(ast.unparse(node))


@handles(ast.Assert)
def _assert(low: Lowering, node: ast.Assert) -> None:
    cond = low.truth(low.ex(node.test))
    if isinstance(cond, Const) and cond.value:
        return
    text = message(node.msg)
    hole = repr(cond.value) if isinstance(cond, Const) else "_0"
    code = f"assert {hole}" + (f", {text}" if text else "")
    low.b.put(ir.Effect(code, () if isinstance(cond, Const) else (cond,), span=low.b.span))


@handles(ast.Raise)
def _raise(low: Lowering, node: ast.Raise) -> None:
    call = node.exc
    name, args = (call.func, call.args) if isinstance(call, ast.Call) else (call, [])
    kind = getattr(builtins, name.id, None) if isinstance(name, ast.Name) else None
    if not (isinstance(kind, type) and issubclass(kind, BaseException)) or node.cause is not None:
        low.refuse("only built-in exceptions can be raised", 'for example: raise ValueError("...")')
    code = f"raise {kind.__name__}({', '.join(message(a) for a in args)})"
    low.b.put(ir.Effect(code, span=low.b.span))
    low.frame.env[RAISED] = TRUE


def print_(low: Lowering, nodes: list[ast.expr]) -> None:
    holes = _Holes(low)
    texts = [text for node in nodes for text in pieces(low, node, holes)]
    low.b.put(ir.Effect(f"print({', '.join(texts)})", tuple(holes.args), span=low.b.span))
