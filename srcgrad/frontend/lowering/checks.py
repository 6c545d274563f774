"""What must hold where a statement is run, else an error is raised: indices, lengths, divisors."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from srcgrad.bounds.demands import Check, Demand, Length, Measure
from srcgrad.core import ir, walk
from srcgrad.core.build import FULL, Builder
from srcgrad.core.ir import Atom, Const, Failure, Var
from srcgrad.core.shapes import ONE, Dim
from srcgrad.errors import REPEATED
from srcgrad.frontend.lowering.values import Frame, Value
from srcgrad.frontend.source.read import Source
from srcgrad.rules.scalar.powers import power

ZERO = Const(0, ir.I8)
LONG = 60
PLACED = ("ValueError", "IndexError", "PowerError")  # errors of rules that are told with the user's line
DIVISIONS: tuple[Callable[..., Any], ...] = (operator.floordiv, operator.mod, divmod)


class Checks:
    """What a lowering needs to say what must hold."""

    b: Builder
    frame: Frame

    def demand(self, kind: Demand, left: Measure, right: Measure, said: tuple[str, str, str], node: ast.AST) -> None:
        """Put a check of what stands at this node of the user's. said: the error, its message and a hint."""
        self.b.put(Check(kind, left, right, self._failure(said, node), span=self.b.span))

    def _failure(self, said: tuple[str, str, str], node: ast.AST) -> Failure:
        error, message, hint = said
        source: Source = self.frame.source
        line = source.line_of(node)
        text = f"{message} (line {line} of {self.frame.name.replace('<lambda>', 'lambda')})"
        return Failure(error, text, message, hint, source.span(node))

    def shown(self, node: ast.AST) -> str:
        """The user's expression, on one line."""
        text = ast.unparse(self.frame.source.blamed(node))
        return text if len(text) <= LONG else text[: LONG - 3] + "..."

    def in_range(self, ref: Var, index: ir.Index, node: ast.AST | None = None) -> None:
        """Demand that the places of an index exist (by default, of the node being read). Slices are cut off instead."""
        node = self.frame.node if node is None else node
        for axis, item in enumerate(index):
            if not isinstance(item, ir.Slice):
                hint = f"on axis {axis} of n elements an index lies from -n to n - 1"
                said = "IndexError", f"{self.shown(node)} is out of range", hint
                self.demand("index", item, Length(ref, axis), said, node)

    def divides(self, function: Any, args: Sequence[Value]) -> None:
        """Demand that an integer is not divided by zero."""
        if function not in DIVISIONS or len(args) != 2:
            return
        left, right = args
        if all(isinstance(a, (Var, Const)) and a.type.is_scalar and a.type.dtype in ("i8", "b1") for a in args):
            assert isinstance(left, (Var, Const)) and isinstance(right, (Var, Const))
            if right.type == ir.I8 and not (isinstance(right, Const) and right.value):
                said = "ZeroDivisionError", f"{self.shown(self.frame.node)} divides by zero", "check the divisor first"
                self.demand("nonzero", right, ZERO, said, self.frame.node)

    def emitted(self, adaptor: Callable[..., Any], given: Sequence[Any], options: dict[str, Any]) -> Any:
        """What a rule emits, with checks of what it takes for granted: places, lengths."""
        mark = len(self.b.out)
        value = adaptor(self.b, *given, **options)
        self.inspect(mark)
        return value

    def inspect(self, mark: int) -> None:
        """Look at what has been emitted since then."""
        made = self.b.out[mark:]
        del self.b.out[mark:]
        self._inspected(made)

    def _inspected(self, stmts: Iterable[ir.Stmt]) -> None:
        for stmt in stmts:
            match stmt:
                case ir.Alloc(shape=shape):
                    for n in shape:
                        if isinstance(n, Var):
                            said = (
                                "ValueError",
                                f"a length in {self.shown(self.frame.node)} is negative",
                                "take max(n, 0)",
                            )
                            self.demand("nonnegative", n, ZERO, said, self.frame.node)
                case ir.Let():
                    self._agree(stmt)
                    self.foreseen(stmt)
                    stmt = self._of_integers(stmt)
                case ir.Load(ref=ref, index=index):
                    self.in_range(ref, index)
                case ir.Store(ref=ref, index=index, value=value) | ir.Accumulate(ref=ref, index=index, value=value):
                    self.in_range(ref, index)
                    self.fits(value, ref, index)
                case ir.View(base=base, how=ir.Reshape(shape)):
                    self.reshapes(base, shape)
                case ir.View(base=base, how=tuple() as how):
                    self.in_range(base, how)
                case ir.If(then=(ir.Raise() as raising,), orelse=()) if _of_a_rule(raising):
                    if self.raises_where(stmt.cond, raising):
                        continue
                    stmt = replace(stmt, then=(self._placed(raising),), span=None)
            self.b.out.append(walk.rebuild(stmt, lambda a: a, lambda v: v, self._block) if walk.blocks(stmt) else stmt)

    def foreseen(self, let: ir.Let) -> None:
        """An operation that raises for some arguments."""

    def raises_where(self, cond: Atom, raising: ir.Raise) -> bool:
        """Whether it is foreseen that this is raised there."""
        return False

    def reshapes(self, base: Atom, shape: Sequence[Atom]) -> None:
        """Memory is seen in another shape."""

    def _of_integers(self, let: ir.Let) -> ir.Let:
        """A power of integers, which has no integer result where the exponent is negative."""
        if let.op is not power or let.params.get("checked") or any(a.type.dtype[0] not in "iub" for a in let.args):
            return let
        exponent = let.args[1]
        if not exponent.type.is_scalar:
            return let
        message = f"{self.shown(self.frame.node)} raises an integer to a negative power"
        said = "PowerError", message, "make the base a float: 2.0 ** -n, or float(b) ** n"
        self.demand("nonnegative", exponent, ZERO, said, self.frame.node)
        return replace(let, params={**let.params, "checked": True})

    def _placed(self, raising: ir.Raise) -> ir.Raise:
        """A rule's error, told with the user's line."""
        error = raising.name if raising.failure is None else raising.failure.error
        match raising.parts:
            case (str() as message,) if error in PLACED:
                return self.raising(error, message)
        return raising

    def raising(self, error: str, message: str, hint: str = "") -> ir.Raise:
        """An error of ours, told with the user's line."""
        return ir.failing(self._failure((error, message, hint), self.frame.node))

    def _block(self, stmts: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        with self.b.block() as out:
            self._inspected(stmts)
        return tuple(out)

    # ---- lengths

    def _agree(self, let: ir.Let) -> None:
        """Demand of the lengths of an operation's arrays what it needs."""
        arrays = [a for a in let.args if isinstance(a, Var) and a.type.rank]
        if len(arrays) < 2:
            return
        demands = let.op.traits.demands
        if demands:
            places = {dim: Length(a, k) for a in arrays for k, dim in enumerate(self.b.dims(a))}
            for a, b in demands([self.b.dims(a) for a in let.args], let.params):
                if a in places and b in places:
                    self._lengths("equal", places[a], places[b])
        elif let.op.traits.elementwise:
            for axis in range(1, max(a.type.rank for a in arrays) + 1):
                lengths = [Length(a, a.type.rank - axis) for a in arrays if a.type.rank >= axis]
                first, *more = [n for n in lengths if self._token(n) != ONE] or lengths
                for other in more:
                    self._lengths("broadcast", first, other)

    def _lengths(self, kind: Demand, left: Length, right: Length) -> None:
        given = self._token(left), self._token(right)
        if kind == "into" and given[0] != ONE and not self.b.shapes.equal(*given):
            self.b.shapes.fills(*given)
        if frozenset(given) in self.b.shapes.assumed:
            failure = Failure("ValueError", REPEATED, REPEATED, "", None)
            self.b.put(Check("equal", left, right, failure, span=self.b.span))
            return
        tokens = self._tokens(kind, *given)
        if tokens[0] == tokens[1] or (kind == "broadcast" and ONE in tokens) or (kind == "into" and tokens[0] == ONE):
            return
        words = {"equal": "lengths must be equal", "broadcast": "lengths must be equal, or one of them 1"}
        hint = words.get(kind, "the value's lengths must be those of what is assigned to, or 1")
        said = "ValueError", f"the shapes in {self.shown(self.frame.node)} do not fit together", hint
        self.demand(kind, left, right, said, self.frame.node)

    def _tokens(self, kind: Demand, left: Dim, right: Dim) -> list[Dim]:
        """What stands for the lengths where they meet. That they are equal may be known only since they do."""
        shapes = self.b.shapes
        if left == right:
            return [left, right]
        meet = kind == "equal" or (shapes.is_long(left) and (kind == "into" or shapes.is_long(right)))
        return [left, right] if meet else [shapes.first(left), shapes.first(right)]

    def _token(self, length: Length) -> Dim:
        return self.b.dims(length.of)[length.axis]

    def fits(self, value: Atom, ref: Var, index: ir.Index) -> None:
        """Demand that an array fits into memory[index]."""
        wanted = self.b.shapes.sliced(ref, index)
        rank = value.type.rank
        if not isinstance(value, Var) or not rank or any(not isinstance(i, ir.Slice) and i.type.rank for i in index):
            return
        pairs = zip(self.b.dims(value), wanted[len(wanted) - rank :], strict=True)
        if all(a == b for a, b in (self._tokens("into", *pair) for pair in pairs)):
            return
        target = ref if all(i == FULL for i in index) else self.b.view(ref, index)
        for axis in range(1, rank + 1):
            self._lengths("into", Length(value, rank - axis), Length(target, len(wanted) - axis))


def _of_a_rule(raising: ir.Raise) -> bool:
    """Whether a rule raises it, which knows nothing of the user's line."""
    failure = raising.failure
    return raising.builtin if failure is None else failure.error == "PowerError" and failure.where is None
