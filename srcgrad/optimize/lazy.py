"""What is loaded only when it is asked for: `lazy.inside`, of solvers that are called inside other code,
`lazy.large`, of those for many variables, which needs SciPy, and `lazy.of_scipy` and `lazy.quadrature`, of SciPy's."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from srcgrad.backend.compiling import deferred

if TYPE_CHECKING:
    from srcgrad.optimize import inside as inside
    from srcgrad.optimize import large as large
    from srcgrad.optimize import least_squares_inside as least_squares_inside
    from srcgrad.optimize import of_scipy as of_scipy
    from srcgrad.optimize import quadrature as quadrature


def __getattr__(name: str) -> Any:
    if name in ("inside", "large", "least_squares_inside", "of_scipy", "quadrature"):
        with deferred():
            return importlib.import_module(f"srcgrad.optimize.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
