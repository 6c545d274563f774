"""What is said of a function that cannot be called inside a differentiated one."""

from __future__ import annotations

import random
import sys
import types
from typing import Any, NoReturn

import numpy as np

from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.classes import ARRAYS, listed
from srcgrad.frontend.source.functions import module_of
from srcgrad.rules.language import registry
from srcgrad.rules.random import generators

OUTSIDE = (
    "srcgrad.api",
    "srcgrad.derivatives.custom_rules",
    "srcgrad.optimize.custom_root",
    "srcgrad.cuda",
    "srcgrad.testing.check_grads",
)


def is_outside(target: types.FunctionType) -> bool:
    """Whether it is one of those functions, and not one that they have made."""
    home = module_of(target)
    return home in OUTSIDE and getattr(sys.modules.get(home), target.__name__, None) is target


def outside(low: Lowering, target: types.FunctionType) -> NoReturn:
    """Refuse a function of this package that has no meaning inside of another."""
    name = target.__name__
    outside = {
        "srcgrad.derivatives.custom_rules": f"write @{name} above a function at the top of the file",
        "srcgrad.optimize.custom_root": f"write @{name}(f) above the solver at the top of the file",
        "srcgrad.testing.check_grads": "call it outside the function",
    }
    hint = outside.get(module_of(target), f"make it outside: df = {name}(f)")
    low.refuse(f"`{name}` is called inside the function", hint)


PEERS = ARRAYS | {"autograd", "tangent"}


def of_peer(low: Lowering, target: Any) -> None:
    """Refuse a function of a library that has arrays of its own."""
    package = str(getattr(target, "__module__", None)).split(".")[0]
    if package in PEERS:
        name = getattr(target, "__name__", type(target).__name__)
        hint = f"use NumPy's: np.{name}" if hasattr(np, name) else "take NumPy arrays: .to_numpy(), or np.asarray(...)"
        low.refuse(f"`{name}` is a function of {package}, for arrays of its own", hint)


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


def instead(target: Any) -> str:
    """What to write in the place of a call of something without a rule."""
    known = registry.INSTEAD.get(target) if listed(target) else None
    known = known or OF_SCIPY.get(hooks.named_in(target))
    owner = getattr(target, "__self__", None)
    drawn = str(getattr(target, "__module__", None)).startswith("numpy.random")
    if known is None and (drawn or isinstance(owner, (np.random.Generator, np.random.RandomState, random.Random))):
        own = str(getattr(target, "__module__", None)) == "numpy.random._generator"
        if own or isinstance(owner, np.random.Generator) or target is np.random.default_rng:
            ways = wording.joined(list(generators.METHODS))
            return (
                f"make the generator a global name of the module, and call its {ways}; or pass numbers as an argument"
            )
        return "call np.random.normal() or its like, or draw outside the function and pass the numbers as an argument"
    return known or "write it out, or give it a rule with custom_jvp or custom_vjp"
