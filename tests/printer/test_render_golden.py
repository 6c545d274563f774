"""Generated code, compared with what lies in tests/golden (`--update-golden` writes it anew), and read back."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import srcgrad.rules  # noqa: F401
from srcgrad.core import ir
from srcgrad.core.run import run
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import describe, leaves
from srcgrad.printer.render import render
from srcgrad.simplify.pipeline import simplify
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse

GOLDEN = Path(__file__).parent.parent / "golden"


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def newton(x):
    k = 0
    while abs(math.cos(x) - x) > 1e-12 and k < 50:
        x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        k += 1
    return x


def leaves_early(x, n):
    s = x
    for i in range(n):
        s = s * 1.3 + math.sin(s) * x
        if s > 2.0:
            break
        s = s + 0.1 * x
    return s * s


def choices(x, y):
    z = x * y if x > 0 and y > 0 else -x
    if z > 1.0:
        w = z * z
    elif z > 0.5 or y < 0:
        w = z + y
    else:
        w = 2.0
    return w, z


def burgers(dt, u0, steps):
    n = u0.shape[0]
    u = np.zeros(n)
    for i in range(n):
        u[i] = u0[i]
    w = np.zeros(n)
    for t in range(steps):
        for i in range(1, u.shape[0] - 1):
            w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        u, w = w, u
    s = 0.0
    for i in range(len(u)):
        s += u[i] * u[i]
    return s


def lu(a):
    n = a.shape[0]
    a = a.copy()
    for k in range(n):
        a[k, k] += 3.0
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s = s + math.log(abs(a[k, k]))
    return s


def softmax(x, m):
    z = np.exp(-((x - m) ** 2))
    y = z / np.sum(z)
    return y


X = np.array([0.3, -0.7, 1.1, 0.2, 0.9])
A = np.array([[0.3, 0.1, -0.2], [0.5, 0.7, 0.1], [-0.4, 0.2, 0.9]])
CASES: dict[Callable[..., Any], tuple[Any, ...]] = {
    product: (X, 3), newton: (1.0,), leaves_early: (1.0, 6), choices: (0.8, 0.9), burgers: (0.1, X, 3), lu: (A,),
    softmax: (X, 0.5),
}  # fmt: skip


def active(program: ir.Program) -> frozenset[int]:
    return frozenset(k for k, p in enumerate(program.main.params) if p.type.is_float)


MODES: dict[str, Callable[[ir.Program], ir.Program]] = {
    "primal": lambda program: program,
    "forward": lambda program: simplify(forward(simplify(program), active(program))),
    "reverse": lambda program: simplify(reverse(simplify(program), active(program))),
}


def programs() -> list[Any]:
    return [pytest.param(f, mode, id=f"{f.__name__}-{mode}") for f in CASES for mode in MODES]


def made(fun: Callable[..., Any], mode: str) -> ir.Program:
    return MODES[mode](lower(fun, [describe(a) for a in CASES[fun]]).program)


@pytest.mark.parametrize(("fun", "mode"), programs())
def test_golden(fun: Callable[..., Any], mode: str, request: pytest.FixtureRequest) -> None:
    path, text = GOLDEN / f"{fun.__name__}_{mode}.py", render(made(fun, mode))
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def arguments(program: ir.Program, fun: Callable[..., Any]) -> list[Any]:
    """The primal's arguments; for tangents and adjoints that follow, small numbers."""
    given = [leaf for a in CASES[fun] for leaf in leaves(a, describe(a))]
    for param in program.main.params[len(given) :]:
        like = next((g for g in given if np.ndim(g) == param.type.rank and param.type.ref), 0.7)
        given.append(np.linspace(0.1, 0.5, np.size(like)).reshape(np.shape(like)) if param.type.ref else 0.7)
    return given


@pytest.mark.parametrize(("fun", "mode"), programs())
def test_read_back(fun: Callable[..., Any], mode: str, tmp_path: Path) -> None:
    """The printed module, lowered, computes what the program does."""
    program = made(fun, mode)
    args, text = arguments(program, fun), render(program)
    path = tmp_path / "generated.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("generated", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read: FunctionType = getattr(module, program.main.name)
    want = run(program, *args)
    for ours, theirs in zip(_tuple(read(*args)), want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    if "grow(" in text:
        return  # an array that grows has no form in the user's language
    back = lower(read, [describe(a) for a in args]).program
    for ours, theirs in zip(run(back, *args), want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
