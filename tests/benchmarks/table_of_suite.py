"""What the suite measures: a function, its derivative by srcgrad, by hand and by others, at several sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import srcgrad as sg
from tests.benchmarks import arrays
from tests.benchmarks.workloads import cases
from tests.benchmarks.workloads.table import Workload, bound_to

Peer = Callable[[tuple[Any, ...]], tuple[Callable[[], Any], float]]  # a call, and the seconds that its import took


@dataclass
class Case:
    """`hand` is plain Python until it is compiled; `bar`: the derivative's time over the primal's, at most."""

    name: str
    fun: Any
    sizes: list[tuple[int, ...]]
    args: Callable[[tuple[int, ...]], tuple[Any, ...]]
    derivative: Callable[[], Any]
    primal: Callable[[], Any]
    hand: Any = None
    bar: float | None = None
    jax: Peer | None = None
    autograd: Peer | None = None
    explained: Callable[[Any, tuple[Any, ...]], str] | None = None
    what: str = "value and gradient"


def of_workload(w: Workload) -> Case:
    import numba

    return Case(
        w.name,
        w.fun,
        w.spans(),
        w.args_of,
        lambda: sg.value_and_grad(w.fun, argnums=w.argnums),
        lambda: numba.njit(arrays.with_jitted_helpers(w.fun)),
        w.hand,
        w.bar,
        (lambda args: arrays.in_jax(w, args)) if w.peer is not None else None,
        (lambda args: in_autograd(w, args)) if w.peer is w.fun else None,
        lambda derivative, args: derivative.explain(*args),
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


def all_cases() -> list[Case]:
    return [of_workload(w) for w in cases.ALL if w.hand is not None]


def chosen(names: list[str] | None) -> list[Case]:
    """Those of these names; a name's beginning stands for all that begin so."""
    found = all_cases()
    known = {c.name for c in found}
    if names:
        found = [c for c in found if any(c.name == n if n in known else c.name.startswith(n) for n in names)]
    if not found:
        raise SystemExit(f"no workload of that name; there are {', '.join(sorted(known))}")
    return found


def named(name: str) -> Case:
    return next(c for c in all_cases() if c.name == name)
