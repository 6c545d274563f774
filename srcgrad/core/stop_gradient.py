"""Functions that mean nothing when they run, and something when they are differentiated."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def stop_gradient(x: T) -> T:
    """x itself, seen as a constant by every derivative.

    Parameters
    ----------
    x : number, array, or a tuple, list or dict of them
        Of any shape and dtype.

    Returns
    -------
    the same
        In generated code an array's contents are read where this stands.

    Examples
    --------
    >>> from srcgrad import grad, stop_gradient
    >>> def f(x):
    ...     return x * stop_gradient(x)
    >>> grad(f, jit=False)(3.0)
    3.0
    """
    return x
