"""Derivatives called inside kernels: what the CPU gives, in the simulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import cuda

import srcgrad as sg
from tests.cuda.launch import on_device


class Point(NamedTuple):
    x: float
    y: float


def smooth(x: float, a: float) -> float:
    return math.sin(a * x) * x + math.exp(-x * x)


def norm(p: Point, scale: float) -> float:
    return scale * math.sqrt(p.x * p.x + p.y * p.y) + p.x**3


def pair(v: tuple[float, float]) -> tuple[float, float]:
    return v[0] * v[1], math.sin(v[0]) - v[1]


def powers(x: float, n: int) -> float:
    s = 0.0
    for k in range(n):
        s += x**k / (k + 1)
    return s


def newton_sqrt(a: float) -> float:
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


def pieces(x: float) -> float:
    if x < -0.5:
        return -x
    return x * x if x < 0.5 else np.maximum(x, 0.7) + np.sign(x) * x


CASES: list[tuple[str, Callable[..., Any], dict[str, Any], tuple[Any, ...]]] = [
    ("grad", smooth, {}, (0.7, 1.3)),
    ("grad", smooth, {"argnums": (0, 1)}, (0.7, 1.3)),
    ("value_and_grad", smooth, {"argnums": "a"}, (0.7, 1.3)),
    ("grad", smooth, {"mode": "forward"}, (0.7, 1.3)),
    ("hessian", smooth, {"argnums": (0, 1)}, (0.7, 1.3)),
    ("forward", smooth, {}, (0.7, 1.3, 1.0)),
    ("reverse", smooth, {"argnums": (0, 1)}, (0.7, 1.3, 2.0)),
    ("hvp", smooth, {}, (0.7, 1.3, 2.0)),
    ("jacobian", smooth, {}, (0.7, 1.3)),
    ("grad", norm, {}, (Point(0.3, 0.4), 2.0)),
    ("grad", norm, {}, ((Point(0.3, 0.4)), 2.0)),
    ("hessian", norm, {}, (Point(0.3, 0.4), 2.0)),
    ("hvp", norm, {}, (Point(0.3, 0.4), 2.0, Point(1.0, -1.0))),
    ("jacobian", pair, {}, ((0.3, 0.4),)),
    ("jacrev", pair, {}, ((0.3, 0.4),)),
    ("reverse", pair, {}, ((0.3, 0.4), (1.0, 2.0))),
    ("grad", powers, {"mode": "forward"}, (0.7, 4)),
    ("grad", newton_sqrt, {"mode": "forward"}, (2.0,)),
    ("grad", pieces, {}, (-1.0,)),
    ("grad", pieces, {}, (0.2,)),
    ("grad", pieces, {}, (0.7,)),
]


def flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("single", [False, True], ids=["float64", "float32"])
@pytest.mark.parametrize(("kind", "fun", "options", "args"), CASES)
def test_as_on_the_cpu(
    kind: str, fun: Callable[..., Any], options: dict[str, Any], args: tuple[Any, ...], single: bool
) -> None:
    if single and fun is not newton_sqrt:  # whose tolerance is below float32's rounding
        args = tuple(to_single(a) for a in args)
    expected = getattr(sg, kind)(fun, jit=False, **options)(*args)
    got = on_device(getattr(sg, kind)(fun, target="cuda", **options), *args)
    assert type(got) is type(expected) or not isinstance(expected, tuple)
    for a, b in zip(flat(got), flat(expected), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-6 if single else 1e-14, atol=1e-7 if single else 1e-15)


def to_single(value: Any) -> Any:
    if isinstance(value, Point):
        return Point(*map(to_single, value))
    if isinstance(value, tuple):
        return tuple(map(np.float32, value))
    return np.float32(value) if isinstance(value, float) else value


def test_in_many_threads() -> None:
    slope = sg.grad(smooth, target="cuda")

    @cuda.jit
    def kernel(x, a, out):
        i = cuda.grid(1)
        if i < x.size:
            out[i] = slope(x[i], a)

    x, out = np.linspace(-2.0, 2.0, 40), np.zeros(40)
    kernel[4, 16](x, 1.5, out)
    expected = sg.vmap(sg.grad(smooth, jit=False), (0, None))(x, 1.5)
    np.testing.assert_allclose(out, expected, rtol=1e-14)


def test_outside_of_a_kernel() -> None:
    with pytest.raises(sg.ArgumentError, match="outside of a kernel"):
        sg.grad(smooth, target="cuda")(1.0, 2.0)
