"""Whether what is wrong with a function is wrong whatever the types of its parameters are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from srcgrad.compiler import lazy
from srcgrad.compiler.request import Recipe
from srcgrad.core.types import Type
from srcgrad.derivatives import declared_types
from srcgrad.errors import SrcgradError
from srcgrad.frontend.source.structure import Leaf, Spec

VECTOR = Leaf(Type("f8", 1, ref=True))


def undeclared(params: Iterable[inspect.Parameter]) -> list[str]:
    """The parameters of which neither an annotation nor a default tells the type."""
    return [p.name for p in params if declared_types.declared(p) is None and p.default is p.empty]


def wrong_with_arrays(
    error: SrcgradError,
    fun: Any,
    recipe: Recipe,
    params: Sequence[inspect.Parameter],
    differentiable: Callable[..., Any],
) -> bool:
    """Whether the same is said of vectors where floats were guessed: then it is not the guess that is wrong."""
    unknown = undeclared(params)
    specs: list[Spec] = [VECTOR if p.name in unknown else declared_types.of_parameter(p) for p in params]
    try:
        lazy.program.derive(fun, recipe, differentiable(specs))
    except SrcgradError as other:
        return other.problems == error.problems
    return False
