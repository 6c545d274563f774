"""Bessel functions of integer order: J, Y, I, K and the scaled I and K."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np


def bessel_far(n: int, x: float, kind: int) -> float:
    # J (kind 0) or Y (kind 1) of order n for large x: Hankel's expansion
    even, odd, term = 1.0, 0.0, 1.0
    for k in range(1, 40):
        step = (4.0 * n * n - (2.0 * k - 1.0) ** 2) / (8.0 * k * x)
        if abs(step) >= 1.0 and k > n:
            break
        term *= step
        if k % 2 == 1:
            odd += term if k % 4 == 1 else -term
        else:
            even += term if k % 4 == 0 else -term
    c, s = np.cos(x), np.sin(x)
    near, ahead = c + s, s - c
    for _ in range(n % 4):
        near, ahead = ahead, -near
    wave = even * near - odd * ahead if kind == 0 else even * ahead + odd * near
    return wave / np.sqrt(np.pi * x)


def bessel_pair(n: int, x: float, kind: int) -> tuple[float, float]:
    # J of order n and 0 (kind 0), or Y of orders 0 and 1, for 0 < x up to 25 + n * n / 2: Miller's recurrence for J
    # from far up, and Neumann's series of J for Y
    top = 2 * ((n + int(1.3 * x) + 24) // 2)
    above, here, total, wanted = 0.0, 1e-200, 0.0, 0.0
    y0, y1, j1 = 0.0, 0.0, 0.0
    for k in range(top, -1, -1):
        if k == n:
            wanted = here
        if k == 1:
            j1 = here
        sign = 1.0 if k % 4 < 2 else -1.0
        if k % 2 == 0:
            total += here if k == 0 else 2.0 * here
            if k > 0:
                y0 += sign * here / k
        elif k > 1:
            y1 += sign * here * k / (0.25 * (k - 1.0) * (k + 1.0))
        if k > 0:
            above, here = here, 2.0 * k / x * here - above
    if kind == 0:
        return wanted / total, here / total
    level = np.log(0.5 * x) + 0.5772156649015329
    first = 2.0 / np.pi * (level * here - 4.0 * y0) / total
    second = 2.0 / np.pi * ((level - 1.0) * j1 - y1 - here / x) / total
    return first, second


def bessel_j(n: int, x: float) -> float:
    if x < 0.0:
        return bessel_j(n, -x) if n % 2 == 0 else -bessel_j(n, -x)
    if x < 1e-8:
        value = 1.0
        for k in range(1, n + 1):
            value *= 0.5 * x / k
        return value
    if x > 25.0 + 0.5 * n * n:
        return bessel_far(n, x, 0)
    return bessel_pair(n, x, 0)[0] if x == x else x


def bessel_y(n: int, x: float) -> float:
    if not x > 0.0:
        return -np.inf if x == 0.0 else np.nan
    if x > 25.0:
        before, here = bessel_far(0, x, 1), bessel_far(1, x, 1)
    elif x < 1e-8:
        before, here = 2.0 / np.pi * (np.log(0.5 * x) + 0.5772156649015329), -2.0 / (np.pi * x)
    else:
        before, here = bessel_pair(0, x, 1)
    for k in range(1, n + 1):
        before, here = here, 2.0 * k / x * here - before
    return before


def bessel_i_scaled(n: int, order: int, x: float) -> float:
    # the derivative of this order of exp(-abs(x)) * I
    if x < 0.0:
        value = bessel_i_scaled(n, order, -x)
        return value if (n + order) % 2 == 0 else -value
    if x > 20.0 + n * n:
        value, term = 0.0, 1.0
        for k in range(30):
            slope = 1.0
            for m in range(order):
                slope *= -(k + 0.5 + m) / x
            value += term * slope
            term *= -(4.0 * n * n - (2.0 * k + 1.0) ** 2) / (8.0 * (k + 1.0) * x)
        return value / np.sqrt(2.0 * np.pi * x)
    if order == 0:
        term = np.exp(-x)
        for k in range(1, n + 1):
            term *= 0.5 * x / k
        value = 0.0
        for k in range(1, 90 + n * n):
            value += term
            term *= 0.25 * x * x / (k * (k + n))
        return value
    # the integral of (cos(t) - 1)**order * cos(n * t) * exp(x * (cos(t) - 1)) / pi, by the trapezoidal rule
    if x == 0.0 and (n + order) % 2 == 1:
        return 0.0
    points = 32 + 8 * n
    value = 0.5 * (-2.0) ** order * np.exp(-2.0 * x) * (1.0 if n % 2 == 0 else -1.0)
    for k in range(1, points):
        t = np.pi * k / points
        fall = -2.0 * np.sin(0.5 * t) ** 2
        value += fall**order * np.cos(n * t) * np.exp(x * fall)
    return value / points


def bessel_i(n: int, x: float) -> float:
    half = np.exp(0.5 * abs(x))
    return half * bessel_i_scaled(n, 0, x) * half


def bessel_k_scaled(n: int, order: int, x: float) -> float:
    # the derivative of this order of exp(x) * K, the integral over t > 0 of
    # (1 - cosh(t))**order * cosh(n * t) * exp(x * (1 - cosh(t))), by the trapezoidal rule
    if not x > 0.0:
        return np.nan if not x == 0.0 else np.inf if order % 2 == 0 else -np.inf
    if x == np.inf:
        return 0.0
    if x < 1e-20:
        # the leading term: -log(x / 2) for n = 0, else (n - 1)! / 2 * (2 / x)**n
        value = 1.0 / x if n > 0 else -np.log(0.5 * x) - 0.5772156649015329
        for k in range(1, n):
            value *= k * 2.0 / x
        for k in range(order):
            value = -1.0 / x if n + k == 0 else -value * (n + k) / x
        return value
    step = 0.125 / np.sqrt(1.0 + 0.25 * x)
    value = 0.5 if order == 0 else 0.0
    t = step
    while True:
        fall = -2.0 * np.sinh(0.5 * t) ** 2
        if x * fall + n * t + order * np.log(1.0 - fall) < -42.0 and x * fall < -42.0:
            return step * value
        value += fall**order * np.cosh(n * t) * np.exp(x * fall)
        t += step


def bessel_k(n: int, x: float) -> float:
    return 0.0 if x == np.inf else np.exp(-x) * bessel_k_scaled(n, 0, x)
