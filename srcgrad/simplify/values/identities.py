"""Identities: of single operations (the table), of branches with known conditions and of loops with known trips."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import isfinite
from typing import Any

from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Fun, Let, Stmt, Var
from srcgrad.core.rewrite import Rewritten, ShapeRewriter
from srcgrad.core.shapes import FULL, ONE
from srcgrad.rules.language import registry
from srcgrad.simplify.values.common import key
from srcgrad.simplify.values.table import SMALL, TABLE

ORDER = frozenset({"less", "less_equal", "greater", "greater_equal"})
LARGE = 2**31  # literals beyond are left alone: their products could leave the range of an i8


def apply_identities(fun: Fun) -> Fun:
    """The function with what an identity shortens replaced."""
    return _Identities(fun).fun(fun)


class _Identities(ShapeRewriter):
    """One walk in order. lets: how variables were made.   home: the block that binds each, as it becomes."""

    def __init__(self, fun: Fun) -> None:
        super().__init__(shapes_of(fun))
        self.lets: dict[Var, Let] = {}
        self.home: dict[Var, object] = {}
        self.loops: dict[Var, ir.For] = {}  # of an index
        self.name, self.span = "t", fun.body[0].span if fun.body else None
        self.uses = Counter(atom for stmt in walk.walk(fun.body) for atom in _all_used(stmt) if isinstance(atom, Var))
        self.uses.update(r for r in fun.results if isinstance(r, Var))

    # ---- what identities look at

    def made(self, atom: Atom, op: str) -> Let | None:
        let = self.lets.get(atom) if isinstance(atom, Var) and not atom.type.is_narrow else None
        return let if let is not None and let.op.name == op and self.usable(let) else None

    def usable(self, let: Let) -> bool:
        """Whether let's arguments may be used here: array values only in their own region."""
        return all(not a.type.is_array_value or self.home.get(a) is self.out for a in let.args if isinstance(a, Var))

    def once(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and self.uses[atom] <= 1

    def emit(self, op: str, *args: Atom, **params: Any) -> Atom:
        primitive = registry.PRIMITIVES[op]
        (type_,) = primitive.infer(tuple(a.type for a in args), params)
        target = Var(self.name, type_)
        self.uses[target] = 1
        self.put(Let((target,), primitive, args, params, span=self.span))
        return target

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        for var in walk.defined(stmt):
            self.home[var] = self.out
        if isinstance(stmt, Let) and len(stmt.targets) == 1:
            self.lets[stmt.target] = stmt

    # ---- the walk

    def one(self, stmt: Stmt) -> Rewritten:
        """Puts what takes the statement's place, after what that needs; what it gives back comes last."""
        if type(stmt) is Let:  # nearly all: much faster than patterns
            new = self.inside(stmt)
            assert isinstance(new, Let)
            return self.let(new)
        match stmt:
            case ir.If():
                return self.branch(stmt)
            case ir.For() if self.trips(stmt) in (0, 1):
                return self.unroll(stmt)
            case ir.For() | ir.While():
                return self.loop(stmt)
        return self.access(self.inside(stmt))

    def access(self, new: Stmt) -> Rewritten:
        match new:
            case ir.View():
                return self.view(new)
            case ir.Load():
                return self.untrimmed(new)  # type: ignore[no-any-return]
            case ir.Store() | ir.Accumulate():
                return self.unbroadcast(self.untrimmed(new))
        return new

    def untrimmed(self, stmt: Any) -> Any:
        """`a[:n]` as `a[:]` where n is the length of that axis."""
        index = self.whole(stmt.ref, stmt.index)
        return stmt if index == stmt.index else replace(stmt, index=index)

    def whole(self, ref: Var, index: ir.Index) -> ir.Index:
        axes = zip(self.shapes.dims(ref), index, strict=True)
        return tuple(FULL if self.is_all(dim, item) else item for dim, item in axes)

    def is_all(self, dim: Any, item: ir.Item) -> bool:
        if not isinstance(item, ir.Slice) or not isinstance(item.stop, Var):
            return False
        from_start = item.start is None or (isinstance(item.start, Const) and item.start.value == 0)
        return from_start and item.step in (None, ONE) and self.shapes.length(item.stop) == dim

    # ---- operations

    def let(self, let: Let) -> Rewritten:
        if len(let.targets) == 1:
            let = self.with_plain_args(let)
            mark = len(self.out)
            new = self.rewritten(let)
            if new is not None and new.type == let.target.type:
                self.env[let.target] = new
                if isinstance(new, Var):
                    self.uses[new] += self.uses[let.target]
                return ()
            del self.out[mark:]
        return let

    def rewritten(self, let: Let) -> Atom | None:
        if let.op.traits.folds and all(isinstance(a, Const) for a in let.args):
            folded = fold(let)
            if folded is not None:
                return folded
        self.name, self.span = let.target.name, let.span
        if let.op.traits.measures:
            return self.length(let)
        if let.op.name in ORDER:
            compared = self.of_an_index(let)
            if compared is not None:
                return compared
        for identity in TABLE.get(let.op.name, ()):
            mark = len(self.out)
            new = identity.rewrite(self, let)
            if new is not None and new.type == let.target.type and self.allowed(new):
                return new
            del self.out[mark:]
        return None

    def allowed(self, new: Atom) -> bool:
        return not isinstance(new, Var) or not new.type.is_array_value or self.home.get(new) is self.out

    def length(self, let: Let) -> Atom | None:
        """A length that has a name, or that is the length of something simpler."""
        (array,) = let.args
        axis = let.params["axis"]
        match self.shapes.dims(array)[axis]:
            case Const() | Var() as known:
                return self.atom(known)
            case (Var() as other, int() as place) if other is not array and other.type.ref:
                return self.emit(let.op.name, self.atom(other), axis=place)
        return self.length_of_operand(let, array, axis)

    def length_of_operand(self, let: Let, array: Atom, axis: int) -> Atom | None:
        """The same length, of an operand of the elementwise operation that made the array."""
        made = self.lets.get(array) if isinstance(array, Var) else None
        if made is None or not made.op.traits.elementwise or not self.usable(made):
            return None
        for arg in made.args:
            place = axis - array.type.rank + arg.type.rank
            if place >= 0 and self.shapes.dims(arg)[place] == self.shapes.dims(array)[axis]:
                return self.emit(let.op.name, arg, axis=place)
        return None

    def of_an_index(self, let: Let) -> Const | None:
        """How a loop's index compares with where the loop starts or ends, or with 0."""
        index, other = let.args
        loop = self.loops.get(index) if isinstance(index, Var) else None
        if loop is None or not isinstance(loop.step, Const):
            return None
        upward = loop.step.value.real > 0
        start, stop = self.atom(loop.start), self.atom(loop.stop)
        least, beyond = (start, stop) if upward else (stop, start)  # upward: least <= index < beyond
        natural = isinstance(least, Const) and least.value.real >= (0 if upward else -1)
        below = {"less": False, "greater_equal": True}  # index >= other
        above = {"greater": False, "less_equal": True}  # index <= other
        if (upward and other is beyond) or (not upward and other is least):
            strict = {"less": upward, "greater_equal": not upward, "greater": not upward, "less_equal": upward}
            return Const(strict[let.op.name], ir.B1)
        if let.op.name in below and ((natural and other == Const(0, ir.I8)) or (upward and other is least)):
            return Const(below[let.op.name], ir.B1)
        if let.op.name in above and not upward and other is beyond:
            return Const(above[let.op.name], ir.B1)
        return None

    def with_plain_args(self, let: Let) -> Let:
        """An elementwise operation with another operand of the full shape broadcasts by itself."""
        if not let.op.traits.elementwise or let.target.type.rank == 0:
            return let
        args = list(let.args)
        for k, arg in enumerate(args):
            made = self.made(arg, "broadcast_like")
            others = (a for j, a in enumerate(args) if j != k)
            if made is not None and any(self.shapes.same(a, arg) for a in others):
                args[k] = made.args[0]
        types = let.op.infer(tuple(a.type for a in args), let.params)
        return walk.changed(let, args=walk.kept(let.args, args)) if types == (let.target.type,) else let

    # ---- memory

    def view(self, view: ir.View) -> Rewritten:
        how = self.whole(view.base, view.how) if isinstance(view.how, tuple) else view.how
        if isinstance(how, tuple) and all(item == FULL for item in how):
            self.env[view.target] = view.base
            return ()
        return view if how == view.how else replace(view, how=how)

    def unbroadcast(self, stmt: ir.Store | ir.Accumulate) -> Stmt:
        """A store broadcasts by itself; one through arrays of places takes a number or a value for each."""
        made = self.made(stmt.value, "broadcast_like")
        if made is None or self.shapes.grows(stmt.ref):
            return stmt
        if made.args[0].type.rank and any(not isinstance(i, ir.Slice) and i.type.rank for i in stmt.index):
            return stmt
        return replace(stmt, value=made.args[0])

    # ---- branches

    def branch(self, stmt: ir.If) -> Rewritten:
        cond = self.atom(stmt.cond)
        if isinstance(cond, Const):
            self.put_all(stmt.then if cond.value else stmt.orelse)
            for out in stmt.outs:
                self.env[out.target] = self.atom(out.then if cond.value else out.orelse)
            return ()
        then, orelse = self.block(stmt.then), self.block(stmt.orelse)
        inside = {v for s in (*walk.walk(then), *walk.walk(orelse)) for v in walk.defined(s)}
        outs = []
        for out in stmt.outs:
            new = ir.Out(out.target, self.atom(out.then), self.atom(out.orelse))
            self.name, self.span = out.target.name, stmt.span
            known = self.known_out(cond, new, inside)
            if known is None:
                outs.append(out if (new.then, new.orelse) == (out.then, out.orelse) else new)
            else:
                self.env[out.target] = known
        return walk.changed(stmt, cond=cond, then=then, orelse=orelse, outs=walk.kept(stmt.outs, outs))

    def known_out(self, cond: Atom, out: ir.Out, inside: set[Var]) -> Atom | None:
        """What comes out whatever side is taken, or is the condition itself."""
        if key(out.then) == key(out.orelse) and out.then not in inside:
            return out.then
        if isinstance(out.then, Const) and isinstance(out.orelse, Const) and out.target.type == ir.B1:
            return cond if out.then.value else self.emit("logical_not", cond)
        return None

    # ---- loops

    def trips(self, loop: ir.For) -> int | None:
        bounds = [self.atom(a) for a in (loop.start, loop.stop, loop.step)]
        if not all(isinstance(b, Const) for b in bounds):
            return None
        return len(range(*(int(b.value.real) for b in bounds if isinstance(b, Const))))

    def unroll(self, loop: ir.For) -> Rewritten:
        """A loop with no iteration or one."""
        none = self.trips(loop) == 0
        for c in loop.carry:
            self.env[c.out if none else c.inner] = self.atom(c.init)
        if not none:
            self.env[loop.index] = self.atom(loop.start)
            self.put_all(loop.body)
            for c in loop.carry:
                self.env[c.out] = self.atom(c.next)
        return ()

    def loop(self, loop: ir.For | ir.While) -> Rewritten:
        if isinstance(loop, ir.For):
            self.loops[loop.index] = loop
        carry = []
        for c in loop.carry:
            init = self.atom(c.init)
            if c.next is c.inner or key(self.atom(c.next)) == key(init):
                self.env[c.inner] = self.env[c.out] = init  # the same in each iteration
            else:
                carry.append(c)
        if isinstance(loop.exit, Const) and not loop.exit.value:
            loop = replace(loop, exit=None)
        return self.inside(walk.changed(loop, carry=walk.kept(loop.carry, carry)))


def _all_used(stmt: Stmt) -> list[Atom]:
    return [*walk.used(stmt), *walk.used_inside(stmt)]


def fold(let: Let) -> Const | None:
    """An operation on literals, done now where it is exact: integers (as floats too), bools and comparisons; products
    of floats, which are rounded as they would be later."""
    values = [a.value for a in let.args if isinstance(a, Const)]
    kind = let.target.type
    if let.op.name == "multiply" and kind == ir.F8 and all(a.type == ir.F8 for a in let.args):
        product = float(values[0].real) * float(values[1].real)
        return Const(product, kind) if isfinite(product) else None
    if kind == ir.B1:
        return Const(bool(let.op.evaluate(*values, **let.params)), kind)
    if kind == ir.I8 and all(isinstance(v, (bool, int)) and abs(v) < LARGE for v in values):
        return Const(int(let.op.evaluate(*values, **let.params)), kind)
    if kind.is_float and all(_is_small_whole(v) for v in values):
        folded = let.op.evaluate(*(complex(v) if kind.is_complex else float(v.real) for v in values))
        exact = _is_small_whole(complex(folded)) if kind.is_complex else abs(folded) < SMALL
        return Const(complex(folded) if kind.is_complex else float(folded), kind) if exact else None
    return None


def _is_small_whole(value: complex) -> bool:
    return float(value.real).is_integer() and float(value.imag).is_integer() and abs(value) < SMALL
