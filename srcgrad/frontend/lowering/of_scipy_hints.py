"""What to write in the place of SciPy's functions and classes that have no rule."""

from __future__ import annotations

from typing import Any

from srcgrad.frontend.source import hooks

BRACKETED = "use brentq, which finds the same root"
SYSTEM = "use sg.newton(f, x0, args).x, whose Jacobian is made"
STEPS = 'use solve_ivp(f, t_span, y0, method="RK45")'
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
    ("scipy.integrate", "solve_bvp"): "use sg.newton on the equations of the mesh, or shoot: solve_ivp in sg.newton",
    **{("scipy.integrate", name): STEPS for name in ("ode", "complex_ode", "RK45", "RK23", "DOP853", "LSODA")},
    **{("scipy.integrate", name): STEPS for name in ("Radau", "BDF")},
    ("scipy.interpolate", "interp1d"): "use np.interp(x, xs, ys), or CubicSpline(xs, ys)(x)",
    **{("scipy.interpolate", n): "use CubicSpline(xs, ys)" for n in ("UnivariateSpline", "InterpolatedUnivariateSpline",
       "make_interp_spline", "Akima1DInterpolator", "splrep", "splev")},
}  # fmt: skip


def instead(target: Any) -> str | None:
    return OF_SCIPY.get(hooks.named_in(target))
