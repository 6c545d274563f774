"""A function at a point: its tangent in a direction, its pullback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from srcgrad.derivatives.at_a_point import jvp_with, vjp_with
from srcgrad.derivatives.checkpoint_option import refuse
from srcgrad.derivatives.choices import CompileOptions, DerivativeOptions, options_of
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.shown_options import takes
from srcgrad.derivatives.straight_points import at_once, keeper
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.frontend.source.error_places import speaking_of

R = TypeVar("R")


@takes(CompileOptions)
def jvp(
    fun: Callable[..., R],
    primals: tuple[Any, ...] | list[Any],
    tangents: tuple[Any, ...] | list[Any],
    **options: Unpack[CompileOptions],
) -> tuple[R, R]:
    """The value of a function at a point, and its tangent in a direction.

    Parameters
    ----------
    fun : callable
        The function.
    primals, tangents : tuple
        The arguments, and a tangent for each: of one structure, shapes and dtypes. A tangent of None means zero.
    target, jit, cache, fastmath, parallel, debug_nans : optional
        As of `grad`.

    Returns
    -------
    value, tangent
        Of the structure of what `fun` returns.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> from srcgrad import jvp
    >>> def f(x, y):
    ...     return x * y
    >>> jvp(f, (3.0, 4.0), (1.0, None), jit=False)
    (12.0, 4.0)
    """
    if (found := at_once("jvp", fun, (primals, tangents), options)) is not OTHER:
        return found  # type: ignore[no-any-return]
    with speaking_of(None):
        own, chosen = plain(fun), refuse(options_of(options), "forward mode")
    return jvp_with(own, primals, tangents, chosen, keeper("jvp", fun, options))


@takes(DerivativeOptions)
def vjp(
    fun: Callable[..., R], *primals: Any, **options: Unpack[DerivativeOptions]
) -> tuple[R, Callable[[R], tuple[Any, ...]]]:
    """The value of a function at a point, and its pullback.

    Parameters
    ----------
    fun : callable
        The function.
    *primals
        The arguments.
    target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    value
        What `fun` returns.
    pullback : callable
        `pullback(cotangent)` gives a tuple, one cotangent an argument, for a cotangent of the value's structure, shapes
        and dtypes.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> from srcgrad import vjp
    >>> def f(x, y):
    ...     return x * y
    >>> value, pullback = vjp(f, 3.0, 4.0, jit=False)
    >>> value, pullback(1.0)
    (12.0, (4.0, 3.0))
    """
    if (found := at_once("vjp", fun, primals, options)) is not OTHER:
        return found  # type: ignore[no-any-return]
    with speaking_of(None):
        own, chosen = plain(fun), options_of(options)
    return vjp_with(own, primals, chosen, keeper("vjp", fun, options))
