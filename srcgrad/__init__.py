"""Automatic differentiation from Python source to readable Python source, compiled by Numba."""

from __future__ import annotations

from srcgrad.api import forward, grad, hessian, hvp, jacfwd, jacobian, jacrev, reverse, value_and_grad
from srcgrad.derivative import Derivative
from srcgrad.errors import ArgumentError, NotDifferentiableError, SrcgradError, UnsupportedError

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "Derivative",
    "NotDifferentiableError",
    "SrcgradError",
    "UnsupportedError",
    "forward",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "reverse",
    "value_and_grad",
]
