"""What type checkers see of the solvers' options: those that all take, and more of those that descend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict


class SolverOptions(TypedDict, total=False):
    """`newton`'s."""

    tol: float
    maxiter: int
    target: Literal["cpu", "cuda"] | str
    mode: Literal["forward", "reverse"] | str
    batch: Any
    jit: bool
    callback: Callable[[Any, Any, int], Any] | None
    callback_every: int | None
    checkpoint: Any


class DescentOptions(SolverOptions, total=False):
    """`gradient_descent`'s."""

    lr: float
    momentum: float


class MinimizeOptions(SolverOptions, total=False):
    """`minimize`'s: what one method takes alone is None by default."""

    method: Literal["newton", "bfgs", "lbfgs", "adam", "gradient-descent"] | str
    bounds: Any
    lr: float | None
    momentum: float | None
    beta1: float | None
    beta2: float | None
    epsilon: float | None
