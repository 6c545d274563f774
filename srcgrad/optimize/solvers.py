"""The solvers that a user calls: each puts a function and its derivatives into a loop that is one compiled function."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad import lazy
from srcgrad.backend.cpu import Mismatch
from srcgrad.errors import ArgumentError, SrcgradError, UnsupportedError
from srcgrad.optimize.blocks import Outcome, Pace, Turns, Watch, amount, by_evaluations, by_problems, by_steps
from srcgrad.optimize.descent import start as first_trial
from srcgrad.optimize.methods import (
    METHODS, SEARCHING, batched, descent_blocks, minimising_loop, newton_loop, search_blocks
)
from srcgrad.optimize.misuse import check_call, check_callback, check_options, explained
from srcgrad.optimize.result import MESSAGES, OptimizeHistory, OptimizeResult
from srcgrad.syntax import words
from srcgrad.syntax.places import speaking_of
from srcgrad.syntax.structure import describe

Result = OptimizeResult | OptimizeHistory
PACKAGE = "srcgrad.optimize"
Callback = Callable[[Any, Any, int], Any] | None


def newton(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    tol: float = 1e-12,
    maxiter: int = 50,
    target: str = "cpu",
    mode: str = "forward",
    history: bool = False,
    batch: bool = False,
    jit: bool = True,
    callback: Callback = None,
    callback_every: int | None = None,
) -> Result:
    """A root of ``fun(x, *args) = 0`` by Newton's method, a scalar or a square system.

    Parameters
    ----------
    fun : callable
        The residual: a float for a float, an array of shape ``(n,)`` for one of shape ``(n,)``.
    x0 : float or ndarray of shape (n,)
        Where to start.
    args : tuple
        Further arguments of `fun`.
    tol : float
        The solve ends when no entry of the step exceeds ``tol * (1 + |x|)``.
    maxiter : int
        The largest number of steps.
    mode : 'forward' or 'reverse'
        How the derivative is made.
    history : bool
        Whether the largest residual at each point comes too, as ``history``.
    batch : bool
        Whether `x0` is many starts along its first axis; `args` are for all. target='cuda': one a thread of a GPU.
    callback : callable
        Called as ``callback(x, fun, nit)`` once a second at most. It ends the solve by raising StopIteration.
    callback_every : int
        To call it after each so many steps instead.

    Returns
    -------
    OptimizeResult
        ``(x, fun, nit, success, message, nfev)``.

    Raises
    ------
    ArgumentError
        If `x0` is neither a number nor a one-dimensional array.

    Examples
    --------
    >>> import math
    >>> from srcgrad import newton
    >>> round(newton(lambda x: x - math.cos(x), 1.0).x, 12)
    0.739085133215
    """
    key = (fun, x0.__class__, _classes(args), mode, history, jit, target, batch)
    plain, turns = PLAIN.get(key, NONE)
    if plain is not None and tol.__class__ is float and tol >= 0.0 and _fine(maxiter, 1.0, 0.0) and callback is None:
        if maxiter <= turns.get(amount((x0, *args)), 0):
            try:
                return _told(plain(x0, *args, tol, maxiter))
            except SrcgradError as error:
                _unless_mismatch(error, fun, x0, args, False)
    return _root(key, x0, _tuple(args), tol, maxiter, (callback, callback_every))


def gradient_descent(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    lr: float = 0.01,
    maxiter: int = 1000,
    tol: float = 0.0,
    momentum: float = 0.0,
    target: str = "cpu",
    mode: str = "reverse",
    history: bool = False,
    batch: bool = False,
    jit: bool = True,
    callback: Callback = None,
    callback_every: int | None = None,
) -> Result:
    """Minimise a function of a number or an array by gradient descent.

    ``velocity = momentum * velocity - lr * gradient``, then ``x = x + velocity``, at each step.

    Parameters
    ----------
    fun : callable
        The objective, a float.
    x0 : float or ndarray
        Where to start, of any shape.
    args : tuple
        Further arguments of `fun`.
    lr, momentum : float
        The learning rate and the part of the last step that goes on.
    maxiter : int
        The number of steps, at most.
    tol : float
        The solve ends when no entry of the gradient exceeds it; 0: never.
    mode : 'reverse' or 'forward'
        How the gradient is made.
    history : bool
        Whether the objective at each point comes too, as ``history``.
    batch : bool
        Whether `x0` is many starts along its first axis; `args` are for all. target='cuda': one a thread of a GPU.
    callback : callable
        Called as ``callback(x, fun, nit)`` once a second at most. It ends the solve by raising StopIteration.
    callback_every : int
        To call it after each so many steps instead.

    Returns
    -------
    OptimizeResult
        ``(x, fun, nit, success, message, nfev)``.

    Examples
    --------
    >>> from srcgrad import gradient_descent
    >>> round(gradient_descent(lambda x: (x - 3.0) ** 2, 0.0, lr=0.1).x, 12)
    3.0
    """
    method = "gradient-descent" if momentum else "plain descent"
    stops = tol.__class__ is float and tol > 0.0
    key = (fun, x0.__class__, _classes(args), mode, history, jit, target, batch, method, stops)
    plain, turns = PLAIN.get(key, NONE)
    if plain is not None and (stops or tol == 0.0) and _fine(maxiter, lr, momentum) and callback is None:
        if maxiter <= turns.get(amount((x0, *args)), 0):
            try:
                if momentum:
                    x, _, *rest = plain(x0, 0.0 * x0, *args, tol, maxiter, lr, momentum)
                    return _told((x, *rest))
                return _told(plain(x0, *args, tol, maxiter, lr, momentum))
            except SrcgradError as error:
                _unless_mismatch(error, fun, x0, args, True)
    return _descent(key, x0, _tuple(args), tol, maxiter, lr, momentum, (callback, callback_every))


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    *,
    method: str = "newton",
    tol: float = 1e-8,
    maxiter: int = 1000,
    target: str = "cpu",
    mode: str = "reverse",
    history: bool = False,
    batch: bool = False,
    jit: bool = True,
    callback: Callback = None,
    callback_every: int | None = None,
    lr: float | None = None,
    momentum: float | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    epsilon: float | None = None,
) -> Result:
    """Minimise a function by one of several methods.

    Parameters
    ----------
    fun, x0, args, tol, maxiter, mode, history, batch, callback, callback_every
        As for `gradient_descent`; all methods but it take an `x0` of shape ``(n,)``.
    method : 'newton', 'bfgs', 'lbfgs', 'adam' or 'gradient-descent'
        Newton uses the generated Hessian. It, BFGS and L-BFGS search along their direction for a point that meets the
        strong Wolfe conditions; the first trial of BFGS and L-BFGS is at a distance of 1 at most.
    lr, momentum : float
        Of 'gradient-descent', by default 0.01 and 0.
    lr, beta1, beta2, epsilon : float
        Of 'adam' (Kingma & Ba, 2015), by default 0.01, 0.9, 0.999 and 1e-8.

    Returns
    -------
    OptimizeResult
        ``(x, fun, nit, success, message, nfev)``.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import minimize
    >>> def f(x):
    ...     return (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2
    >>> minimize(f, np.array([-1.0, 1.0]), method="bfgs").x.round(6)
    array([1., 1.])
    """
    given = {"lr": lr, "momentum": momentum, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch)
        check_callback(callback, callback_every, batch)
        chosen = _method_options(method, {name: value for name, value in given.items() if value is not None})
        start, rank = _start(x0, batch, history, target)
        if method != "gradient-descent" and rank != 1:
            hint = "write np.array([x0]) or x0.ravel()"
            raise ArgumentError(f"{method} starts from a one-dimensional array", hint=hint)
    args, tol, maxiter, options = _tuple(args), float(tol), int(maxiter), _like(start, *chosen)
    watch = Watch(callback, callback_every)
    if batch:
        loop = minimising_loop(fun, method, rank, tol > 0.0, mode, history, jit)
        return _batch(loop, fun, True, jit, target, start, args, tol, maxiter, options)
    if method not in SEARCHING:
        return _from_state(fun, method, rank, mode, history, jit, start, args, tol, maxiter, options, watch)
    return _by_search(fun, method, mode, history, jit, start, args, tol, maxiter, watch)


def _by_search(
    fun: Any, method: str, mode: str, history: bool, jit: bool,
    start: Any, args: tuple[Any, ...], tol: float, maxiter: int, watch: Watch,
) -> Result:  # fmt: skip
    """By a method that searches along directions."""
    begin, solve = search_blocks(fun, method, mode, history, jit)
    key = (fun, start.dtype, _classes(args), method, history, jit, mode)
    plain, _ = PLAIN.get(key, NONE)

    def block(x: Any, trial: Any, memory: Any, limit: int, pause: int) -> Any:
        if plain is not None:
            try:
                return plain(x, *trial, *memory, *args, tol, maxiter, limit, pause)
            except Mismatch:
                pass
        return solve.at([x, trial, memory, args, tol, maxiter, limit, pause])

    def blocks() -> Outcome:
        found = by_evaluations(block, start, begin(start), maxiter, tol, _pace(solve, start, args), watch)
        return found if history else found[:-1]

    made = _solved(blocks, fun, False, True, start, args)
    if plain is None:
        _remember(key, solve, start, args, start, first_trial(start), begin(start), args, tol, maxiter, 1, maxiter)
    return made


def _from_state(
    fun: Any, method: str, rank: int, mode: str, history: bool, jit: bool,
    start: Any, args: tuple[Any, ...], tol: float, maxiter: int, options: tuple[Any, ...], watch: Watch,
) -> Result:  # fmt: skip
    """By a first-order method that takes a state from step to step."""
    begin, solve = descent_blocks(fun, method, rank, tol > 0.0, mode, history, jit)

    def blocks() -> Outcome:
        def block(x: Any, state: Any, steps: int) -> Any:
            return solve.at([x, state, args, tol, steps, options])

        return by_steps(block, start, begin(start), maxiter, _pace(solve, start, args), watch)

    return _solved(blocks, fun, False, True, start, args)


def _batch(
    loop: Any, fun: Any, minimises: bool, jit: bool, target: str, start: Any, args: tuple[Any, ...], *rest: Any
) -> Result:
    """From many starts: on the CPU so many at a time as are solved in a quarter of a second."""
    solve = batched(loop, 1 + len(rest), jit, target, _rank(start) == 1 and _single(start))
    if target == "cuda":
        return _solved(lambda: solve(start, args, *rest), fun, True, minimises, start, args)
    pace = _pace(solve, start, args)

    def groups() -> Outcome:
        return by_problems(lambda group: solve(group, args, *rest), start, pace)

    return _solved(groups, fun, True, minimises, start, args)


_TURNS: weakref.WeakKeyDictionary[Any, Turns] = weakref.WeakKeyDictionary()


def _pace(solve: Any, start: Any, args: tuple[Any, ...]) -> Pace:
    """How many turns of this loop make a block, by what its last calls took."""
    return Pace(_TURNS.setdefault(solve, {}), amount((start, *args)))


def _solved(run: Callable[[], Outcome], fun: Any, batch: bool, minimises: bool, start: Any, args: Any) -> Result:
    """The result; what is wrong with the user's function is told of that."""
    try:
        return _result(run(), start)
    except SrcgradError as error:
        if not isinstance(start, (np.ndarray, float)):  # on a GPU, where its values are not looked at
            raise
        one = start[0] if isinstance(start, np.ndarray) and batch and len(start) else start
        raise explained(error, fun, one, args, minimises) from error.__cause__


def _unless_mismatch(error: SrcgradError, fun: Any, x0: Any, args: tuple[Any, ...], minimises: bool) -> None:
    """Tell what is wrong, unless compiled code has only met arguments of other types than the last time."""
    if not isinstance(error, Mismatch):
        raise explained(error, fun, x0, args, minimises) from error.__cause__


def _fine(maxiter: Any, lr: Any, momentum: Any) -> bool:
    """Whether the numbers need no closer look."""
    floats = lr.__class__ is float and momentum.__class__ is float
    return floats and lr > 0.0 and 0.0 <= momentum < 1.0 and maxiter.__class__ is int and maxiter >= 0


def _root(key: Any, x0: Any, args: tuple[Any, ...], tol: float, maxiter: int, called: tuple[Any, Any]) -> Result:
    fun, _, _, mode, history, jit, target, batch = key
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch)
        check_callback(*called, batch)
        start, rank = _start(x0, batch, history, target)
        if rank > 1:
            raise ArgumentError("newton starts from a number or a one-dimensional array", hint="write x0.ravel()")
    tol, maxiter = float(tol), int(maxiter)
    solve = newton_loop(fun, rank, mode, history, jit)
    if batch:
        return _batch(solve, fun, False, jit, target, start, args, tol, maxiter)
    return _first(key, solve, False, Watch(*called), start, args, tol, maxiter)


def _descent(
    key: Any, x0: Any, args: tuple[Any, ...], tol: float, maxiter: int, lr: float, momentum: float,
    called: tuple[Any, Any],
) -> Result:  # fmt: skip
    fun, _, _, mode, history, jit, target, batch, method, _ = key
    with speaking_of(None):
        check_call(fun, target, mode, tol, maxiter, batch)
        check_callback(*called, batch)
        check_options({"lr": lr, "momentum": momentum})
        start, rank = _start(x0, batch, history, target)
    tol, maxiter, options = float(tol), int(maxiter), _like(start, lr, momentum)
    key = (*key[:-1], tol > 0.0)
    if momentum and not batch:
        watch = Watch(*called)
        made = _from_state(fun, method, rank, mode, history, jit, start, args, tol, maxiter, options, watch)
        begin, solve = descent_blocks(fun, method, rank, tol > 0.0, mode, history, jit)
        _remember(key, solve, start, args, start, begin(start), args, tol, maxiter, options)
        return made
    solve = minimising_loop(fun, method, rank, tol > 0.0, mode, history, jit)
    if batch:
        return _batch(solve, fun, True, jit, target, start, args, tol, maxiter, options)
    return _first(key, solve, True, Watch(*called), start, args, tol, maxiter, options)


def _method_options(method: str, given: dict[str, float]) -> tuple[float, ...]:
    if not isinstance(method, str) or method not in METHODS:
        others = f"the methods are {', '.join(METHODS)}"
        raise ArgumentError(f"there is no method {method!r}", hint=words.meant(str(method), METHODS, others))
    known = METHODS[method]
    check_options({name: value for name, value in given.items() if name in known})
    for name in given:
        if name not in known:
            hint = f"its options are {', '.join(known)}" if known else "it has none"
            raise ArgumentError(f"{method} has no option `{name}`", hint=hint)
    return tuple(float(value) for value in {**known, **given}.values())


# Solves that need nothing but the compiled loop, by function, classes of the arguments and choices, and how many steps
# are surely short: a call adds little.
PLAIN: dict[Any, tuple[Callable[..., Any], Turns]] = {}
NONE: tuple[None, Turns] = None, {}


_new: Callable[[type[OptimizeResult], Any], OptimizeResult] = tuple.__new__


def _told(got: tuple[Any, ...]) -> OptimizeResult:
    """What compiled code has given, with the message in words."""
    x, value, nit, success, message, nfev = got
    return _new(OptimizeResult, (x, value, nit, success, MESSAGES[message], nfev))


def _classes(args: Any) -> Any:
    """The classes of the arguments; False for a lone one, which is not looked up."""
    if args.__class__ is not tuple:
        return False
    return args and tuple([arg.__class__ for arg in args])


def _first(
    key: Any, solve: Any, minimises: bool, watch: Watch, start: Any, args: tuple[Any, ...], tol: float, maxiter: int,
    *options: Any,
) -> Result:  # fmt: skip
    """By a method that takes nothing but `x` from step to step."""
    pace = _pace(solve, start, args)

    def block(x: Any, state: Any, steps: int) -> Any:
        x, *rest = solve.at([x, args, tol, steps, *options])
        return x, state, *rest

    made = _solved(lambda: by_steps(block, start, None, maxiter, pace, watch), key[0], False, minimises, start, args)
    _remember(key, solve, start, args, start, args, tol, maxiter, *options)
    return made


def _remember(key: Any, solve: Any, start: Any, args: tuple[Any, ...], *values: Any) -> None:
    """Next time go straight to the compiled loop, if it is called with these values and needs nothing else."""
    history, jit = key[4:6]
    if key in PLAIN or key[2] is False or not jit or history or _single(start):
        return
    plain = solve.plain(values, _fixed(solve.primal))
    if plain is not None:
        if len(PLAIN) > 1000:
            PLAIN.clear()
        PLAIN[key] = plain, _pace(solve, start, args).short


def _fixed(loop: Any) -> list[Any]:
    """Where nothing is bound again: this package's modules, and the cells of a loop's closure."""
    return [*_cells(loop), *_modules()]


@functools.cache
def _modules() -> list[Any]:
    return [vars(module) for name, module in list(sys.modules.items()) if name.startswith(PACKAGE)]


def _cells(loop: Any) -> list[Any]:
    """The cells of a loop's closure and of what this package made that stands in them: closures, tuples of these and
    their derivatives."""
    found: list[Any] = []
    for cell in loop.__closure__ or ():
        found.append(cell)
        content = cell.cell_contents
        for item in content if isinstance(content, tuple) else (content,):
            inner = getattr(item, "primal", item)
            if str(getattr(inner, "__module__", None)).startswith(PACKAGE) and hasattr(inner, "__closure__"):
                found += _cells(inner)
    return found


def _start(x0: Any, batch: bool, history: bool, target: str) -> tuple[Any, int]:
    """Where to start, and the rank of one starting point."""
    start = x0 if target == "cuda" and lazy.launch.on_device(x0) else _floats(x0)
    if not batch:
        return start, _rank(start)
    if not _rank(start):
        raise ArgumentError("batch=True takes an array of starting points", hint="its leading axis counts them")
    if history:
        message = "a batch has no history: its solves may take different numbers of steps"
        raise UnsupportedError(message, hint="leave history out, or solve from each start by itself")
    return start, _rank(start) - 1


def _rank(start: Any) -> int:
    """The number of axes of a number or an array, which may be on a GPU."""
    return len(start.shape) if hasattr(start, "shape") else 0


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
    what = words.of_spec(describe(x0))
    raise ArgumentError(f"x0 is {what}", hint="start from a float or an array of floats")


def _like(start: Any, *options: float) -> tuple[Any, ...]:
    """The options as numbers that leave a number of single precision what it is."""
    return tuple(map(np.float32 if _single(start) else float, options))


def _single(start: Any) -> bool:
    dtype = getattr(start, "dtype", np.float64)
    return bool((dtype if isinstance(dtype, (np.dtype, type)) else lazy.launch.dtype(start)) == np.float32)


def _tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def _result(got: tuple[Any, ...], start: Any) -> Result:
    x, value, nit, success, message, nfev, *history = got
    if isinstance(x, (np.ndarray, float, np.floating)) and _single(start):
        x = x.astype(np.float32, copy=False) if isinstance(x, np.ndarray) else np.float32(x)
    if isinstance(message, np.ndarray):
        message = np.array(MESSAGES)[message]
    elif not _rank(nit):
        nit, success, message, nfev = int(nit), bool(success), MESSAGES[message], int(nfev)
    plain = OptimizeResult(x, value, nit, success, message, nfev)
    return OptimizeHistory(*plain, *history) if history else plain
