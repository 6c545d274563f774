"""`stop_gradient`: a value that no derivative goes through."""

from __future__ import annotations

from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import VIEW
from srcgrad.core.stop_gradient import stop_gradient
from srcgrad.core.traits import always
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import zero
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.shapes.shape import as_copy


def _same(types: tuple[ir.Type, ...], params: dict[str, Any]) -> tuple[ir.Type, ...]:
    return (types[0],)


stopped = zero(
    "stop_gradient",
    (),
    transparent=always,
    infer=_same,
    evaluate=lambda x: x,
    template="_0",
    samples=[(0.7,)],
    takes_complex=True,
    held="stopping the derivative is what it is for",
)


@registry.adaptor(stop_gradient)
def _stop(builder: Builder, x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _stop(builder, item) for key, item in x.items()}
    if isinstance(x, (tuple, list)):
        return type(x)(_stop(builder, item) for item in x)
    if not isinstance(x, Val) or not x.type.is_float:
        return x
    return as_copy(emit(stopped, contents(x)), x, VIEW)
