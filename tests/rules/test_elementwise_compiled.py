"""What elementwise primitives print as, compiled by Numba: the same values and the types that the rules promise."""

from __future__ import annotations

import math
import re
from typing import Any

import numba
import numpy as np
import pytest

import srcgrad.rules  # noqa: F401
from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.printer import templates
from srcgrad.rules.language.declare import At, Literal
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.testing.samples import Case, spread, type_of
from srcgrad.testing.straight import program

NUMBA_TYPES = {
    "f8": numba.float64,
    "f4": numba.float32,
    "i8": numba.int64,
    "b1": numba.boolean,
    "c16": numba.complex128,
    "c8": numba.complex64,
}
SINGLE = {"f8": "f4", "c16": "c8"}


def _given_as_scalars(primitive: ir.Primitive) -> bool:
    samples = primitive.info.samples
    return primitive.traits.elementwise and not any(np.ndim(a) for args in samples for a in args)


def _alone(sample: Any) -> bool:
    """Whether the arguments are values, to go with each of the rule's parameters."""
    return not isinstance(sample, At) and not any(isinstance(a, Literal) for a in sample)


def _single(value: Any) -> Any:
    return np.asarray(value, SINGLE[type_of(value).dtype])[()] if type_of(value).is_float else value


def scalar_cases(dtype: str) -> list[Case]:
    found = []
    for p in PRIMITIVES.values():
        if _given_as_scalars(p):
            for args in {tuple(map(type, s)): s for s in p.info.samples if _alone(s)}.values():
                found += [Case(p, tuple(map(_single, args)) if dtype == "f4" else args, dict(q)) for q in p.info.params]
    return found


def array_cases() -> list[Case]:
    """float32, where Numba's types go astray most easily: arrays alone, and beside scalars."""
    found = []
    for p in PRIMITIVES.values():
        if _given_as_scalars(p) and not p.info.scalars:
            for args in list(spread(p.info.samples))[0:3:2]:
                found.append(Case(p, tuple(map(_single, args)), dict(p.info.params[0])))
    return found


def choice_cases() -> list[Case]:
    where, power = PRIMITIVES["where"], PRIMITIVES["power"]
    cases = [Case(where, tuple(map(_single, args)), {}) for args in spread(where.info.samples)]
    """Of float32 beside integers and booleans."""
    line = np.array([1.5, -2.0])
    cases += [Case(where, (np.array([True, False]), _single(line), 2), {}), Case(where, (True, 1, np.float32(2)), {})]
    bases = (line, 3), (_single(line), 3), (_single(line), -2), (np.float32(1.5), 3), (np.float32(-1.5), -2)
    cases += [Case(power, args, {}) for args in bases]
    beside = (_single(line), 3), (3, _single(line)), (np.float32(1.5), 3), (True, np.float32(1.5))
    names = "add", "multiply", "divide", "remainder", "maximum", "hypot"
    return [*cases, *(Case(PRIMITIVES[name], args, {}) for name in names for args in beside)]


def _module(cases: list[Case]) -> tuple[str, dict[str, str], list[Any]]:
    """One function that evaluates every case, what it calls, and its arguments."""
    lines: list[str] = []
    helpers: dict[str, str] = {}
    args: list[Any] = []
    for k, case in enumerate(cases):
        code, used = templates.expanded(case.primitive, tuple(map(type_of, case.args)), case.params)
        helpers.update(used)
        named = re.sub(r"\b_([0-9])\b", lambda m, k=k: f"x{k}_{m[1]}", code)  # type: ignore[misc]
        lines.append(f"    r{k} = {named}")
        args += case.args
    names = ", ".join(f"x{k}_{j}" for k, case in enumerate(cases) for j in range(len(case.args)))
    results = ", ".join(f"r{k}" for k in range(len(cases)))
    return f"def everything({names}):\n" + "\n".join(lines) + f"\n    return ({results},)\n", helpers, args


def _compiled(cases: list[Case]) -> tuple[Any, tuple[Any, ...]]:
    code, helpers, args = _module(cases)
    space: dict[str, Any] = {"np": np, "math": math, "numba": numba}
    for source in (*helpers.values(), code):
        exec(f"@numba.njit(error_model='numpy')\n{source}", space)
    everything = space["everything"]
    values = everything(*args)
    return everything.nopython_signatures[0].return_type, values


@pytest.mark.parametrize(
    "cases",
    [scalar_cases("f8"), scalar_cases("f4"), array_cases(), choice_cases()],
    ids=["f8", "f4", "f4 arrays", "choices and powers"],
)
def test_every_template_compiles(cases: list[Case]) -> None:
    types, values = _compiled(cases)
    for case, kind, got in zip(cases, types, values, strict=True):
        (promised,) = (r.type for r in program(case).results)
        found = kind.dtype if promised.rank else kind
        assert found == NUMBA_TYPES[promised.dtype], f"{case} is {kind}, not {promised}"
        (expected,) = run(program(case), *case.args)
        tolerance = 1e-6 if promised.dtype in ("f4", "c8") else 1e-13
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=0, err_msg=str(case))
