"""Least squares: residuals and their generated Jacobian in one compiled loop."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from srcgrad.api import compiled, jacfwd
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import describe
from srcgrad.optimize.levenberg_marquardt import LOSSES, MESSAGES, least_squares_loop

Part = Callable[..., Any]


class LeastSquaresResult(NamedTuple):
    """The outcome of `least_squares`, by SciPy's names.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The solution.
    cost : float
        Half the sum of the squares, or of the losses, there.
    fun, jac, grad : ndarray of shape (m,), (m, n), (n,)
        The residuals, their Jacobian, and the gradient of the cost.
    optimality : float
        The largest entry of the gradient.
    nfev, njev : int
        How often the residuals and their Jacobian were evaluated.
    status : int
        SciPy's number of the reason why it ended: 1 to 4 where a tolerance is met.
    message : str
        The reason in words.
    success : bool
        Whether a tolerance is met.
    """

    x: Any
    cost: float
    fun: Any
    jac: Any
    grad: Any
    optimality: float
    nfev: int
    njev: int
    status: int
    message: str
    success: bool


def least_squares(
    fun: Part, x0: Any, args: Any = (), *, loss: str = "linear", f_scale: float = 1.0, ftol: float | None = 1e-8,
    xtol: float | None = 1e-8, gtol: float | None = 1e-8, max_nfev: int | None = None, jit: bool = True,
) -> LeastSquaresResult:  # fmt: skip
    """Minimise half the sum of squared residuals by Levenberg and Marquardt's method, with the generated Jacobian.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``: the residuals, an array of any shape, of which the elements are taken one after another.
    x0 : float or ndarray of shape (n,)
        Where to start.
    args : tuple
        Further arguments of `fun`.
    loss : 'linear', 'soft_l1', 'huber', 'cauchy' or 'arctan'
        The robust loss of a squared residual, as SciPy defines it: what is made smallest is half the sum of
        ``f_scale**2 * rho((f / f_scale)**2)``.
    f_scale : float
        From what size on residuals count as outliers; without effect for 'linear'.
    ftol, xtol, gtol : float or None
        It ends when a step lowers the cost by less than this part of it, when a step's norm is less than this part of
        that of `x`, or when no entry of the gradient is larger (None: never).
    max_nfev : int, optional
        How often the residuals are evaluated at most; 100 times the number of parameters by default.
    jit : bool
        Whether it is compiled.

    Returns
    -------
    LeastSquaresResult

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `minimize`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import least_squares
    >>> t = np.linspace(0.0, 1.0, 20)
    >>> y = 2.0 * np.exp(-1.5 * t)
    >>> least_squares(lambda p, t, y: p[0] * np.exp(p[1] * t) - y, np.array([1.0, 0.0]), args=(t, y)).x.round(6)
    array([ 2. , -1.5])
    """
    with speaking_of(None):
        start, numbers = _start(fun, x0), checked(loss, f_scale, ftol, xtol, gtol, max_nfev)
    given = args if isinstance(args, tuple) else (args,)
    number = np.ndim(x0) == 0
    return told(_loop(fun, number, loss, jit)(float(start[0]) if number else start, given, *numbers))


@functools.lru_cache(maxsize=256)
def _loop(fun: Part, number: bool, loss: str, jit: bool) -> Part:
    return compiled(solving(fun, number, loss), jit=jit)


def solving(fun: Part, number: bool, loss: str) -> Part:
    """`(x0, args, f_scale, ftol, xtol, gtol, max_nfev) -> LeastSquaresResult`, without its message."""
    call = residuals(fun, number)
    solve = least_squares_loop(call, jacfwd(call), LOSSES[loss])

    def run(x0, args, f_scale, ftol, xtol, gtol, max_nfev):  # type: ignore[no-untyped-def]
        start = np.array([x0]) if number else x0
        x, cost, found, jac, grad, optimality, nfev, njev, status = solve(
            start, args, f_scale, ftol, xtol, gtol, max_nfev
        )
        x = x[0] if number else x
        return LeastSquaresResult(x, cost, found, jac, grad, optimality, nfev, njev, status, status, status > 0)

    return run


def told(r: Any) -> LeastSquaresResult:
    """The result with its message in words."""
    return LeastSquaresResult(
        r.x, r.cost, r.fun, r.jac, r.grad, r.optimality, r.nfev, r.njev, r.status, MESSAGES[r.status + 1], r.success
    )


def checked(
    loss: Any, f_scale: Any, ftol: Any, xtol: Any, gtol: Any, max_nfev: Any
) -> tuple[float, float, float, float, int]:
    """The numbers that the loop takes. 0 evaluations: as many as is usual."""
    if loss not in LOSSES:
        hint = wording.meant(str(loss), LOSSES, f"the losses are {', '.join(LOSSES)}")
        raise ArgumentError(f"there is no loss {loss!r}", hint=hint)
    if not f_scale > 0.0:
        raise ArgumentError(f"f_scale is {f_scale!r}", hint="give the size of a usual residual")
    if max_nfev is not None and max_nfev < 1:
        raise ArgumentError(f"max_nfev is {max_nfev!r}", hint="give a number of evaluations, 1 at least")
    tols = (_number("ftol", ftol), _number("xtol", xtol), _number("gtol", gtol))
    return float(f_scale), *tols, 0 if max_nfev is None else int(max_nfev)


def residuals(fun: Part, number: bool) -> Part:
    """The residuals of a vector, one after another."""

    def call(x, args):  # type: ignore[no-untyped-def]
        return np.ravel(np.atleast_1d(fun(x[0] if number else x, *args)))

    return hooks.put_around(call, fun)


def _start(fun: Any, x0: Any) -> Any:
    if not callable(fun):
        hint = "give the function itself: least_squares(f, x0), not least_squares(f(x0), x0)"
        raise ArgumentError(f"{fun!r} is not a function", hint=hint)
    start = np.asarray(x0)
    if start.dtype.kind not in "fiu" or start.ndim > 1 or start.size == 0:
        what = wording.of_spec(describe(x0))
        raise ArgumentError(f"x0 is {what}", hint="start from a float or a one-dimensional array of floats")
    return np.atleast_1d(start).astype(np.float64)


def _number(name: str, value: float | None) -> float:
    """The tolerance; one that is never met for None."""
    if value is None:
        return -1.0
    if not value >= 0.0:
        raise ArgumentError(f"{name} is {value!r}", hint="give a small number, or None")
    return float(value)
