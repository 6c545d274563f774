"""The transformers: what a user calls."""

from __future__ import annotations

from typing import Any

from srcgrad.derivative import Derivative
from srcgrad.driver import Options
from srcgrad.errors import ArgumentError
from srcgrad.recipe import Recipe

OPTIONS = ("target", "jit", "cache", "fastmath", "parallel")
MODES = ("forward", "reverse")


def _options(given: dict[str, Any]) -> Options:
    for name in given:
        if name not in OPTIONS:
            raise ArgumentError(f"there is no option `{name}`", hint=f"the options are {', '.join(OPTIONS)}")
    fastmath = given.get("fastmath")
    if isinstance(fastmath, (set, frozenset, list, tuple)):
        given = {**given, "fastmath": tuple(sorted(fastmath))}
    return Options(**given)


def _transformer(kind: str, fun: Any, argnums: Any, options: dict[str, Any], **recipe: Any) -> Any:
    """A `Derivative`, or, without a function, the decorator that makes one."""
    if fun is None:
        return lambda f: _transformer(kind, f, argnums, options, **recipe)
    if not callable(fun):
        raise ArgumentError(f"{fun!r} is not a function", hint="the options are keywords: grad(argnums=1)")
    mode = recipe.get("mode", "reverse")
    if mode not in MODES:
        raise ArgumentError(f"mode={mode!r} is neither 'forward' nor 'reverse'")
    fun = getattr(fun, "__func__", fun)
    return Derivative(fun, Recipe(kind, **recipe), _options(options), argnums)


def grad(fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any) -> Any:
    """The gradient of a function that returns one number.

    Parameters
    ----------
    fun : the function; without it, a decorator is returned
    argnums : a parameter's place or name, or a tuple of those: with respect to what; a tuple gives a tuple
    has_aux : whether `fun` returns `(value, aux)`; then the derivative returns `(gradient, aux)`
    mode : 'reverse' or 'forward'
    target, jit, cache, fastmath, parallel : how the generated code is run

    Examples
    --------
    >>> from srcgrad import grad
    >>> def f(x):
    ...     return x * x
    >>> grad(f, cache=False)(3.0)
    6.0
    """
    return _transformer("grad", fun, argnums, options, has_aux=has_aux, mode=mode)


def value_and_grad(
    fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any
) -> Any:
    """As `grad`, giving `(value, gradient)`; with `has_aux`, `((value, aux), gradient)`."""
    return _transformer("value_and_grad", fun, argnums, options, has_aux=has_aux, mode=mode)


def forward(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated tangent function: `(*args, *dots) -> (value, value_dot)`, one dot a differentiated parameter."""
    return _transformer("forward", fun, argnums, options)


def reverse(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated adjoint function: `(*args, value_bar) -> (value, arg_bars)`."""
    return _transformer("reverse", fun, argnums, options)


def jacfwd(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by forward mode, of shape `output.shape + input.shape`: for few inputs."""
    return _transformer("jacfwd", fun, argnums, options)


def jacrev(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by reverse mode, of shape `output.shape + input.shape`: for few outputs."""
    return _transformer("jacrev", fun, argnums, options)


def jacobian(fun: Any = None, argnums: Any = 0, mode: str = "auto", **options: Any) -> Any:
    """The Jacobian, of shape `output.shape + input.shape`; `mode` is 'forward', 'reverse', or 'auto' by their sizes."""
    if fun is None:
        return lambda f: jacobian(f, argnums, mode, **options)
    if mode == "auto":
        return Jacobian(fun, argnums, options)
    if mode not in MODES:
        raise ArgumentError(f"mode={mode!r} is none of 'auto', 'forward', 'reverse'")
    return (jacfwd if mode == "forward" else jacrev)(fun, argnums, **options)


def hessian(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian of a function that returns one number, forward over reverse: shape `input.shape + input.shape`."""
    return _transformer("hessian", fun, argnums, options)


def hvp(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian times a vector: `(*args, vector)`, in the structure of the argument."""
    return _transformer("hvp", fun, argnums, options)


class Jacobian:
    """The Jacobian in the cheaper mode: forward where there are not more inputs than outputs, at each call's sizes."""

    def __init__(self, fun: Any, argnums: Any, options: dict[str, Any]) -> None:
        self.by_columns: Derivative = jacfwd(fun, argnums, **options)
        self.by_rows: Derivative = jacrev(fun, argnums, **options)
