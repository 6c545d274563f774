"""Programs for a GPU's thread, run as Python: arrays, and work arrays as long as the counting program says."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import arguments, pipeline
from srcgrad.backend import shim
from srcgrad.core.inline import inline
from srcgrad.core.ir import Program
from srcgrad.syntax.origins import follow
from srcgrad.syntax.origins import found as looked_up
from srcgrad.syntax.render import render
from srcgrad.transform.device import Legal, legal
from tests.cuda.arrays import CASES, DYNAMIC, A, b, until_small


def local(shape: Any, dtype: Any) -> np.ndarray:
    """A local array, full of what no program can mistake for a result."""
    return np.full(shape, np.nan if np.dtype(dtype).kind == "f" else 77, dtype)


def runnable(program: Program) -> Callable[..., Any]:
    text = render(program).replace("from numba import cuda\n", "")
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    namespace["math"] = shim.math_shim()
    namespace["cuda"] = types.SimpleNamespace(local=types.SimpleNamespace(array=local))
    return shim.scalars(namespace[program.main.name])


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def run(derivative: Any, args: tuple[Any, ...], known: bool) -> tuple[Legal, list[Any], list[Any]]:
    """The program, its results, and those of the CPU."""
    specs = derivative._specs(args)
    made = pipeline.derive(derivative.primal, derivative._recipe, specs)
    wanted = list(arguments.flat([derivative(*copy.deepcopy(args))], [made.result]))
    captured = [follow(looked_up(c.origin.space, c.origin.name), c.origin.path) for c in made.captured]
    leaves = [*arguments.flat(args, specs), *captured]
    shapes = {k: a.shape for k, a in enumerate(leaves) if isinstance(a, np.ndarray)} if known else None
    found = legal(pipeline.tidy(inline(made.program)), pipeline.tidy, shapes)
    kinds = [p.type for p in made.program.main.params]
    given = [arguments.converter(t)(a) for t, a in zip(kinds, leaves, strict=True)]
    outs = {o.place: local(wanted[o.place].shape, wanted[o.place].dtype) for o in found.outs}
    lengths = iter(as_tuple(runnable(found.count)(*given)) if found.count is not None else ())
    works = [local([next(lengths) for _ in range(w.rank)], w.dtype) for w in found.works]
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
