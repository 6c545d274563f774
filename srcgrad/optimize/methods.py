"""From a function to the loop that solves for it: which derivatives it needs, and how a method begins and advances."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from srcgrad.api import compiled, forward, grad, hessian, jacfwd, jacrev, value_and_grad
from srcgrad.compiler.request import Limit
from srcgrad.derivatives.checkpoint_option import limit_of
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.optimize import first_order, linear, second_order
from srcgrad.optimize.descent import NIT, VALUE, Method, searching, start
from srcgrad.optimize.loop import descending
from srcgrad.optimize.result import outcome
from srcgrad.optimize.roots import scalar_newton, system_newton

Part = Callable[..., Any]


class Swept(NamedTuple):
    """How derivatives are made that keep so much of a loop."""

    mode: str
    checkpoint: Limit | None


Mode = str | Swept


def kept(mode: str, checkpoint: Any) -> Mode:
    """The mode, with what is kept of a loop if that is asked for."""
    if checkpoint is None:
        return mode
    with speaking_of(None):
        if mode == "forward":
            message = "forward mode keeps nothing: checkpoint is of reverse mode"
            raise ArgumentError(message, hint='leave checkpoint out, or use mode="reverse"')
        return Swept(mode, limit_of(checkpoint))


def options_of(mode: Mode) -> dict[str, Any]:
    return {} if isinstance(mode, str) else {"checkpoint": mode.checkpoint}


def spoken(mode: Mode) -> dict[str, Any]:
    """The mode as the parameters that say it."""
    return {"mode": _name(mode), **options_of(mode)}


def _name(mode: Mode) -> str:
    return mode if isinstance(mode, str) else mode.mode


# The methods of `minimize`, with their options and what these are by default.
METHODS: dict[str, dict[str, float]] = {
    "newton": {},
    "gradient-descent": {"lr": 0.01, "momentum": 0.0},
    "adam": {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "bfgs": {},
    "lbfgs": {},
}
MEMORY = 10
SEARCHING = ("newton", "bfgs", "lbfgs")


def spread(fun: Part) -> Part:
    """The function as one of `(x, args)`."""

    def call(x, args):  # type: ignore[no-untyped-def]
        return fun(x, *args)

    return hooks.put_around(call, fun)


@functools.lru_cache(maxsize=256)
def newton_loop(fun: Part, rank: int, mode: Mode, record: bool, jit: bool) -> Any:
    """The compiled loop `(x0, args, tol, maxiter) -> (x, fun, nit, success, message, nfev)`; its `.source` can be
    read."""
    call = spread(fun)
    if rank == 0:
        return compiled(scalar_newton(call, _slope(call, mode), record), jit=jit)
    jacobian = jacfwd(call) if mode == "forward" else jacrev(call, **options_of(mode))
    return compiled(system_newton(call, jacobian, record), jit=jit)


@functools.lru_cache(maxsize=256)
def minimising_loop(fun: Part, method: str, rank: int, tolerant: bool, mode: Mode, record: bool, jit: bool) -> Any:
    """The compiled loop `(x0, args, tol, maxiter, options) -> (x, fun, nit, success, message, nfev)`."""
    if method in SEARCHING:
        return compiled(_searching_whole(fun, method, mode, record), jit=jit)
    return compiled(_descending_whole(fun, method, rank, tolerant, mode, record), jit=jit)


def _searching_whole(fun: Part, method: str, mode: Mode, record: bool) -> Part:
    call = spread(fun)
    chosen = _method(call, method, mode)
    begin, solve = chosen.begin, searching(both(call, mode), chosen, record, False)

    def minimize(x0, args, tol, maxiter, options):  # type: ignore[no-untyped-def]
        x, status, nfev, history, *trial = solve(x0, start(x0), begin(x0), args, tol, maxiter, 0, 0)
        value, nit = trial[VALUE], max(trial[NIT], 0)
        success, message = outcome(status, abs(value) < math.inf, tol)
        if record:
            return x, value, nit, success, message, nfev, history
        return x, value, nit, success, message, nfev

    return minimize


def _descending_whole(fun: Part, method: str, rank: int, tolerant: bool, mode: Mode, record: bool) -> Part:
    begin, solve = descent_parts(fun, method, rank, tolerant, mode, record)

    def minimize(x0, args, tol, maxiter, options):  # type: ignore[no-untyped-def]
        x, _, *rest = solve(x0, begin(x0), args, tol, maxiter, options)
        return x, *rest

    return minimize


def descent_parts(fun: Part, method: str, rank: int, tolerant: bool, mode: Mode, record: bool) -> tuple[Part, Part]:
    """Of a first-order method: `begin(x0) -> state`, and the loop, which takes up what another call of it has left."""
    call = spread(fun)
    begin, advance, own = _steps(method, rank)
    size = (abs, linear.largest, linear.largest_of_all)[min(rank, 2)]
    return begin, descending(
        call, grad(call, mode=_name(mode), **options_of(mode)), own, advance, size, tolerant, record
    )


@functools.lru_cache(maxsize=256)
def descent_blocks(
    fun: Part, method: str, rank: int, tolerant: bool, mode: Mode, record: bool, jit: bool
) -> tuple[Part, Any]:
    """As `descent_parts`, compiled."""
    begin, solve = descent_parts(fun, method, rank, tolerant, mode, record)
    return begin, compiled(solve, jit=jit)


@functools.lru_cache(maxsize=256)
def search_loop(fun: Part, method: str, mode: Mode, record: bool, jit: bool) -> Any:
    """The compiled loop of a method that searches along a direction, which pauses."""
    call = spread(fun)
    return compiled(searching(both(call, mode), _method(call, method, mode), record, True), jit=jit)


@functools.cache
def beginning(method: str) -> Part:
    """`begin(x0) -> memory` of such a method, whatever the function."""
    return (second_order.newton(both) if method == "newton" else _quasi_newton(method)).begin


def _slope(fun: Part, mode: Mode) -> Part:
    """`(x, args) -> (value, slope)`."""
    if _name(mode) == "reverse":
        slope = grad(fun, **options_of(mode))
        return lambda x, args: (fun(x, args), slope(x, args))
    tangent = forward(fun)
    return lambda x, args: tangent(x, args, 1.0)


def both(fun: Part, mode: Mode) -> Part:
    """`(x, args) -> (value, gradient)`."""
    made: Part = value_and_grad(fun, mode=_name(mode), **options_of(mode))
    return made


def _method(fun: Part, method: str, mode: Mode) -> Method:
    if method == "newton":
        return second_order.newton(hessian(fun, **options_of(mode)))
    return _quasi_newton(method)


def _quasi_newton(method: str) -> Method:
    return second_order.bfgs() if method == "bfgs" else second_order.lbfgs(MEMORY)


def _steps(method: str, rank: int) -> tuple[Part, Part, Part]:
    if method == "adam":
        return first_order.begin_adam, first_order.adam, first_order.own_adam
    if rank == 0:
        return first_order.begin_number, first_order.descend_number, first_order.own_number
    if method.startswith("plain descent"):
        own = first_order.OWN_SHORT.get(method, first_order.own_plain)
        return first_order.begin_plain, first_order.descend_plain, own
    advance = first_order.descend_vector if rank == 1 else first_order.descend_array
    return first_order.begin_array, advance, first_order.own_array
