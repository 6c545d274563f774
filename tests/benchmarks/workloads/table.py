"""A workload: a function as users of NumPy write it, its arguments at three sizes, and the same in JAX."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]
Make = Callable[..., tuple[Any, ...]]
SIZES = ("tiny", "quick", "full")
# what a workload's time goes to, which decides the bar that it is held to
KINDS = ("elementwise", "stencil", "blas", "network", "other")


class Lazy:
    """A module that is imported when something of it is used: JAX takes a second, and may be missing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


jnp, lax, jsp = Lazy("jax.numpy"), Lazy("jax.lax"), Lazy("jax.scipy")


class Sizes(NamedTuple):
    """What `make` is given: for tests, for a first look, and for the tables."""

    tiny: tuple[int, ...]
    quick: tuple[int, ...]
    full: tuple[int, ...]


@dataclass
class Workload:
    """A function and what stands beside it.

    `make(rng, *size)` gives the arguments; `peer` is the same function in JAX, if it has a natural form there; `hand`
    is what an expert writes for its value and gradients, plain until it is compiled; `bar`: the gradient's time over
    the primal's, at most; `more`: further sizes, for the table of adjoints.
    """

    name: str
    suite: str
    fun: Function
    make: Make
    sizes: Sizes
    kind: str = "other"
    argnums: int | tuple[int, ...] = 0
    peer: Function | None = None
    hand: Function | None = None
    bar: float | None = None
    more: tuple[tuple[int, ...], ...] = ()

    def args(self, size: str) -> tuple[Any, ...]:
        return self.args_of(getattr(self.sizes, size))

    def args_of(self, size: tuple[int, ...]) -> tuple[Any, ...]:
        return self.make(np.random.default_rng(7), *size)

    def spans(self) -> list[tuple[int, ...]]:
        """Its sizes from small to large, without those for tests."""
        return list(dict.fromkeys((self.sizes.quick, self.sizes.full, *self.more)))


class Table:
    """The workloads of one file."""

    def __init__(self, suite: str) -> None:
        self.suite = suite
        self.entries: list[Workload] = []

    def add(self, fun: Function, make: Make, *sizes: tuple[int, ...], name: str = "", **options: Any) -> None:
        """Under another name, at other sizes."""
        assert options.get("kind", "other") in KINDS, options
        self.entries.append(Workload(name or fun.__name__, self.suite, fun, make, Sizes(*sizes), **options))

    def workload(
        self, make: Make, *sizes: tuple[int, ...], same: bool = False, **options: Any
    ) -> Callable[[Function], Function]:
        """same: JAX takes the function as it stands, with its own `np`."""

        def decorate(fun: Function) -> Function:
            self.add(fun, make, *sizes, peer=fun if same else None, **options)
            return fun

        return decorate

    def in_jax(self, fun: Function) -> Callable[[Function], Function]:
        """The decorated function is that one in JAX."""

        def decorate(peer: Function) -> Function:
            for entry in self.entries:
                if entry.fun is fun:
                    entry.peer = peer
            return peer

        return decorate

    def by_hand(
        self, fun: Function, bar: float | None = None, more: tuple[tuple[int, ...], ...] = ()
    ) -> Callable[[Function], Function]:
        """The decorated function gives that one's value and gradients, as an expert writes it."""

        def decorate(hand: Function) -> Function:
            for entry in self.entries:
                if entry.fun is fun:
                    entry.hand, entry.bar, entry.more = hand, bar, more
            return hand

        return decorate


def repeated(step: Function, state: Any, count: int) -> Any:
    """In JAX: the state after so many steps."""
    return lax.scan(lambda s, _: (step(s), None), state, None, length=count)[0]


def with_jax_numpy(fun: Any) -> Any:
    """The function, and those of its module, with `np` and `math` bound to jax.numpy."""
    import jax.numpy

    space = dict(fun.__globals__)
    for name, value in fun.__globals__.items():
        if isinstance(value, types.FunctionType) and value.__module__ == fun.__module__:
            space[name] = bound_to(value, space)
    space.update(np=jax.numpy, math=jax.numpy)
    return bound_to(fun, space)


def bound_to(fun: types.FunctionType, space: dict[str, Any]) -> Any:
    """A copy of the function that finds its global names in this dictionary."""
    made = types.FunctionType(fun.__code__, space, fun.__name__, fun.__defaults__, fun.__closure__)
    made.__kwdefaults__ = fun.__kwdefaults__
    return made
