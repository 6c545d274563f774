"""`least_squares` called inside other code: inside a function that srcgrad reads, and inside compiled code."""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from srcgrad.api import compiled, jacfwd
from srcgrad.core.atoms import Const, Var
from srcgrad.core.types import F8
from srcgrad.errors import ArgumentError
from srcgrad.frontend.lowering import calls
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.source.structure import Spec, Static
from srcgrad.optimize.custom_root import Implicit
from srcgrad.optimize.inside import is_tuple, spec_of_argument, with_its_own
from srcgrad.optimize.least_squares import checked, least_squares, residuals, solving, told
from srcgrad.optimize.levenberg_marquardt import LOSSES, gradient_of, largest, least_squares_loop, robust_cost
from srcgrad.optimize.of_scipy import given_to, said

Part = Callable[..., Any]
NUMBERS = ("loss", "f_scale", "ftol", "xtol", "gtol", "max_nfev")


class LeastSquaresPoint(NamedTuple):
    """What is known of the solution inside of a function that is read; its derivative by `args` is that of a point
    where the gradient of the cost is zero."""

    x: Any
    cost: Any
    fun: Any
    jac: Any
    grad: Any
    optimality: Any


def called(low: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
    """What a call gives inside of a function that is read."""
    given = given_to(least_squares, args, named)
    loss, *rest = (said(low, name, given[name]) for name in NUMBERS)
    numbers = checked(loss, *rest)
    values = with_its_own(low, {"fun": given["fun"], "x0": given["x0"], "args": given["args"]})
    start: Any = scope.seen(low.settle(calls.given(low, values["x0"]), "x"))
    if not isinstance(start, (Var, Const)) or start.type.rank > 1 or start.type.is_complex:
        low.refuse(f"least_squares starts from {scope.describe(start)}", "start from a float or a vector of floats")
    number = start.type.rank == 0
    start = low.converted(start, F8) if number and start.type != F8 else start
    more = scope.struct([]) if values["args"] == () else values["args"]
    if not is_tuple(spec_of_argument("args", more)):
        more = scope.struct([more])
    function = spec_of_argument("fun", values["fun"])
    assert isinstance(function, Static)
    return low.constructs.call(scope.Known(_at_solution(function.value, number, loss, numbers)), [start, more])


def _at_solution(fun: Part, number: bool, loss: str, numbers: tuple[float, ...]) -> Part:
    call, rho, f_scale = residuals(fun, number), LOSSES[loss], numbers[0]
    jacobian = jacfwd(call)
    loop = least_squares_loop(call, jacobian, rho)

    def solver(x0, args):
        return loop(x0, args, *numbers)[0]

    def slope(x, given):
        args = given[0]
        return gradient_of(jacobian(x, args), call(x, args), f_scale, rho)

    solution = Implicit(slope, 1, solver)

    def least(x0, args):
        x = solution(np.array([x0]) if number else x0, args)
        found, jac = call(x, args), jacobian(x, args)
        gradient = gradient_of(jac, found, f_scale, rho)
        cost = robust_cost(found, f_scale, rho)
        return LeastSquaresPoint(x[0] if number else x, cost, found, jac, gradient, largest(gradient))

    return least


def resolved(specs: dict[str, Spec]) -> tuple[Any, list[str], Part]:
    """In compiled code: the solve, the expressions of what it takes, and what makes the result of what it gives."""
    known = {name: spec.value for name, spec in specs.items() if isinstance(spec, Static)}
    for name in ("fun", "loss"):
        if name not in known:
            raise ArgumentError(f"`{name}` is not known where the solver is compiled", hint="write it as a literal")
    usual = checked(*(known.get(name, 1.0) for name in NUMBERS))
    of_call = {"max_nfev": "int(max_nfev)"} | {name: f"float({name})" for name in NUMBERS[1:-1]}
    numbers = [repr(n) if name in known else of_call[name] for name, n in zip(NUMBERS[1:], usual, strict=True)]
    rank = getattr(getattr(specs["x0"], "type", None), "rank", 0)
    start = "x0" if rank else "float(x0)"
    args = "args" if is_tuple(specs["args"]) else "(args,)"
    solve = compiled(solving(known["fun"], rank == 0, known["loss"]))
    return solve, [start, args, *numbers], told
