"""Functions with the user's own rule: `custom_jvp` and `custom_vjp`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from srcgrad.backend import callable as native
from srcgrad.compiler import lazy
from srcgrad.derivatives import arguments
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Spec

P = ParamSpec("P")
R = TypeVar("R")
Rule = TypeVar("Rule", bound=Callable[..., Any])


class Custom(Generic[P, R]):
    """A function whose derivative is given, not made. Called from Python it is the function itself."""

    def __init__(self, fun: Callable[P, R], nondiff_argnums: Any = ()) -> None:
        if not callable(fun):
            with speaking_of(fun):
                raise ArgumentError(f"{fun!r} is not a function", hint="use it as a decorator of a function")
        self.primal = fun
        self.jvp: Callable[..., Any] | None = None
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        functools.update_wrapper(self, fun, updated=())
        self.__signature__ = signature_of(fun)
        with speaking_of(fun):
            self.fixed = _fixed(fun, nondiff_argnums)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.primal(*args, **kwargs)

    def defjvp(self, jvp: Rule) -> Rule:
        """Give the tangent: `jvp(primals, tangents) -> (value, value_dot)`; both are tuples. What `nondiff_argnums`
        names comes first, and stands in neither."""
        _check_rule(jvp, self.primal)
        self.jvp = jvp
        return jvp

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the adjoint: `fwd(*args) -> (value, residuals)`, and `bwd(residuals, value_bar)`, which gives a tuple of
        one cotangent an argument (None for zero, and for what is no float). What `nondiff_argnums` names is given to
        `bwd` first, and has no cotangent."""
        _check_rule(fwd, self.primal)
        _check_rule(bwd, self.primal)
        self.fwd, self.bwd = fwd, bwd

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        if self.jvp is None and self.fwd is None:
            name = getattr(self.primal, "__name__", "f")
            hint = f"give it one with {name}.defjvp(jvp) or {name}.defvjp(fwd, bwd)"
            raise ArgumentError(f"`{name}` has no rule yet", hint=hint)
        return lazy.program.custom(self.primal, self.jvp, self.fwd, self.bwd, specs, self.fixed)

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return self.primal, self.jvp, self.fwd, self.bwd, self.fixed


def _check_rule(rule: Any, primal: Any) -> None:
    if not callable(rule):
        with speaking_of(primal):
            message = f"a rule of `{primal.__name__}` is {wording.of_object(rule)}, not a function"
            raise ArgumentError(message, hint="defjvp(jvp) takes one function, defvjp(fwd, bwd) two")


def _fixed(fun: Any, nondiff_argnums: Any) -> tuple[int, ...]:
    """The places of the parameters that have no derivative, in order."""
    if nondiff_argnums == ():
        return ()
    places, _ = arguments.parameters_of(fun).places(nondiff_argnums)
    if not all(isinstance(place, int) for place in places):
        raise ArgumentError("nondiff_argnums names a star parameter", hint="give the function parameters of their own")
    return tuple(sorted(place for place in places if isinstance(place, int)))


native.register(
    Custom, lambda custom, args, kws, in_kernel: (lazy.cuda.device if in_kernel else native.jitted)(custom.primal)
)


def custom_jvp(fun: Callable[P, R], nondiff_argnums: Any = ()) -> Custom[P, R]:
    """A function with its own rule for forward mode (reverse mode transposes it); give it with `defjvp`.

    Parameters
    ----------
    fun : callable
        The function, of numbers, arrays and structures of them. Called from Python, it is what it was.
    nondiff_argnums : int, str, or tuple of these, optional
        Parameters by which it has no derivative (functions, numbers of steps, tolerances): they are given to the rule
        in front of `primals`. It is an error to differentiate by them.

    Returns
    -------
    callable
        The function, with `defjvp(jvp)`: `jvp(primals, tangents)` takes two tuples, each tangent of the shape and dtype
        of its argument, and gives `(value, value_dot)`.

    Raises
    ------
    ArgumentError
        If it is not a function, or if it is differentiated before it has a rule.

    Examples
    --------
    >>> from srcgrad import custom_jvp, grad
    >>> @custom_jvp
    ... def f(x):
    ...     return x * x
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (x_dot,) = primals, tangents
    ...     return x * x, 10.0 * x * x_dot
    >>> grad(lambda x: f(x), jit=False)(1.0)
    10.0
    """
    return Custom(fun, nondiff_argnums)


def custom_vjp(fun: Callable[P, R], nondiff_argnums: Any = ()) -> Custom[P, R]:
    """A function with its own rule for reverse mode; give it with `defvjp(fwd, bwd)`.

    Parameters
    ----------
    fun : callable
        The function, of numbers, arrays and structures of them. Called from Python, it is what it was.
    nondiff_argnums : int, str, or tuple of these, optional
        Parameters by which it has no derivative (functions, numbers of steps, tolerances): they are given to `bwd` in
        front of the residuals, and have no cotangent. It is an error to differentiate by them.

    Returns
    -------
    callable
        The function, with `defvjp(fwd, bwd)`: `fwd(*args)` gives `(value, residuals)`, and `bwd(residuals, value_bar)`
        a tuple of one cotangent an argument, of its shape and dtype (None for zero, and for what is no float).

    Raises
    ------
    ArgumentError
        If it is not a function, or if it is differentiated before it has a rule.

    Examples
    --------
    >>> from srcgrad import custom_vjp, grad
    >>> @custom_vjp
    ... def f(x):
    ...     return x * x
    >>> def f_fwd(x):
    ...     return x * x, x
    >>> def f_bwd(x, value_bar):
    ...     return (10.0 * x * value_bar,)
    >>> f.defvjp(f_fwd, f_bwd)
    >>> grad(lambda x: f(x), jit=False)(1.0)
    10.0

    With arguments that have no derivative:

    >>> import functools
    >>> @functools.partial(custom_vjp, nondiff_argnums=(0,))
    ... def apply(f, x):
    ...     return f(x)
    >>> def apply_fwd(f, x):
    ...     return f(x), x
    >>> def apply_bwd(f, x, value_bar):
    ...     return (f(x) * value_bar,)
    >>> apply.defvjp(apply_fwd, apply_bwd)
    >>> grad(lambda x: apply(lambda y: y**3, x), jit=False)(2.0)
    8.0
    """
    return Custom(fun, nondiff_argnums)
