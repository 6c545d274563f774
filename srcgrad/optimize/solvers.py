"""The solvers that a user calls: each puts a function and its derivatives into a loop that is one compiled function."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import numpy as np

from srcgrad.compiler import lazy
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.errors import ArgumentError, SrcgradError, UnsupportedError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import describe
from srcgrad.optimize import looked_at_first, straight
from srcgrad.optimize.batches import Axes, axes_of
from srcgrad.optimize.blocks import Watch, amount
from srcgrad.optimize.bounds import minimum_in_box
from srcgrad.optimize.first_order import SHORT
from srcgrad.optimize.methods import (
    METHODS,
    SEARCHING,
    descent_blocks,
    kept,
    minimising_loop,
    newton_loop,
    spoken,
)
from srcgrad.optimize.misuse import check_call, check_options, explained
from srcgrad.optimize.running import (
    Result,
    by_search,
    classes,
    from_point,
    from_starts,
    from_state,
    like,
    missed,
    rank_of,
    remember,
    root_of_many,
    told,
)
from srcgrad.optimize.structured import structured, through_vector

if TYPE_CHECKING:
    from srcgrad.optimize.option_types import DescentOptions, MinimizeOptions, SolverOptions
    from srcgrad.optimize.result import OptimizeHistory, OptimizeResult

# what solves that are looked at first are given: the class of x0, classes of args, mode, history, jit, target, batch
USUAL_ROOT = float, (), "forward", False, True, "cpu", False
USUAL = np.ndarray, (), "reverse", False, True, "cpu", False
Callback = Callable[[Any, Any, int], Any] | None


@overload
def newton(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    history: Literal[False] = False,
    **options: Unpack[SolverOptions],
) -> OptimizeResult: ...
@overload
def newton(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: Literal[True], **options: Unpack[SolverOptions]
) -> OptimizeHistory: ...
@overload
def newton(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: bool, **options: Unpack[SolverOptions]
) -> Result: ...
@looked_at_first.roots_first
def newton(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, tol: float = 1e-12, maxiter: int = 50,
    target: str = "cpu", mode: str = "forward", history: bool = False, batch: Any = False, jit: bool = True,
    callback: Callback = None, callback_every: int | None = None, checkpoint: Any = None,
) -> Result:  # fmt: skip
    """A root of ``fun(x, *args) = 0`` by Newton's method, a scalar or a square system.

    From Python, with some hundred variables or more, the Jacobian is a sparse matrix where it has few entries.

    Parameters
    ----------
    fun : callable
        The residual: a float for a float, an array of shape ``(n,)`` for one of shape ``(n,)``.
    x0 : float, ndarray of shape (n,), or a tuple, dict, NamedTuple, dataclass or list of floats and arrays
        Where to start; `fun` is given the same structure, and may give one.
    args : tuple
        Further arguments of `fun`.
    tol : float
        The solve ends when no entry of the step exceeds ``tol * (1 + |x|)``.
    maxiter, history : int, bool
        The largest number of steps; whether the largest residual at each point comes too, as ``history``.
    mode, checkpoint : 'forward' or 'reverse', and as of `grad`
        How the derivative is made, and how much a sweep back keeps of loops.
    batch, target, jit : bool or tuple, 'cpu' or 'cuda', bool
        Many starts along `x0`'s first axis (True: `args` are for all; a tuple: the mapped axis, or None, of `x0` and
        of each of `args`); one a thread of a GPU; whether it is compiled.
    callback, callback_every : callable, int
        Called as ``callback(x, fun, nit)`` once a second at most, or after each so many steps; raising StopIteration
        ends the solve.

    Returns
    -------
    OptimizeResult
        ``(x, fun, nit, success, message, nfev)``.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`; the first also if the start, an option, or what `fun` returns does not fit.

    Examples
    --------
    >>> from srcgrad import newton
    >>> round(newton(lambda x: x * x - 2.0, 1.0).x, 12)
    1.414213562373
    """
    key = (fun, x0.__class__, classes(args), kept(mode, checkpoint), history, jit, target, batch)
    if _fine_root(tol, maxiter, callback) and (made := _plain_root(key, x0, args, tol, maxiter)) is not None:
        return made
    return _root(key, x0, _tuple(args), tol, maxiter, (callback, callback_every))


def _fine_root(tol: Any, maxiter: Any, callback: Callback) -> bool:
    return tol.__class__ is float and tol >= 0.0 and _fine(maxiter, 1.0, 0.0, callback)


def _plain_root(key: Any, x0: Any, args: Any, tol: float, maxiter: int) -> Result | None:
    """The result of the compiled loop, if it needs nothing else, is known and surely short."""
    run, turns = straight.known(key)
    if run is None or maxiter > turns.get(amount((x0, *args)), 0):
        return None
    try:
        found = run(x0, *args, tol, maxiter)
    except SrcgradError as error:
        raise explained(error, key[0], x0, args, False) from error.__cause__
    if found is OTHER:
        missed(key, x0)
        return None
    if key[1:] == USUAL_ROOT and key in straight.PLAIN:
        looked_at_first.remember_root(key[0], run, turns[amount((x0,))])
    return told(found)


@overload
def gradient_descent(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    history: Literal[False] = False,
    **options: Unpack[DescentOptions],
) -> OptimizeResult: ...
@overload
def gradient_descent(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: Literal[True], **options: Unpack[DescentOptions]
) -> OptimizeHistory: ...
@overload
def gradient_descent(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: bool, **options: Unpack[DescentOptions]
) -> Result: ...
@looked_at_first.descents_first
def gradient_descent(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, lr: float = 0.01, maxiter: int = 1000, tol: float = 0.0,
    momentum: float = 0.0, target: str = "cpu", mode: str = "reverse", history: bool = False, batch: Any = False,
    jit: bool = True, callback: Callback = None, callback_every: int | None = None, checkpoint: Any = None,
) -> Result:  # fmt: skip
    """Minimise a function of a number or an array by gradient descent.

    ``velocity = momentum * velocity - lr * gradient``, then ``x = x + velocity``, at each step.

    Parameters
    ----------
    fun, x0 : callable, and a float, an ndarray, or a tuple, dict, NamedTuple, dataclass or list of these
        The objective, which gives a float, and where to start, of any shape.
    args : tuple
        Further arguments of `fun`.
    lr, momentum : float
        The learning rate and the part of the last step that goes on.
    maxiter, tol : int, float
        The number of steps, at most; the solve ends when no entry of the gradient exceeds `tol` (0: never).
    mode, checkpoint : 'reverse' or 'forward', and as of `grad`
        How the gradient is made, and how much a sweep back keeps of loops.
    history : bool
        Whether the objective at each point comes too, as ``history``.
    batch, target, jit : bool or tuple, 'cpu' or 'cuda', bool
        Many starts along `x0`'s first axis (True: `args` are for all; a tuple: the mapped axis, or None, of `x0` and
        of each of `args`); one a thread of a GPU; whether it is compiled.
    callback, callback_every : callable, int
        Called as ``callback(x, fun, nit)`` once a second at most, or after each so many steps; raising StopIteration
        ends the solve.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `newton`.

    Examples
    --------
    >>> from srcgrad import gradient_descent
    >>> round(gradient_descent(lambda x: (x - 3.0) ** 2, 0.0, lr=0.1).x, 12)
    3.0
    """
    method = "gradient-descent" if momentum else _plain_descent(x0, batch)
    stops = tol.__class__ is float and tol > 0.0
    key = (fun, x0.__class__, classes(args), kept(mode, checkpoint), history, jit, target, batch, method, stops)
    plain = (stops or tol == 0.0) and _fine(maxiter, lr, momentum, callback)
    if plain and (made := _at_once(key, x0, args, tol, maxiter, lr, momentum)) is not None:
        return made
    return _descent(key, x0, _tuple(args), tol, maxiter, lr, momentum, (callback, callback_every))


def _plain_descent(x0: Any, batch: bool) -> str:
    """The method without momentum, by the length of a short vector."""
    short = x0.__class__ is np.ndarray and x0.ndim == 1 and 1 <= x0.shape[0] <= len(SHORT) and not batch
    return SHORT[x0.shape[0] - 1] if short else "plain descent"


def _at_once(key: Any, x0: Any, args: Any, tol: float, maxiter: int, lr: float, momentum: float) -> Result | None:
    """The result of the compiled loop, if it is known and surely short."""
    run, turns = straight.known(key)
    if run is None or maxiter > turns.get(amount((x0, *args)), 0):
        return None
    try:
        got = run(x0, *((0.0 * x0,) if momentum else ()), *args, tol, maxiter, lr, momentum)
    except SrcgradError as error:
        raise explained(error, key[0], x0, args, True) from error.__cause__
    if got is OTHER:
        missed(key, x0)
        return None
    if key[1:8] == USUAL and not momentum and key in straight.PLAIN:
        looked_at_first.remember_descent(key[0], run, x0.shape, turns[amount((x0,))], key[9])
    return told((got[0], *got[2:]) if momentum else got)


@overload
def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    history: Literal[False] = False,
    **options: Unpack[MinimizeOptions],
) -> OptimizeResult: ...
@overload
def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: Literal[True], **options: Unpack[MinimizeOptions]
) -> OptimizeHistory: ...
@overload
def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, history: bool, **options: Unpack[MinimizeOptions]
) -> Result: ...
def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), *, method: str = "newton", bounds: Any = None, tol: float = 1e-8,
    maxiter: int = 1000, target: str = "cpu", mode: str = "reverse", history: bool = False, batch: Any = False,
    jit: bool = True, callback: Callback = None, callback_every: int | None = None, checkpoint: Any = None,
    lr: float | None = None, momentum: float | None = None, beta1: float | None = None, beta2: float | None = None,
    epsilon: float | None = None,
) -> Result:  # fmt: skip
    """Minimise a function by one of several methods.

    Parameters
    ----------
    fun, x0, args, tol, maxiter, mode, history, batch, target, jit, callback, callback_every, checkpoint
        As for `gradient_descent`.
    method : 'newton', 'bfgs', 'lbfgs', 'adam' or 'gradient-descent'
        Newton uses the generated Hessian, from Python a sparse one of hundreds of variables. The first three search
        for points that meet the strong Wolfe conditions; the first trial of BFGS and L-BFGS is at 1 at most.
    bounds : sequence of (float or None, float or None), or scipy.optimize.Bounds
        The lower and upper bound of each variable, for method 'lbfgs', called from Python: it ends when no entry of
        the step ``clip(x - gradient) - x`` exceeds `tol`.
    lr, momentum, beta1, beta2, epsilon : float
        Of 'gradient-descent', `lr` and `momentum`, by default 0.01 and 0; of 'adam' (Kingma & Ba, 2015), all but
        `momentum`, by default 0.01, 0.9, 0.999 and 1e-8.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `newton`; also for a method, or an option of another method, that there is not.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import minimize
    >>> f = lambda x: (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2
    >>> minimize(f, np.array([-1.0, 1.0]), method="bfgs").x.round(6)
    array([1., 1.])
    """
    given = {"lr": lr, "momentum": momentum, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    choices: dict[str, Any] = {"tol": tol, "maxiter": maxiter, "target": target, "mode": mode, "history": history}
    if bounds is not None:
        with speaking_of(None):
            check_call(fun, target, mode, tol, maxiter, batch, (callback, callback_every))
        others = {"batch": batch, "target": target, "callback": callback, **given}
        swept, given_args = kept(mode, checkpoint), _tuple(args)
        limits = float(tol), int(maxiter)
        return minimum_in_box(fun, x0, bounds, given_args, method, others, swept, limits, history=history, jit=jit)
    choices |= {"jit": jit, "checkpoint": checkpoint, **given}
    return _minimum(fun, x0, _tuple(args), method, batch, (callback, callback_every), **choices)


def _minimum(
    fun: Any, x0: Any, args: tuple[Any, ...], method: str, batch: Any, called: tuple[Any, Any], *,
    tol: float, maxiter: int, target: str, mode: str, history: bool, jit: bool, checkpoint: Any, **given: Any,
) -> Result:  # fmt: skip
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch, called)
        chosen = _method_options(method, {name: value for name, value in given.items() if value is not None})
        axes = axes_of(batch, args)
        start, rank = (x0, 0) if structured(x0) else _start(x0, axes, history, target)
        if structured(x0) or (rank != 1 and method != "gradient-descent"):
            choices = {"tol": tol, "maxiter": maxiter, "target": target, "mode": mode, "history": history, "jit": jit}
            choices |= {"method": method, "checkpoint": checkpoint, **given}
            return through_vector(minimize, True, fun, start, args, batch, called, choices)
    tol, maxiter, options = float(tol), int(maxiter), like(start, *chosen)
    watch, swept = Watch(*called), kept(mode, checkpoint)
    if axes:
        loop = minimising_loop(fun, method, rank, tol > 0.0, swept, history, jit)
        return from_starts(loop, fun, True, jit, target, start, args, axes, tol, maxiter, options)
    if method in SEARCHING:
        return by_search(fun, method, swept, history, jit, start, args, tol, maxiter, watch)
    return from_state(fun, method, rank, swept, history, jit, start, args, tol, maxiter, options, watch)


def _fine(maxiter: Any, lr: Any, momentum: Any, callback: Any) -> bool:
    """Whether the numbers need no closer look, and nothing is to be called."""
    floats = lr.__class__ is float and momentum.__class__ is float
    known = floats and lr > 0.0 and 0.0 <= momentum < 1.0 and maxiter.__class__ is int and maxiter >= 0
    return known and callback is None


def _root(key: Any, x0: Any, args: tuple[Any, ...], tol: float, maxiter: int, called: tuple[Any, Any]) -> Result:
    fun, _, _, mode, history, jit, target, batch = key
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch, called)
        axes = axes_of(batch, args)
        if structured(x0):
            chosen = {"tol": tol, "maxiter": maxiter, "target": target, **spoken(mode), "history": history, "jit": jit}
            return through_vector(newton, False, fun, x0, args, batch, called, chosen)
        start, rank = _start(x0, axes, history, target)
        if rank > 1:
            raise ArgumentError("newton starts from a number or a one-dimensional array", hint="write x0.ravel()")
    tol, maxiter = float(tol), int(maxiter)
    if rank and not axes and target == "cpu":
        found = root_of_many(fun, mode, history, jit, start, args, tol, maxiter, Watch(*called))
        if found is not None:
            return found
    solve = newton_loop(fun, rank, mode, history, jit)
    if axes:
        return from_starts(solve, fun, False, jit, target, start, args, axes, tol, maxiter)
    return from_point(key, solve, False, Watch(*called), start, args, tol, maxiter)


def _descent(
    key: Any,
    x0: Any,
    args: tuple[Any, ...],
    tol: float,
    maxiter: int,
    lr: float,
    momentum: float,
    called: tuple[Any, Any],
) -> Result:
    fun, _, _, mode, history, jit, target, batch, method, _ = key
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch, called)
        check_options({"lr": lr, "momentum": momentum})
        axes = axes_of(batch, args)
        if structured(x0):
            chosen = {"tol": tol, "maxiter": maxiter, "target": target, **spoken(mode), "history": history, "jit": jit}
            chosen |= {"lr": lr, "momentum": momentum}
            return through_vector(gradient_descent, True, fun, x0, args, batch, called, chosen)
        start, rank = _start(x0, axes, history, target)
    tol, maxiter, options = float(tol), int(maxiter), like(start, lr, momentum)
    key = (*key[:-1], tol > 0.0)
    if momentum and not axes:
        watch = Watch(*called)
        made = from_state(fun, method, rank, mode, history, jit, start, args, tol, maxiter, options, watch)
        begin, solve = descent_blocks(fun, method, rank, tol > 0.0, mode, history, jit)
        remember(key, solve, start, args, start, begin(start), args, tol, maxiter, options)
        return made
    solve = minimising_loop(fun, method, rank, tol > 0.0, mode, history, jit)
    if axes:
        return from_starts(solve, fun, True, jit, target, start, args, axes, tol, maxiter, options)
    return from_point(key, solve, True, Watch(*called), start, args, tol, maxiter, options)


def _method_options(method: str, given: dict[str, float]) -> tuple[float, ...]:
    if not isinstance(method, str) or method not in METHODS:
        others = f"the methods are {', '.join(METHODS)}"
        raise ArgumentError(f"there is no method {method!r}", hint=wording.meant(str(method), METHODS, others))
    known = METHODS[method]
    check_options({name: value for name, value in given.items() if name in known})
    for name in given:
        if name not in known:
            hint = f"its options are {', '.join(known)}" if known else "it has none"
            raise ArgumentError(f"{method} has no option `{name}`", hint=hint)
    return tuple(float(value) for value in {**known, **given}.values())


def _start(x0: Any, axes: Axes | None, history: bool, target: str) -> tuple[Any, int]:
    """Where to start, and the rank of one starting point."""
    start = x0 if target == "cuda" and lazy.launch.on_device(x0) else _floats(x0)
    if axes is None:
        return start, rank_of(start)
    if axes[0] is not None and not rank_of(start):
        hint = "its leading axis counts them; None in the place of its axis: all begin at x0"
        raise ArgumentError("a batch takes an array of starting points", hint=hint)
    if history:
        message = "a batch has no history: its solves may take different numbers of steps"
        raise UnsupportedError(message, hint="leave history out, or solve from each start by itself")
    return start, rank_of(start) - (axes[0] is not None)


def _floats(x0: Any) -> Any:
    """A float, or an array of floats."""
    if isinstance(x0, (list, tuple)):
        x0 = np.asarray(x0)
    if isinstance(x0, np.ndarray) and x0.dtype.kind in "fiub":
        return x0 if x0.dtype.kind == "f" else x0.astype(np.float64)
    if isinstance(x0, (np.floating, float)):
        return x0
    if isinstance(x0, (int, np.integer)) and not isinstance(x0, bool):
        return float(x0)
    what = wording.of_spec(describe(x0))
    raise ArgumentError(f"x0 is {what}", hint="start from a float or an array of floats")


def _tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)
