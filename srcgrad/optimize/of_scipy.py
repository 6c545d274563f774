"""SciPy's solvers for roots of one number, called inside a function that is read: its own steps, differentiated by the
implicit function theorem at the root that they come to.

Where they have no meaning here, it is said what to write.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from srcgrad.api import forward
from srcgrad.core.atoms import Const
from srcgrad.core.types import B1, F8, I8
from srcgrad.errors import CallError
from srcgrad.frontend.lowering import calls
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.structure import Static
from srcgrad.optimize import implicit_rules, methods
from srcgrad.optimize.inside import is_tuple, spec_of_argument, with_its_own
from srcgrad.optimize.result import OptimizeResult
from srcgrad.scipy import roots

Part = Callable[..., Any]
Named = dict[str, Any]
LEAST = 4 * 2.0**-52  # SciPy's rtol


# ---- the signatures of SciPy


def brentq(f, a, b, args=(), xtol=2e-12, rtol=LEAST, maxiter=100, full_output=False, disp=True):
    """A root between a and b."""


def newton(
    func, x0, fprime=None, args=(), tol=1.48e-8, maxiter=50, fprime2=None, x1=None, rtol=0.0, full_output=False,
    disp=True,
):  # fmt: skip
    """A root near x0."""


def root_scalar(
    f, args=(), method=None, bracket=None, fprime=None, fprime2=None, x0=None, x1=None, xtol=None, rtol=None,
    maxiter=None, options=None,
):  # fmt: skip
    """A root, by either."""


def given_to(public: Part, args: Sequence[Any], named: Named) -> Named:
    """The arguments of a call by their names; what was not given is a Python object."""
    try:
        given = inspect.signature(public).bind(*args, **named)
    except TypeError as error:
        names = wording.joined(list(inspect.signature(public).parameters))
        raise CallError(str(error).replace("'", "`"), hint=f"{public.__name__} takes {names}") from None
    given.apply_defaults()
    return given.arguments


def said(low: Any, name: str, value: Any) -> Any:
    """What an argument is that must be known where the call is read."""
    if isinstance(value, Const):
        return bool(value.value) if value.type == B1 else value.value
    if isinstance(value, scope.Known):
        return value.value
    if isinstance(value, scope.ANY):
        low.refuse(f"`{name}` is not known where the solver is compiled", "write it as a literal")
    return value


def is_none(value: Any) -> bool:
    return value is None or (isinstance(value, scope.Known) and value.value is None)


# ---- what a call gives


def call_brentq(low: Any, args: Sequence[Any], named: Named) -> Any:
    given = given_to(brentq, args, named)
    found = _bracketed(low, given["f"], (given["a"], given["b"]), given, said(low, "disp", given["disp"]))
    root = found.get("root")
    return scope.struct([root, found]) if said(low, "full_output", given["full_output"]) else root


def call_newton(low: Any, args: Sequence[Any], named: Named) -> Any:
    given = given_to(newton, args, named)
    disp = said(low, "disp", given["disp"])
    found = _from_point(low, given["func"], given, given["tol"], given["rtol"], given["maxiter"], disp)
    root = found.get("root")
    return scope.struct([root, found]) if said(low, "full_output", given["full_output"]) else root


def call_root_scalar(low: Any, args: Sequence[Any], named: Named) -> Any:
    given = given_to(root_scalar, args, named)
    method = said(low, "method", given["method"])
    if not is_none(given["options"]):
        low.refuse("`options` of root_scalar", "give xtol, rtol and maxiter by their names")
    for name, usual in (("xtol", 2e-12), ("rtol", LEAST), ("maxiter", 100)):
        if is_none(given[name]):
            given[name] = usual if method in (None, "brentq") and not is_none(given["bracket"]) else None
    if method in (None, "brentq") and not is_none(given["bracket"]):
        bracket = given["bracket"]
        if not isinstance(bracket, scope.Struct) or len(bracket.items) != 2:
            low.refuse("`bracket` is no pair of numbers", "write bracket=(a, b)")
        return _bracketed(low, given["f"], tuple(bracket.items), given, False)
    if method not in (None, "newton", "secant") or is_none(given["x0"]):
        low.refuse(f"root_scalar with method={method!r}", 'write method="brentq", bracket=(a, b), or x0=...')
    slope = given["fprime"]
    if isinstance(slope, Const):
        low.refuse("root_scalar with fprime=True", "give the function alone: its derivative is made")
    if method == "newton" and is_none(slope):
        given["fprime"] = True  # any: it is made
    if method == "secant":
        given["fprime"] = None
    tol, rtol, maxiter = (
        usual if given[name] is None else given[name]
        for name, usual in (("xtol", 1.48e-8), ("rtol", 0.0), ("maxiter", 50))
    )
    return _from_point(low, given["f"], given, tol, rtol, maxiter, False)


def _bracketed(low: Any, fun: Any, ends: tuple[Any, Any], given: Named, disp: bool) -> Any:
    def solve_of(call):
        def solve(x0, args, tol, maxiter, options):
            end, rtol = options
            x, nit, nfev, converged = roots.brent(call, x0, end, args, tol, rtol, maxiter)
            if disp and not converged:
                raise RuntimeError("Failed to converge after the iterations that maxiter allows.")
            return OptimizeResult(x, call(x, args), nit, converged, 0, nfev)

        return solve

    more = [given["rtol"]]
    return _root(low, fun, ends[0], [ends[1], *more], given["args"], given["xtol"], given["maxiter"], solve_of)


def _from_point(low: Any, fun: Any, given: Named, tol: Any, rtol: Any, maxiter: Any, disp: bool) -> Any:
    if not is_none(given["fprime2"]):
        low.refuse("Halley's method, by `fprime2`", "leave fprime2 out: Newton's method comes to the same root")
    by_slope, second = not is_none(given["fprime"]), given["x1"]

    def solve_of(call):
        slope = forward(call, 0)

        def solve(x0, args, tol, maxiter, options):
            x1, rtol = options
            if by_slope:
                x, nit, nfev, converged = roots.newton(
                    call, lambda x, more: slope(x, more, 1.0)[1], x0, args, tol, rtol, maxiter
                )
            else:
                other = x1 if x1 is not None else roots.second_point(x0)
                x, nit, nfev, converged = roots.secant(call, x0, other, args, tol, rtol, maxiter)
            if disp and not converged:
                raise RuntimeError("Failed to converge after the iterations that maxiter allows.")
            return OptimizeResult(x, call(x, args), nit, converged, 0, nfev)

        return solve

    second = scope.Known(None) if is_none(second) else second
    return _root(low, fun, given["x0"], [second, rtol], given["args"], tol, maxiter, solve_of)


def _root(low: Any, fun: Any, start: Any, options: list[Any], args: Any, tol: Any, maxiter: Any, solve_of: Part) -> Any:
    """A `RootResults` of a solve that begins at a number."""
    start = number(low, start)
    values = with_its_own(low, {"fun": fun, "x0": start, "args": args})
    more = scope.struct([]) if values["args"] == () else values["args"]
    if not is_tuple(spec_of_argument("args", more)):
        more = scope.struct([more])
    function = spec_of_argument("fun", values["fun"])
    assert isinstance(function, Static)
    call = methods.spread(function.value)
    ruled = implicit_rules.with_rule(solve_of(call), call, False, 0, scope.spec_of(more))
    numbers = [number(low, value) for value in (*options, tol)]
    count = maxiter if isinstance(maxiter, scope.ANY) else Const(maxiter, I8)
    found = calls.put(low, ruled, [values["x0"], more, numbers[-1], count, scope.struct(numbers[:-1])])
    assert isinstance(found, scope.Struct)
    items = dict(zip(found.keys, found.items, strict=True))
    parts = [items[name] for name in ("x", "nit", "nfev", "success")]
    return scope.Struct(roots.RootResults, roots.RootResults._fields, tuple(parts), value=True)


def number(low: Any, value: Any) -> Any:
    """A float of this call."""
    if isinstance(value, (int, float)):
        return Const(float(value), F8)
    value = scope.seen(low.settle(value, "x"))
    if isinstance(value, scope.Known) and value.value is None:
        return value
    if not hasattr(value, "type") or not value.type.is_scalar or value.type.is_complex:
        low.refuse(
            f"{scope.describe(value)} stands where a number must be",
            "SciPy's roots here are of one number: sg.newton solves systems",
        )
    return value if value.type == F8 else low.converted(value, F8)
