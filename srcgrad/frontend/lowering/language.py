"""The language: which function lowers which kind of node. What stands in no table is outside the language."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from srcgrad.core.ir import Atom, Var
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering import (
    attributes,
    calls,
    comparisons,
    comprehensions,
    effects,
    expressions,
    generators,
    growing_lists,
    imports,
    loops,
    matching,
    sets,
    special_methods,
    statements,
    strings,
    subscripts,
    tries,
)
from srcgrad.frontend.lowering.capture import Captures
from srcgrad.frontend.lowering.constructs import Named
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.retry import KeyedSites
from srcgrad.frontend.lowering.state import Setting
from srcgrad.frontend.lowering.values import Known, Struct, Value, struct

STATEMENTS: Mapping[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.Assign: statements.assignment,
    ast.AnnAssign: statements.annotated_assignment,
    ast.AugAssign: statements.augmented_assignment,
    ast.Expr: statements.expression_statement,
    ast.If: statements.if_,
    ast.Match: matching.match_,
    ast.For: loops.for_,
    ast.While: loops.while_,
    ast.Break: statements.break_,
    ast.Continue: statements.continue_,
    ast.Return: statements.return_,
    ast.Try: tries.try_,
    ast.With: tries.with_,
    ast.Delete: statements.delete,
    ast.Raise: effects.raise_,
    ast.Assert: effects.assert_,
    ast.FunctionDef: statements.nested_function,
    ast.Import: imports.import_,
    ast.ImportFrom: imports.import_from,
    ast.Pass: statements.pass_,
    ast.Global: statements.pass_,
    ast.Nonlocal: statements.pass_,
}
EXPRESSIONS: Mapping[type[ast.expr], Callable[[Lowering, Any], Value]] = {
    ast.Constant: expressions.constant,
    ast.Name: expressions.name_,
    ast.Tuple: expressions.display,
    ast.List: expressions.display,
    ast.Dict: expressions.dict_,
    ast.BinOp: expressions.binary_operation,
    ast.UnaryOp: expressions.unary_operation,
    ast.BoolOp: expressions.boolean_operation,
    ast.Compare: comparisons.comparison,
    ast.IfExp: expressions.conditional,
    ast.NamedExpr: expressions.walrus,
    ast.Attribute: attributes.attribute_access,
    ast.Subscript: subscripts.subscript,
    ast.Call: calls.call_expression,
    ast.Lambda: expressions.lambda_,
    ast.ListComp: comprehensions.comprehension,
    ast.GeneratorExp: comprehensions.comprehension,
    ast.DictComp: comprehensions.comprehension,
    ast.Set: sets.display,
    ast.SetComp: comprehensions.set_,
    ast.Yield: generators.misplaced,
    ast.YieldFrom: generators.misplaced,
    ast.JoinedStr: strings.formatted,
}


def lowering(single: bool, threads: bool, keyed: KeyedSites | None = None) -> Lowering:
    """A lowering of the whole language, with nothing emitted yet."""
    return Lowering(Captures(), Setting(Language, single, threads, keyed or KeyedSites()))


class Language:
    """The `Constructs` of one lowering."""

    def __init__(self, low: Lowering) -> None:
        self.low = low

    def statement(self, node: ast.stmt) -> None:
        if type(node) not in STATEMENTS:
            _refuse(node)
        STATEMENTS[type(node)](self.low, node)

    def match(self, node: ast.Match, rest: Sequence[ast.stmt]) -> None:
        matching.match_(self.low, node, rest)

    def expression(self, node: ast.expr) -> Value:
        if type(node) not in EXPRESSIONS:
            _refuse(node)
        return EXPRESSIONS[type(node)](self.low, node)

    def call(self, function: Value, args: Sequence[Value], named: Named | None = None) -> Value:
        return calls.call(self.low, function, args, named or {}, self.low.frame.source.node)

    def builtin(self, function: Any, args: Sequence[Value]) -> Value:
        return calls.call_known(self.low, Known(function), args, {}, self.low.frame.source.node)

    def inline(self, fun: types.FunctionType, args: Sequence[Value], named: Named, node: ast.AST) -> Value:
        return calls.inline(self.low, fun, args, named, node)

    def consume(self, function: Any, node: ast.Call) -> Value | None:
        return comprehensions.consume(self.low, function, node)

    def truth(self, value: Struct | Known) -> Atom:
        return special_methods.truth(self.low, value)

    def array(self, value: Struct) -> Var:
        return growing_lists.array(self.low, value)

    def exhausted(self, value: Struct) -> Struct:
        return generators.exhausted(self.low, value)

    def ordered(self, value: Struct) -> Struct:
        return struct(sets.ordered(self.low, value))

    def combined(self, how: str, left: Struct, right: Struct) -> Value:
        return sets.combined(self.low, how, left, right)

    def is_sequence(self, value: Struct) -> bool:
        return special_methods.is_sequence(value)


def _refuse(node: ast.AST) -> NoReturn:
    message = f"`{type(node).__name__}` is outside the language"
    raise UnsupportedError(message, hint="see docs/supported.md for what can be written instead")
