"""The Jacobian in the mode that is cheaper at the sizes of each call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.backend.cpu import Mismatch
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe
from srcgrad.derivatives import arguments
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.one_call import Call
from srcgrad.frontend.source.structure import leaves


class Jacobian(Derivative):
    """The Jacobian in the cheaper mode: forward where there are not more inputs than outputs, at each call's sizes."""

    def __init__(self, fun: Any, recipe: Recipe, options: Options, argnums: Any = None) -> None:
        super().__init__(fun, recipe, options, argnums)
        places, single = self._recipe.argnums, self._recipe.single
        self._by_mode = {m: Derivative(fun, Recipe(f"jac{m}", places, single), options) for m in ("fwd", "rev")}
        self._value = Derivative(fun, Recipe("value", places, leaves=()), options)
        self._modes: dict[Any, str] = {}

    def _lookup(self, values: Sequence[Any]) -> Call:
        specs = self._specs(values)
        items = list(arguments.flat(values, specs))
        key = (specs, tuple(map(np.shape, items)))
        if key not in self._modes:
            inputs = sum(np.size(items[k]) for k in self._recipe.active(specs))
            call = self._value._lookup(values)
            outputs = sum(np.size(out) for out in leaves(call.run(values), call.meta.result))
            self._modes[key] = "fwd" if inputs <= outputs else "rev"
        self._last = self._by_mode[self._modes[key]]._lookup(values)
        return self._last

    def _remember(self, call: Call, args: Sequence[Any]) -> None:
        """Next time, arguments of these types and shapes go straight to the compiled code of the chosen mode."""
        chosen = next(d for d in self._by_mode.values() if d._last is call)
        self._watch(chosen._made_of)
        chosen._remember(call, args)
        count, fast = chosen._hot
        if count != len(args):
            return
        self._hot = count, _of_shapes(fast, args) if any(isinstance(a, np.ndarray) for a in args) else fast


def _of_shapes(fast: Callable[..., Any], args: Sequence[Any]) -> Callable[..., Any]:
    """The function for arguments of these types and of the shapes that these have; `Mismatch` for others."""
    places = [k for k, a in enumerate(args) if isinstance(a, np.ndarray)]
    shapes = [args[k].shape for k in places]
    (first, shape), *others = zip(places, shapes, strict=True)

    def call(*given: Any) -> Any:
        try:
            if given[first].shape != shape:
                raise Mismatch("the mode depends on the shapes")
            for k, known in others:
                if given[k].shape != known:
                    raise Mismatch("the mode depends on the shapes")
        except AttributeError:
            raise Mismatch("an array has become something else") from None
        return fast(*given)

    return call


native.register(Jacobian, Derivative._resolve)
