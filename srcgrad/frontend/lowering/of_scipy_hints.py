"""What to write in the place of SciPy's functions and classes that have no rule."""

from __future__ import annotations

from typing import Any

from srcgrad.frontend.source import hooks

BRACKETED = "use brentq, which finds the same root"
SYSTEM = "use sg.newton(f, x0, args).x, whose Jacobian is made"
STEPS = "write the steps as a loop, as of Runge and Kutta: for t in ts: y = y + h * ..."
SPLINE = "use np.interp(x, xs, ys), or make the spline outside, and evaluate its polynomials from .x and .c"
# functions of SciPy without a rule, and what does the same here
OF_SCIPY = {
    **{("scipy.optimize", name): BRACKETED for name in ("bisect", "brenth", "ridder", "toms748")},
    **{("scipy.optimize", name): SYSTEM for name in ("fsolve", "root", "fixed_point")},
    ("scipy.optimize", "minimize"): 'use sg.minimize(f, x0, args, method="bfgs")',
    ("scipy.optimize", "minimize_scalar"): "use sg.minimize(f, x0, args), from a float",
    ("scipy.optimize", "least_squares"): "use sg.minimize of the sum of squares",
    ("scipy.optimize", "curve_fit"): "use sg.minimize of the sum of squares",
    ("scipy.integrate", "dblquad"): "use quad of a quad: quad(lambda x: quad(lambda y: f(y, x), c, d)[0], a, b)",
    ("scipy.integrate", "tplquad"): "use quad of a quad of a quad",
    ("scipy.integrate", "nquad"): "use quad of a quad",
    ("scipy.integrate", "quad_vec"): "use quad of each component",
    ("scipy.integrate", "fixed_quad"): "use np.sum(w * f(x)) with nodes and weights made outside of the function",
    ("scipy.integrate", "solve_bvp"): "use sg.newton on the equations of the mesh",
    **{("scipy.integrate", n): STEPS for n in ("solve_ivp", "odeint", "ode", "complex_ode", "RK45", "RK23", "DOP853",
       "LSODA", "Radau", "BDF")},
    ("scipy.interpolate", "interp1d"): "use np.interp(x, xs, ys)",
    **{("scipy.interpolate", n): SPLINE for n in ("CubicSpline", "PchipInterpolator", "UnivariateSpline",
       "InterpolatedUnivariateSpline", "make_interp_spline", "Akima1DInterpolator", "splrep", "splev")},
}  # fmt: skip


def instead(target: Any) -> str | None:
    return OF_SCIPY.get(hooks.named_in(target))
