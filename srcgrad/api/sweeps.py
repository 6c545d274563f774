"""The generated functions themselves: tangents and adjoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from srcgrad.derivatives.choices import CompileOptions, DerivativeOptions
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.shown_options import takes

if TYPE_CHECKING:
    from srcgrad.api.call_types import Adjoint, Argnums, Called, Fun, R, Several, Tangent


@overload
def forward(fun: Fun, argnums: Literal[0] = 0, **options: Unpack[CompileOptions]) -> Tangent[Fun, Fun]: ...  # type: ignore[overload-overlap]
@overload
def forward(fun: Callable[..., R], argnums: Argnums, **options: Unpack[CompileOptions]) -> Called[..., tuple[R, R]]: ...
@overload
def forward(*, argnums: Literal[0] = 0, **options: Unpack[CompileOptions]) -> Callable[[Fun], Tangent[Fun, Fun]]: ...  # type: ignore[overload-overlap]
@overload
def forward(
    *, argnums: Argnums, **options: Unpack[CompileOptions]
) -> Callable[[Callable[..., R]], Called[..., tuple[R, R]]]: ...
@takes(CompileOptions)
def forward(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated tangent function.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans : optional
        As of `grad`.

    Returns
    -------
    Derivative
        `(*args, *dots) -> (value, value_dot)`: a tangent, of the structure and shapes of its parameter, for each
        differentiated one.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> from srcgrad import forward
    >>> forward(lambda x, y: x * y, argnums=(0, 1), jit=False)(3.0, 4.0, 1.0, 0.0)
    (12.0, 4.0)
    """
    return transformer("forward", fun, argnums, options)


@overload
def reverse(fun: Fun, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]) -> Adjoint[Fun, Fun]: ...  # type: ignore[overload-overlap]
@overload
def reverse(
    fun: Callable[..., R], argnums: Several, **options: Unpack[DerivativeOptions]
) -> Called[..., tuple[R, tuple[Any, ...]]]: ...
@overload
def reverse(
    fun: Callable[..., R], argnums: Argnums, **options: Unpack[DerivativeOptions]
) -> Called[..., tuple[R, Any]]: ...
@overload
def reverse(*, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]) -> Callable[[Fun], Adjoint[Fun, Fun]]: ...  # type: ignore[overload-overlap]
@overload
def reverse(
    *, argnums: Several, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[..., R]], Called[..., tuple[R, tuple[Any, ...]]]]: ...
@overload
def reverse(
    *, argnums: Argnums, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[..., R]], Called[..., tuple[R, Any]]]: ...
@takes(DerivativeOptions)
def reverse(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated adjoint function.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    Derivative
        `(*args, value_bar) -> (value, arg_bars)`: `value_bar`, the cotangent, has the structure, shapes and dtypes of
        the value; each adjoint has those of its argument.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> from srcgrad import reverse
    >>> reverse(lambda x, y: x * y, argnums=(0, 1), jit=False)(3.0, 4.0, 1.0)
    (12.0, (4.0, 3.0))
    """
    return transformer("reverse", fun, argnums, options)
