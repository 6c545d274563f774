"""Solvers: the whole loop, derivative included, is one compiled function."""

from __future__ import annotations

from srcgrad.optimize.allowed import allow, allow_least_squares, allow_of_scipy
from srcgrad.optimize.custom_root import custom_fixed_point, custom_root, implicit
from srcgrad.optimize.least_squares import LeastSquaresResult, least_squares
from srcgrad.optimize.progress import Progress
from srcgrad.optimize.result import MESSAGES, OptimizeHistory, OptimizeResult
from srcgrad.optimize.solvers import gradient_descent, minimize, newton

__all__ = [
    "MESSAGES",
    "LeastSquaresResult",
    "OptimizeHistory",
    "OptimizeResult",
    "Progress",
    "custom_fixed_point",
    "custom_root",
    "gradient_descent",
    "implicit",
    "least_squares",
    "minimize",
    "newton",
]

allow(newton, "root")
allow(gradient_descent, "gradient-descent")
allow(minimize, "")
allow_least_squares(least_squares)
allow_of_scipy()
