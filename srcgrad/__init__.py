"""Automatic differentiation from Python source to readable Python source, compiled by Numba."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's garbage collector, which would go through all that Numba has loaded, and find nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


with _uncollected():
    from srcgrad.api import (
        compiled,
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
    from srcgrad.backend.compiling import deferred as _deferred
    from srcgrad.core.stop_gradient import stop_gradient
    from srcgrad.derivatives import former_names as _former_names
    from srcgrad.derivatives.custom_rules import custom_jvp, custom_vjp
    from srcgrad.derivatives.derivative import Derivative
    from srcgrad.errors import (
        ArgumentError,
        DivisionError,
        IntegerOverflowError,
        NonFiniteError,
        NotDifferentiableError,
        OutOfRangeError,
        PowerError,
        ShapeError,
        SrcgradError,
        TooLargeError,
        UnboundError,
        UnsupportedError,
    )
    from srcgrad.frontend.source import cells as _cells
    from srcgrad.optimize import (
        OptimizeResult,
        custom_fixed_point,
        custom_root,
        gradient_descent,
        implicit,
        least_squares,
        minimize,
        newton,
    )
    from srcgrad.optimize.scipy_order import scipy_derivatives
    from srcgrad.terminal import notebook as _notebook

if TYPE_CHECKING:
    from srcgrad import cuda as cuda
    from srcgrad import testing as testing
    from srcgrad.bridges.jax import as_jax_function as as_jax_function
    from srcgrad.bridges.torch import as_torch_function as as_torch_function

BRIDGES = {"as_jax_function": "srcgrad.bridges.jax", "as_torch_function": "srcgrad.bridges.torch"}

__version__ = "0.2.0"

_cells.publish()
_former_names.install()
_notebook.register()

__all__ = [
    "ArgumentError",
    "Derivative",
    "DivisionError",
    "IntegerOverflowError",
    "NonFiniteError",
    "NotDifferentiableError",
    "OptimizeResult",
    "OutOfRangeError",
    "PowerError",
    "ShapeError",
    "SrcgradError",
    "TooLargeError",
    "UnboundError",
    "UnsupportedError",
    "compiled",
    "custom_fixed_point",
    "custom_jvp",
    "custom_root",
    "custom_vjp",
    "forward",
    "grad",
    "gradient_descent",
    "hessian",
    "hvp",
    "implicit",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "least_squares",
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
    """What is loaded when it is first asked for: `srcgrad.cuda`, `srcgrad.testing`, bridges to other libraries."""
    if name in ("cuda", "testing"):
        with _deferred():
            return importlib.import_module(f"srcgrad.{name}")
    if name in BRIDGES:
        return getattr(importlib.import_module(BRIDGES[name]), name)
    raise AttributeError(f"module 'srcgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *BRIDGES, "__doc__", "__name__", "__version__", "cuda", "optimize", "testing"])
