"""Numbers of every kind stored into complex arrays, and complex ones into real arrays."""

import numpy as np
import pytest

import srcgrad as sg

A = np.array([1.0 + 0.5j, -0.3 + 2.0j, 0.7 - 1.1j, 2.0 + 0.0j])
X = np.array([0.3, -1.2, 2.0, 0.7])


def constants(a):
    a[0] = 5.0
    a[1] = True
    a[2] += 2
    a[3] -= 1.5
    a[3] *= 2.0
    return np.sum(abs(a) ** 2)


def everywhere(a):
    b = a * 2.0
    b[:] = 1.0
    b[1:3] += a[0].real
    b[3] = a[1].imag
    return np.sum(b.real**2)


def real_into_complex(x):
    c = np.full(4, 1j)
    c.fill(2.0)
    c[0] = x[0]
    c[1:3] = x[1] * 1j
    d = np.eye(4, dtype=np.complex128)
    d[0] = x
    np.fill_diagonal(d, 2.0)
    return np.sum((d @ c).real) + np.sum(c.imag * x) + np.sum(d.real**2)


def gradient(f, x, step=1e-6):
    out = np.zeros_like(x)
    for k in range(len(x)):
        for unit in (1.0, 1j) if np.iscomplexobj(x) else (1.0,):
            move = np.zeros_like(x)
            move[k] = step * unit
            out[k] += (f(x + move) - f(x - move)) / (2 * step) * np.conj(unit)
    return out


@pytest.mark.parametrize("f", [constants, everywhere, real_into_complex])
@pytest.mark.parametrize("jit", [False, True])
def test_stores(f, jit):
    x = X if f is real_into_complex else A
    value, got = sg.value_and_grad(f, jit=jit)(x)
    assert value == pytest.approx(f(x.copy()))
    np.testing.assert_allclose(got, gradient(lambda a: f(a.copy()), x), rtol=1e-6, atol=1e-8)


def element(x):
    x[0] = 1j * x[1]
    return x[0]


def part(x):
    c = x * 1j
    x[1:] = c[:-1]
    return x[0]


def filled(x):
    x.fill(1j)
    return x[0]


def float_into_integers(x):
    n = np.zeros(4, dtype=np.int64)
    np.copyto(n, x)
    return x[0] * n[0]


@pytest.mark.parametrize("f", [element, part, filled, float_into_integers])
def test_refused(f):
    with pytest.raises(sg.UnsupportedError, match="is stored into an array of") as told:
        sg.grad(f, jit=False)(X)
    assert told.value.problems[0].hint
