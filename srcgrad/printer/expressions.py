"""Core operations as Python expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from srcgrad.core import ir
from srcgrad.core.aliases import makes_fresh
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.printer import templates
from srcgrad.printer.folding import Folds
from srcgrad.printer.templates import call, literal
from srcgrad.rules.scalar import rounding

FULL = ir.Slice()

TemplateOf = Callable[[ir.Let | ir.Draw], templates.Template]
Called = Callable[[ir.Call, Mapping[Var, ir.Stmt], Callable[[Atom], ast.expr]], ast.expr]


class Expressions:
    """Prints atoms; what was folded into its use is printed there."""

    def __init__(
        self,
        folds: Folds,
        names: Mapping[Var, str],
        called: Called | None = None,
        template: TemplateOf = templates.of_let,
    ) -> None:
        """called: how calls of the program's functions are written, where that is not as they stand.   template: what a
        primitive is printed as."""
        self.folds, self.names, self.called, self.template = folds, names, called, template

    def atom(self, atom: Atom, copies: bool = True) -> ast.expr:
        """An atom, or the expression folded into it. copies=False: who reads it at once needs no copy of memory."""
        if isinstance(atom, Const):
            return templates.constant(atom)
        stmt = self.folds.inside.get(atom)
        return self.value(stmt, copies) if stmt is not None else templates.name(self.names[atom])

    def value(self, stmt: ir.Stmt, copies: bool = True) -> ast.expr:
        """The right-hand side of a statement that binds one variable."""
        match stmt:
            case ir.Let():
                keep = copies and not makes_fresh(stmt)
                args = [self.atom(a, keep) for a in stmt.args]
                return _narrow(stmt, _signed(templates.fill(self.template(stmt), args, stmt.params)))
            case ir.Draw():
                drawn = templates.fill(self.template(stmt), list(map(self.atom, stmt.args)), stmt.params)
                return cast(ast.expr, drawn)
            case ir.Load():
                return self.load(stmt, copies)
            case ir.View():
                return self.view(stmt)
            case ir.RefAt():
                return ast.Subscript(self.atom(stmt.refs), self.atom(stmt.pos), ast.Load())
            case ir.NewList():
                return ast.List([self.atom(stmt.like)], ast.Load())  # which tells the compiler the type
            case ir.Alloc():
                return self.alloc(stmt)
            case ir.Call():
                return self.call(stmt)
            case ir.If():
                return self.choice(stmt)
        raise TypeError(type(stmt).__name__)

    def call(self, stmt: ir.Call) -> ast.expr:
        if self.called is not None:
            return self.called(stmt, self.folds.defs, self.atom)
        return call(stmt.callee, *map(self.atom, stmt.args))

    # ---- memory

    def load(self, stmt: ir.Load, copies: bool) -> ast.expr:
        place = self.place(stmt.ref, stmt.index, ast.Load(), whole="bare")
        fancy = any(not isinstance(i, ir.Slice) and i.type.rank for i in stmt.index)
        if stmt.copy and copies and stmt.target.type.rank and not fancy:
            return ast.Call(ast.Attribute(place, "copy", ast.Load()), [], [])
        if stmt.ref.type.is_narrow and not stmt.target.type.rank:
            return call("np.int64", place)  # a difference of unsigned numbers would be unsigned
        return place

    def place(self, ref: Var, index: ir.Index, ctx: ast.expr_context, whole: str = "slice") -> ast.expr:
        """ref[index]. The whole memory as `ref`, `ref[:]` or `ref[...]`."""
        base = self.atom(ref)
        if all(i == FULL for i in index) and index:
            if whole == "bare":
                return base
            if isinstance(base, ast.Subscript):
                return ast.Subscript(base.value, base.slice, ctx)
            return ast.Subscript(base, ast.Slice(), ctx)
        return ast.Subscript(base, self.index(index), ctx)

    def index(self, index: ir.Index) -> ast.expr:
        """Full slices at the end go without saying."""
        items = list(index)
        while len(items) > 1 and items[-1] == FULL:
            items.pop()
        parts = [self.item(i) for i in items]
        return parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())

    def item(self, item: ir.Item) -> ast.expr:
        if not isinstance(item, ir.Slice):
            place = self.atom(item)
            folded = self.folds.inside.get(item) if isinstance(item, Var) else None
            if isinstance(folded, ir.Load) and isinstance(place, ast.Call):
                return place.args[0]  # of np.int64: an element is an index as it is
            return place
        return ast.Slice(*(None if part is None else self.atom(part) for part in (item.start, item.stop, item.step)))

    def view(self, stmt: ir.View) -> ast.expr:
        match stmt.how:
            case ir.Transpose(axes):
                base = self.atom(stmt.base)
                if axes == tuple(reversed(range(len(axes)))):
                    return ast.Attribute(base, "T", ast.Load())
                return ast.Call(ast.Attribute(base, "transpose", ast.Load()), [literal(axes)], [])
            case ir.Reshape(shape):
                base = self.atom(stmt.base)
                return ast.Call(ast.Attribute(base, "reshape", ast.Load()), [self.shape(shape)], [])
            case index:
                return self.place(stmt.base, index, ast.Load())

    def shape(self, shape: Sequence[Atom | None]) -> ast.expr:
        parts: list[ast.expr] = [literal(0) if n is None else self.atom(n) for n in shape]
        return parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())

    def alloc(self, stmt: ir.Alloc) -> ast.expr:
        code = stmt.target.type.dtype
        if not isinstance(stmt.init, ir.Init):
            return self.filled(stmt, stmt.init)
        if stmt.space or stmt.init is ir.Init.LOCAL:
            space = stmt.space or ir.Space.LOCAL
            return call(f"cuda.{space.value}.array", self.shape(stmt.shape), templates.dtype(code))
        model = self.folds.like.get(stmt.target)
        if model is not None:
            return call(f"np.{stmt.init.value}_like", self.atom(model))
        args = [self.shape(stmt.shape)] + ([] if code == "f8" else [templates.dtype(code)])
        return call(f"np.{stmt.init.value}", *args)

    def filled(self, stmt: ir.Alloc, init: Atom) -> ast.expr:
        code = stmt.target.type.dtype
        if not init.type.rank:
            args = [self.shape(stmt.shape), self.atom(init)]
            return call("np.full", *args, *([] if init.type.dtype == code else [templates.dtype(code)]))
        value = self.atom(init)
        if init.type.dtype != code:
            return ast.Call(ast.Attribute(value, "astype", ast.Load()), [templates.dtype(code)], [])
        if self.is_fresh(init):
            return value
        return ast.Call(ast.Attribute(value, "copy", ast.Load()), [], [])

    def is_fresh(self, value: Atom) -> bool:
        """Whether the printed expression is new memory that nobody else holds."""
        stmt = self.folds.inside.get(value) if isinstance(value, Var) else None
        match stmt:
            case ir.Let():
                arrays = [a for a in stmt.args if a.type.rank and not a.type.ref]
                return makes_fresh(stmt) or all(map(self.is_fresh, arrays))
            case ir.Load():
                fancy = any(not isinstance(i, ir.Slice) and i.type.rank for i in stmt.index)
                return stmt.copy or fancy
        return False

    # ---- choices

    def choice(self, stmt: ir.If) -> ast.expr:
        """`a if c else b`; `and`, `or` where that is what it means."""
        (out,) = stmt.outs
        cond, then, orelse = self.atom(stmt.cond), self.atom(out.then), self.atom(out.orelse)
        if out.target.type == ir.B1 and isinstance(out.orelse, Const) and not out.orelse.value:
            return _joined(ast.And(), cond, then)
        if out.target.type == ir.B1 and isinstance(out.then, Const) and out.then.value:
            return _joined(ast.Or(), cond, orelse)
        return ast.IfExp(cond, then, orelse)


def _joined(op: ast.boolop, left: ast.expr, right: ast.expr) -> ast.expr:
    parts = left.values if isinstance(left, ast.BoolOp) and type(left.op) is type(op) else [left]
    return ast.BoolOp(op, [*parts, right])


def _narrow(stmt: ir.Let, tree: ast.expr) -> ast.expr:
    """What computes integers of less than 64 bits in that many, as NumPy does: Numba makes 64 of them."""
    kind = stmt.targets[0].type
    if not kind.rank or not kind.is_narrow or stmt.op is rounding.cast or not stmt.op.traits.elementwise:
        return tree
    return ast.Call(ast.Attribute(tree, "astype", ast.Load()), [templates.dtype(kind.dtype)], [])


def _signed(tree: ast.expr) -> ast.expr:
    """a + -b as a - b, and a - -b as a + b."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Sub)):
        right = tree.right
        if isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
            op: ast.operator = ast.Sub() if isinstance(tree.op, ast.Add) else ast.Add()
            return ast.BinOp(tree.left, op, right.operand)
    if isinstance(tree, ast.BoolOp):  # (a and b) and c as a and b and c
        parts = [v.values if isinstance(v, ast.BoolOp) and type(v.op) is type(tree.op) else [v] for v in tree.values]
        return ast.BoolOp(tree.op, [v for part in parts for v in part])
    match tree:  # -(x * 2.0) as x * -2.0
        case ast.UnaryOp(ast.USub(), ast.BinOp(left, ast.Mult(), ast.Constant(float() as factor))):
            return ast.BinOp(left, ast.Mult(), _literal(-factor))
        case ast.UnaryOp(ast.USub(), ast.BinOp(ast.Constant(float() as factor), ast.Mult(), right)):
            return ast.BinOp(_literal(-factor), ast.Mult(), right)
    return tree


def _literal(value: float) -> ast.expr:
    number = ast.Constant(abs(value))
    return ast.UnaryOp(ast.USub(), number) if value < 0.0 else number


def negated(test: ast.expr) -> ast.expr:
    """not test; only == and != have an opposite that is right for NaN too."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.NotEq)):
        flipped: ast.cmpop = ast.NotEq() if isinstance(test.ops[0], ast.Eq) else ast.Eq()
        return ast.Compare(test.left, [flipped], test.comparators)
    return ast.UnaryOp(ast.Not(), test)
