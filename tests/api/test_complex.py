"""Complex numbers in and out: JAX's convention, holomorphic and not, in both modes and at second order."""

import cmath
import math

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import ArgumentError, UnsupportedError
from srcgrad.testing import check_grads

OPTIONS = {"jit": False, "cache": False}
Z, W = 0.3 + 0.4j, 1.2 - 0.7j
ROW = np.array([1 + 2j, 0.3 - 0.2j, 0.5j])
SQUARE = np.array([[2 + 1j, 0.3, -0.4j], [0.5, 1.7 - 0.6j, 0.2], [0.1j, 0.2, 3.0]])


def holomorphic(z, w):
    return np.exp(z * w) / (1.0 + z**2) - np.sqrt(w) * np.sin(z) ** 3


def parts(z, w):
    return (z * z * w + np.exp(z) * np.conj(w)).real + abs(z * w) + np.angle(z) * w.imag


def with_reals(x, z):
    return complex(x, 2.0 * x) * z + x * 1j


def looped(x, a):
    s = 0j
    for i in range(a.shape[0]):
        s = s * x + a[i] * 1j
        a[i] = a[i] * s
    return np.sum(a).imag + abs(s) ** 2


def in_cmath(z):
    return cmath.exp(1j * z) * cmath.log(z) + cmath.phase(z)


def arrays(a, m):
    return np.sum(np.abs(m @ a) ** 2) + np.linalg.solve(m, a)


def by_masks(a):
    return np.where(a.real > 0.4, a * a, np.conj(a)) * np.cumsum(a)


def pieces(a):
    b = np.zeros(4, dtype=np.complex128)
    b[1:] = a[::-1] * 2.0
    b[0] = a[1]
    return b.reshape(2, 2).T


def powers(z):
    return z**3 + z**-2 + 2.0**z + z**0.5


PROGRAMS = [
    (holomorphic, (Z, W)),
    (parts, (Z, W)),
    (with_reals, (0.7, Z)),
    (looped, (0.7, ROW)),
    (in_cmath, (W,)),
    (arrays, (ROW, SQUARE)),
    (by_masks, (ROW,)),
    (pieces, (ROW,)),
    (powers, (Z,)),
]


@pytest.mark.parametrize(("fun", "args"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_against_numerical_derivatives(fun, args):
    check_grads(fun, args, order=2, rtol=1e-5, atol=1e-6, **OPTIONS)


def test_the_gradient_is_that_of_jax():
    """df/dx - i df/dy: of |z|^2 it is twice the conjugate."""
    assert sg.grad(lambda z: abs(z) ** 2, **OPTIONS)(Z) == pytest.approx(2 * Z.conjugate())
    assert sg.grad(lambda z: z.imag, **OPTIONS)(Z) == -1j


def test_a_holomorphic_derivative_by_either_mode():
    value, slope = sg.jvp(lambda z: z**3, (Z,), (1 + 0j,), **OPTIONS)
    assert slope == pytest.approx(3 * Z**2)
    value, pullback = sg.vjp(lambda z: z**3, Z, **OPTIONS)
    assert pullback(1 + 0j)[0] == pytest.approx(3 * Z**2)
    assert value == pytest.approx(Z**3)


def test_single_precision_stays():
    z = np.complex64(Z)
    gradient = sg.grad(lambda z: (z * z * 2.0 + 1j * z).real, **OPTIONS)(z)
    assert gradient.dtype == np.complex64
    assert gradient == pytest.approx(4 * Z + 1j, rel=1e-6)
    row = sg.grad(lambda a: np.sum(np.abs(a * 1j)), **OPTIONS)(ROW.astype(np.complex64))
    assert row.dtype == np.complex64


def test_a_real_argument_has_a_real_gradient():
    assert sg.grad(lambda x: abs(np.exp(1j * x) + 2.0), **OPTIONS)(0.3) == pytest.approx(
        -2 * math.sin(0.3) / abs(cmath.exp(0.3j) + 2)
    )


@pytest.mark.parametrize("jit", [True])
def test_compiled(jit):
    for fun, args in [(parts, (Z, W)), (looped, (0.7, ROW))]:
        expected = sg.grad(fun, (0, 1), **OPTIONS)(*args)
        for one, other in zip(sg.grad(fun, (0, 1), jit=jit)(*args), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13)


@pytest.mark.parametrize("derivative", [sg.grad, sg.jacobian, sg.hessian, sg.jacfwd, sg.jacrev])
def test_derivatives_of_complex_results_are_by_vjp(derivative):
    with pytest.raises(ArgumentError, match="complex"):
        derivative(lambda z: z * z, **OPTIONS)(Z)


def test_what_drops_an_imaginary_part_is_refused():
    def stored(z):
        a = np.zeros(2)
        a[0] = z
        return a[0]

    for fun in (stored, lambda z: float(z), lambda z: np.maximum(z, 0.0).real, lambda z: (z < 1.0) * 1.0):
        with pytest.raises(UnsupportedError, match="complex"):
            sg.grad(fun, **OPTIONS)(Z)
