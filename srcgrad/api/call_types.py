"""What a type checker sees of a derivative: parameters and a result by those of its function.

These classes are for type checkers alone: at run time each is a `Derivative`. Each has its function's type twice, since
a call takes two things from it: the first parameter's type, and all parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, TypeVarTuple, overload

import numpy as np
from numpy.typing import NDArray

from srcgrad.derivatives.derivative import Derivative

Fun = TypeVar("Fun", bound=Callable[..., Any])
F = TypeVar("F", bound=Callable[..., Any], covariant=True)
G = TypeVar("G", bound=Callable[..., Any], covariant=True)
P = ParamSpec("P")
Q = ParamSpec("Q")
X = TypeVar("X")
Aux = TypeVar("Aux")
R = TypeVar("R")
Result = TypeVar("Result", covariant=True)
Dtype = TypeVar("Dtype", bound=np.generic)
Args = TypeVarTuple("Args")

Mode = Literal["forward", "reverse"] | str  # an editor offers the literals; a variable may hold it
Several = tuple[int | str, ...] | list[int] | list[str]  # `argnums` that give a tuple
Argnums = int | str | Several  # 0 is one of these, too, but the overloads for it come first
Axes = int | None | Sequence[int | None]  # `in_axes`

if TYPE_CHECKING:

    class Unannotated:
        """Only what has no type of its own takes or gives this: `Any`, and `object` as a parameter."""

    class Called(Derivative, Generic[P, Result]):
        """Called with the function's parameters."""

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result: ...

    class CalledInto(Derivative, Generic[P, Result]):
        """Called with the function's parameters; what it gives may be written into arrays that are given as `out`."""

        @overload
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result: ...
        @overload
        def __call__(self, *args: Any, out: Any, **kwargs: Any) -> Result: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    class Gradient(Derivative, Generic[F, G]):
        """Gives the gradient by the first parameter."""

        @overload
        def __call__(
            self: Gradient[Callable[Concatenate[X, ...], Any], Callable[Q, Any]], *args: Q.args, **kwargs: Q.kwargs
        ) -> X: ...
        @overload
        def __call__(
            self: Gradient[Callable[Concatenate[X, ...], Any], Callable[Q, Any]],
            first: X,
            /,
            *args: Any,
            out: X,
            **kwargs: Any,
        ) -> X: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class GradientAndAux(Derivative, Generic[F, G]):
        """Gives the gradient by the first parameter, and what the function returns beside its value."""

        @overload
        def __call__(
            self: GradientAndAux[Callable[Concatenate[X, ...], tuple[Any, Aux]], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> tuple[X, Aux]: ...
        @overload
        def __call__(
            self: GradientAndAux[Callable[Concatenate[X, ...], tuple[Any, Aux]], Callable[Q, Any]],
            first: X,
            /,
            *args: Any,
            out: X,
            **kwargs: Any,
        ) -> tuple[X, Aux]: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class ValueAndGradient(Derivative, Generic[F, G]):
        """Gives what the function returns, and the gradient by the first parameter."""

        @overload
        def __call__(
            self: ValueAndGradient[Callable[Concatenate[X, ...], R], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> tuple[R, X]: ...
        @overload
        def __call__(
            self: ValueAndGradient[Callable[Concatenate[X, ...], R], Callable[Q, Any]],
            first: X,
            /,
            *args: Any,
            out: X,
            **kwargs: Any,
        ) -> tuple[R, X]: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class Tangent(Derivative, Generic[F, G]):
        """Called with the arguments and a tangent of the first."""

        @overload
        def __call__(
            self: Tangent[Callable[Concatenate[X, ...], R], Callable[[*Args], Any]], *args: *tuple[*Args, X]
        ) -> tuple[R, R]: ...
        @overload
        def __call__(self: Tangent[Callable[..., R], Callable[..., Any]], *args: Any, **kwargs: Any) -> tuple[R, R]: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class Adjoint(Derivative, Generic[F, G]):
        """Called with the arguments and a cotangent of the value."""

        @overload
        def __call__(
            self: Adjoint[Callable[Concatenate[X, ...], R], Callable[[*Args], Any]], *args: *tuple[*Args, R]
        ) -> tuple[R, X]: ...
        @overload
        def __call__(
            self: Adjoint[Callable[Concatenate[X, ...], R], Callable[..., Any]], *args: Any, **kwargs: Any
        ) -> tuple[R, X]: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class HessianProduct(Derivative, Generic[F, G]):
        """Called with the arguments and a vector of the first's structure."""

        @overload
        def __call__(
            self: HessianProduct[Callable[Concatenate[X, ...], Any], Callable[[*Args], Any]], *args: *tuple[*Args, X]
        ) -> X: ...
        @overload
        def __call__(
            self: HessianProduct[Callable[Concatenate[X, ...], Any], Callable[..., Any]], *args: Any, **kwargs: Any
        ) -> X: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class JacobianMatrix(Derivative, Generic[F, G]):
        """Gives an array of shape `output.shape + input.shape`."""

        @overload
        def __call__(
            self: JacobianMatrix[Callable[Concatenate[Unannotated, ...], Any], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> Any: ...
        @overload
        def __call__(
            self: JacobianMatrix[Callable[Concatenate[X, ...], float], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> X: ...
        @overload
        def __call__(
            self: JacobianMatrix[Callable[Concatenate[float, ...], R], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> R: ...
        @overload
        def __call__(
            self: JacobianMatrix[
                Callable[Concatenate[np.ndarray[Any, Any], ...], np.ndarray[Any, np.dtype[Dtype]]], Callable[Q, Any]
            ],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> NDArray[Dtype]: ...
        @overload
        def __call__(
            self: JacobianMatrix[Callable[Concatenate[X, ...], Any], Callable[Q, Any]],
            first: X,
            /,
            *args: Any,
            out: Any,
            **kwargs: Any,
        ) -> Any: ...
        @overload
        def __call__(
            self: JacobianMatrix[Callable[..., Any], Callable[Q, Any]], *args: Q.args, **kwargs: Q.kwargs
        ) -> Any: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]

    class HessianMatrix(Derivative, Generic[F, G]):
        """Gives an array of shape `input.shape + input.shape`."""

        @overload
        def __call__(
            self: HessianMatrix[Callable[Concatenate[Unannotated, ...], Any], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> Any: ...
        @overload
        def __call__(
            self: HessianMatrix[Callable[Concatenate[float, ...], Any], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> float: ...
        @overload
        def __call__(
            self: HessianMatrix[Callable[Concatenate[np.ndarray[Any, np.dtype[Dtype]], ...], Any], Callable[Q, Any]],
            *args: Q.args,
            **kwargs: Q.kwargs,
        ) -> NDArray[Dtype]: ...
        @overload
        def __call__(
            self: HessianMatrix[Callable[Concatenate[X, ...], Any], Callable[Q, Any]],
            first: X,
            /,
            *args: Any,
            out: Any,
            **kwargs: Any,
        ) -> Any: ...
        @overload
        def __call__(
            self: HessianMatrix[Callable[..., Any], Callable[Q, Any]], *args: Q.args, **kwargs: Q.kwargs
        ) -> Any: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...  # type: ignore[misc]
