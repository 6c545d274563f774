"""The Jacobian in the mode that is cheaper at the sizes of each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe
from srcgrad.derivatives import arguments
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.one_call import Call
from srcgrad.frontend.source.structure import leaves


class Jacobian(Derivative):
    """The Jacobian in the cheaper mode: forward where there are not more inputs than outputs, at each call's sizes."""

    _by_shape = True

    def __init__(self, fun: Any, recipe: Recipe, options: Options, argnums: Any = None) -> None:
        super().__init__(fun, recipe, options, argnums)
        places, single = self._recipe.argnums, self._recipe.single
        self._by_mode = {m: Derivative(fun, Recipe(f"jac{m}", places, single), options) for m in ("fwd", "rev")}
        self._value = Derivative(fun, Recipe("value", places, leaves=()), options)
        self._modes: dict[Any, str] = {}

    def for_shapes(self, values: Sequence[Any]) -> Derivative:
        """The one of the two whose mode is the cheaper one for these arguments."""
        self._lookup(values)
        specs = self._specs(values)
        return self._by_mode[self._modes[specs, tuple(map(np.shape, arguments.flat(values, specs)))]]

    def _lookup(self, values: Sequence[Any]) -> Call:
        specs = self._specs(values)
        items = list(arguments.flat(values, specs))
        key = (specs, tuple(map(np.shape, items)))
        if key not in self._modes:
            inputs = sum(np.size(items[k]) for k in self._recipe.active(specs))
            call, value = self._value._run(values)
            outputs = sum(np.size(out) for out in leaves(value, call.meta.result))
            self._modes[key] = "fwd" if inputs <= outputs else "rev"
        self._last = self._by_mode[self._modes[key]]._lookup(values)
        return self._last

    def _general(self, values: Sequence[Any]) -> Call:
        self._last = self.for_shapes(values)._general(values)
        return self._last


native.register(Jacobian, Derivative._resolve)
