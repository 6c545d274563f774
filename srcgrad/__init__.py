"""Automatic differentiation from Python source to readable Python source, compiled by Numba."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.api import (
    forward,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    reverse,
    value_and_grad,
    vjp,
    vmap,
)
from srcgrad.core.marks import stop_gradient
from srcgrad.custom import custom_jvp, custom_vjp
from srcgrad.derivative import Derivative
from srcgrad.errors import (
    ArgumentError,
    DivisionError,
    NotDifferentiableError,
    OutOfRangeError,
    ShapeError,
    SrcgradError,
    TooLargeError,
    UnsupportedError,
)
from srcgrad.optimize import OptimizeResult, gradient_descent, minimize, newton
from srcgrad.scipy_order import scipy_derivatives

if TYPE_CHECKING:
    from srcgrad import cuda as cuda

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "Derivative",
    "DivisionError",
    "NotDifferentiableError",
    "OptimizeResult",
    "OutOfRangeError",
    "ShapeError",
    "SrcgradError",
    "TooLargeError",
    "UnsupportedError",
    "custom_jvp",
    "custom_vjp",
    "forward",
    "grad",
    "gradient_descent",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "minimize",
    "newton",
    "reverse",
    "scipy_derivatives",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    """`srcgrad.cuda`, which is loaded when it is first asked for."""
    if name == "cuda":
        return importlib.import_module("srcgrad.cuda")
    raise AttributeError(f"module 'srcgrad' has no attribute {name!r}")
