"""np.fft as the user writes it: values as NumPy's, derivatives beside numerical ones, compiled and not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.fft

from srcgrad import grad, jvp, vjp
from srcgrad.backend import cpu
from srcgrad.errors import SrcgradError, UnsupportedError
from srcgrad.testing import check_grads

normal = np.random.default_rng(8).standard_normal
x, m, w, t = normal(7), normal((4, 6)), normal((4, 6)), normal((2, 3, 4))
z = m + 0.5j * w


def size(y: Any) -> Any:
    """A number that each part of a complex array moves differently."""
    return np.sum(np.abs(y) ** 2) + np.sum(y.real**3) + np.sum(y.imag * y.real)


# of real arguments: complex or real results
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "fft": (lambda x: np.fft.fft(x), (x,)),
    "fft_n": (lambda m: np.fft.fft(m, 4), (m,)),
    "fft_longer": (lambda m: np.fft.fft(m, n=9, axis=0, norm="ortho"), (m,)),
    "ifft": (lambda m: np.fft.ifft(m, axis=-2, norm="forward"), (m,)),
    "fft2": (lambda t: np.fft.fft2(t), (t,)),
    "ifft2": (lambda m: np.fft.ifft2(m, (3, 7), norm="ortho"), (m,)),
    "fftn": (lambda t: np.fft.fftn(t), (t,)),
    "fftn_axes": (lambda t: np.fft.fftn(t, axes=(0, 2)), (t,)),
    "ifftn": (lambda t: np.fft.ifftn(t, (2, 2), (2, 0)), (t,)),
    "rfft": (lambda x: np.fft.rfft(x), (x,)),
    "rfft_n": (lambda m: np.fft.rfft(m, 8, 1, "ortho"), (m,)),
    "rfft_axis": (lambda m: np.fft.rfft(m, axis=0), (m,)),
    "irfft": (lambda m, w: np.fft.irfft(m + 1j * w), (m, w)),
    "irfft_n": (lambda m, w: np.fft.irfft(m + 1j * w, 7, axis=0, norm="forward"), (m, w)),
    "irfft_real": (lambda x: np.fft.irfft(x, 5), (x,)),
    "rfft2": (lambda t: np.fft.rfft2(t, axes=(0, 1)), (t,)),
    "irfft2": (lambda m, w: np.fft.irfft2(m + 1j * w, (4, 5)), (m, w)),
    "rfftn": (lambda t: np.fft.rfftn(t, (3, 5), (1, 2), "forward"), (t,)),
    "irfftn": (lambda t: np.fft.irfftn(t * (1 + 2j), norm="ortho"), (t,)),
    "hfft": (lambda m, w: np.fft.hfft(m + 1j * w, axis=0), (m, w)),
    "hfft_n": (lambda m, w: np.fft.hfft(m + 1j * w, 7, norm="ortho"), (m, w)),
    "ihfft": (lambda m: np.fft.ihfft(m, 5, 0), (m,)),
    "fftshift": (lambda m: np.fft.fftshift(m) * np.fft.ifftshift(m, axes=1), (m,)),
    "shift_1": (lambda x: np.fft.fftshift(np.fft.fft(x)), (x,)),
    "fftfreq": (lambda x: np.fft.fftfreq(7, x[0]) * x, (x,)),
    "rfftfreq": (lambda x: np.fft.rfftfreq(12, d=0.3) * x, (x,)),
    "derivative": (lambda x: np.fft.ifft(2j * np.pi * np.fft.fftfreq(7) * np.fft.fft(x)).real, (x,)),
    "scipy": (lambda m: scipy.fft.fft2(m, workers=1), (m,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    fun, args = CASES[name]
    value, _ = vjp(fun, *args, jit=False)
    expected = fun(*args)
    assert value.dtype == expected.dtype
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)
    if len(args) == 1:
        check_grads(lambda a: size(fun(a) + 0j), args, jit=False)
    else:
        check_grads(lambda a, b: size(fun(a, b) + 0j), args, jit=False)


def test_second_order() -> None:
    check_grads(lambda m: size(np.fft.fft2(np.fft.irfft(m * (1 + 1j), 5) ** 2)), (m,), order=2, jit=False)


def test_the_convention_is_that_of_complex_numbers() -> None:
    """A cotangent is paired without conjugation: the adjoint of a transform is the transform."""
    _, pullback = vjp(lambda z: np.fft.fft(z), z, jit=False)
    np.testing.assert_allclose(pullback(z)[0], np.fft.fft(z), rtol=1e-13)
    np.testing.assert_allclose(jvp(lambda z: np.fft.ifft(z), (z,), (1j * z,), jit=False)[1], 1j * np.fft.ifft(z))


def test_single_precision_stays() -> None:
    for fun in (lambda a: size(np.fft.fft(a)), lambda a: np.sum(np.fft.irfft(np.fft.rfft(a, 5), 4) ** 2)):
        assert grad(fun, jit=False)(x.astype("f4")).dtype == np.float32


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "rfft of complex": (lambda a: np.fft.rfft(1j * a).real, "real numbers"),
    "an axis twice": (lambda a: np.fft.fftn(a, axes=(0, 0)).real, "each axis once"),
    "a norm that is none": (lambda a: np.fft.fft(a, norm="unit").real, "'ortho'"),  # type: ignore[arg-type]
    "a number": (lambda a: np.fft.fft(a[0]).real, "takes an array"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    fun, told = REFUSED[name]
    with pytest.raises(UnsupportedError, match=told):
        jvp(fun, (x,), (x,), jit=False)


def test_compiled_code_needs_rocket_fft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "has_fft", lambda: False)
    with pytest.raises(SrcgradError, match=r"srcgrad\[fft\]"):
        grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2), cache=False)(x)


@pytest.mark.skipif(importlib.util.find_spec("rocket_fft") is None, reason="rocket-fft is not installed")
def test_compiled() -> None:
    for name in ("fft_longer", "ifftn", "rfft_n", "irfft_n", "hfft", "derivative"):
        fun, args = CASES[name]
        (value, pullback), (expected, plain) = (vjp(fun, *args, jit=jit) for jit in (True, False))
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)
        for one, other in zip(pullback(expected), plain(expected), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
