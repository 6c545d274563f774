"""Errors, checks, what a derivative is, kernels, other libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, assert_type

import srcgrad as sg
from srcgrad import testing
from tests.typed.example.functions import wave

if TYPE_CHECKING:
    from srcgrad.derivatives.kernel_derivative import KernelDerivative

ERRORS: tuple[type[sg.SrcgradError], ...] = (
    sg.ArgumentError,
    sg.DivisionError,
    sg.IntegerOverflowError,
    sg.NonFiniteError,
    sg.NotDifferentiableError,
    sg.OutOfRangeError,
    sg.PowerError,
    sg.ShapeError,
    sg.TooLargeError,
    sg.UnboundError,
    sg.UnsupportedError,
)


def source_of(derivative: sg.Derivative) -> str:
    return derivative.source


def looked_at() -> None:
    testing.check_grads(wave, (1.0,), jit=False)
    assert_type(source_of(sg.grad(wave, jit=False)), str)
    assert_type(source_of(sg.compiled(wave, jit=False)), str)
    assert_type(sg.grad(wave, jit=False).source_for(1.0, 2), str)
    assert_type(sg.grad(wave).primal, Callable[..., Any])


def kernels(kernel: Any) -> tuple[KernelDerivative, KernelDerivative]:
    return sg.cuda.adjoint(kernel), sg.cuda.tangent(kernel)


def in_other_libraries() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return sg.as_torch_function(wave), sg.as_jax_function(wave)
