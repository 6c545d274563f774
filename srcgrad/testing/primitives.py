"""The test that every rule brings with it: what its declaration says, tried at its samples.

The programs' derivatives are run with NumPy and compared with numerical derivatives of the value, never with the
rule's own formula. `srcgrad.testing.matrix` tries the same rules in other precisions and layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from srcgrad.backend.shim import math_shim
from srcgrad.core import ir
from srcgrad.core.ir import Type
from srcgrad.core.run import run
from srcgrad.printer import templates
from srcgrad.rules.language.declare import Edge
from srcgrad.testing.numerical import Estimate, derivative
from srcgrad.testing.samples import Case, Values, cases, type_of
from srcgrad.testing.straight import Derived, Programs, floats, tangent

MATH = math_shim()


def check_primitive(primitive: ir.Primitive) -> None:
    """Raise AssertionError where the rule contradicts its function, a numerical derivative, or itself."""
    assert primitive.info.samples, f"{primitive.name} has no samples to test itself at"
    programs = Programs()
    for case in cases(primitive):
        check_value(case, programs)
        check_slopes(case, programs)
        check_curvature(case, programs)
    for edge in primitive.info.edges:
        check_edge(primitive, edge, programs)


class Ways(NamedTuple):
    """Where directions may point: of the arguments at these places nowhere, or to symmetric matrices only."""

    still: Sequence[int] = ()
    symmetric: Sequence[int] = ()

    def along(self, direction: Any, place: int) -> Any:
        if place in self.symmetric:
            return 0.5 * (direction + direction.T)
        return 0 * direction if place in self.still else direction


FREE = Ways()


def random_like(values: Values, seed: int, ways: Ways = FREE) -> Values:
    """Numbers between 1/2 and 1, of either sign, for the floats among values, along the ways that are open."""
    floats = [(np.shape(v), np.asarray(v).dtype, place) for place, v in enumerate(values) if type_of(v).is_float]
    drawn = _drawn(tuple(shape for shape, _, _ in floats), seed)
    return tuple(
        np.asarray(ways.along(one, place), dtype)[()] for one, (_, dtype, place) in zip(drawn, floats, strict=True)
    )


@cache
def _drawn(shapes: tuple[tuple[int, ...], ...], seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.choice([-1, 1], shape) * rng.uniform(0.5, 1, shape) for shape in shapes)


def _moved(args: Values, directions: Values, step: float) -> Values:
    """args with the floats among them a step along their directions."""
    moves = iter(directions)
    return tuple(a + step * next(moves) if type_of(a).is_float else a for a in args)


def _flat(values: Values) -> Any:
    return np.concatenate([np.ravel(v) for v in values if type_of(v).is_float] or [np.zeros(0)]).astype(float)


def close(got: Any, expected: Any, tolerance: Any, what: str) -> None:
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, not {expected.shape}"
    with np.errstate(invalid="ignore"):
        gap = np.abs(got - expected)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected)) | (gap <= tolerance)
    assert np.all(same), f"{what}: {got}, not {expected}"


# ---- the value


def check_value(case: Case, programs: Programs) -> None:
    """What the program computes, against the functions that the user wrote; and what it prints as, run as Python."""
    values = programs.of(case)(*case.given)
    for function in case.primitive.info.functions:
        if np.ndim(values[0]) and not isinstance(function, np.ufunc):
            continue
        expected = np.asarray(function(*case.plain, **case.params))
        close(values[0], expected, 1e-14 * np.abs(expected), f"the value of {case}, beside {function}")
    results = run_printed(case)
    for one, expected in zip(results, values, strict=True):
        close(one, expected, 1e-13 * np.abs(expected), f"what is printed for {case}")


def run_printed(case: Case) -> Values:
    types = tuple(map(type_of, case.plain))
    code, space = printed(case.primitive, types, case.params)
    args = [np.float64(a) if t == ir.F8 else a for a, t in zip(case.plain, types, strict=True)]
    space.update({f"_{k}": a for k, a in enumerate(args)})
    with np.errstate(all="ignore"):
        got = eval(code, space)
    return got if isinstance(got, tuple) else (got,)


def printed(primitive: ir.Primitive, types: tuple[Type, ...], params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The expression that a primitive prints as, and the names that it needs."""
    code, helpers = templates.expanded(primitive, types, params)
    space: dict[str, Any] = {"np": np, "math": MATH, **params}
    for source in helpers.values():
        exec(source, space)
    return code, space


# ---- derivatives


def still_places(case: Case) -> Ways:
    """The arguments that only say how, and those that are symmetric."""
    info = case.primitive.info
    return Ways(
        range(1, len(case.given)) if case.primitive.traits.form == "linear" else tuple(case.primitive.traits.refuses),
        info.symmetric,
    )


def check_slopes(case: Case, programs: Programs) -> None:
    """The first derivatives; of a rule without any, that the value does not change."""
    made = programs.of(case)
    if not case.primitive.info.held and floats(made.fun.results) and floats(made.fun.params):
        _check_derivatives(made, case.given, str(case), still_places(case), jumps=not case.primitive.differentiable)


def check_curvature(case: Case, programs: Programs, numerically: bool = True) -> None:
    """The derivatives of the tangent and of the adjoint, or only that each agrees with the other."""
    if not case.primitive.differentiable:
        return
    made, still = programs.of(case), still_places(case)
    dots, bars = random_like(case.given, 1), random_like(made(*case.given), 2)
    check = _check_derivatives if numerically else _check_agreement
    check(made.ahead, case.given + dots, f"the tangent of {case}", still)
    check(made.back, case.given + bars, f"the adjoint of {case}", still)


def _check_derivatives(made: Derived, args: Values, what: str, still: Ways, jumps: bool = False) -> None:
    """The tangent against numerical derivatives, the adjoint against the tangent.

    jumps: whether the derivative may be left out where the value jumps.
    """
    dots = random_like(args, 4, still)
    value, got = _split(made.ahead(*args, *dots), len(made.fun.results))
    single = _is_single((*args, *value))
    estimate = _coarsely(made, args, dots) if single else _numerical(made, args, dots)
    if jumps:
        estimate = estimate.where(np.isinf(estimate.value), Estimate(*np.zeros((3, *estimate.value.shape))))
    size = (1e-3 if single else 1e-6) * (np.abs(estimate.value) + 1e-3)
    assert np.all(estimate.gap <= size), f"{what}: no numerical derivative at this sample to compare with"
    close(_flat(got), estimate.value, size + estimate.noise, f"the tangent of {what}")
    _check_agreement(made, args, what, still)


def _check_agreement(made: Derived, args: Values, what: str, still: Ways) -> None:
    """The adjoint against the tangent."""
    dots = random_like(args, 4, still)
    value, got = _split(made.ahead(*args, *dots), len(made.fun.results))
    bars = random_like(value, 5)
    back = made.back(*args, *bars)
    given = [a for a in args if type_of(a).is_float]
    assert list(map(np.shape, back)) == list(map(np.shape, given)), f"the shapes of the adjoint of {what}"
    left, right = _flat(bars) * _flat(got), _flat(back) * _flat(dots)
    tolerance = (1e-6 if _is_single((*args, *value)) else 1e-12) * (np.abs(left).sum() + np.abs(right).sum())
    close(right.sum(), left.sum(), tolerance, f"the adjoint beside the tangent of {what}")


def _is_single(values: Values) -> bool:
    return any(type_of(v).dtype == "f4" for v in values)


def _numerical(made: Derived, args: Values, directions: Values) -> Estimate:
    """The derivative along directions. The steps are small enough that no sample's result changes its shape."""
    found = derivative(lambda step: _flat(made(*_moved(args, directions, step / 64))), 0.0)
    return Estimate(64 * found.value, 64 * found.gap, 64 * found.noise)


def _coarsely(made: Derived, args: Values, directions: Values) -> Estimate:
    """The derivative along directions where values have the precision of float32: one step, large enough for them."""
    above, below = (_flat(made(*_moved(args, directions, step))) for step in (1 / 64, -1 / 64))
    return Estimate(32 * (above - below), np.zeros(above.shape), 64e-7 * np.abs(above))


def _split(values: Values, count: int) -> tuple[Values, Values]:
    return values[:count], values[count:]


# ---- singular points


def check_edge(primitive: ir.Primitive, edge: Edge, programs: Programs) -> None:
    """What the declaration says of a singular point, in both modes; the second derivatives too if it gives them."""
    case = Case(primitive, edge.args, dict(edge.params or primitive.info.params[0]))
    made = programs.of(case)
    bars = tuple(np.ones_like(v) for v in made(*case.given) if type_of(v).is_float)
    found = made.back(*case.given, *bars)
    assert len(found) == len(edge.partials), f"{case} has {len(found)} derivatives, its edge says {edge.partials}"
    active = floats(made.fun.params)
    for place, (got, expected) in enumerate(zip(found, edge.partials, strict=True)):
        what = f"the derivative {place} of {case}"
        close(got, expected, 1e-13 * np.abs(expected), f"{what}, backward")
        dot = np.ones_like(got)
        ahead = run(tangent(made.fun, [active[place]]), *case.given, dot)[len(made.fun.results) :]
        size = np.sum(np.abs(expected))
        close(np.sum(_flat(ahead)), np.sum(expected), 1e-13 * size, f"{what}, forward")
    if all(np.all(np.isfinite(p)) for p in edge.partials):
        dots = random_like(case.given, 6)
        expected = sum(np.sum(p * dot) for p, dot in zip(edge.partials, dots, strict=True))
        got = np.sum(_flat(made.ahead(*case.given, *dots)[len(made.fun.results) :]))
        close(got, expected, 1e-13 * np.abs(expected), f"the derivative of {case}, forward")
    if edge.second is not None:
        _check_second_at_edge(case, made, bars, edge)


def _check_second_at_edge(case: Case, made: Derived, bars: Values, edge: Edge) -> None:
    """Second derivatives along (1, 1, ...) in all four ways; what came first differentiated by its own bars or dots."""
    second = edge.second or ()
    dots = tuple(np.ones_like(a) for a in case.given if type_of(a).is_float)
    no_dots, no_bars = (tuple(np.zeros_like(v) for v in values) for values in (dots, bars))
    value = made(*case.given)
    forward = made.back.ahead(*case.given, *bars, *dots, *no_bars)[len(dots) :]
    backward, slopes = _split(made.back.back(*case.given, *bars, *dots), len(dots))
    of_tangent, partials = _split(made.ahead.back(*case.given, *dots, *no_bars, *bars), len(dots))
    for place, expected in enumerate(second):
        for got in (forward, backward, of_tangent):
            close(got[place], expected, 1e-13 * np.abs(expected), f"the second derivative {place} of {case}")
        close(partials[place], edge.partials[place], 1e-13, f"the slope of the tangent of {case} in its dots")
    close(np.sum(_flat(slopes)), np.sum(_flat(edge.partials)), 1e-13, f"the slope of the adjoint of {case} in its bars")
    twice = made.ahead.ahead(*case.given, *dots, *dots, *no_dots)[len(value) + 2 * len(bars) :]
    expected = np.sum(_flat(second))
    close(np.sum(_flat(twice)), expected, 1e-13 * np.abs(expected), f"the second derivative of {case}, forward twice")
