"""From a function to the loop that solves for it: which derivatives it needs, and how a method begins and advances."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.api import compiled, forward, grad, hessian, jacfwd, jacrev, vmap
from srcgrad.optimize import first_order, linear, second_order
from srcgrad.optimize.loop import minimiser
from srcgrad.optimize.roots import scalar_newton, system_newton

Part = Callable[..., Any]

# The methods of `minimize`, with their options and what these are by default.
METHODS: dict[str, dict[str, float]] = {
    "newton": {},
    "gradient-descent": {"lr": 0.01, "momentum": 0.0},
    "adam": {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "bfgs": {},
    "lbfgs": {},
}
MEMORY = 10


def spread(fun: Part) -> Part:
    """The function as one of `(x, args)`."""

    def call(x, args):  # type: ignore[no-untyped-def]
        return fun(x, *args)

    call.__srcgrad_of__ = fun  # type: ignore[attr-defined]
    return call


@functools.lru_cache(maxsize=256)
def newton_loop(fun: Part, rank: int, mode: str, record: bool, jit: bool) -> Any:
    """The compiled loop `(x0, args, tol, maxiter) -> (x, fun, nit, success)`; its `.source` can be read."""
    call = spread(fun)
    if rank == 0:
        return compiled(scalar_newton(call, _slope(call, mode), record), jit=jit)
    jacobian = jacfwd(call) if mode == "forward" else jacrev(call)
    return compiled(system_newton(call, jacobian, record), jit=jit)


@functools.lru_cache(maxsize=256)
def minimising_loop(fun: Part, method: str, rank: int, tolerant: bool, mode: str, record: bool, jit: bool) -> Any:
    """The compiled loop `(x0, args, tol, maxiter, options) -> (x, fun, nit, success)`."""
    call = spread(fun)
    begin, advance = _parts(call, method, rank)
    size = (abs, linear.largest, linear.largest_of_all)[min(rank, 2)]
    return compiled(minimiser(call, grad(call, mode=mode), begin, advance, size, tolerant, record), jit=jit)


@functools.lru_cache(maxsize=256)
def batched(loop: Any, others: int, jit: bool, target: str = "cpu", single: bool = False) -> Any:
    """The loop from many starting points, with the same for each of the other parameters. single: whether these are
    numbers of single precision, as the kernel's are to be that it ends at."""
    narrow = {3: _narrow_root, 4: _narrow_minimum}[others]
    loop = narrow(loop) if single and target != "cpu" else loop
    return vmap(loop, (0, *(None,) * others), jit=jit, target=target)


def _narrow_root(loop: Part) -> Part:
    def newton(x0, args, tol, maxiter):  # type: ignore[no-untyped-def]
        x, value, nit, success = loop(x0, args, tol, maxiter)
        return np.float32(x), value, nit, success

    return newton


def _narrow_minimum(loop: Part) -> Part:
    def minimize(x0, args, tol, maxiter, options):  # type: ignore[no-untyped-def]
        x, value, nit, success = loop(x0, args, tol, maxiter, options)
        return np.float32(x), value, nit, success

    return minimize


def _slope(fun: Part, mode: str) -> Part:
    """`(x, args) -> (value, slope)`."""
    if mode == "reverse":
        slope = grad(fun)
        return lambda x, args: (fun(x, args), slope(x, args))
    tangent = forward(fun)
    return lambda x, args: tangent(x, args, 1.0)


def _parts(fun: Part, method: str, rank: int) -> tuple[Part, Part]:
    if method == "newton":
        return second_order.newton(fun, hessian(fun))
    if method == "bfgs":
        return second_order.bfgs(fun)
    if method == "lbfgs":
        return second_order.lbfgs(fun, MEMORY)
    if method == "adam":
        return first_order.begin_adam, first_order.adam
    if rank == 0:
        return first_order.begin_number, first_order.descend_number
    if method == "plain descent":
        return first_order.begin_plain, first_order.descend_plain
    return first_order.begin_array, first_order.descend_vector if rank == 1 else first_order.descend_array
