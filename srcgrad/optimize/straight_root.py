"""`newton` from a number, called again for a function of that number alone: one step to the compiled loop, since all
that it takes is less than a microsecond."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, ParamSpec, TypeVar, cast

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

_new: Callable[[type[OptimizeResult], Any], OptimizeResult] = tuple.__new__


def first(newton: Callable[P, R]) -> Callable[P, R]:
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


def remember(fun: Any, run: straight.Straight, most: int) -> None:
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
