"""Small core programs of what a user's call means, and their derivatives by the rules alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcgrad.core.build import Builder
from srcgrad.core.ir import Fun, Var
from srcgrad.core.run import run
from srcgrad.rules.language import registry
from srcgrad.rules.language.values import Val
from srcgrad.testing.samples import type_of
from srcgrad.testing.straight import adjoint, tangent


def call(function: Any, *args: Any) -> Callable[..., Val]:
    """(builder, *values) -> function(*args) with each `...` among args standing for the next of the values."""

    def emit(builder: Builder, *values: Val) -> Val:
        given = iter(values)
        return registry.FUNCTIONS[function](builder, *(next(given) if a is ... else a for a in args))

    return emit


def program(emit: Callable[..., Any], *points: Any) -> Fun:
    """The program that emit makes of parameters of the types of these points."""
    builder = Builder()
    params = tuple(Var(f"x{k}", type_of(p)) for k, p in enumerate(points))
    out = emit(builder, *(Val(builder, p) for p in params))
    results = out if isinstance(out, tuple) else (out,)
    return Fun("f", params, tuple(builder.out), tuple(r.atom for r in results))


def forward(emit: Callable[..., Any], *points: float, order: int = 1) -> float:
    """The derivative of this order along (1, ..., 1), by tangents of tangents."""
    fun, args = program(emit, *points), tuple(points)
    for _ in range(order):
        given = len(args)
        fun = tangent(fun)
        args = args + tuple(1.0 if k < len(points) else 0.0 for k in range(given))
    return float(run(fun, *args)[-1])


def backward(emit: Callable[..., Any], *points: Any, order: int = 1) -> tuple[float, ...]:
    """The partial derivatives of order 1, or their derivatives along (1, ..., 1), by adjoints and tangents of them."""
    fun = adjoint(program(emit, *points))
    if order == 1:
        return tuple(float(v) for v in run(fun, *points, 1.0))
    got = run(tangent(fun), *points, 1.0, *(1.0 for _ in points), 0.0)
    return tuple(float(v) for v in got[len(got) // 2 :])
