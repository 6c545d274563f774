"""Every rule that takes complex numbers, at its samples moved off the real line.

A derivative along a complex direction is a limit of differences like any other; the adjoint is held to the tangent by
the real part of their products (the convention of `srcgrad.rules.complexes`).
"""

import numpy as np
import pytest

from srcgrad.core.run import run
from srcgrad.rules import registry
from srcgrad.testing.primitives import printed
from srcgrad.testing.samples import Case, cases, type_of
from srcgrad.testing.straight import adjoint, program, tangent

RULES = sorted(
    name for name, rule in registry.PRIMITIVES.items() if getattr(rule.info, "takes_complex", False) and name != "cast"
)  # a cast is what makes arguments complex in all of the others
SKEW = 0.31


def _carries(value):
    return np.asarray(value).dtype.kind in "fc"


def turned(value, place):
    """A float argument as a complex one, not on the real line and no two entries alike."""
    if not _carries(value) or np.asarray(value).dtype.kind == "c":
        return value
    array = np.asarray(value, complex)
    return (array + 1j * (SKEW + 0.05 * place + 0.01 * np.arange(array.size).reshape(array.shape)))[()]


def complex_cases(rule):
    for case in cases(rule):
        if case.given != case.args:  # literals
            continue
        still = range(1, len(case.args)) if rule.info.shape == "linear" else ()
        places = [k for k, a in enumerate(case.args) if _carries(a) and k not in still]
        mixed = rule.info.elementwise  # of the others' arguments, calls make one dtype
        for chosen in {tuple(places), *([tuple(places[:1]), tuple(places[1:])] if mixed else [])} - {()}:
            args = tuple(turned(a, k) if k in chosen else a for k, a in enumerate(case.args))
            if all(np.all(np.isfinite(a)) for a in args):
                yield Case(rule, args, case.params), still


def directions(values, seed, still=()):
    rng = np.random.default_rng(seed)


    def one(shape, unit):
        return rng.uniform(0.5, 1, shape) + unit * rng.uniform(0.5, 1, shape)

    made = [(k not in still) * one(np.shape(v), 1j if np.iscomplexobj(v) else 0) for k, v in enumerate(values)]
    return tuple(np.asarray(d, np.asarray(v).dtype)[()] for d, v in zip(made, values, strict=True) if _carries(v))


def moved(args, dots, step):
    steps = iter(dots)
    return tuple(a + step * next(steps) if _carries(a) else a for a in args)


def flat(values):
    return np.concatenate([np.ravel(v).astype(complex) for v in values if _carries(v)] or [np.zeros(0, complex)])


def held(fun, args, still, what):
    """The tangent against central differences, the adjoint against the tangent."""
    dots = directions(args, 3, still)
    count = len(fun.results)
    out = run(tangent(fun), *args, *dots)
    value, got = out[:count], flat(out[count:])
    step = 1e-5
    ahead, behind = (flat(run(fun, *moved(args, dots, s))) for s in (step, -step))
    np.testing.assert_allclose(got, (ahead - behind) / (2 * step), rtol=3e-6, atol=3e-6, err_msg=f"tangent of {what}")
    bars = directions(value, 4)
    back = run(adjoint(fun), *args, *bars)
    carried = [a for a in args if _carries(a)]
    assert [np.asarray(b).dtype for b in back] == [np.asarray(a).dtype for a in carried], what
    left, right = (flat(bars) * got).real.sum(), (flat(back) * flat(dots)).real.sum()
    np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-9, err_msg=f"adjoint of {what}")


@pytest.mark.parametrize("name", RULES)
def test_complex(name):
    rule = registry.PRIMITIVES[name]
    tried = 0
    for case, still in complex_cases(rule):
        if name == "where" and np.iscomplexobj(case.args[0]):
            continue
        fun, what = program(case), str(case)
        value = run(fun, *case.args)
        for function in rule.info.functions:
            if isinstance(function, np.ufunc):
                np.testing.assert_allclose(value[0], function(*case.args, **case.params), rtol=1e-13)
        code, space = printed(rule, tuple(map(type_of, case.args)), case.params)
        space.update({f"_{k}": np.complex128(a) if isinstance(a, complex) else a for k, a in enumerate(case.args)})
        shown = eval(code, space)
        np.testing.assert_allclose(shown[0] if isinstance(shown, tuple) else shown, value[0], rtol=1e-12)
        if rule.differentiable:
            held(fun, case.args, still, what)
            held(tangent(fun), case.args + directions(case.args, 5, still), still, f"tangent of {what}")
            held(adjoint(fun), case.args + directions(value, 6), still, f"adjoint of {what}")
        tried += 1
    assert tried or not rule.differentiable, f"{name} has no sample that can be moved off the real line"
