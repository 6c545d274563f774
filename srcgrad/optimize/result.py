"""What a solver gives back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from srcgrad.errors import ArgumentError
from srcgrad.optional import drawing

# Why a solve ended: places in MESSAGES, as which compiled code says it.
CONVERGED, MADE, UNMET, NOT_FINITE, NO_LOWER, STOPPED = range(6)
GOES_ON = 6

MESSAGES = (
    "the tolerance is met",
    "maxiter steps are made, and no tolerance was asked for",
    "maxiter steps are made, and the tolerance is not met",
    "a value is not finite",
    "no lower point was found along the direction of search",
    "the callback raised StopIteration",
)


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
        Whether `x` and `fun` are finite and the tolerance is met. With ``tol=0`` there is none to meet.
    message : str
        Why the solve ended, one of ``srcgrad.optimize.MESSAGES``. In a function that srcgrad reads, and in a batch that
        stays on a GPU, its place in that tuple.
    nfev : int
        The number of points at which the function, its derivative or both were evaluated.
    """

    x: Any
    fun: Any
    nit: int
    success: bool
    message: Any
    nfev: int

    def plot(self, ax: Any = None) -> Any:
        """Refused: how the solve went is known where it was asked for, see `OptimizeHistory.plot`.

        Raises
        ------
        ArgumentError
            Always.
        """
        raise ArgumentError(
            "this result has no history to be drawn", hint="solve with history=True, and plot that result"
        )


class OptimizeHistory(NamedTuple):
    """An `OptimizeResult` with the objective (or the largest residual) before each step and after the last."""

    x: Any
    fun: Any
    nit: int
    success: bool
    message: Any
    nfev: int
    history: Any

    def plot(self, ax: Any = None) -> Any:
        """Draw the history by steps, on a logarithmic scale where all of it is positive.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure's, if not given.

        Returns
        -------
        matplotlib.axes.Axes
            With one line; of a batch with a line a problem.

        Raises
        ------
        ArgumentError
            Where Matplotlib is not installed.

        Examples
        --------
        >>> import srcgrad as sg
        >>> result = sg.gradient_descent(lambda x: (x - 3.0) ** 2 + 1.0, 0.0, history=True)
        >>> result.plot().get_yscale()
        'log'
        """
        ax = drawing.new_axes() if ax is None else ax
        lines = np.atleast_2d(np.asarray(self.history))
        for line in lines:
            ax.plot(np.arange(len(line)), line, marker="." if len(line) < 50 else None)
        known = lines[np.isfinite(lines)]
        if known.size and known.min() > 0.0:
            ax.set_yscale("log")
        ax.set_xlabel("step")
        ax.set_ylabel("fun")
        return ax


def outcome(status: int, finite: bool, tol: float) -> tuple[bool, int]:
    """(success, message) of a loop that ended so."""
    message = status if finite else NOT_FINITE
    if message == UNMET and not tol > 0.0:
        message = MADE
    return message <= MADE or (message == NO_LOWER and not tol > 0.0), message
