"""How a solve is run from Python: in blocks, straight to compiled code where a call like it was made before."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.backend.compiling import interruption
from srcgrad.compiler import lazy
from srcgrad.compiler.runtime_errors import SMALL, too_large
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.errors import SrcgradError
from srcgrad.frontend.source.error_places import placed
from srcgrad.optimize import lazy as lazy_parts
from srcgrad.optimize import straight
from srcgrad.optimize.batches import Axes, Problems, batched, one_of
from srcgrad.optimize.blocks import Outcome, Pace, Turns, Watch, amount, by_evaluations, by_problems, by_steps
from srcgrad.optimize.descent import start as first_trial
from srcgrad.optimize.methods import Mode, beginning, descent_blocks, search_loop
from srcgrad.optimize.misuse import explained
from srcgrad.optimize.result import MESSAGES, OptimizeHistory, OptimizeResult

Result = OptimizeResult | OptimizeHistory
MANY = 300  # variables, from which on Newton's method looks whether its matrix is sparse

_new: Callable[[type[OptimizeResult], Any], OptimizeResult] = tuple.__new__


def told(got: tuple[Any, ...]) -> OptimizeResult:
    """What compiled code has given, with the message in words."""
    x, value, nit, success, message, nfev = got
    return _new(OptimizeResult, (x, value, nit, success, MESSAGES[message], nfev))


def classes(args: Any) -> Any:
    """The classes of the arguments; False for a lone one, which is not looked up."""
    if args.__class__ is not tuple:
        return False
    return args and tuple([arg.__class__ for arg in args])


def by_search(
    fun: Any,
    method: str,
    mode: Mode,
    history: bool,
    jit: bool,
    start: Any,
    args: tuple[Any, ...],
    tol: float,
    maxiter: int,
    watch: Watch,
) -> Result:
    """By a method that searches along directions."""
    many = minimum_of_many(fun, mode, history, jit, start, args, tol, maxiter, watch) if method == "newton" else None
    if many is not None:
        return many
    begin = beginning(method)
    key = (fun, start.dtype, classes(args), method, history, jit, mode)
    plain, turns = straight.known(key)
    missed = plain is None

    def block(x: Any, trial: Any, memory: Any, limit: int, pause: int) -> Any:
        nonlocal missed
        if plain is not None and not missed:
            found = plain(x, *trial, *memory, *args, tol, maxiter, limit, pause)
            if found is not OTHER:
                return found
            straight.forget(key)
            missed = True
        return search_loop(fun, method, mode, history, jit).at([x, trial, memory, args, tol, maxiter, limit, pause])

    def blocks() -> Outcome:
        known = None if plain is None else Pace(turns, amount((start, *args)))
        pace = known or _pace(search_loop(fun, method, mode, history, jit), start, args)
        found = by_evaluations(block, start, begin(start), maxiter, tol, pace, watch)
        return found if history else found[:-1]

    made = _solved(blocks, fun, None, True, start, args, "" if method == "lbfgs" else "Hessian")
    if missed:
        solve = search_loop(fun, method, mode, history, jit)
        remember(key, solve, start, args, start, first_trial(start), begin(start), args, tol, maxiter, 1, maxiter)
    return made


def _many(start: Any) -> bool:
    """Whether there are so many variables that a matrix by them may be sparse."""
    return bool(start.ndim == 1 and start.size >= MANY)


def root_of_many(
    fun: Any, mode: Mode, history: bool, jit: bool, start: Any, args: tuple[Any, ...], tol: float, maxiter: int,
    watch: Watch,
) -> Result | None:  # fmt: skip
    """By Newton's method with a sparse Jacobian; None where it is dense."""
    solve = lazy_parts.large.root(fun, mode, history, jit) if _many(start) else None
    if solve is None or not solve.jacobian.is_sparse(start, args):
        return None

    def block(x: Any, state: Any, steps: int) -> Any:
        x, *rest = solve.at([x, args, tol, steps])
        return x, state, *rest

    pace = _pace(solve, start, args)
    return _solved(lambda: by_steps(block, start, None, maxiter, pace, watch), fun, None, False, start, args)


def minimum_of_many(
    fun: Any, mode: Mode, history: bool, jit: bool, start: Any, args: tuple[Any, ...], tol: float, maxiter: int,
    watch: Watch,
) -> Result | None:  # fmt: skip
    """By Newton's method with a sparse Hessian; None where it is dense."""
    solve = lazy_parts.large.minimum(fun, mode, history, jit) if _many(start) else None
    if solve is None or not solve.hessian.is_sparse(start, args):
        return None

    def block(x: Any, trial: Any, memory: Any, limit: int, pause: int) -> Any:
        return solve.block(x, trial, args, tol, maxiter, limit, pause)

    def blocks() -> Outcome:
        found = by_evaluations(block, start, (), maxiter, tol, _pace(solve, start, args), watch)
        return found if history else found[:-1]

    return _solved(blocks, fun, None, True, start, args)


def from_state(
    fun: Any, method: str, rank: int, mode: Mode, history: bool, jit: bool,
    start: Any, args: tuple[Any, ...], tol: float, maxiter: int, options: tuple[Any, ...], watch: Watch,
) -> Result:  # fmt: skip
    """By a first-order method that takes a state from step to step."""
    begin, solve = descent_blocks(fun, method, rank, tol > 0.0, mode, history, jit)

    def blocks() -> Outcome:
        def block(x: Any, state: Any, steps: int) -> Any:
            return solve.at([x, state, args, tol, steps, options])

        return by_steps(block, start, begin(start), maxiter, _pace(solve, start, args), watch)

    return _solved(blocks, fun, None, True, start, args)


def from_point(
    key: Any,
    solve: Any,
    minimises: bool,
    watch: Watch,
    start: Any,
    args: tuple[Any, ...],
    tol: float,
    maxiter: int,
    *options: Any,
) -> Result:
    """By a method that takes nothing but `x` from step to step."""
    pace = _pace(solve, start, args)

    def block(x: Any, state: Any, steps: int) -> Any:
        x, *rest = solve.at([x, args, tol, steps, *options])
        return x, state, *rest

    def blocks() -> Outcome:
        return by_steps(block, start, None, maxiter, pace, watch)

    made = _solved(blocks, key[0], None, minimises, start, args, "" if minimises else "Jacobian")
    remember(key, solve, start, args, start, args, tol, maxiter, *options)
    return made


def from_starts(
    loop: Any, fun: Any, minimises: bool, jit: bool, target: str, start: Any, args: tuple[Any, ...], axes: Axes,
    *rest: Any,
) -> Result:  # fmt: skip
    """Many problems: on the CPU so many at a time as are solved in a quarter of a second."""
    problems = Problems(start, args, axes)
    alone = single(start) and rank_of(start) == (problems.starts is not None)
    solve = batched(loop, len(rest), jit, target, alone, problems.starts is not None, problems.whether)
    if target == "cuda":
        starts = start if problems.starts is None else problems.starts
        return _solved(
            lambda: solve(starts, problems.mapped, problems.shared, *rest), fun, axes, minimises, start, args
        )
    pace = _pace(solve, start, args)

    def groups() -> Outcome:
        return by_problems(lambda group: solve(*group, problems.shared, *rest), problems, pace)

    return _solved(groups, fun, axes, minimises, start, args)


_TURNS: weakref.WeakKeyDictionary[Any, Turns] = weakref.WeakKeyDictionary()


def _pace(solve: Any, start: Any, args: tuple[Any, ...]) -> Pace:
    """How many iterations of this loop make a block, by what its last calls took."""
    return Pace(_TURNS.setdefault(solve, {}), amount((start, *args)))


def _solved(
    run: Callable[[], Outcome], fun: Any, axes: Axes | None, minimises: bool, start: Any, args: Any, dense: str = ""
) -> Result:
    """The result; what is wrong with the user's function is told of that. dense: the matrix that the method makes."""
    try:
        return _result(run(), start)
    except SystemError as error:
        raise interruption(error) from None
    except MemoryError:
        size = np.size(start) ** 2 * np.asarray(start).itemsize
        if not dense or size < SMALL:
            raise
        raise placed(too_large(dense, np.size(start), np.size(start), size), fun) from None
    except SrcgradError as error:
        if not isinstance(start, (np.ndarray, float)):  # on a GPU, where its values are not looked at
            raise
        one, args = (start, args) if axes is None else one_of(start, args, axes)
        raise explained(error, fun, one, args, minimises) from error.__cause__


def remember(key: Any, solve: Any, start: Any, args: tuple[Any, ...], *values: Any) -> None:
    """Next time go straight to the compiled loop."""
    history, jit = key[4:6]
    if key[2] is not False and jit and not history and not single(start):
        straight.remember(key, solve, _pace(solve, start, args).short, values)


def missed(key: Any, start: Any) -> None:
    """A call like the others did not go straight: the next one is looked at anew."""
    if not single(start):
        straight.forget(key)


def rank_of(start: Any) -> int:
    """The number of axes of a number or an array, which may be on a GPU."""
    return len(start.shape) if hasattr(start, "shape") else 0


def single(start: Any) -> bool:
    dtype = getattr(start, "dtype", np.float64)
    return bool((dtype if isinstance(dtype, (np.dtype, type)) else lazy.launch.dtype(start)) == np.float32)


def like(start: Any, *options: float) -> tuple[Any, ...]:
    """The options as numbers that leave a number of single precision what it is."""
    return tuple(map(np.float32 if single(start) else float, options))


def _result(got: tuple[Any, ...], start: Any) -> Result:
    x, value, nit, success, message, nfev, *history = got
    if isinstance(x, (np.ndarray, float, np.floating)) and single(start):
        x = x.astype(np.float32, copy=False) if isinstance(x, np.ndarray) else np.float32(x)
    if isinstance(message, np.ndarray):
        message = np.array(MESSAGES)[message]
    elif not rank_of(nit):
        nit, success, message, nfev = int(nit), bool(success), MESSAGES[message], int(nfev)
    plain = OptimizeResult(x, value, nit, success, message, nfev)
    return OptimizeHistory(*plain, *history) if history else plain
