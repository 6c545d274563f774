"""Newton's method for many variables, called from Python: a sparse matrix, and a sparse or banded solve a step.

The user's function, its gradient and the matrix's products are compiled; what stands between them is SciPy's.
"""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

from srcgrad.api import compiled, hessian, jacobian
from srcgrad.errors import SrcgradError
from srcgrad.optimize.descent import LEAVES, NIT, Method, searching
from srcgrad.optimize.methods import Mode, both, options_of, spread
from srcgrad.optimize.result import CONVERGED, GOES_ON, NOT_FINITE, UNMET, outcome
from srcgrad.optimize.search import Search, begun

Part = Callable[..., Any]
FEW_BANDS = 32
SHIFTS = 60


class _Matrix:
    """A sparse derivative at points, as long as it seems to be sparse."""

    def __init__(self, made: Any) -> None:
        self.made = made
        self.sparse: dict[int, bool] = {}

    def is_sparse(self, x: Any, args: tuple[Any, ...]) -> bool:
        """Whether it is, at this point; of what cannot be asked so, the dense matrix tells what is wrong."""
        if x.size not in self.sparse:
            try:
                self.sparse[x.size] = not self.made.seems_dense(x, *args)
            except SrcgradError:
                return False
        return self.sparse[x.size]

    def at(self, x: Any, args: tuple[Any, ...]) -> Any:
        return self.made(x, *args)


class Root:
    """The steps to a root of a square system, as the compiled loop makes them."""

    def __init__(self, fun: Part, mode: Mode, record: bool, jit: bool) -> None:
        chosen = "reverse" if mode == "reverse" or not isinstance(mode, str) else "auto"
        self.jacobian = _Matrix(jacobian(fun, 0, chosen, sparse=True, jit=jit, **options_of(mode)))
        self.value, self.record = compiled(fun, jit=jit), record

    def at(self, values: list[Any]) -> tuple[Any, ...]:
        """(x0, args, tol, maxiter) -> (x, fun, nit, success, message, nfev), and the history if it is asked for."""
        x, args, tol, maxiter = values
        nit, status = 0, UNMET if np.all(np.isfinite(x)) else NOT_FINITE
        value = self.value(x, *args)
        history = [_largest(value)]
        while nit < maxiter and status == UNMET:
            step = solve(self.jacobian.at(x, args), value)
            x = x - step
            nit += 1
            value = self.value(x, *args)
            history.append(_largest(value))
            if not np.all(np.isfinite(x)):
                status = NOT_FINITE
            elif np.all(np.abs(step) <= tol * (1.0 + np.abs(x))):
                status = CONVERGED
        success, message = outcome(status, history[-1] < math.inf, tol)
        found = x, value, nit, success, message, nit + 1
        return (*found, np.array(history)) if self.record else found


def solve(matrix: Any, vector: Any) -> Any:
    """The solution, not finite if the matrix is singular."""
    try:
        bands = _bands(matrix)
        if bands is not None:
            return scipy.linalg.solve_banded(*bands, vector, check_finite=False)
        return scipy.sparse.linalg.splu(matrix.tocsc()).solve(vector)
    except (RuntimeError, np.linalg.LinAlgError):  # exactly singular
        return np.full(vector.shape, np.nan)


class Minimum:
    """Newton steps to a minimum: the compiled search pauses after each, and is given the next direction."""

    def __init__(self, fun: Part, mode: Mode, record: bool, jit: bool) -> None:
        self.hessian = _Matrix(hessian(fun, 0, sparse=True, jit=jit, **options_of(mode)))
        self.search = compiled(searching(both(spread(fun), mode), _steepest(), record, True), jit=jit)

    def block(self, x: Any, trial: Any, args: tuple[Any, ...], tol: float, maxiter: int, limit: int, pause: int) -> Any:
        """What the compiled loop gives, with the Newton direction in the place of the one that it has begun with."""
        before = trial[NIT]
        found = self.search.at([x, trial, (), args, tol, maxiter, limit, min(pause, before + 1)])
        x, status, nfev, history, *rest = found
        if status != GOES_ON or rest[NIT] == before:
            return found
        return x, status, nfev, history, *self.along(x, rest[:LEAVES], args)

    def along(self, x: Any, trial: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The search along the Newton direction, from where the last step has led."""
        _, gradient, best, _, _, nit, *ends = trial
        direction = newton_direction(self.hessian.at(x, args), gradient)
        slope = float(gradient @ direction)
        if not -math.inf < slope < 0.0:
            return tuple(trial)
        search = begun(Search(*ends).start, slope)
        return x + direction, gradient, best, direction.astype(x.dtype), 1.0, nit, *search


def _steepest() -> Method:
    """The method that knows no direction."""

    def nothing(x0: Any) -> Any:
        return ()

    def learn(memory: Any, x: Any, point: Any, gradient: Any, best: Any) -> Any:
        return None

    def forget(memory: Any) -> Any:
        return False

    def direct(direction: Any, memory: Any, x: Any, gradient: Any, args: Any) -> Any:
        return False

    return Method(nothing, learn, forget, direct)


def newton_direction(matrix: Any, gradient: Any) -> Any:
    """Minus the inverse of the Hessian times the gradient, the Hessian plus a multiple of the identity where it is not
    positive definite, as `linear.newton_direction`; not finite if there is no such multiple."""
    diagonal = matrix.diagonal()
    size, shift = float(np.abs(diagonal).max(initial=0.0)), float((-diagonal).max(initial=0.0))
    least = 1e-3 * size if size > 0.0 else 1.0
    shift = shift + least if shift > 0.0 else 0.0
    for _ in range(SHIFTS):
        inverse = factorised(matrix + shift * scipy.sparse.eye_array(matrix.shape[0], format="csr"))
        if inverse is not None:
            return inverse(-gradient)
        shift = max(2.0 * shift, least)
    return np.full(gradient.shape, np.nan)


def factorised(matrix: Any) -> Callable[[Any], Any] | None:
    """What solves with a symmetric matrix; None if it is not positive definite."""
    if not np.all(np.isfinite(matrix.data)):
        return None
    bands = _bands(matrix)
    if bands is not None:
        (_, above), rows = bands
        try:
            factor = scipy.linalg.cholesky_banded(rows[above:], lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        return lambda vector: scipy.linalg.cho_solve_banded((factor, True), vector, check_finite=False)
    try:
        made = scipy.sparse.linalg.splu(
            matrix.tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
    except RuntimeError:  # exactly singular
        return None
    # pivots on the diagonal have the signs of the eigenvalues
    definite = np.array_equal(made.perm_r, made.perm_c) and np.all(made.U.diagonal() > 0.0)
    return made.solve if definite else None


def _bands(matrix: Any) -> tuple[tuple[int, int], Any] | None:
    """How many diagonals there are below and above, and a row for each; None if they are many."""
    found = matrix.tocoo()
    far = found.row.astype(np.int64) - found.col
    below, above = int(far.max(initial=0)), int((-far).max(initial=0))
    if below + above > FEW_BANDS:
        return None
    rows = np.zeros((below + above + 1, matrix.shape[1]), matrix.dtype)
    rows[above + far, found.col] = found.data
    return (below, above), rows


def _largest(values: Any) -> float:
    return float(np.abs(values).max(initial=0.0))


@functools.lru_cache(maxsize=256)
def root(fun: Part, mode: Mode, record: bool, jit: bool) -> Root:
    return Root(fun, mode, record, jit)


@functools.lru_cache(maxsize=256)
def minimum(fun: Part, mode: Mode, record: bool, jit: bool) -> Minimum:
    return Minimum(fun, mode, record, jit)
