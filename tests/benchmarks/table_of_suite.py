"""What the suite measures: a function, its derivative by srcgrad, by hand and by others, at several sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import srcgrad as sg
from tests.benchmarks import arrays
from tests.benchmarks.workloads.table import Workload, bound_to

Peer = Callable[[tuple[Any, ...]], tuple[Callable[[], Any], float]]  # a call, and the seconds that its import took


@dataclass
class Case:
    """`derivative(jit)` and `primal()` make what is called with the arguments; `hand` is plain Python until it is
    compiled; `bar`: the derivative's time over the primal's, at most; `tiny`: the size for tests."""

    name: str
    fun: Any
    sizes: list[tuple[int, ...]]
    args: Callable[[tuple[int, ...]], tuple[Any, ...]]
    derivative: Callable[[bool], Any]
    primal: Callable[[], Any]
    hand: Any = None
    bar: float | None = None
    jax: Peer | None = None
    autograd: Peer | None = None
    explained: Callable[[Any, tuple[Any, ...]], str] | None = None
    what: str = "value and gradient"
    tiny: tuple[int, ...] = ()


def jitted(fun: Any) -> Callable[[], Any]:
    """Compiles the function as users do, with what it calls, itself too."""
    import numba

    def make() -> Any:
        plain = arrays.with_jitted_helpers(fun)
        plain.__globals__[fun.__name__] = made = numba.njit(plain)
        return made

    return make


def of_workload(w: Workload) -> Case:
    return Case(
        w.name,
        w.fun,
        w.spans(),
        w.args_of,
        lambda jit: sg.value_and_grad(w.fun, argnums=w.argnums, jit=jit),
        jitted(w.fun),
        w.hand,
        w.bar,
        (lambda args: arrays.in_jax(w, args)) if w.peer is not None else None,
        (lambda args: in_autograd(w, args)) if w.peer is w.fun else None,
        lambda derivative, args: derivative.explain(*args),
        tiny=w.sizes.tiny,
    )


def in_autograd(w: Workload, args: tuple[Any, ...]) -> tuple[Callable[[], Any], float]:
    """The value and gradient by HIPS autograd, of functions that overwrite nothing."""
    start = time.process_time()
    import autograd
    import autograd.numpy

    imported = time.process_time() - start
    fun = bound_to(w.fun, dict(w.fun.__globals__) | {"np": autograd.numpy})
    made = autograd.value_and_grad(fun, w.argnums)
    return (lambda: made(*args)), imported
