"""The transformers: what a user calls."""

from __future__ import annotations

from srcgrad.api.at_a_point import jvp, vjp
from srcgrad.api.gradients import grad, value_and_grad
from srcgrad.api.hessians import hessian, hvp
from srcgrad.api.jacobians import jacfwd, jacobian, jacrev
from srcgrad.api.sweeps import forward, reverse
from srcgrad.api.values import compiled, vmap
from srcgrad.derivatives import called_inside

__all__ = [
    "compiled",
    "forward",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "reverse",
    "value_and_grad",
    "vjp",
    "vmap",
]

called_inside.allow(grad, compiled, value_and_grad, forward, reverse, jacfwd, jacrev, jacobian, hessian, hvp, vmap)
called_inside.allow_at_points(jvp, vjp)
