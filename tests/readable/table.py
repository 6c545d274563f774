"""Functions whose derivatives are held as they read, with arguments: each has an adjoint in `by_hand.py`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import srcgrad as sg
from tests.benchmarks import generated
from tests.benchmarks.workloads import cases


class Entry(NamedTuple):
    """most: how many lines the derivative may have."""

    fun: Any
    args: Callable[[], tuple[Any, ...]]
    argnums: int | tuple[int, ...]
    most: int

    @property
    def source(self) -> str:
        """Of the derivative, without the library's functions that stand behind it."""
        made = sg.value_and_grad(self.fun, argnums=self.argnums).source_for(*self.args())
        return own_functions(made, self.fun)


def running_products(x):
    y = x.copy()
    for i in range(1, len(y)):
        y[i] = y[i] * y[i - 1] + math.sin(y[i])
    return np.sum(y)


def continued(x, depth):
    if depth == 0:
        return math.sin(x)
    inner = continued(x, depth - 1)
    return x + 1.0 / (1.0 + inner * inner)


def option_tree(spot, strike, rate, sigma, years, steps):
    """An American put by a binomial tree."""
    dt = years / steps
    up = math.exp(sigma * math.sqrt(dt))
    p = (math.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    discount = math.exp(-rate * dt)
    values = np.empty(steps + 1)
    for i in range(steps + 1):
        values[i] = max(strike - spot * up ** (2 * i - steps), 0.0)
    for k in range(steps - 1, -1, -1):
        for i in range(k + 1):
            held = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            values[i] = max(held, strike - spot * up ** (2 * i - k))
    return values[0]


def _workload(name: str, most: int) -> Entry:
    work = cases.named(name)
    return Entry(work.fun, lambda: work.args("quick" if name != "n_body" else "tiny"), work.argnums, most)


ENTRIES = {
    "running_products": Entry(running_products, lambda: (np.linspace(0.2, 1.4, 7),), 0, 20),
    "rk4_small": _workload("rk4_small", 76),
    "gaussian_process": _workload("gaussian_process", 88),
    "lstm": _workload("lstm", 115),
    "softmax_regression": _workload("softmax_regression", 56),
    "kalman": _workload("kalman", 170),
    "heat": _workload("heat", 48),
    "continued": Entry(continued, lambda: (0.7, 6), 0, 28),
    "gaussian_mixture": _workload("gaussian_mixture", 101),
    "k_means": _workload("k_means", 36),
    "n_body": _workload("n_body", 74),
    "option_tree": Entry(option_tree, lambda: (100.0, 105.0, 0.05, 0.3, 1.0, 12), (0, 2, 3), 82),
}


def own_functions(source: str, fun: Any) -> str:
    """The module without the functions that are the library's: kernels, vector functions, helpers of rules."""
    own = tuple(f.__name__ for f in generated.reached(fun))
    parts = source.split("\n\n\n")
    names = [part.partition("def ")[2] if "def " in part else own[0] for part in parts]
    kept = [part for part, name in zip(parts, names, strict=True) if name.startswith(own)]
    return "\n\n\n".join(kept).rstrip() + "\n"
