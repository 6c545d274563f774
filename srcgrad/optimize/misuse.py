"""What is wrong with a call of a solver: its numbers at once, its function where a solve fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.compiler import lazy
from srcgrad.derivatives import arguments
from srcgrad.errors import ArgumentError, SrcgradError, UnsupportedError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import placed, speaking_of
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf


def check_call(fun: Any, target: Any, mode: Any, tol: Any, maxiter: Any, batch: Any, called: tuple[Any, Any]) -> None:
    """Refuse what no solver can work with."""
    if not callable(fun):
        hint = "give the function itself: newton(f, x0), not newton(f(x0), x0)"
        raise ArgumentError(f"{fun!r} is not a function", hint=hint)
    if target not in ("cpu", "cuda"):
        raise ArgumentError(f"there is no target={target!r}", hint='use target="cpu" or target="cuda"')
    if target == "cuda" and not batch:
        hint = "give many starting points, with batch=True, or leave target out"
        raise UnsupportedError('target="cuda" solves batches, one problem a thread', hint=hint)
    mode = getattr(mode, "mode", mode)
    if mode not in ("forward", "reverse"):
        hint = wording.meant(str(mode), ("forward", "reverse"), "use mode='forward' or mode='reverse'", "mode='{}'")
        raise ArgumentError(f"there is no mode={mode!r}", hint=hint)
    number("tol", tol, "a number from 0", lambda v: v >= 0.0)
    number("maxiter", maxiter, "an integer from 0", lambda v: v >= 0 and int(v) == v)
    check_callback(*called, batch)


def check_callback(callback: Any, every: Any, batch: Any) -> None:
    """Refuse a callback that cannot be called, and one for a batch."""
    if callback is None and every is None:
        return
    if batch:
        message = "a batch has no callback: its problems are not at the same step"
        raise UnsupportedError(message, hint="leave callback out, or solve from each start by itself")
    if not callable(callback):
        missing = "callback_every is given without a callback"
        what = missing if callback is None else f"callback={callback!r} is not a function"
        raise ArgumentError(what, hint="write callback=lambda x, fun, nit: print(nit, fun)")
    if every is not None:
        number("callback_every", every, "an integer from 1", lambda v: v >= 1 and int(v) == v)


def check_options(given: dict[str, Any]) -> None:
    """Refuse rates and decays outside their ranges."""
    for name, value in given.items():
        if name in ("lr", "epsilon"):
            number(name, value, "a number above 0", lambda v: v > 0.0)
        else:
            number(name, value, "a number from 0 to below 1", lambda v: 0.0 <= v < 1.0)


def number(name: str, value: Any, what: str, holds: Callable[[Any], bool]) -> None:
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not numeric or not holds(value):
        raise ArgumentError(f"{name}={value!r} is not {what}", hint=f"leave {name} out, or give {what}")


def explained(error: SrcgradError, fun: Any, start: Any, args: Sequence[Any], minimises: bool) -> SrcgradError:
    """What is wrong with the user's function, if that is why a solve failed; else the error as it is."""
    try:
        with speaking_of(fun):
            _examine(fun, start, args, minimises)
    except SrcgradError as better:
        return better
    return placed(error, fun)


def _examine(fun: Any, start: Any, args: Sequence[Any], minimises: bool) -> None:
    parameters = arguments.Parameters(signature_of(fun))
    values = parameters.bind((start, *args), {})
    specs = [arguments.spec_of(v, n) for v, n in zip(values, parameters.names, strict=True)]
    result = lazy.program.lowered(fun, specs).result
    rank = 0 if minimises else np.ndim(start)
    if not isinstance(result, Leaf) or result.type.rank != rank or not result.type.is_float or result.type.is_complex:
        want = "one number" if rank == 0 else "an array of floats with one entry for each of x"
        what = "an objective gives" if minimises else "a residual gives"
        raise ArgumentError(
            f"the function returns {wording.of_spec(result)}, where {what} {want}", hint=f"return {want}"
        )
    if rank:
        got = np.shape(fun(start.copy(), *args))
        if got != start.shape:
            message = f"the residual has the shape {got} for an x of shape {start.shape}"
            raise ArgumentError(message, hint="give as many equations as unknowns")
