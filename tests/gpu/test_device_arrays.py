"""Programs for a GPU's thread, run as Python: arrays, and work arrays as long as the counting program says."""

from __future__ import annotations

import copy
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import shim
from srcgrad.compiler import program as pipeline
from srcgrad.core.inline import inline
from srcgrad.core.ir import Program
from srcgrad.derivatives import arguments
from srcgrad.gpu.arrays.legalise import Legal, legal
from srcgrad.printer.render import render
from tests.cuda.arrays import CASES, DYNAMIC, A, b, until_small


def full(shape: Any, dtype: Any) -> np.ndarray:
    """An array full of what no program can mistake for a result."""
    return np.full(shape, np.nan if np.dtype(dtype).kind in "fc" else 77, dtype)


class Local:
    """`cuda.local`: as on a GPU, a call makes the same array each time that it is reached."""

    def __init__(self) -> None:
        self.made: dict[tuple[types.CodeType, int], np.ndarray] = {}

    def array(self, shape: Any, dtype: Any) -> np.ndarray:
        frame = sys._getframe(1)
        place = frame.f_code, frame.f_lasti
        if place not in self.made:
            self.made[place] = full(shape, dtype)
        return self.made[place]


def runnable(program: Program) -> Callable[..., Any]:
    text = render(program).replace("from numba import cuda\n", "")
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    namespace["math"] = shim.math_shim()
    namespace["cuda"] = types.SimpleNamespace(local=Local())
    return shim.scalars(namespace[program.main.name])


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def run(derivative: Any, args: tuple[Any, ...], known: bool) -> tuple[Legal, list[Any], list[Any]]:
    """The program, its results, and those of the CPU."""
    specs = derivative._specs(args)
    made = pipeline.derive(derivative.primal, derivative._recipe, specs)
    wanted = list(arguments.flat([derivative(*copy.deepcopy(args))], [made.result]))
    captured = [c.read() for c in made.captured]
    leaves = [*arguments.flat(args, specs), *captured]
    shapes = {k: a.shape for k, a in enumerate(leaves) if isinstance(a, np.ndarray)} if known else None
    found = legal(pipeline.tidy(inline(made.program)), pipeline.tidy, shapes)
    kinds = [p.type for p in made.program.main.params]
    given = [arguments.converter(t)(a) for t, a in zip(kinds, leaves, strict=True)]
    outs = {o.place: full(wanted[o.place].shape, wanted[o.place].dtype) for o in found.outs}
    lengths = iter(as_tuple(runnable(found.count)(*given)) if found.count is not None else ())
    works = [full([next(lengths) + 2 for _ in range(w.rank)], w.dtype) for w in found.works]  # those of a longer item
    scalars = iter(as_tuple(runnable(found.program)(*given, *outs.values(), *works)))
    return found, [outs[k] if k in outs else next(scalars) for k in range(len(wanted))], wanted


def check(got: list[Any], wanted: list[Any]) -> None:
    for a, c in zip(got, wanted, strict=True):
        assert np.asarray(a).dtype == np.asarray(c).dtype
        np.testing.assert_allclose(a, c, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("kind", "fun", "options", "args"), CASES)
def test_of_known_shapes(kind: str, fun: Callable[..., Any], options: dict[str, Any], args: tuple[Any, ...]) -> None:
    found, got, wanted = run(getattr(sg, kind)(fun, jit=False, **options), args, True)
    assert not found.works
    check(got, wanted)


@pytest.mark.parametrize("known", [True, False], ids=["known shapes", "any shapes"])
@pytest.mark.parametrize(("kind", "fun", "args"), DYNAMIC)
def test_kept_in_work_arrays(kind: str, fun: Callable[..., Any], args: tuple[Any, ...], known: bool) -> None:
    derivative = getattr(sg, kind)(fun, jit=False)
    if fun is until_small and not known:  # how often it turns depends on an array that nobody can give
        with pytest.raises(sg.UnsupportedError, match="a length that is not known"):
            run(derivative, args, known)
        return
    found, got, wanted = run(derivative, args, known)
    assert found.works
    check(got, wanted)


def test_reductions_of_any_length_need_no_memory() -> None:
    def loss(A, x):
        return np.sum((A * x + x[:, None]) ** 2) + np.max(x) + x @ A @ x

    found, got, wanted = run(sg.forward(loss, jit=False), (A, b, A), False)
    assert not found.works and not found.outs
    check(got, wanted)


def test_a_long_array_is_a_work_array() -> None:
    def loss(x):
        y = np.zeros(3000)
        for i in range(3000):
            y[i] = x * i
        return np.sum(y[:10] * y[2990:])

    found, got, wanted = run(sg.grad(loss, jit=False), (0.7,), True)
    assert [w.rank for w in found.works] == [1] * len(found.works) and found.works
    check(got, wanted)


# ---- what one place in memory, and memory that is longer than was asked for, could make wrong


def made_anew(A, x):
    y = x.copy()
    for _ in range(3):
        y = A @ y + x
    return y, np.sum(x)


def one_turn_back(A, x):
    before, now = x, A @ x
    for _ in range(3):
        before, now = now, A @ now - before
    return now, before


def exchanged(A, x):
    y, z = x, A @ x
    for k in range(4):
        y, z = z, y
        if k == 1:
            y = A @ z
    return y, z


def turned_round(x):
    y = x.copy()
    for k in range(4):
        y = (y * x + k)[::-1]
    return y


def until_long(A, x):
    y = x.copy()
    while y @ y < 100.0:
        y[0] += 0.5
        y = A @ y
    return y


def nested_turns(A, x):
    s, y = 0.0, x
    for _ in range(2):
        z = x
        for _ in range(3):
            z = A @ z * 0.5
        y = y * z
        s += y[0]
    return y, s, x[1]


def best_of(A, x):
    best, y = x, x
    for _ in range(4):
        y = np.sin(A @ y)
        if y[0] > best[0]:
            best = y
    return best, y


def from_the_end(x, n):
    y = np.zeros(n)
    for i in range(n):
        y[-i - 1] = x[0] * i
    return y[-1] + y[n - 2] * y[-2] + y[1 - n]


def places_from_the_end(x, n):
    y = np.ones(n) * x[0]
    k = np.arange(n) - n
    y[k] = y[k] * np.arange(n) * x[1]
    return np.sum(y[k] ** 2)


def one_by_many(A, x):
    return x[:, None] * A[:1] + A[0], np.sum(x[:1] * A, axis=0), A[np.array([[0], [2]]), np.array([1])]


def few_bits(x, k, j):
    y = k[::-1] - j
    return np.sum(x * (k - j)) + x[0] * (int(k[2]) - int(j[2])), y, -k * x, k * k * k, np.where(k > 5, k, j), x[k - k]


ODD = np.array([3.0, np.nan, 1.0, 3.0, -1.0, np.nan, 1.0])
STEPS = np.array([0.3, 1.0, 1.0, 2.5])


def in_order(x, M):
    places = np.argsort(M[0] > 0.5)
    return np.sort(x), np.argsort(x), np.sort(M, axis=0), places, np.median(M, axis=1), np.repeat(M, 2, axis=0)


def searched(steps, x):
    right = np.searchsorted(steps, x, side="right")
    return np.searchsorted(steps, x), right, np.searchsorted(steps[:0], 1.0), np.interp(x[2:5], steps[1:], steps[:3])


def products(M):
    return np.prod(M), np.prod(M, axis=0), np.prod(M[:0]), np.linalg.cholesky(M @ M.T)


SHORT = np.array([200, 3, 90], np.uint8)


def long_results(x):
    y = np.concatenate((x,) * 30)
    return np.cumprod(y * 0.9), np.roll(y, 3)


HANDED_ON = [
    (made_anew, (A, b)),
    (one_turn_back, (A, b)),
    (exchanged, (A, b)),
    (turned_round, (b,)),
    (until_long, (A, b)),
    (nested_turns, (A, b)),
    (best_of, (A, b)),
]
OF_KNOWN_SHAPES = [*HANDED_ON, (searched, (STEPS, ODD))]
LAID_OUT = [
    (from_the_end, (b, 5)),
    (places_from_the_end, (b, 5)),
    (one_by_many, (A, b)),
    (one_by_many, (A, b[:1])),
    (long_results, (b,)),
    (few_bits, (b, SHORT, SHORT[::-1].copy())),
    (in_order, (ODD, A)),
    (products, (A,)),
    (few_bits, (b, SHORT.astype(np.int8), np.array([100, 5, -100], np.int8))),
]


@pytest.mark.parametrize(
    ("fun", "args", "known"),
    [*((*case, True) for case in OF_KNOWN_SHAPES), *((*case, known) for case in LAID_OUT for known in (True, False))],
)
def test_where_arrays_lie(fun: Callable[..., Any], args: tuple[Any, ...], known: bool) -> None:
    arrays = [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    dots = [np.cos(args[k]) for k in arrays]
    _, got, wanted = run(sg.forward(fun, argnums=tuple(arrays), jit=False), (*args, *dots), known)
    check(got, wanted)


def test_an_array_made_anew_that_others_see_changing() -> None:
    def seen(A, x):
        y, z = x.copy(), x.copy()
        for k in range(3):
            z[0] += 1.0
            y, z = z, A @ z
        return y, z

    with pytest.raises(sg.UnsupportedError, match="written to while it has other names"):
        run(sg.forward(seen, argnums=(1,), jit=False), (A, b, b), True)


def repeated(x, y):
    return np.sum(np.repeat(x, 2) * y)


def windows(x, y):
    s = 0.0
    for i in range(2):
        s = s + np.sum(x[i : i + 2] * y)
    return s


@pytest.mark.parametrize("fun", [repeated, windows], ids=lambda f: f.__name__)
def test_lengths_that_do_not_fit_are_told(fun: Callable[..., Any]) -> None:
    derivative, args = sg.grad(fun, argnums=(0, 1), jit=False), (np.ones(4), np.ones(3))
    made = pipeline.derive(fun, derivative._recipe, derivative._specs(args))
    found = legal(pipeline.tidy(inline(made.program)), pipeline.tidy, {0: (4,), 1: (3,)})
    works = [np.zeros((9,) * w.rank, w.dtype) for w in found.works]
    with pytest.raises(ValueError, match="the shapes do not fit together"):
        runnable(found.program)(*args, np.zeros(4), np.zeros(3), *works)
