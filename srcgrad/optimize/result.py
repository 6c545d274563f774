"""What a solver gives back."""

from __future__ import annotations

from typing import Any, NamedTuple


class OptimizeResult(NamedTuple):
    """The outcome of a solve.

    Attributes
    ----------
    x : float or ndarray
        The last point, of the type and shape of the starting one.
    fun : float or ndarray
        The function there: the residual for `newton`, the objective for the others.
    nit : int
        The number of steps made.
    success : bool
        Whether the tolerance was met. With ``tol=0`` there is none to meet, and it is True.
    """

    x: Any
    fun: Any
    nit: int
    success: bool


class OptimizeHistory(NamedTuple):
    """An `OptimizeResult` with the objective (or the largest residual) before each step and after the last."""

    x: Any
    fun: Any
    nit: int
    success: bool
    history: Any
