"""What is asked of whole arrays and carries no derivative: any, all, counts, where the extremes are."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules import arguments, registry
from srcgrad.rules.compare import not_equal
from srcgrad.rules.declare import Rule, zero
from srcgrad.rules.values import Val, emit

line = np.array([0.7, -1.3, 2.0])
reals = [(line,), (np.outer(line, line[:2]),), (np.multiply.outer(line, [line, -line]),)]
NOWHERE = {"empty": "an empty array has no largest and no smallest element"}
booleans = [(np.array([True, False, True]),), (np.array([[True], [True]]),), (np.array([[[True, False]]]),)]


def _asked(name: str, function: Any, result: ir.Type, samples: list[Any], **info: Any) -> Rule:
    return zero(
        name, (), infer=lambda types, params: (result,), evaluate=function, template=f"np.{name}(_0)", samples=samples,
        elementwise=False, **info,
    )  # fmt: skip


def _adaptor(rule: Rule, name: str, of_truths: bool) -> Callable[..., Val]:
    def call(builder: Builder, x: Any, axis: Any = None, **rest: Any) -> Val:
        arguments.no_options(rest, f"np.{name}")
        value = arguments.array_value(builder, x, f"np.{name}")
        if arguments.all_axes(axis, value.type.rank) != tuple(range(value.type.rank)):
            raise UnsupportedError(f"np.{name} along an axis is not supported; write a loop over the other axes")
        if of_truths and value.type.dtype != "b1":
            value = emit(not_equal, value, value.lift(0))
        return emit(rule, value)  # type: ignore[no-any-return]

    return call


def _ask(
    name: str, function: Any, result: ir.Type, samples: list[Any], of_truths: bool, method: bool = True, **info: Any
) -> Rule:
    rule = _asked(name, function, result, samples, **info)
    registry.adaptor(function, methods=(name,) if method else ())(_adaptor(rule, name, of_truths))
    return rule


any_ = _ask("any", np.any, ir.B1, booleans, True)
all_ = _ask("all", np.all, ir.B1, booleans, True)
count_nonzero = _ask("count_nonzero", np.count_nonzero, ir.I8, booleans, True, method=False)
argmax = _ask("argmax", np.argmax, ir.I8, reals, False, without=NOWHERE)
argmin = _ask("argmin", np.argmin, ir.I8, reals, False, without=NOWHERE)
