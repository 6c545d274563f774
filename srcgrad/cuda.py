"""Derivatives of CUDA kernels."""

from __future__ import annotations

from typing import Any

from srcgrad.derivatives.kernel_derivative import KernelDerivative
from srcgrad.frontend.source.error_places import speaking_of

__all__ = ["adjoint", "tangent"]


def adjoint(kernel: Any) -> KernelDerivative:
    """The adjoint of a `@cuda.jit` kernel, or of its Python function.

    It is launched with the primal's launch shape, as `adjoint(kernel)[grid, block](*args, *bars)`: one bar, of the same
    shape and dtype, for each argument that is an array of floats, in order. Bars of arrays that the kernel reads are
    added to; those of arrays that it writes come in holding the cotangent, which is taken where the kernel writes.
    `args` are what the kernel was given (not what it made of them), and stay as they are.

    Parameters
    ----------
    kernel : a kernel, or the function that it was made from

    Returns
    -------
    KernelDerivative
        `.source` shows the generated kernel.

    Raises
    ------
    ArgumentError
        If it is not a kernel, or if an argument of the launch has not the type or shape that it must have.
    UnsupportedError
        If something in the kernel is outside the language, or threads would write to one place.

    Examples
    --------
    >>> from numba import cuda
    >>> import numpy as np, srcgrad.cuda
    >>> @cuda.jit
    ... def scale(a, x, y):
    ...     i = cuda.grid(1)
    ...     if i < x.shape[0]:
    ...         y[i] = a * x[i] ** 2
    >>> x, y_bar = np.array([1.0, 2.0]), np.ones(2)
    >>> x_bar = np.zeros(2)
    >>> srcgrad.cuda.adjoint(scale)[1, 32](3.0, x, np.zeros(2), x_bar, y_bar)  # doctest: +SKIP
    >>> x_bar  # doctest: +SKIP
    array([ 6., 12.])
    """
    with speaking_of(None):
        return KernelDerivative(kernel, "adjoint")


def tangent(kernel: Any) -> KernelDerivative:
    """The tangent of a `@cuda.jit` kernel, or of its Python function.

    Launched as `tangent(kernel)[grid, block](*args, *dots)`, it does what the kernel does, and the same to the dots:
    one for each argument that is an array of floats, in order, of the same shape and dtype. Those of arrays that the
    kernel reads hold a direction; what is written to an array has its derivative along it written to the array's dot.

    Parameters
    ----------
    kernel : a kernel, or the function that it was made from

    Returns
    -------
    KernelDerivative
        `.source` shows the generated kernel.

    Raises
    ------
    ArgumentError
        If it is not a kernel, or if an argument of the launch has not the type or shape that it must have.
    UnsupportedError
        If something in the kernel is outside the language.

    Examples
    --------
    >>> srcgrad.cuda.tangent(scale)[1, 32](3.0, x, y, x_dot, y_dot)  # doctest: +SKIP
    """
    with speaking_of(None):
        return KernelDerivative(kernel, "tangent")
