"""`as_jax_function`: a function of NumPy arrays as one of JAX's arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from srcgrad import optional
from srcgrad.api import compiled, forward, reverse
from srcgrad.bridges.trees import changed, leaves
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.error_places import speaking_of


def as_jax_function(fun: Callable[..., Any], *, out: Any = None, **options: Any) -> Callable[..., Any]:
    """A function of floats and arrays, as one of JAX's arrays: value and derivatives are compiled by srcgrad.

    Parameters
    ----------
    fun : callable
        A function that srcgrad differentiates, of floats, arrays and structures of them. It returns a number, an array,
        or a structure of these.
    out : callable, optional
        Called like `fun`, it gives what `fun` returns, or arrays of the same shapes and dtypes (such as
        ``jax.ShapeDtypeStruct``). Without it, `fun` is run once for each list of shapes, on ones.
    **options
        As of `grad`: ``jit``, ``cache``, ``fastmath``, ``parallel``, ``checkpoint``.

    Returns
    -------
    callable
        It works under ``jax.jit``, ``grad``, ``jvp``, ``vjp``, ``jacfwd``, ``jacrev`` and ``vmap``, on the CPU; each
        item of a mapped axis is a call. Numbers (arrays without axes) are given to `fun` as floats, or integers.

    Raises
    ------
    ArgumentError
        If JAX is not installed.

    Examples
    --------
    >>> import srcgrad as sg
    >>> def energy(x, k):
    ...     return 0.5 * k * x @ x
    >>> f = sg.as_jax_function(energy)  # doctest: +SKIP
    >>> jax.grad(f)(jax.numpy.array([1.0, 2.0]), 3.0)  # doctest: +SKIP
    Array([3., 6.], dtype=float32)
    """
    if optional.package("jax") is None:
        raise ArgumentError("JAX is not installed", hint="pip install jax")
    return functools.wraps(fun)(JaxFunction(fun, out, options))


class JaxFunction:
    """A function of JAX's arrays."""

    def __init__(self, fun: Callable[..., Any], out: Any, options: dict[str, Any]) -> None:
        self._fun, self._out, self._options = fun, out, options
        self._value = compiled(fun, **options)
        self._shapes: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<{getattr(self._fun, '__qualname__', self._fun)} as a function of JAX>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with speaking_of(self._fun):
            values = self._value._bound(args, kwargs)
        return _Call(self, values).result()

    def shapes_of(self, values: Sequence[Any]) -> Any:
        """The shapes and dtypes of the result."""
        jax = optional.package("jax")
        kinds = [
            jax.ShapeDtypeStruct(np.shape(v), jax.dtypes.result_type(v)) for v in leaves(list(values)) if _is_array(v)
        ]
        key = (
            tuple((k.shape, str(k.dtype)) for k in kinds),
            repr([v for v in leaves(list(values)) if not _is_array(v)]),
        )
        if key not in self._shapes:
            ones = [changed(v, lambda leaf: _ones(leaf) if _is_array(leaf) else leaf) for v in values]
            found = self._value(*ones) if self._out is None else self._out(*ones)
            self._shapes[key] = changed(found, lambda leaf: None if leaf is None else _struct(leaf))
        return self._shapes[key]


class _Call:
    """One call: its arguments are the numbers and arrays among the values, in order; the rest is fixed."""

    def __init__(self, owner: JaxFunction, values: Sequence[Any]) -> None:
        self._owner, self._values = owner, list(values)
        self._shapes = owner.shapes_of(values)

        self._called = optional.package("jax").custom_jvp(lambda *arrays: _callback(self._run, self._shapes, *arrays))
        self._called.defjvp(self._pushed, symbolic_zeros=True)

    def result(self) -> Any:
        return self._called(*(v for v in leaves(self._values) if _is_array(v)))

    def _run(self, *arrays: Any) -> Any:
        return _typed(self._owner._value(*self._with([_number(a) for a in arrays])), self._shapes)

    def _pushed(self, arrays: Sequence[Any], dots: Sequence[Any]) -> tuple[Any, Any]:
        """The value, and a tangent that is linear in those of the arguments: JAX transposes it by our adjoint."""
        jax = optional.package("jax")
        zero = jax.custom_derivatives.SymbolicZero
        on = [_is_float(a) and not isinstance(dot, zero) for a, dot in zip(arrays, dots, strict=True)]
        active = tuple(dot for dot, is_on in zip(dots, on, strict=True) if is_on)
        given = iter(_tangent_primitive().bind(*arrays, *active, side=_Side(self, on)))
        zeros = jax.dtypes.float0
        return self._called(*arrays), changed(
            self._shapes, lambda s: None if s is None else next(given) if _is_float(s) else np.zeros(s.shape, zeros)
        )

    def _with(self, arrays: Sequence[Any]) -> list[Any]:
        """The arguments of the function, with these arrays in their places."""
        given = iter(arrays)
        return [changed(v, lambda leaf: next(given) if _is_array(leaf) else leaf) for v in self._values]


class _Side:
    """The derivatives of a call by some of its arrays: those that are on."""

    def __init__(self, call: _Call, on: Sequence[bool]) -> None:
        self._call, self._on = call, on
        self._fun, self._options = call._owner._fun, call._owner._options
        flags = iter(on)
        masks = [[_is_array(leaf) and next(flags) for leaf in leaves(value)] for value in call._values]
        self._places = tuple(k for k, mask in enumerate(masks) if any(mask))
        self.floats = tuple(s for s in leaves(call._shapes) if _is_float(s))

    def tangents(self, *args: Any) -> Any:
        """Of the arrays, and the tangents of those that are on: the tangents of the result's floats."""
        return _callback(self._run_forward, self.floats, *self._split(args))

    def pushed(self, *args: Any) -> Any:
        """The same as a function with derivatives."""
        arrays, dots = self._split(args)
        values = self._call._with(arrays)
        _, dot = self._made("forward")(*values, *self._directions(values, dots))
        return tuple(d for d, s in zip(leaves(dot), leaves(self._call._shapes), strict=True) if _is_float(s))

    def pulled(self, arrays: Sequence[Any], bars: Sequence[Any]) -> list[Any]:
        """The adjoints of the arrays that are on, by the cotangents of the result's floats."""
        given, values = iter(bars), self._call._with(arrays)
        cotangent = changed(self._call._shapes, lambda s: next(given) if _is_float(s) else None)
        _, found = self._made("reverse")(*values, cotangent)
        by_place = dict(zip(self._places, found, strict=True))
        flags, out = iter(self._on), []
        for k, value in enumerate(values):
            for leaf, bar in zip(leaves(value), leaves(by_place.get(k, value)), strict=True):
                if _is_array(leaf) and next(flags):
                    out.append(bar)
        return out

    def _made(self, kind: str) -> JaxFunction:
        """The tangent or adjoint function, as one of JAX's arrays: it has derivatives, too."""
        transformers: dict[str, Callable[..., Any]] = {"forward": forward, "reverse": reverse}
        made = transformers[kind](self._fun, self._places, **self._options)
        return JaxFunction(made, None, self._options)

    def _split(self, args: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        return args[: len(self._on)], args[len(self._on) :]

    def _directions(self, values: Sequence[Any], dots: Sequence[Any]) -> list[Any]:
        given, flags = iter(dots), iter(self._on)
        found = [changed(v, lambda leaf: _dot(leaf, next(flags), given) if _is_array(leaf) else None) for v in values]
        return [found[k] for k in self._places]

    def _run_forward(self, arrays: Sequence[Any], dots: Sequence[Any]) -> Any:
        values = self._call._with([_number(a) for a in arrays])
        directions = self._directions(values, [_number(d) for d in dots])
        _, dot = forward(self._fun, self._places, **self._options)(*values, *directions)
        found = (d for d, s in zip(leaves(dot), leaves(self._call._shapes), strict=True) if _is_float(s))
        return tuple(np.asarray(d, dtype=s.dtype) for d, s in zip(found, self.floats, strict=True))


def _dot(leaf: Any, is_on: bool, given: Iterator[Any]) -> Any:
    """The tangent of one number or array: zero where it is not asked for, nothing for integers."""
    if is_on:
        return next(given)
    return (
        _number(np.zeros(np.shape(leaf), optional.package("jax").dtypes.result_type(leaf))) if _is_float(leaf) else None
    )


@functools.cache
def _tangent_primitive() -> Any:
    """The operation that gives tangents: JAX is told how to run, batch, push forward and transpose it."""
    jax, ad = optional.package("jax"), optional.package("jax.interpreters.ad")
    batching, mlir = optional.package("jax.interpreters.batching"), optional.package("jax.interpreters.mlir")
    made = optional.package("jax.extend.core").Primitive("srcgrad_tangent")
    made.multiple_results = True

    def run(*args: Any, side: _Side) -> Any:
        return side.tangents(*args)

    def pushed(primals: Sequence[Any], dots: Sequence[Any], *, side: _Side) -> Any:
        none = jax.dtypes.float0  # the type of the tangents of integers
        pairs = zip(primals, dots, strict=True)
        full = [ad.instantiate_zeros(d) if _is_float(p) else np.zeros(np.shape(p), none) for p, d in pairs]
        return jax.jvp(side.pushed, tuple(primals), tuple(full))

    def transposed(bars: Sequence[Any], *args: Any, side: _Side) -> Any:
        arrays, _ = side._split(args)
        return [None] * len(arrays) + side.pulled(arrays, [ad.instantiate_zeros(bar) for bar in bars])

    def batched(args: Sequence[Any], dims: Sequence[Any], *, side: _Side) -> Any:
        mapped = [jax.numpy.moveaxis(a, d, 0) for a, d in zip(args, dims, strict=True) if d is not None]

        def one(items: Sequence[Any]) -> Any:
            given = iter(items)
            full = [a if d is None else next(given) for a, d in zip(args, dims, strict=True)]
            return made.bind(*full, side=side)

        out = jax.lax.map(one, mapped)
        return out, [0] * len(out)

    made.def_impl(run)
    made.def_abstract_eval(lambda *args, side: [jax.core.ShapedArray(s.shape, s.dtype) for s in side.floats])
    mlir.register_lowering(made, mlir.lower_fun(run, multiple_results=True))
    ad.primitive_jvps[made] = pushed
    ad.primitive_transposes[made] = transposed
    batching.primitive_batchers[made] = batched
    return made


def _callback(run: Callable[..., Any], shapes: Any, *args: Any) -> Any:
    return optional.package("jax").pure_callback(run, shapes, *args, vmap_method="sequential")


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (bool, int, float, complex, np.ndarray, np.generic, optional.package("jax").Array))


def _is_float(leaf: Any) -> bool:
    kind = np.dtype(leaf.dtype).kind if hasattr(leaf, "dtype") else np.asarray(leaf).dtype.kind
    return kind in "fc"


def _ones(leaf: Any) -> Any:
    array = np.ones(np.shape(leaf), optional.package("jax").dtypes.result_type(leaf))
    return _number(array)


def _number(array: Any) -> Any:
    """A number of Python's or NumPy's for an array without axes, which functions are written for."""
    array = np.asarray(array)
    if array.ndim:
        return array
    return array[()] if array.dtype in (np.float32, np.complex64) else array.item()


def _struct(leaf: Any) -> Any:
    """The shape and dtype of a result, in the precision that JAX computes in."""
    jax = optional.package("jax")
    dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
    return jax.ShapeDtypeStruct(np.shape(leaf), jax.dtypes.canonicalize_dtype(dtype))


def _typed(value: Any, shapes: Any) -> Any:
    """The value in arrays of these dtypes."""
    kinds = iter(list(leaves(shapes)))

    def typed(leaf: Any) -> Any:
        kind = next(kinds)
        return None if leaf is None else np.asarray(leaf, dtype=kind.dtype)

    return changed(value, typed)
