"""The gradient of a function that returns one number, alone and beside its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from srcgrad.derivatives.choices import DerivativeOptions
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.shown_options import takes

if TYPE_CHECKING:
    from srcgrad.api.call_types import (
        Argnums,
        CalledInto,
        Fun,
        Gradient,
        GradientAndAux,
        Mode,
        P,
        R,
        Several,
        ValueAndGradient,
    )


@overload
def grad(
    fun: Fun,
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> Gradient[Fun, Fun]: ...
@overload
def grad(
    fun: Fun,
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[True],
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> GradientAndAux[Fun, Fun]: ...
@overload
def grad(
    fun: Callable[P, Any],
    argnums: Several,
    *,
    has_aux: Literal[False] = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, tuple[Any, ...]]: ...
@overload
def grad(
    fun: Callable[P, Any],
    argnums: Argnums,
    *,
    has_aux: bool = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, Any]: ...
@overload
def grad(  # type: ignore[overload-overlap]
    *,
    argnums: Literal[0] = 0,
    has_aux: Literal[False] = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> Callable[[Fun], Gradient[Fun, Fun]]: ...
@overload
def grad(  # type: ignore[overload-overlap]
    *, argnums: Literal[0] = 0, has_aux: Literal[True], mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Fun], GradientAndAux[Fun, Fun]]: ...
@overload
def grad(
    *, argnums: Several, has_aux: Literal[False] = False, mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, Any]], CalledInto[P, tuple[Any, ...]]]: ...
@overload
def grad(
    *, argnums: Argnums, has_aux: bool = False, mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, Any]], CalledInto[P, Any]]: ...
@takes(DerivativeOptions)
def grad(fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any) -> Any:
    """The gradient of a function that returns one number.

    Parameters
    ----------
    fun : callable, optional
        The function: Python, a lambda, a closure, a method, a Numba dispatcher, or another derivative. It returns one
        real number, or `(number, aux)`. Without it, a decorator is returned.
    argnums : int, str, or tuple of these, default 0
        The parameters to differentiate with respect to, by place or name. A single one gives the bare gradient, a tuple
        a tuple. They are floats, arrays of any rank, or structures of these (tuples, lists, dicts, NamedTuples,
        dataclasses).
    has_aux : bool, default False
        Whether `fun` returns `(value, aux)`; then the derivative returns `(gradient, aux)`.
    mode : {"reverse", "forward"}, default "reverse"
        Reverse mode costs a few times the function, whatever the number of inputs.
    target : {"cpu", "cuda"}, default "cpu"
        For "cuda" the derivative is a device function, to be called inside a kernel.
    jit : bool, default True
        False runs the generated source as plain Python.
    cache : bool, default True
        Whether the generated module is kept in the cache folder.
    fastmath : bool or set of str, default None
        LLVM's flags. By default those that keep NaN and infinities, where no decision by floats is made twice.
    parallel : bool, default None
        Whether loops over `prange` run in parallel. By default as the function itself is compiled.
    checkpoint : "auto", int or str, default None
        How much is kept of loops, which are run again from that: a number of snapshots (up to 10,000) or of bytes (from
        1,000,000 on, or "100MB"); "auto": half of the machine's memory.
    debug_nans : bool, default False
        Whether a call from Python whose results hold a NaN or an infinity raises `NonFiniteError` at the line that made
        it.

    Returns
    -------
    Derivative
        Called like `fun`, it gives the gradient, in the structure, shapes and dtypes of the argument. With `out=g` it
        writes the gradient into the arrays of `g`, which may share memory with arguments, and gives `g`.

    Raises
    ------
    ArgumentError
        If `argnums`, an option, or an argument's structure, shape or dtype does not fit.
    UnsupportedError, NotDifferentiableError
        If `fun` holds a construct outside the language, or something that has no derivative; with the user's line.

    Examples
    --------
    >>> from srcgrad import grad
    >>> def f(x):
    ...     return x * x
    >>> grad(f, cache=False)(3.0)
    6.0
    """
    return transformer("grad", fun, argnums, options, has_aux=has_aux, mode=mode)


@overload
def value_and_grad(  # type: ignore[overload-overlap]
    fun: Fun,
    argnums: Literal[0] = 0,
    *,
    has_aux: bool = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> ValueAndGradient[Fun, Fun]: ...
@overload
def value_and_grad(
    fun: Callable[P, R],
    argnums: Several,
    *,
    has_aux: bool = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, tuple[R, tuple[Any, ...]]]: ...
@overload
def value_and_grad(
    fun: Callable[P, R],
    argnums: Argnums,
    *,
    has_aux: bool = False,
    mode: Mode = "reverse",
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, tuple[R, Any]]: ...
@overload
def value_and_grad(  # type: ignore[overload-overlap]
    *, argnums: Literal[0] = 0, has_aux: bool = False, mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Fun], ValueAndGradient[Fun, Fun]]: ...
@overload
def value_and_grad(
    *, argnums: Several, has_aux: bool = False, mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, R]], CalledInto[P, tuple[R, tuple[Any, ...]]]]: ...
@overload
def value_and_grad(
    *, argnums: Argnums, has_aux: bool = False, mode: Mode = "reverse", **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, R]], CalledInto[P, tuple[R, Any]]]: ...
@takes(DerivativeOptions)
def value_and_grad(
    fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any
) -> Any:
    """The value and the gradient of a function that returns one number.

    Parameters
    ----------
    fun, argnums, has_aux, mode, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    Derivative
        Called like `fun`, it gives `(value, gradient)`; with `has_aux`, `((value, aux), gradient)`.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> from srcgrad import value_and_grad
    >>> value_and_grad(lambda x: x * x, jit=False)(3.0)
    (9.0, 6.0)
    """
    return transformer("value_and_grad", fun, argnums, options, has_aux=has_aux, mode=mode)
