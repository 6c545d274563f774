"""What to write in the place of SciPy's functions and classes that have no rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known, Value, leaves
from srcgrad.frontend.source import hooks

BRACKETED = "use brentq, which finds the same root"
SYSTEM = "use sg.newton(f, x0, args).x, whose Jacobian is made"
STEPS = "use solve_ivp, or odeint"
SPLINE = (
    "use CubicSpline, PchipInterpolator or make_interp_spline; or evaluate a spline's polynomials from its .x and .c"
)
EXPLICIT = ("RK45", "RK23", "DOP853")
# functions of SciPy without a rule, and what does the same here
OF_SCIPY = {
    **{("scipy.optimize", name): BRACKETED for name in ("bisect", "brenth", "ridder", "toms748")},
    **{("scipy.optimize", name): SYSTEM for name in ("fsolve", "root", "fixed_point")},
    ("scipy.optimize", "minimize"): 'use sg.minimize(f, x0, args, method="bfgs")',
    ("scipy.optimize", "minimize_scalar"): "use sg.minimize(f, x0, args), from a float",
    ("scipy.optimize", "least_squares"): "use sg.least_squares(f, x0, args), of the same losses and fields",
    ("scipy.optimize", "curve_fit"): "use sg.least_squares of the residuals",
    ("scipy.integrate", "dblquad"): "use quad of a quad: quad(lambda x: quad(lambda y: f(y, x), c, d)[0], a, b)",
    ("scipy.integrate", "tplquad"): "use quad of a quad of a quad",
    ("scipy.integrate", "nquad"): "use quad of a quad",
    ("scipy.integrate", "quad_vec"): "use quad of each component",
    ("scipy.integrate", "fixed_quad"): "use np.sum(w * f(x)) with nodes and weights made outside of the function",
    ("scipy.integrate", "solve_bvp"): "use sg.newton on the equations of the mesh",
    **{("scipy.integrate", n): STEPS for n in ("ode", "complex_ode", "RK45", "RK23", "DOP853", "LSODA", "Radau",
       "BDF")},
    ("scipy.integrate", "cumulative_simpson"): "use cumulative_trapezoid, or CubicSpline(x, y).antiderivative()",
    ("scipy.integrate", "romb"): "use simpson",
    **{("scipy.interpolate", n): SPLINE for n in ("UnivariateSpline", "BSpline", "make_smoothing_spline", "splrep",
       "splev", "make_lsq_spline", "BPoly", "KroghInterpolator", "BarycentricInterpolator")},
}  # fmt: skip


def instead(target: Any) -> str | None:
    return OF_SCIPY.get(hooks.named_in(target))


def check_steps(low: Lowering, plain: Callable[..., Any], args: Sequence[Value], named: Mapping[str, Value]) -> None:
    """Refuse what `solve_ivp` and `odeint` take in SciPy, and not here."""
    if plain.__name__ not in ("solve_ivp", "odeint"):
        return
    given = {**dict(zip(inspect.signature(plain).parameters, args, strict=False)), **named}
    events = given.get("events")
    if events is not None and not (isinstance(events, Known) and events.value is None):
        low.refuse(
            "solve_ivp with `events`", "find the time by brentq(lambda t: event(t, sol.sol(t)), a, b), of dense_output"
        )
    method = given.get("method")
    if method is not None and not (isinstance(method, Known) and method.value in EXPLICIT):
        hint = 'write method="DOP853", "RK45" or "RK23": explicit methods, in small steps where the problem is stiff'
        low.refuse("solve_ivp by this method", hint)
    for name in ("y0", "args"):
        if name in given and any(atom.type.is_complex for atom in leaves(low.settle(given[name], name))):
            low.refuse(f"{plain.__name__} of complex numbers", "solve for the real and imaginary parts")
