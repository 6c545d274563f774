"""A table of hard cases: plain Python functions with makers of their arguments."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Maker = Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Case:
    """A function and what it is called with.

    refused: the class of the error that must be raised instead of a derivative.   jit: compiled too, in every run.
    third: the third order is compared too.   orders: 1 where the second derivative is not defined.
    """

    fun: Callable[..., Any]
    makers: tuple[Maker, ...]
    refused: type[Exception] | None = None
    jit: bool = False
    third: bool = False
    orders: int = 2
    tolerance: float = 1e-8

    @property
    def name(self) -> str:
        return self.fun.__name__

    def args(self) -> tuple[Any, ...]:
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return tuple(make(rng) for make in self.makers)


@dataclass
class Table:
    """The cases of one theme."""

    theme: str
    cases: list[Case] = field(default_factory=list)

    def case(self, *makers: Maker, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: enters the function, and leaves it as it is."""

        def put(fun: Callable[..., Any]) -> Callable[..., Any]:
            self.cases.append(Case(fun, makers, **options))
            return fun

        return put

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)


def scalar(value: float = 0.7) -> Maker:
    return lambda rng: value


def const(value: Any) -> Maker:
    """This very value (a copy of an array)."""
    return lambda rng: value.copy() if isinstance(value, np.ndarray) else value


def vector(n: int = 5) -> Maker:
    return lambda rng: rng.standard_normal(n) * 0.5 + 0.3


def positive(*shape: int) -> Maker:
    return lambda rng: rng.uniform(0.3, 1.4, shape)


def matrix(n: int = 4, m: int | None = None) -> Maker:
    return lambda rng: rng.standard_normal((n, m or n)) * 0.4 + 0.2


def tensor(*shape: int) -> Maker:
    return lambda rng: rng.standard_normal(shape) * 0.5 + 0.1


def spd(n: int) -> Maker:
    def make(rng: np.random.Generator) -> Any:
        a = rng.standard_normal((n, n)) * 0.4 + 0.2
        return a @ a.T + n * np.eye(n)

    return make
