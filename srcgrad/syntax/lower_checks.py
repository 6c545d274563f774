"""What must hold where a statement is run, else an error is raised: indices, lengths, divisors."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Const, Failure, Var
from srcgrad.syntax.read import Source
from srcgrad.syntax.scope import Frame, Value

ZERO = Const(0, ir.I8)
LONG = 60
DIVISIONS: tuple[Callable[..., Any], ...] = (operator.floordiv, operator.mod, divmod)


class Checks:
    """What a lowering needs to say what must hold."""

    b: Builder
    frame: Frame
    node: ast.AST  # what is being read

    def demand(
        self, kind: ir.Demand, left: ir.Measure, right: ir.Measure, said: tuple[str, str, str], node: ast.AST
    ) -> None:
        """Put a check of what stands at this node of the user's. said: the error, its message and a hint."""
        self.b.put(ir.Check(kind, left, right, self._failure(said, node), span=self.b.span))

    def _failure(self, said: tuple[str, str, str], node: ast.AST) -> Failure:
        error, message, hint = said
        source: Source = self.frame.source
        line = getattr(node, "lineno", 1) - source.node.lineno + 1
        text = f"{message} (line {line} of {self.frame.name.replace('<lambda>', 'lambda')})"
        return Failure(error, text, message, hint, source.span(node))

    def in_range(self, ref: Var, index: ir.Index, node: ast.AST | None = None) -> None:
        """Demand that the places of an index exist (by default, of the node being read). Slices are cut off instead."""
        node = self.node if node is None else node
        for axis, item in enumerate(index):
            if not isinstance(item, ir.Slice):
                hint = f"on axis {axis} of n elements an index lies from -n to n - 1"
                said = "IndexError", f"{shown(node)} is out of range", hint
                self.demand("index", item, ir.Length(ref, axis), said, node)

    def divides(self, function: Any, args: Sequence[Value]) -> None:
        """Demand that an integer is not divided by zero."""
        if function not in DIVISIONS or len(args) != 2:
            return
        left, right = args
        if all(isinstance(a, (Var, Const)) and a.type.is_scalar and a.type.dtype in ("i8", "b1") for a in args):
            assert isinstance(left, (Var, Const)) and isinstance(right, (Var, Const))
            if right.type == ir.I8 and not (isinstance(right, Const) and right.value):
                said = "ZeroDivisionError", f"{shown(self.node)} divides by zero", "check the divisor first"
                self.demand("nonzero", right, ZERO, said, self.node)

    def emitted(self, adaptor: Callable[..., Any], given: Sequence[Any], options: dict[str, Any]) -> Any:
        """What a rule emits; the lengths of what it allocates must not be negative."""
        mark = len(self.b.out)
        value = adaptor(self.b, *given, **options)
        made = self.b.out[mark:]
        del self.b.out[mark:]
        for stmt in made:
            for n in stmt.shape if isinstance(stmt, ir.Alloc) else ():
                if isinstance(n, Var):
                    said = "ValueError", f"a length in {shown(self.node)} is negative", "take max(n, 0)"
                    self.demand("nonnegative", n, ZERO, said, self.node)
            self.b.out.append(stmt)
        return value


def shown(node: ast.AST) -> str:
    """The user's expression, on one line."""
    text = ast.unparse(node)
    return text if len(text) <= LONG else text[: LONG - 3] + "..."
