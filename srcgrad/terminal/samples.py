"""Arguments for a function of which none are given: drawn, by what its head says of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad.core.types import Type
from srcgrad.derivatives import declared_types
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf

LENGTH = 3  # of each axis of an array


def sampled(fun: Callable[..., Any], rng: np.random.Generator) -> tuple[Any, ...]:
    """One value a parameter: its default, if it has one, else a number or an array of the kind that is annotated, a
    float where nothing is.

    Examples
    --------
    >>> def f(x: np.ndarray, n: int, scale=2.0):
    ...     return scale * x[n]
    >>> [np.shape(value) for value in sampled(f, np.random.default_rng(0))]
    [(3,), (), ()]
    """
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(_value(p, rng) for p in signature_of(fun).parameters.values() if p.kind in kinds)


def _value(param: inspect.Parameter, rng: np.random.Generator) -> Any:
    if param.default is not param.empty:
        return param.default
    spec = declared_types.of_parameter(param)
    return _drawn(spec.type, rng) if isinstance(spec, Leaf) else param.default


def _drawn(kind: Type, rng: np.random.Generator) -> Any:
    """Between 0.5 and 1.5: logarithms and roots have a value there."""
    dtype, shape = np.dtype(kind.dtype), (LENGTH,) * kind.rank
    if dtype.kind in "iub":
        return np.full(shape, 1, dtype) if kind.rank else dtype.type(LENGTH).item()
    if kind.rank:
        return np.asarray(_uniform(dtype, rng, shape), dtype)
    drawn = _uniform(dtype, rng, ())
    return drawn.item() if dtype.itemsize >= 8 and dtype != np.complex64 else dtype.type(drawn)


def _uniform(dtype: np.dtype[Any], rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    real = np.asarray(rng.uniform(0.5, 1.5, shape))
    return real + 1j * rng.uniform(0.5, 1.5, shape) if dtype.kind == "c" else real
