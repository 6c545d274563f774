"""What a lowering calls although it is built on top of it: it is handed in when the lowering is made."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from typing import Any, Protocol

from srcgrad.core.ir import Atom, Var
from srcgrad.frontend.lowering.values import Known, Struct, Value

Named = dict[str, Value]


class Constructs(Protocol):
    """The constructs of the language, and what they have in common, for one lowering (see `language.py`)."""

    def statement(self, node: ast.stmt) -> None:
        """Lower a statement."""

    def match(self, node: ast.Match, rest: Sequence[ast.stmt]) -> None:
        """Lower a `match` that may leave its block, of which `rest` is what follows."""

    def expression(self, node: ast.expr) -> Value:
        """Lower an expression."""

    def call(self, function: Value, args: Sequence[Value], named: Named | None = None) -> Value:
        """function(*args, **named), of anything that can be called."""

    def builtin(self, function: Any, args: Sequence[Value]) -> Value:
        """function(*args), of a builtin function."""

    def inline(self, fun: types.FunctionType, args: Sequence[Value], named: Named, node: ast.AST) -> Value:
        """fun(*args, **named), of a Python function, which is read in place; node: the call."""

    def consume(self, function: Any, node: ast.Call) -> Value | None:
        """sum, any or all of a generator or a list of unknown length; None if it is another call."""

    def truth(self, value: Struct | Known) -> Atom:
        """Whether an object counts as true."""

    def array(self, value: Struct) -> Var:
        """What np.array makes of a list of unknown length."""

    def exhausted(self, value: Struct) -> Struct:
        """list(value), of what a function that yields gives."""

    def ordered(self, value: Struct) -> Struct:
        """The items of a set in the order in which Python goes over them."""

    def combined(self, how: str, left: Struct, right: Struct) -> Value:
        """The union of two sets, or another set that is made of both."""

    def is_sequence(self, value: Struct) -> bool:
        """Whether NumPy takes an object for a sequence of its items."""
