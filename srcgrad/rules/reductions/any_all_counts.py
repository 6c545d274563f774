"""What is asked of whole arrays and carries no derivative: any, all, counts, where the extremes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import sequences
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import Rule, zero
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.reductions.sums import matrix, sum_
from srcgrad.rules.scalar.compare import equal, not_equal
from srcgrad.rules.shapes.last_axis import each_line, kept, lines
from srcgrad.rules.shapes.shape import count

line = np.array([0.7, -1.3, 2.0])
reals = [(line,), (np.outer(line, line[:2]),), (np.multiply.outer(line, [line, -line]),)]
NOWHERE = {"empty": "an empty array has no largest and no smallest element"}
booleans = [(np.array([True, False, True]),), (np.array([[True], [True]]),), (np.array([[[True, False]]]),)]


def _asked(name: str, function: Any, result: ir.Type, samples: list[Any], **info: Any) -> Rule:
    """A question about all elements."""
    return zero(
        name,
        (),
        infer=lambda types, params: (result,),
        evaluate=function,
        template=f"np.{name}(_0)",
        samples=samples,
        elementwise=False,
        **info,
    )


def _operands(builder: Builder, x: Any, axis: Any, keepdims: Any, name: str) -> tuple[Val, tuple[int, ...], bool]:
    value = arguments.array_value(builder, x, f"np.{name}")
    return value, arguments.all_axes(axis, value.type.rank), arguments.flag(keepdims, "keepdims")


def _truths(value: Val) -> Val:
    return value if value.type.dtype == "b1" else emit(not_equal, value, value.lift(0))


any_ = _asked("any", np.any, ir.B1, booleans)
all_ = _asked("all", np.all, ir.B1, booleans)
count_nonzero = _asked("count_nonzero", np.count_nonzero, ir.I8, booleans)
argmax = _asked("argmax", np.argmax, ir.I8, reals, without=NOWHERE)
argmin = _asked("argmin", np.argmin, ir.I8, reals, without=NOWHERE)


def _adaptor(rule: Rule, function: Any, some: Callable[[Val, Val], Val], methods: tuple[str, ...]) -> None:
    """any, all and counts: of everything at once; along axes they are counts of what is true, which `some` looks at."""

    def call(builder: Builder, x: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Val:
        arguments.no_options({"out": out, **rest}, f"np.{rule.name}")
        value, axes, keep = _operands(builder, x, axis, keepdims, rule.name)
        value = _truths(value)
        if len(axes) == value.type.rank and not keep:
            return emit(rule, value)
        return some(emit(sum_, value, axes=axes, keepdims=keep), count(value, axes))

    registry.adaptor(function, methods=methods)(call)


_adaptor(any_, np.any, lambda true, n: true > 0, ("any",))
_adaptor(all_, np.all, lambda true, n: emit(equal, true, n), ("all",))
_adaptor(count_nonzero, np.count_nonzero, lambda true, n: true, ())


# ---- where the extremes are, along an axis


def _along(name: str, helper: Any, function: Any) -> Rule:
    template = each_line(helper, dtype=np.int64, empty=f"attempt to get {function.__name__} of an empty sequence")
    return zero(
        name,
        (),
        infer=lambda types, params: (ir.Type("i8", types[0].rank - 1),),
        template=template,
        evaluate=lambda x: function(x, -1),
        samples=[*reals, (matrix,)],
        elementwise=False,
        dims=lambda dims, params: dims[0][:-1],
        may_raise=always,
    )


def _extreme(rule: Rule, function: Any, helper: Any) -> None:
    over_lines = _along(f"{rule.name}_of_lines", helper, function)

    def call(builder: Builder, x: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Val:
        arguments.no_options({"out": out}, f"np.{rule.name}")
        value, axes, keep = _operands(builder, x, axis, keepdims, rule.name)
        if len(axes) > 1 and axis is not None:
            raise UnsupportedError(f"np.{rule.name} takes one axis")
        if len(axes) == value.type.rank and not keep:
            return emit(rule, value)
        return kept(emit(over_lines, lines(value, axes, keep)), value.type.rank, axes, keep)

    registry.adaptor(function, methods=(rule.name,))(call)


_extreme(argmax, np.argmax, sequences.index_of_largest)
_extreme(argmin, np.argmin, sequences.index_of_smallest)
