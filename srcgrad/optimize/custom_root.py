"""Solvers of the user's own, differentiated by the implicit function theorem at the point that they come to."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from srcgrad.api import forward, grad
from srcgrad.compiler import lazy
from srcgrad.derivatives.custom_rules import Custom
from srcgrad.derivatives.plain import plain
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Leaf, Spec, leaf_types
from srcgrad.optimize.implicit_rules import ORDERS, matrix_of, product_of, solution_of

Part = Callable[..., Any]
Solver = TypeVar("Solver", bound=Callable[..., Any])
Parameter = inspect.Parameter
PLACES = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Implicit(Custom[..., Any]):
    """A solver `(x, *args) -> x` that comes to where `residual(x, args)` is zero. Called from Python it is the solver.

    taken: how many of its arguments behind the first the residual takes; the others (tolerances, numbers of steps) have
    no influence on the root.
    """

    def __init__(self, residual: Part, taken: int, solver: Part) -> None:
        super().__init__(plain(solver))
        self.residual, self._taken = residual, taken
        self._made: dict[tuple[int, bool, int], Custom[..., Any]] = {}

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        start = specs[0]
        if not isinstance(start, Leaf) or not start.type.is_float:
            message = f"a solver with an implicit derivative starts from {wording.of_spec(start)}"
            raise ArgumentError(message, hint="start from a float or an array of floats")
        moved = any(t.is_float for spec in specs[1 : self._taken + 1] for t in leaf_types(spec))
        key = start.type.rank, moved, len(specs)
        if key not in self._made:
            self._made[key] = _with_rules(self.primal, self.residual, self._taken, *key)
        return self._made[key].__srcgrad_core__(specs)

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return self.primal, self.residual, self._taken


class _Last(Custom[..., Any]):
    """The solver that cannot be differentiated once more."""

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        return lazy.program.custom(self.primal, None, None, None, specs)


def _taken(fun: Part, solver: Part) -> int:
    """How many of the solver's arguments behind the first a function takes that is zero, or stays, where it ends."""
    given = list(signature_of(plain(solver)).parameters.values())
    if not given or any(p.kind not in PLACES for p in given):
        message = "a solver with an implicit derivative takes its arguments by place"
        raise ArgumentError(message, hint="write def solve(x, a, b): without * and **")
    params = list(signature_of(plain(fun)).parameters.values())
    if any(p.kind is Parameter.VAR_POSITIONAL for p in params):
        return len(given) - 1
    least = sum(p.default is p.empty for p in params)
    if not params or least > len(given):
        name = getattr(fun, "__name__", "the function")
        names = wording.joined([f"`{p.name}`" for p in given])
        message = f"`{name}` has {least} parameters, and the solver takes {names}"
        raise ArgumentError(message, hint="it takes the solution, then the solver's arguments behind the first")
    return min(len(params), len(given)) - 1


def _with_rules(solver: Part, residual: Part, taken: int, rank: int, moved: bool, count: int) -> Custom[..., Any]:
    """The solver with its rule, as often as it can be differentiated."""
    made: Custom[..., Any] = _Last(solver)
    for _ in range(ORDERS):
        outer = Custom(solver)
        if moved:
            outer.defjvp(_tangent(made, residual, taken, rank))
            outer.defvjp(_remember(made, taken), _adjoint(residual, count - taken - 1, rank))
        else:
            outer.defjvp(_stays(made))
        made = outer
    return made


def _stays(solver: Part) -> Part:
    def rule(primals, tangents):
        x = solver(*primals)
        return x, 0.0 * x

    return rule


def _tangent(solver: Part, residual: Part, taken: int, rank: int) -> Part:
    along, matrix, solution = forward(residual, 1), matrix_of(residual, rank), solution_of(rank)

    def rule(primals, tangents):
        args, args_dot = primals[1 : taken + 1], tangents[1 : taken + 1]
        x = solver(*primals)
        _, residual_dot = along(x, args, args_dot)
        return x, solution(matrix(x, args), -residual_dot)

    return rule


def _remember(solver: Part, taken: int) -> Part:
    def fwd(*args):
        x = solver(*args)
        return x, (x, args[1 : taken + 1])

    return fwd


def _adjoint(residual: Part, others: int, rank: int) -> Part:
    matrix, solution, product = matrix_of(residual, rank), solution_of(rank), product_of(rank)
    pull = grad(lambda x, args, weights: product(weights, residual(x, args)), 1)
    rest = (None,) * others

    def bwd(kept, x_bar):
        x, args = kept
        weights = solution(matrix(x, args).T, -x_bar) if rank else solution(matrix(x, args), -x_bar)
        return (None, *pull(x, args, weights), *rest)

    return bwd


@overload
def custom_root(optimality_fun: Part, solver: Solver) -> Solver: ...
@overload
def custom_root(optimality_fun: Part, solver: None = None) -> Callable[[Solver], Solver]: ...
def custom_root(optimality_fun: Part, solver: Part | None = None) -> Any:
    """A solver of one's own with the derivative that a root has: by the implicit function theorem.

    Parameters
    ----------
    optimality_fun : callable
        `f(x, *args)`, which is zero at the solution: a number for a number `x`, an array of the shape of `x`.
    solver : callable, optional
        `solver(x0, *args) -> x`, in whatever way. Without it, a decorator of one is returned.

    Returns
    -------
    callable
        The solver. Its derivative is that of the root by `args`, not that of its steps; `x0`, and arguments behind
        those that `optimality_fun` takes, have no influence. It can be differentiated twice, in both modes.

    Raises
    ------
    ArgumentError
        If the parameters of the two do not fit, or if it starts from something else than a float or an array.

    See Also
    --------
    custom_fixed_point : for `x = f(x, *args)`.
    newton, minimize : which have such derivatives.

    Examples
    --------
    >>> from srcgrad import custom_root, grad
    >>> def f(x, a):
    ...     return x * x - a
    >>> @custom_root(f)
    ... def bisection(x, a):
    ...     low, high = 0.0, x
    ...     for _ in range(60):
    ...         middle = 0.5 * (low + high)
    ...         if f(middle, a) > 0.0:
    ...             high = middle
    ...         else:
    ...             low = middle
    ...     return low
    >>> round(grad(lambda a: bisection(10.0, a), jit=False)(4.0), 12)
    0.25
    """
    if solver is None:
        return lambda given: custom_root(optimality_fun, given)
    with speaking_of(solver):
        taken = _taken(optimality_fun, solver)

        def residual(x, args):
            return optimality_fun(x, *args)

        return Implicit(residual, taken, solver)


@overload
def custom_fixed_point(fixed_point_fun: Part, solver: Solver) -> Solver: ...
@overload
def custom_fixed_point(fixed_point_fun: Part, solver: None = None) -> Callable[[Solver], Solver]: ...
def custom_fixed_point(fixed_point_fun: Part, solver: Part | None = None) -> Any:
    """A solver of one's own with the derivative that a fixed point has: by the implicit function theorem.

    Parameters
    ----------
    fixed_point_fun : callable
        `f(x, *args)`, which is `x` at the solution.
    solver : callable, optional
        `solver(x0, *args) -> x`. Without it, a decorator of one is returned.

    Returns
    -------
    callable
        The solver, as of `custom_root`.

    Raises
    ------
    ArgumentError
        As `custom_root`.

    Examples
    --------
    >>> import math
    >>> from srcgrad import custom_fixed_point, grad
    >>> @custom_fixed_point(lambda x, a: a * math.cos(x))
    ... def solve(x, a):
    ...     for _ in range(200):
    ...         x = a * math.cos(x)
    ...     return x
    >>> x = solve(1.0, 0.8)
    >>> exact = math.cos(x) / (1.0 + 0.8 * math.sin(x))
    >>> abs(grad(lambda a: solve(1.0, a), jit=False)(0.8) - exact) < 1e-12
    True
    """
    if solver is None:
        return lambda given: custom_fixed_point(fixed_point_fun, given)
    with speaking_of(solver):
        taken = _taken(fixed_point_fun, solver)

        def residual(x, args):
            return fixed_point_fun(x, *args) - x

        return Implicit(residual, taken, solver)


def implicit(*, root: Part | None = None, fixed_point: Part | None = None) -> Callable[[Solver], Solver]:
    """Decorator: a solver loop of one's own, differentiated by what holds at its end in place of its steps.

    Parameters
    ----------
    root : callable
        `f(x, *args)`, which is zero at the end: as `custom_root(root)`.
    fixed_point : callable
        In the place of `root`, `f(x, *args)`, which is `x` at the end: as `custom_fixed_point(fixed_point)`.

    Returns
    -------
    callable
        A decorator of `solver(x0, *args) -> x`.

    Raises
    ------
    ArgumentError
        If not one of the two is given.

    Examples
    --------
    >>> from srcgrad import grad, implicit
    >>> @implicit(root=lambda x, a: x**3 - a)
    ... def cube_root(x, a):
    ...     while abs(x**3 - a) > 1e-12:
    ...         x = x - (x**3 - a) / (3.0 * x * x)
    ...     return x
    >>> round(grad(lambda a: cube_root(1.0, a), jit=False)(8.0), 10)
    0.0833333333
    """
    if root is not None and fixed_point is None:
        return custom_root(root)
    if fixed_point is not None and root is None:
        return custom_fixed_point(fixed_point)
    with speaking_of(None):
        message = "a solver's end is told by either `root` or `fixed_point`"
        raise ArgumentError(message, hint="write @implicit(root=f) or @implicit(fixed_point=f)")
