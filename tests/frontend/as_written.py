"""Programs as people write them: their values, and their derivatives of two orders in both modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.testing import check_grads

VECTOR = np.array([0.7, 1.2, 0.4])


@dataclass
class Programs:
    """The programs of a test file, with their arguments."""

    all: list[tuple[Callable[..., Any], tuple[Any, ...]]] = field(default_factory=list)

    def at(self, *args: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def add(fun: Callable[..., Any]) -> Callable[..., Any]:
            self.all.append((fun, args))
            return fun

        return add

    @property
    def names(self) -> list[str]:
        return [fun.__name__ for fun, _ in self.all]


def check(fun: Callable[..., Any], args: tuple[Any, ...], jit: bool = False) -> None:
    """Un-jitted to the second order; compiled to the first."""
    check_grads(fun, args, order=1 if jit else 2, rtol=3e-6, jit=jit)
