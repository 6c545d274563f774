"""How a solver is differentiated: not through its steps, but by the implicit function theorem at the point it came to.

At a root, `f(x, args) = 0` gives `x_dot = -J⁻¹ (df/dargs · args_dot)`; at a minimum the same holds for the gradient.
The starting point, tolerances and rates have no influence on the solution: their derivatives are zero.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.api import forward, grad, jacfwd
from srcgrad.compiler import lazy
from srcgrad.derivatives.custom_rules import Custom
from srcgrad.frontend.source.structure import Spec, leaf_types
from srcgrad.optimize.result import OptimizeResult

Part = Callable[..., Any]

NOTHING: Any = (None,) * 4  # what stands for the tangents of what has none
ORDERS = 2  # how often a solver can be differentiated; each order more is one more program to make


class Final(Custom[..., Any]):
    """A solver that cannot be differentiated once more."""

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        return lazy.program.custom(self.primal, None, None, None, specs)


def with_rule(solve: Part, fun: Part, minimises: bool, rank: int, args: Spec) -> Custom[..., Any]:
    """The solver with its rule. fun: of `(x, args)`, which is a residual unless the solver minimises it; args: what
    these are."""
    made: Custom[..., Any] = Final(solve)
    for _ in range(ORDERS):
        outer = Custom(solve)
        if any(t.is_float for t in leaf_types(args)):
            outer.defjvp(_tangent(made, fun, minimises, rank))
            outer.defvjp(_remember(made), _adjoint(fun, minimises, rank))
        else:
            outer.defjvp(_constant(made))
        made = outer
    return made


def _constant(solve: Part) -> Part:
    """Nothing moves the solution."""

    def rule(primals, tangents):
        result = solve(*primals)
        return result, OptimizeResult(0.0 * result.x, 0.0 * result.fun, *NOTHING)

    return rule


def _tangent(solve: Part, fun: Part, minimises: bool, rank: int) -> Part:
    residual = grad(fun) if minimises else fun
    tangent, matrix, solution = forward(residual, 1), matrix_of(residual, rank), solution_of(rank)
    value_tangent = forward(fun, (0, 1)) if minimises else _stays_zero

    def rule(primals, tangents):
        args, args_dot = primals[1], tangents[1]
        result = solve(*primals)
        _, residual_dot = tangent(result.x, args, args_dot)
        x_dot = solution(matrix(result.x, args), -residual_dot)
        _, value_dot = value_tangent(result.x, args, x_dot, args_dot)
        return result, OptimizeResult(x_dot, value_dot, *NOTHING)

    return rule


def _stays_zero(x, args, x_dot, args_dot):
    """The residual, and how it changes."""
    return x, 0.0 * x


def _remember(solve: Part) -> Part:
    def fwd(x0, args, tol, maxiter, options):
        result = solve(x0, args, tol, maxiter, options)
        return result, (result.x, args)

    return fwd


def _adjoint(fun: Part, minimises: bool, rank: int) -> Part:
    residual = grad(fun) if minimises else fun
    matrix, solution, product = matrix_of(residual, rank), solution_of(rank), product_of(rank)

    def of_root(x, args, weights, value_bar):
        return product(weights, residual(x, args))

    def of_minimum(x, args, weights, value_bar):
        return product(weights, residual(x, args)) + value_bar * fun(x, args)

    pull = grad(of_minimum if minimises else of_root, 1)

    def bwd(residuals, result_bar):
        x, args = residuals
        x_bar = result_bar.x
        if minimises:
            x_bar = x_bar + result_bar.fun * residual(x, args)
        weights = solution(matrix(x, args).T, -x_bar) if rank else solution(matrix(x, args), -x_bar)
        return None, pull(x, args, weights, result_bar.fun), None, None, None

    return bwd


# ---- by the rank of x


def matrix_of(residual: Part, rank: int) -> Part:
    """The derivative of the residual as a number or a square matrix."""
    if rank == 0:
        tangent = forward(residual, 0)
        return lambda x, args: tangent(x, args, 1.0)[1]
    jacobian: Part = jacfwd(residual, 0)
    if rank == 1:
        return jacobian
    return lambda x, args: jacobian(x, args).reshape(x.size, x.size)


def solution_of(rank: int) -> Part:
    if rank == 0:
        return lambda matrix, vector: vector / matrix
    if rank == 1:
        return np.linalg.solve
    return lambda matrix, array: np.linalg.solve(matrix, array.reshape(array.size)).reshape(array.shape)


def product_of(rank: int) -> Part:
    return (lambda a, b: np.sum(a * b)) if rank else (lambda a, b: a * b)
