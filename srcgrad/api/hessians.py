"""Second derivatives of a function that returns one number: its Hessian, and that times a vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from srcgrad.derivatives import lazy_matrices
from srcgrad.derivatives.choices import DerivativeOptions, check_sparse, options_of
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.shown_options import takes
from srcgrad.frontend.source.error_places import speaking_of

if TYPE_CHECKING:
    from srcgrad.api.call_types import Argnums, CalledInto, Fun, HessianMatrix, HessianProduct, P, Several


@overload
def hessian(
    fun: Fun,
    argnums: Literal[0] = 0,
    *,
    sparse: Literal[False] = False,
    pattern: None = None,
    **options: Unpack[DerivativeOptions],
) -> HessianMatrix[Fun, Fun]: ...
@overload
def hessian(
    fun: Callable[P, Any],
    argnums: Argnums = 0,
    *,
    sparse: bool = False,
    pattern: Any = None,
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, Any]: ...
@overload
def hessian(
    *,
    argnums: Literal[0] = 0,
    sparse: Literal[False] = False,
    pattern: None = None,
    **options: Unpack[DerivativeOptions],
) -> Callable[[Fun], HessianMatrix[Fun, Fun]]: ...
@overload
def hessian(
    *, argnums: Argnums = 0, sparse: bool = False, pattern: Any = None, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, Any]], CalledInto[P, Any]]: ...
@takes(DerivativeOptions)
def hessian(fun: Any = None, argnums: Any = 0, *, sparse: bool = False, pattern: Any = None, **options: Any) -> Any:
    """The Hessian of a function that returns one number, forward mode over reverse mode.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.
    sparse, pattern
        As of `jacobian`.

    Returns
    -------
    Derivative
        Called like `fun`, it gives an array of shape `input.shape + input.shape`; with a tuple of `argnums`, a tuple of
        tuples of these.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.
    TooLargeError
        If there is no memory for so many entries: use `hvp`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1], jit=False)(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    if fun is None and sparse:
        return lambda f: hessian(f, argnums, sparse=sparse, pattern=pattern, **options)
    with speaking_of(None):
        chosen = options_of(options, ("argnums", "sparse", "pattern"))
        if check_sparse(sparse, pattern, chosen):
            return lazy_matrices.sparse.SparseHessian(plain(fun), argnums, chosen, pattern)
    return transformer("hessian", fun, argnums, options)


@overload
def hvp(fun: Fun, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]) -> HessianProduct[Fun, Fun]: ...  # type: ignore[overload-overlap]
@overload
def hvp(
    fun: Callable[..., Any], argnums: Several, **options: Unpack[DerivativeOptions]
) -> CalledInto[..., tuple[Any, ...]]: ...
@overload
def hvp(fun: Callable[..., Any], argnums: Argnums, **options: Unpack[DerivativeOptions]) -> CalledInto[..., Any]: ...
@overload
def hvp(  # type: ignore[overload-overlap]
    *, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]
) -> Callable[[Fun], HessianProduct[Fun, Fun]]: ...
@overload
def hvp(
    *, argnums: Several, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[..., Any]], CalledInto[..., tuple[Any, ...]]]: ...
@overload
def hvp(
    *, argnums: Argnums, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[..., Any]], CalledInto[..., Any]]: ...
@takes(DerivativeOptions)
def hvp(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian of a function that returns one number, times a vector.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    Derivative
        Called `(*args, vector)`, it gives the product, in the structure of the argument; `vector` has that structure,
        with a tuple of `argnums` it is a tuple.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    See Also
    --------
    scipy_derivatives : for SciPy, which calls `hessp(x, vector, *args)`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import hvp
    >>> hvp(lambda x: np.sum(x**3), jit=False)(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return transformer("hvp", fun, argnums, options)
