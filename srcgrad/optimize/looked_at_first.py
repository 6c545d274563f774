"""Solves that are looked for before all else, as they may take less than a microsecond: `newton` from a number and
`gradient_descent` from a vector, of functions of these alone, called again with options of the usual kinds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from srcgrad.backend.cpu import entry
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.errors import SrcgradError
from srcgrad.optimize import straight
from srcgrad.optimize.misuse import explained
from srcgrad.optimize.result import MESSAGES, OptimizeResult

P = ParamSpec("P")
R = TypeVar("R")

# by the function: its code, what takes (x0, tol, maxiter), and how many steps are surely short
ROOTS: dict[Any, tuple[CodeType | None, Callable[..., Any], int]] = {}
UNKNOWN: tuple[None, Callable[..., Any], int] = None, print, -1
NOTHING: tuple[()] = ()

# by the function: the vector's shape, what takes (x0, tol, maxiter, lr, momentum), how many steps are surely short, and
# whether there is a tolerance
DESCENTS: dict[Any, tuple[tuple[int, ...] | None, Callable[..., Any], int, bool]] = {}
ELSEWHERE: tuple[None, Callable[..., Any], int, bool] = None, print, -1, False

_new: Callable[[type[OptimizeResult], Any], OptimizeResult] = tuple.__new__


def roots_first(newton: Callable[P, R]) -> Callable[P, R]:
    """The solver, which looks whether a call is such a one before all else."""

    @functools.wraps(newton)
    def call(fun, x0, args=(), *, tol=1e-12, maxiter=50, **options):  # type: ignore[no-untyped-def]
        if args is NOTHING and not options and x0.__class__ is float:
            code, run, most = ROOTS.get(fun, UNKNOWN)
            if maxiter.__class__ is int and 0 <= maxiter <= most and tol.__class__ is float and tol >= 0.0:
                if fun.__code__ is code:
                    try:
                        found = run(x0, tol, maxiter)
                    except SrcgradError as error:
                        raise explained(error, fun, x0, (), False) from error.__cause__
                    if found is not OTHER:
                        x, value, nit, success, message, nfev = found
                        return _new(OptimizeResult, (x, value, nit, success, MESSAGES[message], nfev))
                ROOTS.pop(fun, None)
        return newton(fun, x0, args, tol=tol, maxiter=maxiter, **options)

    return cast("Callable[P, R]", call)


def descents_first(descent: Callable[P, R]) -> Callable[P, R]:
    """The same of gradient descent."""

    @functools.wraps(descent)
    def call(fun, x0, args=(), *, lr=0.01, maxiter=1000, tol=0.0, **options):  # type: ignore[no-untyped-def]
        if args is NOTHING and not options and x0.__class__ is np.ndarray:
            shape, run, most, tolerant = DESCENTS.get(fun, ELSEWHERE)
            if shape == x0.shape and maxiter.__class__ is int and 0 <= maxiter <= most:
                numbers = lr.__class__ is float and lr > 0.0 and tol.__class__ is float
                if numbers and (tol > 0.0 if tolerant else tol == 0.0):
                    try:
                        found = run(x0, tol, maxiter, lr, 0.0)
                    except SrcgradError as error:
                        raise explained(error, fun, x0, (), True) from error.__cause__
                    if found is not OTHER:
                        x, value, nit, success, message, nfev = found
                        return _new(OptimizeResult, (x, value, nit, success, MESSAGES[message], nfev))
                    DESCENTS.pop(fun, None)
        return descent(fun, x0, args, lr=lr, maxiter=maxiter, tol=tol, **options)

    return cast("Callable[P, R]", call)


def remember_descent(fun: Any, run: straight.Straight, shape: tuple[int, ...], most: int, tolerant: bool) -> None:
    """So many steps of this way to the compiled loop are surely short."""
    if len(DESCENTS) >= straight.MOST:
        DESCENTS.clear()
    DESCENTS[fun] = shape, run, most, tolerant


def remember_root(fun: Any, run: straight.Straight, most: int) -> None:
    """So many steps of this way to the compiled loop are surely short."""
    if len(ROOTS) >= straight.MOST:
        ROOTS.clear()
    if type(fun) is FunctionType:
        ROOTS[fun] = fun.__code__, _bare(fun, run), most


def _bare(fun: Any, run: straight.Straight) -> Callable[..., Any]:
    """The compiled loop itself, if nothing is looked at before but the function's code."""
    space = run.__globals__
    alone = space.get("_alone")
    return run if alone is None or alone.function is not fun else entry(space["_run"], float, float, int)
