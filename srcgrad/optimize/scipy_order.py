"""A function's derivatives in the order of arguments in which SciPy calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from srcgrad.api import compiled, grad, hessian, hvp, jacobian, value_and_grad
from srcgrad.derivatives.choices import DerivativeOptions
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.shown_options import takes
from srcgrad.errors import ArgumentError, CallError
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Leaf, Spec


class ScipyDerivatives:
    """What `scipy_derivatives` gives: functions to hand to SciPy.

    Attributes
    ----------
    fun : `fun` itself, compiled
    jac : of the same arguments: the gradient of a function that returns one number, else the Jacobian as a matrix
    fun_and_jac : both as a pair, for ``jac=True``
    hess : the Hessian of a function that returns one number
    hessp : of ``(x, p, *args)``, the Hessian times `p`
    """

    def __init__(self, fun: Callable[..., Any], argnums: Any = 0, **options: Unpack[DerivativeOptions]) -> None:
        forward: dict[str, Any] = {name: value for name, value in options.items() if name != "checkpoint"}
        self.fun: Derivative = compiled(fun, **forward)
        self._several = isinstance(argnums, tuple)
        self._first = not self._several and self.fun._places(argnums)[0] == (0,)
        self._grad = grad(fun, argnums, **options)
        self._both = value_and_grad(fun, argnums, **options)
        self._jacobian = jacobian(fun, argnums, **options)
        self._hess = hessian(fun, argnums, **options)
        self._hvp = hvp(fun, argnums, **options)
        self._results: dict[tuple[Any, ...], Spec] = {}

    def __repr__(self) -> str:
        return f"<srcgrad's derivatives of {getattr(self.fun.primal, '__qualname__', self.fun.primal)} for SciPy>"

    def jac(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient of a function that returns one number, else the Jacobian, one row a number that it returns."""
        result = self._result(args, kwargs)
        if _is_number(result):
            made = self._grad(*args, **kwargs)
            return np.array(_flat(made)) if self._several else made
        return self._matrix(self._jacobian(*args, **kwargs), isinstance(result, Leaf))

    def fun_and_jac(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """``(fun(...), jac(...))``."""
        if _is_number(self._result(args, kwargs)) and not self._several:
            return self._both(*args, **kwargs)  # type: ignore[no-any-return]
        return self.fun(*args, **kwargs), self.jac(*args, **kwargs)

    def hess(self, *args: Any, **kwargs: Any) -> Any:
        """The Hessian."""
        self._check_single("hess")
        return self._hess(*args, **kwargs)

    def hessp(self, *args: Any, **kwargs: Any) -> Any:
        """The Hessian times the second argument."""
        self._check_single("hessp")
        with speaking_of(self.fun.primal):
            if len(args) < 2:
                hint = "call it as SciPy does: hessp(x, p, *args)"
                raise CallError("hessp takes x, the direction p, and then what else the function takes", hint=hint)
        x, p, *rest = args
        return self._hvp(x, *rest, p.astype(x.dtype) if _as_integers(x, p) else p, **kwargs)

    def _check_single(self, name: str) -> None:
        if not self._first:
            message = f"SciPy's {name} is of the first argument, and argnums names another"
            with speaking_of(self.fun.primal):
                raise ArgumentError(message, hint="leave argnums out, or use hessian or hvp")

    def _result(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Spec:
        """What the function returns for arguments of these types."""
        key = (*((type(a), getattr(a, "dtype", None), np.ndim(a)) for a in args), *kwargs)
        if key not in self._results:
            self._results[key] = self.fun._lookup(self.fun._bind(args, kwargs)).meta.result
        return self._results[key]

    def _matrix(self, made: Any, array: bool) -> Any:
        """One row a number that the function returns. made: its Jacobian, by one argument or several."""
        if not array:
            return np.stack([np.concatenate([np.ravel(part) for part in _parts(row)]) for row in made])
        if not self._several:
            return made
        parts = _parts(made)
        rows = len(parts[0])
        return np.concatenate([np.reshape(part, (rows, -1)) for part in parts], axis=1)


def _is_number(result: Spec) -> bool:
    return isinstance(result, Leaf) and not result.type.ref and result.type.rank == 0


def _as_integers(x: Any, p: Any) -> bool:
    """Whether a direction has come as integers for an array of floats: SciPy tries operators with such."""
    arrays = isinstance(x, np.ndarray) and isinstance(p, np.ndarray)
    return arrays and x.dtype.kind == "f" and p.dtype.kind in "iub"


def _parts(made: Any) -> list[Any]:
    return [leaf for item in made for leaf in _parts(item)] if isinstance(made, (tuple, list)) else [made]


def _flat(made: Any) -> list[float]:
    return [float(v) for part in _parts(made) for v in np.ravel(part)]


@takes(DerivativeOptions)
def scipy_derivatives(
    fun: Callable[..., Any], argnums: Any = 0, **options: Unpack[DerivativeOptions]
) -> ScipyDerivatives:
    """The derivatives of a function in the order of arguments in which SciPy calls them.

    SciPy calls ``hessp(x, p, *args)``, where `hvp` takes ``(x, *args, p)``: handed over as it is, `hvp` would take the
    direction for the function's second argument.

    Parameters
    ----------
    fun : callable
        What SciPy is given: of ``(x, *args)``; of ``(t, y, *args)`` for `solve_ivp`; of ``(x, *parameters)`` for
        `curve_fit`.
    argnums : int, str or tuple of these
        What SciPy differentiates by: the first argument; 1 for `solve_ivp`, the tuple of the parameters' places or
        names for `curve_fit`.
    target, jit, cache, fastmath, parallel, debug_nans, checkpoint : optional
        As of `grad`.

    Returns
    -------
    ScipyDerivatives
        ``.fun``, ``.jac``, ``.hess``, ``.hessp`` and ``.fun_and_jac``.

    Raises
    ------
    ArgumentError, UnsupportedError, NotDifferentiableError
        As `grad`, here or at the first call; `.hess` and `.hessp` also where `argnums` is not the first argument.

    Examples
    --------
    >>> import numpy as np
    >>> from srcgrad import scipy_derivatives
    >>> def f(x, w):
    ...     return np.sum(w * x**2)
    >>> d = scipy_derivatives(f, jit=False)
    >>> x, p, w = np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([3.0, 4.0])
    >>> d.jac(x, w), d.hessp(x, p, w)
    (array([ 6., 16.]), array([6., 0.]))

    In a minimisation: ``minimize(d.fun, x0, args=(w,), jac=d.jac, hessp=d.hessp, method="trust-ncg")``.
    """
    return ScipyDerivatives(fun, argnums, **options)
