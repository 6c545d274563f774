"""The transformers: what a user calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcgrad.compiler.request import Recipe
from srcgrad.derivatives import called_inside, lazy_matrices
from srcgrad.derivatives.at_a_point import jvp_with, vjp_with
from srcgrad.derivatives.checkpoint_option import refuse
from srcgrad.derivatives.choices import MODES, axes_of, check_mode, check_sparse, options_of
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.jacobian import Jacobian
from srcgrad.derivatives.made_anew import transformer
from srcgrad.derivatives.mapped_on_gpu import Mapped
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.straight_points import at_once, keeper
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of


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
    mode : {"reverse", "forward"}
        Reverse mode costs a few times the function, whatever the number of inputs.
    target : {"cpu", "cuda"}, optional
        For "cuda" the derivative is a device function, to be called inside a kernel.
    jit : bool, optional
        False runs the generated source as plain Python.
    cache : bool, optional
        Whether the generated module is kept in the cache folder.
    fastmath : bool or set of str, optional
        LLVM's flags. By default those that keep NaN and infinities, where no decision by floats is made twice.
    parallel : bool, optional
        Whether loops over `prange` run in parallel. By default as the function itself is compiled.
    checkpoint : None, "auto", int or str, optional
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


def compiled(fun: Any = None, **options: Any) -> Any:
    """The function itself, read, simplified, checked and compiled as its derivatives are: the value only.

    Parameters
    ----------
    fun, **options
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


def value_and_grad(
    fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any
) -> Any:
    """The value and the gradient of a function that returns one number.

    Parameters
    ----------
    fun, argnums, has_aux, mode, **options
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


def forward(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated tangent function.

    Parameters
    ----------
    fun, argnums, **options
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


def reverse(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated adjoint function.

    Parameters
    ----------
    fun, argnums, **options
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


def jacfwd(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by forward mode: for few inputs.

    Parameters
    ----------
    fun, argnums, **options
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


def jacrev(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by reverse mode: for few outputs.

    Parameters
    ----------
    fun, argnums, **options
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


def jacobian(
    fun: Any = None, argnums: Any = 0, mode: str = "auto", *, sparse: bool = False, pattern: Any = None, **options: Any
) -> Any:
    """The Jacobian.

    Parameters
    ----------
    fun, argnums, **options
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


def hessian(fun: Any = None, argnums: Any = 0, *, sparse: bool = False, pattern: Any = None, **options: Any) -> Any:
    """The Hessian of a function that returns one number, forward mode over reverse mode.

    Parameters
    ----------
    fun, argnums, **options
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


def hvp(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian of a function that returns one number, times a vector.

    Parameters
    ----------
    fun, argnums, **options
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


def jvp(fun: Any, primals: Any, tangents: Any, **options: Any) -> tuple[Any, Any]:
    """The value of a function at a point, and its tangent in a direction.

    Parameters
    ----------
    fun : callable
        The function.
    primals, tangents : tuple
        The arguments, and a tangent for each: of one structure, shapes and dtypes. A tangent of None means zero.
    **options
        `target`, `jit`, `cache`, `fastmath`, `parallel`; see `grad`.

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


def vjp(fun: Any, *primals: Any, **options: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of a function at a point, and its pullback.

    Parameters
    ----------
    fun : callable
        The function.
    *primals
        The arguments.
    **options
        `target`, `jit`, `cache`, `fastmath`, `parallel`, `checkpoint`; see `grad`.

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


def vmap(fun: Any = None, in_axes: Any = 0, *, target: str = "cpu", **options: Any) -> Any:
    """A function for each item along an axis, compiled: in parallel on the CPU, with target="cuda" in one kernel.

    Parameters
    ----------
    fun : callable, optional
        A function, a derivative, or a function that calls a solver. Without it, a decorator is returned.
    in_axes : int, None, or tuple of these, default 0
        The mapped axis of each argument; None: the same for all items.
    target : {"cpu", "cuda"}
        On CUDA one thread takes an item, and what comes in on the device goes out on it.
    **options
        `jit`, `cache`, `fastmath`, `parallel`; see `grad`.

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
        return lambda f: vmap(f, in_axes, target=target, **options)
    with speaking_of(None):
        fun, chosen = plain(fun), refuse(options_of({"target": target, **options}, ("in_axes",)), "a map")
    with speaking_of(fun):
        axes = axes_of(in_axes, signature_of(fun).parameters)
        kind = Mapped if chosen.on_device else Derivative
        return kind(fun, Recipe("vmap", (), axes=axes, leaves=()), chosen)


called_inside.allow(grad, compiled, value_and_grad, forward, reverse, jacfwd, jacrev, jacobian, hessian, hvp, vmap)
called_inside.allow_at_points(jvp, vjp)
