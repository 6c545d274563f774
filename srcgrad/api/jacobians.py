"""Jacobians, by forward mode, reverse mode, or what costs less."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from srcgrad.compiler.request import Recipe
from srcgrad.derivatives import lazy_matrices
from srcgrad.derivatives.choices import MODES, CompileOptions, DerivativeOptions, check_mode, check_sparse, options_of
from srcgrad.derivatives.jacobian import Jacobian
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.shown_options import takes
from srcgrad.frontend.source.error_places import speaking_of

if TYPE_CHECKING:
    from srcgrad.api.call_types import Argnums, CalledInto, Fun, JacobianMatrix, Mode, P


@overload
def jacfwd(fun: Fun, argnums: Literal[0] = 0, **options: Unpack[CompileOptions]) -> JacobianMatrix[Fun, Fun]: ...
@overload
def jacfwd(fun: Callable[P, Any], argnums: Argnums, **options: Unpack[CompileOptions]) -> CalledInto[P, Any]: ...
@overload
def jacfwd(  # type: ignore[overload-overlap]
    *, argnums: Literal[0] = 0, **options: Unpack[CompileOptions]
) -> Callable[[Fun], JacobianMatrix[Fun, Fun]]: ...
@overload
def jacfwd(
    *, argnums: Argnums, **options: Unpack[CompileOptions]
) -> Callable[[Callable[P, Any]], CalledInto[P, Any]]: ...
@takes(CompileOptions)
def jacfwd(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by forward mode: for few inputs.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans : optional
        As of `grad`.

    Returns
    -------
    Derivative
        Called like `fun`, it gives an array of shape `output.shape + input.shape`; a tuple of outputs gives a tuple of
        those.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import jacfwd
    >>> jacfwd(lambda x: x * x, jit=False)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return transformer("jacfwd", fun, argnums, options)


@overload
def jacrev(fun: Fun, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]) -> JacobianMatrix[Fun, Fun]: ...
@overload
def jacrev(fun: Callable[P, Any], argnums: Argnums, **options: Unpack[DerivativeOptions]) -> CalledInto[P, Any]: ...
@overload
def jacrev(  # type: ignore[overload-overlap]
    *, argnums: Literal[0] = 0, **options: Unpack[DerivativeOptions]
) -> Callable[[Fun], JacobianMatrix[Fun, Fun]]: ...
@overload
def jacrev(
    *, argnums: Argnums, **options: Unpack[DerivativeOptions]
) -> Callable[[Callable[P, Any]], CalledInto[P, Any]]: ...
@takes(DerivativeOptions)
def jacrev(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by reverse mode: for few outputs.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    Derivative
        Called like `fun`, it gives an array of shape `output.shape + input.shape`; a tuple of outputs gives a tuple of
        those.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import jacrev
    >>> jacrev(lambda x: x * x, jit=False)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return transformer("jacrev", fun, argnums, options)


@overload
def jacobian(
    fun: Fun,
    argnums: Literal[0] = 0,
    mode: Mode | Literal["auto"] = "auto",
    *,
    sparse: Literal[False] = False,
    pattern: None = None,
    **options: Unpack[DerivativeOptions],
) -> JacobianMatrix[Fun, Fun]: ...
@overload
def jacobian(
    fun: Callable[P, Any],
    argnums: Argnums = 0,
    mode: Mode | Literal["auto"] = "auto",
    *,
    sparse: bool = False,
    pattern: Any = None,
    **options: Unpack[DerivativeOptions],
) -> CalledInto[P, Any]: ...
@overload
def jacobian(
    *,
    argnums: Literal[0] = 0,
    mode: Mode | Literal["auto"] = "auto",
    sparse: Literal[False] = False,
    pattern: None = None,
    **options: Unpack[DerivativeOptions],
) -> Callable[[Fun], JacobianMatrix[Fun, Fun]]: ...
@overload
def jacobian(
    *,
    argnums: Argnums = 0,
    mode: Mode | Literal["auto"] = "auto",
    sparse: bool = False,
    pattern: Any = None,
    **options: Unpack[DerivativeOptions],
) -> Callable[[Callable[P, Any]], CalledInto[P, Any]]: ...
@takes(DerivativeOptions)
def jacobian(
    fun: Any = None, argnums: Any = 0, mode: str = "auto", *, sparse: bool = False, pattern: Any = None, **options: Any
) -> Any:
    """The Jacobian.

    Parameters
    ----------
    fun, argnums, target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.
    mode : {"auto", "forward", "reverse"}
        "auto" compares the numbers of inputs and outputs at each call; of a sparse Jacobian, those of the sweeps.
    sparse : bool, default False
        Whether it is a `scipy.sparse.csr_array` with a row for each number of the output (one array), and a column for
        each of the argument (one array): by a sweep for each group of columns, or rows, that do not meet.
    pattern : matrix, optional
        Where a sparse Jacobian may have entries: those of a sparse array, or what is not 0. Without it, the pattern is
        found at the first call for each shape. Each call checks it by one more sweep, and finds what is new.

    Returns
    -------
    Derivative
        Called like `fun`, it gives an array of shape `output.shape + input.shape`; a tuple of `argnums` gives a tuple,
        a tuple of outputs a tuple of those.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import jacobian
    >>> jacobian(lambda x: np.sum(x) * x, jit=False)(np.array([1.0, 2.0]))
    array([[4., 1.],
           [2., 5.]])
    >>> jacobian(lambda x: x * x, jit=False, sparse=True)(np.array([1.0, 2.0])).data
    array([2., 4.])
    """
    if fun is None:
        return lambda f: jacobian(f, argnums, mode, sparse=sparse, pattern=pattern, **options)
    with speaking_of(None):
        check_mode(mode, ("auto", *MODES))
        chosen = options_of(options, ("argnums", "mode", "sparse", "pattern"))
        if check_sparse(sparse, pattern, chosen):
            return lazy_matrices.sparse.Sparse(plain(fun), argnums, chosen, pattern, mode)
        if mode == "auto":
            return Jacobian(plain(fun), Recipe("jacobian"), chosen, argnums)
    return (jacfwd if mode == "forward" else jacrev)(fun, argnums, **options)
