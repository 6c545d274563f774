"""The function itself: compiled as its derivatives are, and mapped over an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack, overload

from srcgrad.compiler.request import Recipe
from srcgrad.derivatives.checkpoint_option import refuse
from srcgrad.derivatives.choices import CompileOptions, axes_of, options_of
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.mapped_on_gpu import Mapped
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.shown_options import takes
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from srcgrad.api.call_types import Axes, Called, Dtype, P, R, Unannotated


@overload
def compiled(fun: Callable[P, R], **options: Unpack[CompileOptions]) -> Called[P, R]: ...
@overload
def compiled(**options: Unpack[CompileOptions]) -> Callable[[Callable[P, R]], Called[P, R]]: ...
@takes(CompileOptions)
def compiled(fun: Any = None, **options: Any) -> Any:
    """The function itself, read, simplified, checked and compiled as its derivatives are: the value only.

    Parameters
    ----------
    fun, target, jit, cache, fastmath, parallel, debug_nans : optional
        As of `grad`. It needs no float among its arguments and results.

    Returns
    -------
    Derivative
        Called like `fun`, it gives the value, in arrays that share no memory with the arguments, which a call leaves as
        they are even if `fun` writes into them: return what is to be seen.

    Raises
    ------
    ArgumentError, UnsupportedError
        As `grad`; also if `fun` writes into its arguments and returns nothing.

    Examples
    --------
    >>> from srcgrad import compiled
    >>> compiled(lambda n: 3 * n, jit=False)(2)
    6
    """
    return transformer("value", fun, None, options)


@overload
def vmap(fun: Callable[..., Unannotated], in_axes: Axes = 0, **options: Unpack[CompileOptions]) -> Called[..., Any]: ...
@overload
def vmap(
    fun: Callable[..., float], in_axes: Axes = 0, **options: Unpack[CompileOptions]
) -> Called[..., NDArray[np.float64]]: ...
@overload
def vmap(
    fun: Callable[..., np.ndarray[Any, np.dtype[Dtype]]], in_axes: Axes = 0, **options: Unpack[CompileOptions]
) -> Called[..., NDArray[Dtype]]: ...
@overload
def vmap(fun: Callable[..., Any], in_axes: Axes = 0, **options: Unpack[CompileOptions]) -> Called[..., Any]: ...
@overload
def vmap(
    *, in_axes: Axes = 0, **options: Unpack[CompileOptions]
) -> Callable[[Callable[..., Any]], Called[..., Any]]: ...
@takes(CompileOptions)
def vmap(fun: Any = None, in_axes: Any = 0, **options: Any) -> Any:
    """A function for each item along an axis, compiled: in parallel on the CPU, with target="cuda" in one kernel.

    Parameters
    ----------
    fun : callable, optional
        A function, a derivative, or a function that calls a solver. Without it, a decorator is returned.
    in_axes : int, None, or tuple of these, default 0
        The mapped axis of each argument; None: the same for all items.
    target : {"cpu", "cuda"}
        On CUDA one thread takes an item, and what comes in on the device goes out on it.
    jit, cache, fastmath, parallel, debug_nans : optional
        As of `grad`.

    Returns
    -------
    Derivative
        Called like `fun`, with arrays that have one axis more where they are mapped; results have a leading axis.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import grad, vmap
    >>> vmap(grad(lambda x: x**3), jit=False)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if fun is None:
        return lambda f: vmap(f, in_axes, **options)
    with speaking_of(None):
        fun, chosen = plain(fun), refuse(options_of(options, ("in_axes",)), "a map")
    with speaking_of(fun):
        axes = axes_of(in_axes, signature_of(fun).parameters)
        kind = Mapped if chosen.on_device else Derivative
        return kind(fun, Recipe("vmap", (), axes=axes, leaves=()), chosen)
