"""Programs of one call, made by the adaptors, and what is checked of them: value, both modes, both orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.rules.language.values import Val
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse

Make = Callable[..., Val]
rng = np.random.default_rng(20)


def kind(value: Any) -> ir.Type:
    if isinstance(value, int):
        return ir.I8
    array = np.asarray(value)
    return ir.Type(array.dtype.str[1:], array.ndim, ref=array.ndim > 0)


def program(make: Make, args: Sequence[Any]) -> ir.Program:
    """The function whose body is what `make(builder, *args)` emits."""
    builder = Builder()
    params = [ir.Var(f"x{k}", kind(a)) for k, a in enumerate(args)]
    out = make(builder, *(Val(builder, p) for p in params)).atom
    if out.type.is_array_value:
        out = builder.alloc(out.type.dtype, (), init=out)
    fun = ir.Fun("f", tuple(params), tuple(builder.out), (out,))
    verify(fun)
    return ir.Program(fun)


def is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def like(value: Any) -> Any:
    return rng.standard_normal(np.shape(value)) if np.ndim(value) else float(rng.standard_normal())


def check(make: Make, args: Sequence[Any], plain: Callable[..., Any] | None = None, order: int = 2) -> None:
    """The value beside NumPy's, then derivatives to this order."""
    made = program(make, args)
    (got,) = run(made, *args)
    if plain is not None:
        want = plain(*args)
        assert np.shape(got) == np.shape(want)
        assert np.asarray(got).dtype == np.asarray(want).dtype
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    if is_float(got):
        check_derivatives(made, list(args), order)


def check_derivatives(made: ir.Program, args: list[Any], order: int) -> None:
    """Forward against central differences, reverse against forward; then the same of what was generated."""
    active = frozenset(k for k, a in enumerate(args) if is_float(a))
    ahead, back = simplify(forward(made, active)), simplify(reverse(made, active))
    verify(ahead)
    verify(back)
    count = len(made.main.results)
    dots = [like(args[k]) for k in sorted(active)]
    tangents = run(ahead, *args, *dots)[count:]
    for got, want in zip(tangents, differences(made, args, dots), strict=True):
        np.testing.assert_allclose(got, want, rtol=3e-6, atol=3e-7)
    bars = [like(r) for r in run(made, *args) if is_float(r)]
    adjoints = run(back, *args, *bars)[count:]
    assert [np.shape(a) for a in adjoints] == [np.shape(args[k]) for k in sorted(active)]
    left = sum(np.sum(t * b) for t, b in zip(tangents, bars, strict=True))
    right = sum(np.sum(a * d) for a, d in zip(adjoints, dots, strict=True))
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)
    if order > 1:
        check_derivatives(back, [*args, *bars], order - 1)
        check_derivatives(ahead, [*args, *dots], order - 1)


def differences(made: ir.Program, args: list[Any], dots: list[Any], step: float = 1e-6) -> list[Any]:
    moves = iter(dots)
    along = [next(moves) if is_float(a) else 0 for a in args]
    ahead = run(made, *(a + step * d if is_float(a) else a for a, d in zip(args, along, strict=True)))
    behind = run(made, *(a - step * d if is_float(a) else a for a, d in zip(args, along, strict=True)))
    return [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True) if is_float(a)]
