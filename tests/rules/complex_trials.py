"""Rules tried with complex numbers: their samples moved off the real line, or complex ones of their own.

A derivative along a complex direction is a limit of differences like any other; the adjoint is held to the tangent by
the real part of their products (the convention of `srcgrad.rules.arrays.complexes`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from srcgrad.core.ir import Fun, Primitive
from srcgrad.core.run import run
from srcgrad.rules.language import registry
from srcgrad.testing.primitives import printed
from srcgrad.testing.samples import Case, Values, cases, type_of
from srcgrad.testing.straight import adjoint, program, tangent
from tests.rules.matrix import is_of_reals

SKEW = 0.31


def takes_complex(rule: Primitive) -> bool:
    return rule.traits.takes_complex


# a cast is what makes arguments complex in all of the others
RULES = sorted(
    name
    for name, rule in registry.PRIMITIVES.items()
    if (takes_complex(rule) or not is_of_reals(rule)) and name != "cast"
)


def _carries(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fc"


def turned(value: Any, place: int) -> Any:
    """A float argument as a complex one, not on the real line and no two entries alike."""
    if not _carries(value) or np.asarray(value).dtype.kind == "c":
        return value
    array = np.asarray(value, complex)
    return (array + 1j * (SKEW + 0.05 * place + 0.01 * np.arange(array.size).reshape(array.shape)))[()]


def complex_cases(rule: Primitive) -> Iterator[tuple[Case, Collection[int]]]:
    """Cases, and the places of the arguments that only say how."""
    own = not is_of_reals(rule)
    for case in cases(rule):
        if case.given != case.args:  # literals
            continue
        still = range(1, len(case.args)) if rule.traits.form == "linear" else ()
        if own:
            yield case, still
            if not takes_complex(rule):
                continue
        places = [k for k, a in enumerate(case.args) if _carries(a) and k not in still]
        mixed = rule.traits.elementwise  # of the others' arguments, calls make one dtype
        for chosen in {tuple(places), *([tuple(places[:1]), tuple(places[1:])] if mixed else [])} - {()}:
            args = tuple(turned(a, k) if k in chosen else a for k, a in enumerate(case.args))
            if all(np.all(np.isfinite(a)) for a in args) and not (rule.name == "where" and np.iscomplexobj(args[0])):
                yield Case(rule, args, case.params), still


# ---- values


def check_values(case: Case) -> None:
    """What is computed beside the function itself, and what is printed."""
    rule, value = case.primitive, run(program(case), *case.args)
    for function in rule.info.functions:
        if isinstance(function, np.ufunc):
            np.testing.assert_allclose(value[0], function(*case.args, **case.params), rtol=1e-13)
    code, space = printed(rule, tuple(map(type_of, case.args)), case.params)
    space.update({f"_{k}": np.complex128(a) if isinstance(a, complex) else a for k, a in enumerate(case.args)})
    shown = eval(code, space)
    np.testing.assert_allclose(shown[0] if isinstance(shown, tuple) else shown, value[0], rtol=1e-12)


# ---- derivatives


def directions(values: Values, seed: int, still: Collection[int] = ()) -> Values:
    rng = np.random.default_rng(seed)

    def one(shape: Any, unit: complex) -> Any:
        return rng.uniform(0.5, 1, shape) + unit * rng.uniform(0.5, 1, shape)

    made = [(k not in still) * one(np.shape(v), 1j if np.iscomplexobj(v) else 0) for k, v in enumerate(values)]
    return tuple(
        np.asarray(d.real if not np.iscomplexobj(v) else d, np.asarray(v).dtype)[()]
        for d, v in zip(made, values, strict=True)
        if _carries(v)
    )


def _moved(args: Values, dots: Values, step: float) -> Values:
    steps = iter(dots)
    return tuple(a + step * next(steps) if _carries(a) else a for a in args)


def _flat(values: Values) -> Any:
    return np.concatenate([np.ravel(v).astype(complex) for v in values if _carries(v)] or [np.zeros(0, complex)])


def held(fun: Fun, args: Values, still: Collection[int], what: str) -> None:
    """The tangent against central differences, the adjoint against the tangent."""
    dots = directions(args, 3, still)
    count = len(fun.results)
    out = run(tangent(fun), *args, *dots)
    value, got = out[:count], _flat(out[count:])
    step = 1e-5
    ahead, behind = (_flat(run(fun, *_moved(args, dots, s))) for s in (step, -step))
    np.testing.assert_allclose(got, (ahead - behind) / (2 * step), rtol=3e-6, atol=3e-6, err_msg=f"tangent of {what}")
    bars = directions(value, 4)
    back = run(adjoint(fun), *args, *bars)
    carried = [a for a in args if _carries(a)]
    assert [np.asarray(b).dtype for b in back] == [np.asarray(a).dtype for a in carried], what
    left, right = (_flat(bars) * got).real.sum(), (_flat(back) * _flat(dots)).real.sum()
    np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-9, err_msg=f"adjoint of {what}")


def check_derivatives(case: Case, still: Collection[int], order: int = 2) -> None:
    fun, what = program(case), str(case)
    held(fun, case.args, still, what)
    if order == 2:
        value = run(fun, *case.args)
        held(tangent(fun), case.args + directions(case.args, 5, still), still, f"tangent of {what}")
        held(adjoint(fun), case.args + directions(value, 6), still, f"adjoint of {what}")
